#ifndef WORKER_WIRE_PROBLEM_H
#define WORKER_WIRE_PROBLEM_H

#include "base/json.h"
#include "runtime/problem.h"

/* Problems and launches on the wire. */
cJSON *wire_put_problem(const struct problem *p);
/* Also checks that what refers to a buffer or an argument refers to one that there is, and, when it
 * is to be complete, that every reference has files or an artifact. */
int wire_get_problem(const struct json_node *n, bool complete, struct problem **ret, struct err *e);

/* Whether the two are the same but for what their references compile to. */
bool wire_problems_alike(const struct problem *a, const struct problem *b);

cJSON *wire_put_launch(const struct launch *l);
int wire_get_launch(const struct json_node *n, struct launch *ret, struct err *e);

/* ERR_INVALID unless a launch has a scalar for each argument and a scratch size for each buffer. */
int wire_launch_fits(const struct launch *l, int n_arguments, int n_buffers, struct err *e);

#endif
