#ifndef TASK_GATES_H
#define TASK_GATES_H

#include "base/json.h"
#include "tuner/task/task_types.h"

/* When an answer counts: the members "gates", "measure" and "objective". */
int gates_read(struct task *t, const struct json_node *root, struct err *e);
int measure_read(struct task *t, const struct json_node *root, struct err *e);

/* The correctness gates in n; only: refuse other members. atol or rtol without bad_fraction mean
 * that no element may be bad. */
int gates_read_correctness(const struct json_node *n, bool only, struct gates *ret, struct err *e);
bool gates_ask(const struct gates *g); /* for anything at all */

#endif
