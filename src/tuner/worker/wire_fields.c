#include "tuner/worker/wire_fields.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "runtime/dtype.h"
#include "runtime/problem.h"

static const int64_t exact_max = (int64_t)1 << 53; /* whole numbers up to it fit into a double */

static const char *name_of_dtype(int value)
{
	return dtype_name((enum dtype)value);
}

static const char *name_of_language(int value)
{
	return value == LANGUAGE_CUDA ? "cuda" : "c";
}

static const char *name_of_mode(int value)
{
	return timing_mode_name((enum timing_mode)value);
}

static const char *name_of_l2(int value)
{
	return timing_l2_name((enum timing_l2)value);
}

const struct wire_names wire_dtypes = { name_of_dtype, DTYPE_COUNT };
const struct wire_names wire_languages = { name_of_language, LANGUAGE_C + 1 };
const struct wire_names wire_modes = { name_of_mode, TIMING_CPU + 1 };
const struct wire_names wire_l2s = { name_of_l2, TIMING_L2_COUNT };

static void *must(void *p)
{
	if (!p)
		abort();
	return p;
}

/* Bytes of the well-formed UTF-8 sequence (Unicode 15, table 3-7) at s, or 0. */
static size_t sequence(const unsigned char *s)
{
	size_t len = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;

	if (s[0] > 0xf4 || (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

cJSON *wire_text(const char *text)
{
	char *copy;
	cJSON *v;

	if (!text)
		return must(cJSON_CreateNull());
	copy = mem_strdup(text);
	for (unsigned char *s = (unsigned char *)copy; *s;) {
		size_t len = sequence(s);

		if (len == 0)
			*s = '?';
		s += len ? len : 1;
	}
	v = must(cJSON_CreateString(copy));
	free(copy);
	return v;
}

static cJSON *put_i64(int64_t value)
{
	char text[32];

	if (value <= exact_max && value >= -exact_max)
		return must(cJSON_CreateNumber((double)value));
	snprintf(text, sizeof text, "%lld", (long long)value);
	return must(cJSON_CreateString(text));
}

static cJSON *put_u64(uint64_t value)
{
	char text[32];

	snprintf(text, sizeof text, "%llu", (unsigned long long)value);
	return must(cJSON_CreateString(text));
}

static cJSON *put_double(double value)
{
	if (isfinite(value))
		return must(cJSON_CreateNumber(value));
	return must(cJSON_CreateString(isnan(value) ? "nan" : value > 0 ? "inf" : "-inf"));
}

static int int_at(const void *at)
{
	int value;

	memcpy(&value, at, sizeof value); /* also an enum, which is as wide */
	return value;
}

static cJSON *put_value(const void *base, const struct wire_field *f)
{
	const void *at = (const char *)base + f->offset;

	switch (f->kind) {
	case WIRE_INT:
		return put_i64(int_at(at));
	case WIRE_I64:
		return put_i64(*(const int64_t *)at);
	case WIRE_U64:
		return put_u64(*(const uint64_t *)at);
	case WIRE_DOUBLE:
		return put_double(*(const double *)at);
	case WIRE_BOOL:
		return must(cJSON_CreateBool(*(const bool *)at));
	case WIRE_TEXT:
		return wire_text(at);
	case WIRE_STRING:
		return wire_text(*(char *const *)at);
	case WIRE_ENUM:
		return must(cJSON_CreateString(f->names->name(int_at(at))));
	}
	abort();
}

cJSON *wire_put(const void *base, const struct wire_field *fields)
{
	cJSON *object = json_new_object();

	for (const struct wire_field *f = fields; f->name; f++)
		json_add(object, f->name, put_value(base, f));
	return object;
}

static int get_i64(const struct json_node *n, int64_t min, int64_t max, int64_t *ret, struct err *e)
{
	const char *text;
	char *end;
	int64_t value;

	if (!cJSON_IsString(n->value))
		return json_int(n, min, max, ret, e);
	text = n->value->valuestring;
	errno = 0;
	value = strtoll(text, &end, 10);
	if (errno || end == text || *end || value < min || value > max)
		return json_expected(n, e, "a whole number from %lld to %lld", (long long)min,
				     (long long)max);
	*ret = value;
	return 0;
}

static int get_u64(const struct json_node *n, uint64_t *ret, struct err *e)
{
	const char *text;
	char *end;
	uint64_t value;
	int r = json_string(n, &text, e);

	if (r < 0)
		return r;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || *text < '0' || *text > '9' || *end)
		return json_expected(n, e, "a string of digits below 2^64");
	*ret = value;
	return 0;
}

static int get_double(const struct json_node *n, double *ret, struct err *e)
{
	const char *text = cJSON_IsString(n->value) ? n->value->valuestring : "";

	if (strcmp(text, "nan") == 0)
		*ret = NAN;
	else if (strcmp(text, "inf") == 0)
		*ret = INFINITY;
	else if (strcmp(text, "-inf") == 0)
		*ret = -INFINITY;
	else
		return json_double(n, -1.7976931348623157e308, 1.7976931348623157e308, ret, e);
	return 0;
}

static int get_enum(const struct json_node *n, const struct wire_names *names, int *ret,
		    struct err *e)
{
	const char *text;
	int r = json_string(n, &text, e);

	if (r < 0)
		return r;
	for (int i = 0; i < names->count; i++) {
		if (strcmp(names->name(i), text) == 0) {
			*ret = i;
			return 0;
		}
	}
	return json_expected(n, e, "one of %d names, the first of them %s", names->count,
			     names->name(0));
}

static int get_text(const struct json_node *n, char *ret, size_t size, struct err *e)
{
	const char *text;
	int r = json_string(n, &text, e);

	if (r < 0)
		return r;
	if (strlen(text) >= size)
		return json_expected(n, e, "at most %zu bytes", size - 1);
	memcpy(ret, text, strlen(text) + 1);
	return 0;
}

static int get_string(const struct json_node *n, bool nullable, char **ret, struct err *e)
{
	const char *text = NULL;
	int r = nullable && cJSON_IsNull(n->value) ? 0 : json_string(n, &text, e);

	if (r == 0)
		*ret = mem_strdup(text);
	return r;
}

static int get_value(const struct json_node *n, void *base, const struct wire_field *f,
		     struct err *e)
{
	void *at = (char *)base + f->offset;
	int64_t whole = 0;
	int small = 0, r;

	switch (f->kind) {
	case WIRE_INT:
		r = get_i64(n, f->min, f->max, &whole, e);
		small = (int)whole;
		memcpy(at, &small, sizeof small);
		return r;
	case WIRE_I64:
		return get_i64(n, f->min, f->max, at, e);
	case WIRE_U64:
		return get_u64(n, at, e);
	case WIRE_DOUBLE:
		return get_double(n, at, e);
	case WIRE_BOOL:
		return json_bool(n, at, e);
	case WIRE_TEXT:
		return get_text(n, at, (size_t)f->max, e);
	case WIRE_STRING:
		return get_string(n, f->min == 0, at, e);
	case WIRE_ENUM:
		r = get_enum(n, f->names, &small, e);
		if (r == 0)
			memcpy(at, &small, sizeof small);
		return r;
	}
	abort();
}

static int count_fields(const struct wire_field *fields)
{
	int n = 0;

	while (fields[n].name)
		n++;
	return n;
}

int wire_get(const struct json_node *n, void *base, const struct wire_field *fields, struct err *e)
{
	struct json_node member;
	int r;

	for (const struct wire_field *f = fields; f->name; f++) {
		r = json_need(n, f->name, &member, e);
		if (r == 0)
			r = get_value(&member, base, f, e);
		if (r < 0)
			return r;
	}
	if (json_count(n) != count_fields(fields))
		return json_wrong(n, e, "it has members that nobody knows");
	return 0;
}

cJSON *wire_put_table(const void *base, size_t width, int n, const struct wire_field *fields)
{
	cJSON *table = json_new_object(), *columns = json_add_list(table, "columns");
	cJSON *rows = json_add_list(table, "rows");

	for (const struct wire_field *f = fields; f->name; f++)
		json_push(columns, must(cJSON_CreateStringReference(f->name)));
	for (int i = 0; i < n; i++) {
		const char *at = (const char *)base + (size_t)i * width;
		cJSON *row = json_new_list();

		for (const struct wire_field *f = fields; f->name; f++)
			json_push(row, put_value(at, f));
		json_push(rows, row);
	}
	return table;
}

static int check_columns(const struct json_node *n, const struct wire_field *fields, struct err *e)
{
	struct json_node columns, name;
	bool more;
	int r = json_need(n, "columns", &columns, e);

	if (r < 0 || (r = json_list(&columns, e)) < 0)
		return r;
	more = json_first(&columns, &name);
	for (const struct wire_field *f = fields; f->name; f++, more = json_next(&name)) {
		if (!more)
			return json_wrong(&columns, e, "column %s is missing", f->name);
		if (!cJSON_IsString(name.value) || strcmp(name.value->valuestring, f->name) != 0)
			return json_expected(&name, e, "column %s", f->name);
	}
	return more ? json_wrong(&columns, e, "there are too many") : 0;
}

static int get_row(const struct json_node *row, void *base, const struct wire_field *fields,
		   struct err *e)
{
	struct json_node value;
	bool more;
	int r = json_list(row, e);

	if (r < 0)
		return r;
	more = json_first(row, &value);
	for (const struct wire_field *f = fields; f->name; f++, more = json_next(&value)) {
		if (!more)
			return json_wrong(row, e, "%s is missing", f->name);
		r = get_value(&value, base, f, e);
		if (r < 0)
			return r;
	}
	return more ? json_wrong(row, e, "it is too long") : 0;
}

int wire_get_table(const struct json_node *n, size_t width, const struct wire_field *fields,
		   void **ret, int *ret_n, struct err *e)
{
	static const char *const keys[] = { "columns", "rows", NULL };
	struct json_node rows, row;
	int i = 0, count, r = json_only(n, keys, e);

	if (r < 0 || (r = check_columns(n, fields, e)) < 0)
		return r;
	r = wire_need_list(n, "rows", &rows, &count, e);
	if (r < 0)
		return r;
	*ret = mem_array((size_t)count, width);
	*ret_n = count;
	for (bool more = json_first(&rows, &row); more && r == 0; more = json_next(&row))
		r = get_row(&row, (char *)*ret + (size_t)i++ * width, fields, e);
	return r;
}

int wire_need_list(const struct json_node *n, const char *key, struct json_node *ret, int *ret_n,
		   struct err *e)
{
	int r = json_need(n, key, ret, e);

	if (r < 0 || (r = json_list(ret, e)) < 0)
		return r;
	*ret_n = json_count(ret);
	if (*ret_n > WIRE_LIST_MAX)
		return json_wrong(ret, e, "%d elements are too many", *ret_n);
	return 0;
}

cJSON *wire_put_doubles(const double *values, int n)
{
	cJSON *list = json_new_list();

	for (int i = 0; i < n; i++)
		json_push(list, put_double(values[i]));
	return list;
}

cJSON *wire_put_i64s(const int64_t *values, int n)
{
	cJSON *list = json_new_list();

	for (int i = 0; i < n; i++)
		json_push(list, put_i64(values[i]));
	return list;
}

static int get_double_at(const struct json_node *n, void *ret, struct err *e)
{
	return get_double(n, ret, e);
}

static int get_i64_at(const struct json_node *n, void *ret, struct err *e)
{
	return get_i64(n, INT64_MIN, INT64_MAX, ret, e);
}

/* Both kinds of number are 8 bytes wide. */
static int get_numbers(const struct json_node *n,
		       int (*get)(const struct json_node *n, void *ret, struct err *e), void **ret,
		       int *ret_n, struct err *e)
{
	struct json_node value;
	int count, i = 0, r = json_list(n, e);

	if (r < 0)
		return r;
	count = json_count(n);
	if (*ret_n >= 0 && count != *ret_n)
		return json_wrong(n, e, "expected %d numbers, found %d", *ret_n, count);
	if (count > WIRE_LIST_MAX)
		return json_wrong(n, e, "%d elements are too many", count);
	*ret = mem_array((size_t)count, 8);
	*ret_n = count;
	for (bool more = json_first(n, &value); more && r == 0; more = json_next(&value))
		r = get(&value, (char *)*ret + (ptrdiff_t)8 * i++, e);
	return r;
}

int wire_get_doubles(const struct json_node *n, double **ret, int *ret_n, struct err *e)
{
	void *list = NULL;
	int r = get_numbers(n, get_double_at, &list, ret_n, e);

	*ret = list;
	return r;
}

int wire_get_i64s(const struct json_node *n, int64_t **ret, int *ret_n, struct err *e)
{
	void *list = NULL;
	int r = get_numbers(n, get_i64_at, &list, ret_n, e);

	*ret = list;
	return r;
}

int wire_need_string(const struct json_node *n, const char *key, const char **ret, struct err *e)
{
	struct json_node text;
	int r = json_need(n, key, &text, e);

	return r < 0 ? r : json_string(&text, ret, e);
}
