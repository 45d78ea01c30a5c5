#ifndef WORKER_WIRE_FIELDS_H
#define WORKER_WIRE_FIELDS_H

#include <stddef.h>
#include <stdint.h>

#include "base/json.h"

/*
 * Structs to JSON and back by a table of their members, so that what is written and what is read
 * cannot differ. A struct travels as an object, or many of them as a table: {"columns":[names],
 * "rows":[[values], ...]}, which is several times quicker to read. Reading is strict: every field
 * is there, of its kind and in its range, and no other.
 *
 * Whole numbers beyond 2^53 travel as decimal strings, numbers that are not finite as "nan", "inf"
 * and "-inf"; text is made valid UTF-8 on the way out.
 */
enum wire_kind {
	WIRE_INT,    /* int in [min, max] */
	WIRE_I64,    /* int64_t in [min, max] */
	WIRE_U64,    /* uint64_t, always a string */
	WIRE_DOUBLE, /* any double */
	WIRE_BOOL,
	WIRE_TEXT,   /* char[max] */
	WIRE_STRING, /* owned char *; null is NULL where min is 0 */
	WIRE_ENUM,   /* an enum by its names */
};

struct wire_names {
	const char *(*name)(int value);
	int count;
};

struct wire_field {
	const char *name; /* NULL ends a table */
	enum wire_kind kind;
	size_t offset;
	int64_t min, max;
	const struct wire_names *names;
};

#define WIRE_PLAIN(type, field, kind)                           \
	{                                                       \
#field, kind, offsetof(type, field), 0, 0, NULL \
	}
#define WIRE_RANGE(type, field, kind, min, max)                     \
	{                                                           \
#field, kind, offsetof(type, field), min, max, NULL \
	}
#define WIRE_CHARS(type, field)                                                               \
	{                                                                                     \
#field, WIRE_TEXT, offsetof(type, field), 0, sizeof(((type *)0)->field), NULL \
	}
#define WIRE_NAMED(type, field, names)                                \
	{                                                             \
#field, WIRE_ENUM, offsetof(type, field), 0, 0, names \
	}
#define WIRE_END                              \
	{                                     \
		NULL, WIRE_INT, 0, 0, 0, NULL \
	}

enum { WIRE_LIST_MAX = 65536 }; /* elements of any list but of bytes */

extern const struct wire_names wire_dtypes, wire_languages, wire_modes, wire_l2s;

cJSON *wire_put(const void *base, const struct wire_field *fields);
/* On failure members that were read, strings among them, are set: release the struct. */
int wire_get(const struct json_node *n, void *base, const struct wire_field *fields, struct err *e);

cJSON *wire_put_table(const void *base, size_t width, int n, const struct wire_field *fields);
/* *ret has as many structs of `width` bytes as there are rows; the caller's on failure too. */
int wire_get_table(const struct json_node *n, size_t width, const struct wire_field *fields,
		   void **ret, int *ret_n, struct err *e);

/* Lists of numbers, as above. get: exactly *ret_n of them where that is not negative. */
cJSON *wire_put_doubles(const double *values, int n);
int wire_get_doubles(const struct json_node *n, double **ret, int *ret_n, struct err *e);
cJSON *wire_put_i64s(const int64_t *values, int n);
int wire_get_i64s(const struct json_node *n, int64_t **ret, int *ret_n, struct err *e);

int wire_need_string(const struct json_node *n, const char *key, const char **ret, struct err *e);

/* The list under a key, and how many elements it has. */
int wire_need_list(const struct json_node *n, const char *key, struct json_node *ret, int *ret_n,
		   struct err *e);

cJSON *wire_text(const char *text); /* a string, or null for NULL */

#endif
