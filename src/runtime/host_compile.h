#ifndef RUNTIME_HOST_COMPILE_H
#define RUNTIME_HOST_COMPILE_H

#include "runtime/runtime.h"

/*
 * C kernels by the system's `cc`, to a shared object that host_call can run. The translation unit
 * is a small shim on standard input that includes the source by its absolute path and defines
 * evo_call; the source is therefore free to use static functions and its own headers, and the
 * shared object holds no name that changes from one build to the next.
 */
int host_compile(const struct compile_job *job, struct artifact *ret, struct err *e);

#endif
