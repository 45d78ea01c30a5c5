#ifndef RUNTIME_HOST_CEILINGS_H
#define RUNTIME_HOST_CEILINGS_H

#include "base/err.h"
#include "runtime/roofline.h"

/*
 * What the core that this process runs on can do at best: memcpy between buffers that are larger
 * than the caches and between ones that stay in the second level, read and written bytes counted;
 * f32 multiply-adds in the widest vectors that this CPU has. The fastest of a few samples.
 */
int host_ceilings(int ordinal, struct ceilings *ret, struct err *e);

#endif
