#include "base/json.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/near.h"
#include "base/str.h"

static const char *kind_name(const cJSON *v)
{
	if (cJSON_IsString(v))
		return "a string";
	if (cJSON_IsNumber(v))
		return "a number";
	if (cJSON_IsBool(v))
		return "a boolean";
	if (cJSON_IsArray(v))
		return "a list";
	return cJSON_IsObject(v) ? "an object" : "null";
}

static void add_path(struct str *s, const struct json_node *n)
{
	if (!n->up)
		return;
	add_path(s, n->up);
	if (n->key)
		str_addf(s, "%s%s", s->len ? "." : "", n->key);
	else
		str_addf(s, "[%d]", n->index);
}

static char *path_of(const struct json_node *n)
{
	struct str s = STR_INIT;

	add_path(&s, n);
	if (!s.len)
		str_addz(&s, "top level");
	return str_detach(&s);
}

int json_expected(const struct json_node *n, struct err *e, const char *fmt, ...)
{
	struct str what = STR_INIT;
	char *path = path_of(n);
	char *found = cJSON_IsNumber(n->value) || cJSON_IsString(n->value)
			      ? json_render(n->value)
			      : mem_strdup(kind_name(n->value));
	va_list ap;

	va_start(ap, fmt);
	str_vaddf(&what, fmt, ap);
	va_end(ap);
	err_set(e, ERR_INVALID, "%s: expected %s, found %.80s", path, what.data, found);
	str_release(&what);
	free(found);
	free(path);
	return ERR_INVALID;
}

int json_wrong(const struct json_node *n, struct err *e, const char *fmt, ...)
{
	struct str text = STR_INIT;
	char *path = path_of(n);
	va_list ap;

	va_start(ap, fmt);
	str_vaddf(&text, fmt, ap);
	va_end(ap);
	err_set(e, ERR_INVALID, "%s: %s", path, text.data);
	str_release(&text);
	free(path);
	return ERR_INVALID;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted, so that an object of many members costs n log n. */
static const char *duplicate_key(const cJSON *object)
{
	int n = cJSON_GetArraySize(object), i = 0;
	const char **names = mem_array((size_t)n, sizeof *names);
	const char *twice = NULL;
	const cJSON *c;

	cJSON_ArrayForEach(c, object) names[i++] = c->string;
	qsort(names, (size_t)n, sizeof *names, compare_names);
	for (i = 1; i < n && !twice; i++)
		if (strcmp(names[i - 1], names[i]) == 0)
			twice = names[i];
	free(names);
	return twice;
}

static int check_tree(const struct json_node *n, int depth, struct err *e)
{
	struct json_node child;
	const char *twice;

	if (depth > JSON_DEPTH_MAX)
		return err_set(e, ERR_INVALID, "nested deeper than %d levels", JSON_DEPTH_MAX);
	if (cJSON_IsObject(n->value)) {
		twice = duplicate_key(n->value);
		if (twice)
			return json_wrong(n, e, "the name \"%.80s\" stands twice", twice);
	}
	for (bool ok = json_first(n, &child); ok; ok = json_next(&child)) {
		int r = check_tree(&child, depth + 1, e);

		if (r < 0)
			return r;
	}
	return 0;
}

static int line_of(const char *text, const char *at)
{
	int line = 1;

	for (; text < at; text++)
		line += *text == '\n';
	return line;
}

int json_parse(const char *text, size_t len, cJSON **ret, struct err *e)
{
	const char *end = NULL;
	struct json_node root;
	cJSON *v;
	int r;

	if (memchr(text, '\0', len))
		return err_set(e, ERR_INVALID, "not JSON: it has a NUL byte");
	v = cJSON_ParseWithLengthOpts(text, len + 1, &end, true);
	if (!v)
		return err_set(e, ERR_INVALID, "line %d: not JSON near \"%.20s\"",
			       end ? line_of(text, end) : 1, end ? end : "");
	root = json_root(v);
	r = check_tree(&root, 0, e);
	if (r < 0) {
		cJSON_Delete(v);
		return r;
	}
	*ret = v;
	return 0;
}

static char *must(char *text)
{
	if (!text)
		abort();
	return text;
}

char *json_render(const cJSON *value)
{
	return must(cJSON_PrintUnformatted(value));
}

char *json_render_pretty(const cJSON *value)
{
	return must(cJSON_Print(value));
}

struct json_node json_root(const cJSON *value)
{
	return (struct json_node){ .value = value };
}

bool json_get(const struct json_node *n, const char *key, struct json_node *ret)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(n->value, key);

	if (!v)
		return false;
	*ret = (struct json_node){ .value = v, .up = n, .key = v->string };
	return true;
}

int json_need(const struct json_node *n, const char *key, struct json_node *ret, struct err *e)
{
	int r = json_object(n, e);

	if (r < 0)
		return r;
	return json_get(n, key, ret) ? 0 : json_wrong(n, e, "\"%s\" is missing", key);
}

bool json_first(const struct json_node *n, struct json_node *ret)
{
	const cJSON *child = n->value->child;

	if (!child || !(cJSON_IsObject(n->value) || cJSON_IsArray(n->value)))
		return false;
	*ret = (struct json_node){ .value = child, .up = n, .key = child->string };
	return true;
}

bool json_next(struct json_node *n)
{
	const cJSON *next = n->value->next;

	if (!next)
		return false;
	*n = (struct json_node){ next, n->up, next->string, n->index + 1 };
	return true;
}

int json_count(const struct json_node *n)
{
	return cJSON_GetArraySize(n->value);
}

int json_object(const struct json_node *n, struct err *e)
{
	return cJSON_IsObject(n->value) ? 0 : json_expected(n, e, "an object");
}

int json_list(const struct json_node *n, struct err *e)
{
	return cJSON_IsArray(n->value) ? 0 : json_expected(n, e, "a list");
}

int json_string(const struct json_node *n, const char **ret, struct err *e)
{
	if (!cJSON_IsString(n->value))
		return json_expected(n, e, "a string");
	*ret = n->value->valuestring;
	return 0;
}

int json_int(const struct json_node *n, int64_t min, int64_t max, int64_t *ret, struct err *e)
{
	double d = n->value->valuedouble;

	if (!cJSON_IsNumber(n->value) || d != floor(d) || fabs(d) > 0x1p53 || (int64_t)d < min ||
	    (int64_t)d > max)
		return json_expected(n, e, "a whole number from %lld to %lld", (long long)min,
				     (long long)max);
	*ret = (int64_t)d;
	return 0;
}

int json_double(const struct json_node *n, double min, double max, double *ret, struct err *e)
{
	double d = n->value->valuedouble;

	if (!cJSON_IsNumber(n->value) || !isfinite(d) || d < min || d > max)
		return json_expected(n, e, "a number from %g to %g", min, max);
	*ret = d;
	return 0;
}

int json_bool(const struct json_node *n, bool *ret, struct err *e)
{
	if (!cJSON_IsBool(n->value))
		return json_expected(n, e, "true or false");
	*ret = cJSON_IsTrue(n->value);
	return 0;
}

int json_opt_string(const struct json_node *n, const char *key, const char **ret, struct err *e)
{
	struct json_node m;

	return json_get(n, key, &m) ? json_string(&m, ret, e) : 0;
}

int json_opt_int(const struct json_node *n, const char *key, int64_t min, int64_t max, int64_t *ret,
		 struct err *e)
{
	struct json_node m;

	return json_get(n, key, &m) ? json_int(&m, min, max, ret, e) : 0;
}

int json_opt_double(const struct json_node *n, const char *key, double min, double max, double *ret,
		    struct err *e)
{
	struct json_node m;

	return json_get(n, key, &m) ? json_double(&m, min, max, ret, e) : 0;
}

int json_opt_bool(const struct json_node *n, const char *key, bool *ret, struct err *e)
{
	struct json_node m;

	return json_get(n, key, &m) ? json_bool(&m, ret, e) : 0;
}

static int unknown_key(const struct json_node *n, const char *key, const char *const *allowed,
		       struct err *e)
{
	struct str list = STR_INIT;
	const char *nearest;
	int names = 0;

	for (; allowed[names]; names++)
		str_addf(&list, "%s%s", names ? ", " : "", allowed[names]);
	nearest = near_name(key, allowed, names);
	if (nearest)
		json_wrong(n, e, "unknown key \"%.80s\"; did you mean \"%s\"?", key, nearest);
	else
		json_wrong(n, e, "unknown key \"%.80s\"; expected one of: %s", key, list.data);
	str_release(&list);
	return ERR_INVALID;
}

int json_only(const struct json_node *n, const char *const *allowed, struct err *e)
{
	const cJSON *c;
	int r = json_object(n, e);

	if (r < 0)
		return r;
	cJSON_ArrayForEach(c, n->value)
	{
		int i = 0;

		while (allowed[i] && strcmp(allowed[i], c->string) != 0)
			i++;
		if (!allowed[i])
			return unknown_key(n, c->string, allowed, e);
	}
	return 0;
}

static cJSON *need(cJSON *v)
{
	if (!v)
		abort();
	return v;
}

void json_add(cJSON *object, const char *key, cJSON *value)
{
	if (!cJSON_AddItemToObject(object, key, need(value)))
		abort();
}

void json_push(cJSON *list, cJSON *value)
{
	if (!cJSON_AddItemToArray(list, need(value)))
		abort();
}

void json_add_string(cJSON *object, const char *key, const char *text)
{
	json_add(object, key, text ? cJSON_CreateString(text) : cJSON_CreateNull());
}

void json_add_int(cJSON *object, const char *key, int64_t number)
{
	assert(number <= (int64_t)1 << 53 && number >= -((int64_t)1 << 53));
	json_add(object, key, cJSON_CreateNumber((double)number));
}

void json_add_double(cJSON *object, const char *key, double number)
{
	json_add(object, key, isfinite(number) ? cJSON_CreateNumber(number) : cJSON_CreateNull());
}

void json_add_bool(cJSON *object, const char *key, bool truth)
{
	json_add(object, key, cJSON_CreateBool(truth));
}

cJSON *json_add_object(cJSON *object, const char *key)
{
	return need(cJSON_AddObjectToObject(object, key));
}

cJSON *json_add_list(cJSON *object, const char *key)
{
	return need(cJSON_AddArrayToObject(object, key));
}

cJSON *json_new_object(void)
{
	return need(cJSON_CreateObject());
}

cJSON *json_new_list(void)
{
	return need(cJSON_CreateArray());
}
