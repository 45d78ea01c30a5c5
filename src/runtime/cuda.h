#ifndef RUNTIME_CUDA_H
#define RUNTIME_CUDA_H

#include "base/err.h"
#include "runtime/device.h"

/*
 * The device that tasks for `arch` ("sm_90a", "sm_86") are checked against where there is none:
 * the limits that NVIDIA publishes for the compute capability, the multiprocessors and the cache
 * of a usual card. `assumed` is set; memory, clock and whatever depends on the very card are 0.
 * ERR_INVALID for an architecture that is not in the table.
 */
int cuda_assumed_device(const char *arch, struct device *ret, struct err *e);

/*
 * What code for a device of this compute capability is compiled for, given what the compiler
 * supports (90 for 9.0, ascending): "sm_90a" where there is a specific variant (9.0, and 10.0 and
 * up), else "sm_89"; the highest older one of the same major version where the compiler does not
 * know the device. ERR_MISSING when there is none.
 */
int cuda_arch_pick(int major, int minor, const int *supported, int n, char ret[32], struct err *e);

#endif
