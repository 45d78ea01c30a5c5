#ifndef DAEMON_METER_H
#define DAEMON_METER_H

#include "tuner/daemon/proc.h"

/*
 * The measuring worker of one run on one device.
 *
 *   STARTING --up--> WARMING --warm--> WARM --meter_open--> OPENING --opened--> READY
 *      |                                                      ^  |                |
 *      +---- up, once meter_open was called ------------------+  |       MEASURING, SURVEYING
 *      ^                                                         |                |
 *      +------------------ from any state: it ended, or is poisoned --------------+
 *
 * It is started as soon as a run is, and warms up, and fills the inputs, while the references of
 * the problem compile.
 * A worker that was lost is opened again by itself. When opening fails for a reason that will not
 * go away, or METER_TRIES times in a row, the meter has failed for good.
 */
enum { METER_TRIES = 3 };

struct meter_options {
	const char *runtime;
	int ordinal;
	const struct problem *problem; /* borrowed; its references' artifacts: by meter_open */
	int cpu;		       /* pin to this core; -1: do not */
	const char *nvrtc;
};

struct meter_owner {
	void *ctx;
	void (*ready)(void *ctx); /* READY: give it work */
	/* m may be taken by emptying it. Another measure may be asked for from inside. */
	void (*measured)(void *ctx, void *what, struct measurement *m);
	/* The request came to nothing; failed is the runtime's own complaint, NULL when the worker
	 * was lost. */
	void (*lost)(void *ctx, void *what, const struct proc_loss *l, const struct err *failed);
	void (*failed)(void *ctx, const char *why); /* it cannot be opened */
	/* The device's ceilings; NULL: that came to nothing. */
	void (*surveyed)(void *ctx, const struct ceilings *c);
};

struct meter;

/* idle: a measuring worker to go on with, which becomes the meter's; NULL: it starts one. */
struct meter *meter_new(uv_loop_t *loop, struct proc *idle, const struct meter_options *o,
			const struct meter_owner *w);
/* The problem is complete. Calling it again does nothing. */
void meter_open(struct meter *m);
void meter_close(struct meter *m); /* asynchronous, no callbacks follow; NULL is fine */

bool meter_idle(const struct meter *m);
pid_t meter_pid(const struct meter *m);
/* Only when idle. */
void meter_measure(struct meter *m, void *what, const struct measure_job *job, double deadline_s);
/* Only when idle: asks for what the device can do at best. */
void meter_survey(struct meter *m);

#endif
