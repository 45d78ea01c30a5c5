#ifndef TASK_BIND_H
#define TASK_BIND_H

#include "tuner/task/task_types.h"

/* A task on a device. Only the files of this room look inside. */
struct task_bound {
	const struct task *task; /* borrowed */
	struct device device;
	int *shapes; /* positions in task->shapes, in the order of the problem */
	bool *check, *time;
	int n_shapes;
	struct space *space;
	struct problem *problem;
	uint16_t *first;
	int n_first;
};

#endif
