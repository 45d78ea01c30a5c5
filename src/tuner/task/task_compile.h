#ifndef TASK_COMPILE_H
#define TASK_COMPILE_H

#include "tuner/task/task_types.h"

/* The options of a kernel in the order of the command line: -D of the parameters (config may be
 * NULL: none), -D of the defines, -I, flags, and what CUDA needs unless the flags say it. Each and
 * the list are the caller's to free. */
char **compile_options(const struct task *t, const struct task_kernel *k, const struct space *s,
		       const uint16_t *config, const char *root, const char *arch, int *ret_n);

#endif
