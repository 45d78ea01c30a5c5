#ifndef CLI_EXPORT_STANDALONE_H
#define CLI_EXPORT_STANDALONE_H

#include "base/str.h"
#include "tuner/task/task.h"

/*
 * One configuration as a program of one file, for nvcc or cc: the sources of kernel and references,
 * inputs from the same seeds, launch, check against the references with the task's gates, and
 * timing. See src/kernels/standalone.h for what it does.
 */
struct standalone {
	struct str text;
	char **flags; /* for the compiler, without its name, input and output */
	int n_flags;
};

/*
 * file is what the program will be called, "x.cu", and origin where the configuration comes from:
 * both only for the comment on top. ERR_INVALID where a buffer or all references are files, or a
 * source cannot be put into one file.
 */
int standalone_make(const struct task *t, struct task_bound *b, const uint16_t *config,
		    const char *file, const char *origin, struct standalone *ret, struct err *e);
void standalone_release(struct standalone *s);

#endif
