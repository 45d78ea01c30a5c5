#ifndef DAEMON_PROBE_H
#define DAEMON_PROBE_H

#include "tuner/daemon/proc.h"

/*
 * Which devices each runtime has. Asked of a short-lived worker, never in the daemon's own process,
 * and kept: devices do not come and go. A failure is not kept. The worker has started CUDA by then,
 * which takes a good part of a second, so it stays for a few seconds for whoever wants to measure.
 */
struct probe;

/* e is NULL when the devices are known now. */
typedef void probe_done(void *ctx, const char *runtime, const struct err *e);

struct probe *probe_new(uv_loop_t *loop, const char *nvrtc, probe_done *done, void *ctx);
void probe_close(struct probe *p); /* asynchronous; NULL is fine */

/* NULL: not known; *ret_n devices otherwise, borrowed. */
const struct device *probe_devices(const struct probe *p, const char *runtime, int *ret_n);
/* Starts asking, unless it is known or being asked; `done` is called later. 0, or ERR_INVALID: no
 * such runtime. */
int probe_want(struct probe *p, const char *runtime, struct err *e);

/* The worker that answered, idle, for proc_hand_over; NULL: it is gone. The caller's to close. */
struct proc *probe_take(struct probe *p, const char *runtime);
void probe_second(struct probe *p); /* once a second */

const char *probe_runtime(int i); /* names; NULL past the last */

#endif
