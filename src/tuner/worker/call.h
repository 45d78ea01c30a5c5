#ifndef WORKER_CALL_H
#define WORKER_CALL_H

#include "tuner/worker/wire.h"

/*
 * A worker for those who may wait: bench, export, doctor, check. Spawns the same binary
 * (/proc/self/exe) as a worker of its own process group, exchanges one request at a time with a
 * deadline, and kills and reaps it when it is late or when the call is freed. The daemon does not
 * use this: it has the same workers on its loop.
 */
enum call_end {
	CALL_REPLIED,
	CALL_TIMEOUT, /* the deadline passed; the worker has been killed */
	CALL_DIED,    /* it exited or was killed by a signal */
};

struct call;

/* nvrtc is the libnvrtc.so that it uses, NULL: looked for in the usual places. */
int call_new(const char *role, const char *nvrtc, struct call **ret, struct err *e);
void call_free(struct call *c); /* accepts NULL; kills and reaps */

/* Sends `line` (freed) and waits. 0 with *ret_end; *ret is filled only if CALL_REPLIED. On
 * CALL_DIED *ret_signal is the signal, 0 if it exited. After any other end than CALL_REPLIED the
 * call is dead: free it and make a new one. */
int call_exchange(struct call *c, char *line, int64_t deadline_ms, enum call_end *ret_end,
		  int *ret_signal, struct wire_reply *ret, struct err *e);

#endif
