#ifndef TASK_KERNEL_H
#define TASK_KERNEL_H

#include "base/json.h"
#include "tuner/task/task_scope.h"
#include "tuner/task/task_types.h"

/* The member "kernel". */
int kernel_read(struct task *t, const struct json_node *root, struct err *e);

/*
 * The members that the tuned kernel and a reference have in common, KERNEL_KEYS. `like` gives what
 * is left out: NULL for the tuned kernel itself, which must say everything. Unknown members are the
 * caller's to refuse. *k is released by kernel_release also when this fails.
 */
#define KERNEL_KEYS                                                                         \
	"language", "source", "entry", "flags", "defines", "grid", "block", "shared_bytes", \
		"arguments"
int kernel_read_common(struct task *t, const struct json_node *n, const struct task_kernel *like,
		       struct task_kernel *k, struct err *e);
void kernel_release(struct task_kernel *k);

bool kernel_takes(const struct task_kernel *k, int buffer); /* among its arguments */

#endif
