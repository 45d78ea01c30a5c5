#include "tuner/task/recording.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/unpack.h"
#include "tuner/task/recording_format.h"
#include "tuner/task/recording_mend.h"
#include "tuner/task/recording_t1.h"
#include "tuner/task/task_value.h"

/* A tree of JSON takes up to 30 times its text: more than this is no file for the daemon to read.
 */
enum { FILE_MAX = 1 << 28, TIME_MAX_S = 1000000000 };

static const struct recording_format *const formats[] = {
	&recording_kt,
	&recording_t4,
	&recording_bench,
	NULL,
};

const char *recording_format_name(const char *text)
{
	for (int i = 0; formats[i]; i++)
		if (strcmp(formats[i]->name, text) == 0)
			return formats[i]->name;
	return "recording";
}

/* Files one after the other give one hash. */
static void add_to_hash(struct recording *r, const char *bytes, size_t len)
{
	struct hash *h = hash_new();

	hash_text(h, r->hash);
	hash_field(h, bytes, len);
	hash_finish(h, r->hash);
}

int recording_parse_file(struct recording *rec, const char *path, cJSON **ret, struct err *e)
{
	struct str text = STR_INIT;
	char *bytes = NULL;
	size_t len = 0;
	int r = file_read(path, FILE_MAX, &bytes, &len, e);

	if (r < 0)
		return r;
	r = unpack(&bytes, &len, FILE_MAX, e);
	if (r == 0) {
		add_to_hash(rec, bytes, len);
		str_add(&text, bytes, len);
		rec->n_dropped += recording_mend(&text);
		r = json_parse(text.data, text.len, ret, e);
	}
	str_release(&text);
	free(bytes);
	return r < 0 ? err_wrap(e, "%s", path) : 0;
}

/* --- parameters --- */

/* As Python's str() has it. */
static char *python_text(const struct json_node *n, const struct value *v)
{
	if (cJSON_IsBool(n->value))
		return mem_strdup(cJSON_IsTrue(n->value) ? "True" : "False");
	return task_value_text(v);
}

static int read_value(const struct json_node *n, struct value *ret, struct err *e)
{
	const char *text = cJSON_GetStringValue(n->value);

	if (text && recording_is_nan(text))
		return json_wrong(n, e, "a parameter has no value NaN or Infinity");
	return task_value_read(n, ret, e);
}

int recording_add_param(struct recording *r, const char *name, const struct json_node *list,
			struct err *e)
{
	int n = json_count(list), i = 0, at = space_params(r->space), status = json_list(list, e);
	struct value *values;
	struct json_node item;

	if (status < 0)
		return status;
	if (at == SPACE_PARAMS_MAX || n > SPACE_VALUES_MAX)
		return json_wrong(list, e, "more than %d parameters or %d values of one",
				  SPACE_PARAMS_MAX, SPACE_VALUES_MAX);
	values = mem_array((size_t)n + 1, sizeof *values);
	r->text[at] = mem_array((size_t)n + 1, sizeof *r->text[at]);
	for (bool more = json_first(list, &item); more && status == 0; more = json_next(&item)) {
		status = read_value(&item, &values[i], e);
		if (status == 0) {
			r->text[at][i] = python_text(&item, &values[i]);
			i++;
		}
	}
	if (status == 0)
		status = space_add_param(r->space, name, values, n, e);
	free(values);
	return status;
}

int recording_position(const struct recording *r, int param, const struct json_node *value,
		       uint16_t *ret, struct err *e)
{
	struct value v = { 0 };
	int status = read_value(value, &v, e), at;

	if (status < 0)
		return status;
	at = space_position(r->space, param, &v);
	if (at < 0)
		return json_expected(value, e, "one of the values of parameter %s",
				     space_name(r->space, param));
	*ret = (uint16_t)at;
	return 0;
}

int recording_config(const struct recording *r, const struct json_node *object, uint16_t *ret,
		     struct err *e)
{
	int status = json_object(object, e);

	for (int p = 0; p < space_params(r->space) && status == 0; p++) {
		struct json_node value;

		status = json_need(object, space_name(r->space, p), &value, e);
		if (status == 0)
			status = recording_position(r, p, &value, &ret[p], e);
	}
	return status;
}

/* --- entries --- */

static char *make_key(const struct recording *r, const uint16_t *config)
{
	struct str s = STR_INIT;

	for (int p = 0; p < space_params(r->space); p++)
		str_addf(&s, "%s%s", p ? "," : "", r->text[p][config[p]]);
	return str_detach(&s);
}

void recording_add(struct recording *r, const uint16_t *config, const struct recorded *x)
{
	size_t width = (size_t)space_params(r->space);

	if ((r->n & (r->n - 1)) == 0) {
		size_t room = r->n ? 2 * r->n : 1;

		r->config = mem_grow(r->config, room * width, sizeof *r->config);
		r->entry = mem_grow(r->entry, room, sizeof *r->entry);
	}
	memcpy(r->config + r->n * width, config, width * sizeof *config);
	r->entry[r->n] = *x;
	r->entry[r->n].key = x->key ? mem_strdup(x->key) : make_key(r, config);
	r->n++;
}

int recording_value(const struct json_node *n, double *ret, struct err *e)
{
	double d = 0;
	int status = json_double(n, 0, HUGE_VAL, &d, e);

	if (status < 0)
		return status;
	if (!(d > 0) || !isfinite(d))
		return json_expected(n, e, "a positive number");
	*ret = d;
	return 0;
}

double recording_seconds(const struct json_node *n, const char *key, double unit)
{
	struct json_node x;
	double s;

	if (!json_get(n, key, &x) || !cJSON_IsNumber(x.value))
		return 0;
	s = x.value->valuedouble * unit;
	return s > 0 && s < TIME_MAX_S ? s : 0;
}

bool recording_is_rate(const char *objective)
{
	size_t n = strlen(objective);

	return n > 2 &&
	       (strcmp(objective + n - 2, "/s") == 0 || strcmp(objective + n - 2, "/W") == 0);
}

/* --- looking up --- */

static int compare_rows(const void *a, const void *b, void *ctx)
{
	const struct recording *r = ctx;
	size_t i = *(const size_t *)a, j = *(const size_t *)b;
	size_t width = (size_t)space_params(r->space);
	int c = memcmp(r->config + i * width, r->config + j * width, width * sizeof *r->config);

	return c ? c : (i > j) - (i < j);
}

size_t recording_find(const struct recording *r, const uint16_t *config)
{
	size_t width = (size_t)space_params(r->space), bytes = width * sizeof *config;
	size_t low = 0, high = r->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (memcmp(r->config + r->order[mid] * width, config, bytes) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < r->n && memcmp(r->config + r->order[low] * width, config, bytes) == 0)
		return r->order[low];
	return r->n;
}

double recording_score(const struct recording *r, const struct recorded *x)
{
	return r->higher ? 1 / x->value : x->value;
}

size_t recording_best(const struct recording *r)
{
	size_t best = r->n;

	for (size_t i = 0; i < r->n; i++)
		if (r->entry[i].ok && (best == r->n || recording_score(r, &r->entry[i]) <
							       recording_score(r, &r->entry[best])))
			best = i;
	return best;
}

double recording_optimum(const struct recording *r)
{
	size_t best = recording_best(r);

	return best < r->n ? recording_score(r, &r->entry[best]) : HUGE_VAL;
}

/* --- the whole --- */

static int finish(struct recording *r, struct err *e)
{
	int status;

	if (r->n == 0)
		return err_set(e, ERR_INVALID,
			       "no configuration is recorded in it: expected at least one");
	status = space_restrict(r->space, r->config, r->n, e);
	if (status < 0)
		return status;
	r->order = mem_array(r->n, sizeof *r->order);
	for (size_t i = 0; i < r->n; i++)
		r->order[i] = i;
	qsort_r(r->order, r->n, sizeof *r->order, compare_rows, r);
	return 0;
}

static int read_as(struct recording *r, const struct json_node *root, struct err *e)
{
	struct json_node member;

	for (int i = 0; formats[i]; i++)
		if (json_get(root, formats[i]->member, &member)) {
			r->format = formats[i]->name;
			return formats[i]->read(r, root, e);
		}
	if (json_get(root, "ConfigurationSpace", &member))
		return err_set(
			e, ERR_INVALID,
			"this is a T1 description: expected T4 results; it goes with them as --t1 "
			"FILE");
	return err_set(e, ERR_INVALID,
		       "expected a Kernel Tuner cache (with the member \"cache\"), T4 results "
		       "(\"results\") or a searchbench task (\"configs\")");
}

/* The description's own errors name its file. */
static int read_description(struct recording *r, const char *path, struct err *e)
{
	cJSON *doc = NULL;
	struct json_node root;
	int status = recording_parse_file(r, path, &doc, e);

	if (status < 0)
		return status;
	root = json_root(doc);
	status = recording_t1_read(r, &root, e);
	cJSON_Delete(doc);
	return status < 0 ? err_wrap(e, "%s", path) : 0;
}

static int describe(struct recording *r, const char *path, const char *t1,
		    const struct json_node *root, struct err *e)
{
	struct json_node results;
	char *beside;
	int status = 0;

	if (!json_get(root, recording_t4.member, &results))
		return t1 ? err_set(e, ERR_INVALID, "%s: --t1 goes with T4 results only", path) : 0;
	beside = t1 ? mem_strdup(t1) : recording_t1_beside(path);
	if (beside)
		status = read_description(r, beside, e);
	free(beside);
	return status;
}

static int load(struct recording *r, const char *path, const char *t1, struct err *e)
{
	struct json_node root;
	cJSON *doc = NULL;
	int status = recording_parse_file(r, path, &doc, e);

	if (status < 0)
		return status;
	root = json_root(doc);
	status = describe(r, path, t1, &root, e);
	if (status == 0) {
		status = read_as(r, &root, e);
		if (status == 0)
			status = finish(r, e);
		if (status < 0)
			err_wrap(e, "%s", path);
	}
	cJSON_Delete(doc);
	return status;
}

int recording_load(const char *path, const char *t1, struct recording **ret, struct err *e)
{
	struct recording *r = mem_alloc(sizeof *r);
	int status;

	r->space = space_new();
	status = load(r, path, t1, e);
	if (status < 0) {
		recording_free(r);
		return status;
	}
	*ret = r;
	return 0;
}

void recording_free(struct recording *r)
{
	if (!r)
		return;
	for (int p = 0; p < SPACE_PARAMS_MAX && r->text[p]; p++) {
		for (char **t = r->text[p]; *t; t++)
			free(*t);
		free(r->text[p]);
	}
	for (size_t i = 0; i < r->n; i++)
		recorded_release(&r->entry[i]);
	free(r->entry);
	free(r->config);
	free(r->order);
	space_free(r->space);
	free(r->kernel);
	free(r->device);
	free(r->objective);
	free(r->problem_size);
	free(r->defaults);
	free(r);
}
