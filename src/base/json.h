#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 * Strict JSON over cJSON, whose only includer this header is. cJSON itself ignores case in
 * GetObjectItem, accepts trailing text and duplicate keys, prints infinity as null and changes
 * integers above 2^53: parse with json_parse, look up through a node, send hashes and seeds as
 * strings.
 *
 * A node is a value and the way to it, so that every complaint carries its JSON path:
 * "parameters.TILE_M[2]: expected a number, found a string". Nodes live on the stack and borrow
 * their value and their parent; a child must not outlive its parent node.
 */
enum { JSON_DEPTH_MAX = 64 };

struct json_node {
	const cJSON *value;
	const struct json_node *up; /* NULL at the root */
	const char *key;	    /* the name in an object; NULL in a list */
	int index;		    /* the place in a list */
};

/* Rejects trailing text, NUL bytes, duplicate keys, depth over JSON_DEPTH_MAX; says the line. */
int json_parse(const char *text, size_t len, cJSON **ret, struct err *e);
char *json_render(const cJSON *value); /* one line, no newline; free() */
char *json_render_pretty(const cJSON *value);

struct json_node json_root(const cJSON *value);
bool json_get(const struct json_node *n, const char *key,
	      struct json_node *ret); /* false: absent */
int json_need(const struct json_node *n, const char *key, struct json_node *ret, struct err *e);
bool json_first(const struct json_node *n, struct json_node *ret); /* of a list or an object */
bool json_next(struct json_node *n);
int json_count(const struct json_node *n);

/* Sets ERR_INVALID "PATH: expected WHAT, found ..." and returns it. */
int json_expected(const struct json_node *n, struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Sets ERR_INVALID "PATH: TEXT". */
int json_wrong(const struct json_node *n, struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

int json_object(const struct json_node *n, struct err *e); /* 0 when n is an object */
int json_list(const struct json_node *n, struct err *e);
int json_string(const struct json_node *n, const char **ret, struct err *e); /* borrowed */
int json_int(const struct json_node *n, int64_t min, int64_t max, int64_t *ret, struct err *e);
int json_double(const struct json_node *n, double min, double max, double *ret, struct err *e);
int json_bool(const struct json_node *n, bool *ret, struct err *e);

/* The same for an optional member: *ret keeps its value when the key is absent. */
int json_opt_string(const struct json_node *n, const char *key, const char **ret, struct err *e);
int json_opt_int(const struct json_node *n, const char *key, int64_t min, int64_t max, int64_t *ret,
		 struct err *e);
int json_opt_double(const struct json_node *n, const char *key, double min, double max, double *ret,
		    struct err *e);
int json_opt_bool(const struct json_node *n, const char *key, bool *ret, struct err *e);

/* Fails on the first member whose key is not in allowed (NULL-terminated); names the nearest. */
int json_only(const struct json_node *n, const char *const *allowed, struct err *e);

/* Building. Non-finite numbers become null. add_int is exact within +-2^53 (asserted). */
void json_add_string(cJSON *object, const char *key, const char *text); /* NULL text adds null */
void json_add_int(cJSON *object, const char *key, int64_t number);
void json_add_double(cJSON *object, const char *key, double number);
void json_add_bool(cJSON *object, const char *key, bool truth);
void json_add(cJSON *object, const char *key, cJSON *value); /* takes value over */
cJSON *json_add_object(cJSON *object, const char *key);	     /* borrowed from object */
cJSON *json_add_list(cJSON *object, const char *key);
void json_push(cJSON *list, cJSON *value); /* takes value over */
cJSON *json_new_object(void);
cJSON *json_new_list(void);

#endif
