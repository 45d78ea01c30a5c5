#ifndef RUNTIME_CUDA_COMPILE_H
#define RUNTIME_CUDA_COMPILE_H

#include "runtime/runtime.h"

/* runtime.compile of the cuda runtime: NVRTC to a cubin, stored as CACHE/HASH.cubin. */
int cuda_compile(const struct compile_job *job, struct artifact *ret, struct err *e);

#endif
