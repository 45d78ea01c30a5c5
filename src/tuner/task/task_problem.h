#ifndef TASK_PROBLEM_H
#define TASK_PROBLEM_H

#include "tuner/task/task_bind.h"

/* Builds b->problem for the chosen shapes: sizes, fills and the references' launches worked out,
 * everything checked against the memory of the device. */
int bound_make_problem(struct task_bound *b, struct err *e);

#endif
