#ifndef RUNTIME_NVML_H
#define RUNTIME_NVML_H

#include <stdbool.h>
#include <stddef.h>

#include "runtime/runtime.h"

/*
 * Clocks, temperature, power and the reasons for throttling, read-only, from the driver's
 * management library. Everything works without it: figures are then -1 and nothing counts as
 * throttled.
 */
struct nvml; /* one device */

/* By the device's UUID ("GPU-..."). NULL where there is no NVML or it does not know the device. */
struct nvml *nvml_open(const char *uuid);
void nvml_close(struct nvml *n); /* accepts NULL */

void nvml_clocks(const struct nvml *n, struct clocks *ret); /* n may be NULL */

/* True where the hardware, the heat or the power supply holds the clocks down. Idle clocks, a
 * power cap that software set and the user's own settings do not count. */
bool nvml_throttled(int64_t reasons);

bool nvml_driver_version(char *ret, size_t size); /* "580.95.05"; false: unknown */

#endif
