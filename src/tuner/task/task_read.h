#ifndef TASK_READ_H
#define TASK_READ_H

#include "base/json.h"

/* Small readers for the members of a task file. What they return is the caller's to free. */

/* A C identifier of at most TASK_NAME_MAX bytes. */
bool read_is_identifier(const char *text);
int read_identifier(const struct json_node *n, const char *text, struct err *e);

/* A non-empty string without control characters. */
int read_text(const struct json_node *n, const char **ret, struct err *e);

/* Position of the string among names (count of them), or "expected one of: ...". */
int read_choice(const struct json_node *n, const char *const *names, int count, int *ret,
		struct err *e);
/* The same for a member that may be absent: *ret then keeps its value. */
int read_opt_choice(const struct json_node *n, const char *key, const char *const *names, int count,
		    int *ret, struct err *e);

/* A list or object of 1..max members. */
int read_members(const struct json_node *n, bool object, int max, struct err *e);

/* Calls `read` for each member of a list or an object until one fails. */
struct task;
typedef int read_member(struct task *t, const struct json_node *n, struct err *e);
int read_each(struct task *t, const struct json_node *list, read_member *read, struct err *e);

/* A list of strings, none of them empty; an absent one leaves both results as they are. */
int read_opt_strings(const struct json_node *n, const char *key, char ***ret, int *ret_n,
		     struct err *e);
void read_free_strings(char **strings, int n);

#endif
