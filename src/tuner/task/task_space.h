#ifndef TASK_SPACE_H
#define TASK_SPACE_H

#include "tuner/task/task_bind.h"

/* Builds b->space from the task, narrowed, and b->first. Fails when nothing is legal, when the
 * baseline is not, and on a --set that does not fit the task. */
int bound_make_space(struct task_bound *b, const struct task_options *o, struct err *e);

#endif
