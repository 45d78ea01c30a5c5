#ifndef TASK_LAUNCH_C_H
#define TASK_LAUNCH_C_H

#include "tuner/task/task.h"

/*
 * What one configuration asks of a shape, as C expressions over the dimensions, so that a program
 * can launch it on shapes that were never tuned. Dimension X is the variable dim_X, a whole number;
 * parameters and what the device is like are worked out. See expr_as_c for the functions.
 */
struct task_launch_c {
	char *grid[3], *block[3], *shared_bytes; /* NULL in a task for the CPU */
	char *fits; /* of the constraints that read dimensions: not 0 where it may be used; "1" */
};

/* ERR_INVALID names the expression that C cannot say. */
int task_launch_as_c(const struct task_bound *b, const uint16_t *config, const char *prefix,
		     struct task_launch_c *ret, struct err *e);
void task_launch_c_release(struct task_launch_c *c); /* also of one that is all zero */

#endif
