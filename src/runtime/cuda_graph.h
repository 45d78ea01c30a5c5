#ifndef RUNTIME_CUDA_GRAPH_H
#define RUNTIME_CUDA_GRAPH_H

#include "runtime/cuda_session.h"

/*
 * Graphs of many launches, and timing what is queued between two events. All return a CUresult.
 */

/* A graph of what queue(context, i) queues for 0 <= i < n, ready on the device. *ret is set also
 * on some failures: destroy it whenever it is not NULL. */
int graph_build(struct session *s, int (*queue)(void *context, int i), void *context, int n,
		struct cuda_exec **ret);

/* Keeps the device busy for a moment, so that it does not wait for the host to queue what follows,
 * and sets the first event. */
int timing_begin(struct session *s);

/* Sets the second event and waits for it. */
int timing_end(struct session *s, double *ret_ns);

int graph_time(struct session *s, struct cuda_exec *exec, double *ret_ns);

/* The same, as a stretch of cuda_clock.h. */
int graph_time_clocked(struct session *s, struct cuda_exec *exec, int stretch, double *ret_ns);

#endif
