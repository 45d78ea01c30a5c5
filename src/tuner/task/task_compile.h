#ifndef TASK_COMPILE_H
#define TASK_COMPILE_H

#include "tuner/task/task_bind.h"

/* The options of a kernel in the order of the command line: -D of the parameters (config NULL:
 * none), -D of the defines, -I, flags, and what CUDA needs unless the flags say it. Each and the
 * list are the caller's to free. */
char **compile_options(const struct task_bound *b, const struct task_kernel *k,
		       const uint16_t *config, const char *root, int *ret_n);

#endif
