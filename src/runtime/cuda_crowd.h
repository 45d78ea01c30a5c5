#ifndef RUNTIME_CUDA_CROWD_H
#define RUNTIME_CUDA_CROWD_H

#include "runtime/cuda_session.h"

/*
 * Company for launches that are checked. On a device that does nothing else the warps of a block
 * keep step and what they copy arrives early, so that a missing barrier or too short a wait gives
 * right answers by luck. A crowd (evo_crowd in src/kernels/verify.cu) is a block of up to 512
 * threads on every SM that runs beside a launch: it takes the issue slots of one quarter of the SM
 * after the other, so that warps drift apart, and keeps memory and the cache busy, so that copies
 * come late.
 *
 * It leaves when it is told to, and after 0.5 ms in any case: a kernel that does not fit beside it,
 * or that waits for blocks which do not, is delayed and no more.
 */
/* Makes room for them when a session is opened. Most of these give a CUresult. */
int crowds_reserve(struct session *s);

/* How many threads of a crowd fit on an SM beside one block of this launch. 0: none, and a crowd
 * would only be waited for. */
int crowd_threads(const struct session *s, const struct function *f, const struct launch *l);

/* Before the crowds of one trial, of which a shape has at most VERIFY_CROWDED. */
int crowds_begin(struct session *s, struct cuda_function *beside);

/* Queues crowd i of a shape, of so many threads an SM: what is queued next on the session's stream
 * runs beside it. */
int crowd_gather(struct session *s, int shape, int i, int threads);

/* Queued after that: it is to leave. */
int crowd_dismiss(struct session *s, int shape, int i);

/* Waits until all have left. */
int crowds_end(struct session *s, struct cuda_function *beside);

#endif
