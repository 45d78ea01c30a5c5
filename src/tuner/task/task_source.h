#ifndef TASK_SOURCE_H
#define TASK_SOURCE_H

#include "tuner/task/task_types.h"

/*
 * The sources of a task: what kernel and references name, and what those include from beside
 * themselves or from the task's include folders, to any depth. Includes found in neither place are
 * the compiler's own business (cuda_fp16.h, math.h).
 */

/* Resolves ".", ".." and double slashes by text alone: "../src/../a//b.cu" is "../a/b.cu". */
char *source_normalise(const char *path);

/* Reads all of them into t->sources and hashes them. Without a reader: from the file system,
 * relative to t->dir. */
int sources_collect(struct task *t, task_reader *reader, void *ctx, struct err *e);
void sources_release(struct task *t);

/*
 * Where a source or an include folder lies below the root that task_materialise writes, relative to
 * it. Leading ".." need folders whose names are not known: the task's own folder is _1, or _1/_2
 * where something reaches up twice, so that relative includes keep working.
 */
char *source_place(const struct task *t, const char *path);

#endif
