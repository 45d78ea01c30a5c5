#ifndef RUNTIME_NVRTC_H
#define RUNTIME_NVRTC_H

#include <stddef.h>

#include "base/err.h"

/*
 * NVRTC, the run-time compiler of CUDA C++: source text to a cubin, with neither a device nor a
 * driver. The library is looked for when it is first needed (see nvrtc_find.h) and kept for the
 * life of the process.
 */
enum { NVRTC_ARCHS_MAX = 64, NVRTC_NAME_MAX = 256 };

struct nvrtc; /* the loaded library */

/* Look here before anywhere else: a library, or a folder that has one. Copied. Has no effect once
 * the library is loaded. */
void nvrtc_set_path(const char *path);

/* Loads it, once. ERR_MISSING lists every place that was tried. *ret is never freed. */
int nvrtc_load(const struct nvrtc **ret, struct err *e);

void nvrtc_version(const struct nvrtc *n, int *ret_major, int *ret_minor);
const char *nvrtc_path(const struct nvrtc *n);	  /* of the library */
const char *nvrtc_include(const struct nvrtc *n); /* folder of cuda_fp16.h; NULL: none found */

/* Compute capabilities it can compile for, as 75, 90, 120; ascending, at most NVRTC_ARCHS_MAX. */
int nvrtc_archs(const struct nvrtc *n, int ret[NVRTC_ARCHS_MAX]);

struct nvrtc_job {
	const char *text; /* the source; borrowed, as everything here */
	const char *name; /* what messages call it */
	const char *const *options;
	int n_options;
	const char *expression; /* a C++ name to lower; NULL: none */
};

struct nvrtc_result {
	char *cubin; /* owned; NULL: the source was refused, the log says why */
	size_t bytes;
	char *log;		      /* owned; NUL bytes inside it have become newlines */
	char lowered[NVRTC_NAME_MAX]; /* of the expression; empty without one */
};
void nvrtc_result_release(struct nvrtc_result *r);

/* Adds the include folder and, where the version knows it, --no-cache, so that the figures of
 * ptxas are always in the log. 0 also when the source is refused; ERR_FAILED when NVRTC itself
 * fails. */
int nvrtc_compile(const struct nvrtc *n, const struct nvrtc_job *job, struct nvrtc_result *ret,
		  struct err *e);

#endif
