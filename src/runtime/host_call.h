#ifndef RUNTIME_HOST_CALL_H
#define RUNTIME_HOST_CALL_H

#include "base/err.h"

/*
 * Calling a C kernel that the host runtime compiled. Beside the kernel its shared object defines
 *
 *     void evo_call(void **a);
 *
 * which calls the entry with one argument for each a[i]. As with cuLaunchKernel, a[i] points to the
 * argument's value: to a pointer where it is a buffer, to a scalar of the type that the task gave
 * (half types as uint16_t) where it is one. A fault in the kernel is a fault of this process.
 */
struct host_call;

int host_call_load(const char *path, struct host_call **ret, struct err *e);
void host_call_run(const struct host_call *h, void **arguments);
void host_call_close(struct host_call *h); /* accepts NULL */

#endif
