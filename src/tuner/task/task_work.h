#ifndef TASK_WORK_H
#define TASK_WORK_H

#include "base/json.h"
#include "tuner/task/task_types.h"

/* What a launch has to do at the least: the member "work". task_work in task.h evaluates it. */
int work_read(struct task *t, const struct json_node *root, struct err *e);
void work_release(struct task *t);

/* Evaluates it for the first configuration on every shape. */
int bound_check_work(const struct task_bound *b, struct err *e);

#endif
