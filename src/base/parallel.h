#ifndef BASE_PARALLEL_H
#define BASE_PARALLEL_H

#include <stdint.h>

/*
 * Calls part(ctx, i) for every i in [0, n), over as many threads as this process may use cores, but
 * at most PARALLEL_THREADS_MAX. Returns when all are done. Which thread does which part is left
 * open: parts may not depend on one another. Works with fewer threads, or none, where the system
 * gives no more.
 */
enum { PARALLEL_THREADS_MAX = 16 };

void parallel_for(int64_t n, void (*part)(void *ctx, int64_t i), void *ctx);

#endif
