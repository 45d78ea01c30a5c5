#ifndef TASK_LAUNCH_H
#define TASK_LAUNCH_H

#include "tuner/task/task_types.h"

/*
 * Works a kernel's launch out for slots that are filled completely (see task_scope.h) and checks it
 * against the limits of the device; a limit of 0 is not known and not checked. Errors
 * name the member ("block[0] 2048 is over ..."); *ret is written only on success.
 */
int launch_work_out(const struct task *t, const struct task_kernel *k, const struct device *d,
		    const struct value *slots, struct launch *ret, struct err *e);

#endif
