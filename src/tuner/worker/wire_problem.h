#ifndef WORKER_WIRE_PROBLEM_H
#define WORKER_WIRE_PROBLEM_H

#include "base/json.h"
#include "runtime/problem.h"

/* Problems and launches on the wire. */
cJSON *wire_put_problem(const struct problem *p);
/* Also checks that what refers to a buffer or an argument refers to one that there is. */
int wire_get_problem(const struct json_node *n, struct problem **ret, struct err *e);

cJSON *wire_put_launch(const struct launch *l);
int wire_get_launch(const struct json_node *n, struct launch *ret, struct err *e);

/* ERR_INVALID unless a launch has a scalar for each argument and a scratch size for each buffer. */
int wire_launch_fits(const struct launch *l, int n_arguments, int n_buffers, struct err *e);

#endif
