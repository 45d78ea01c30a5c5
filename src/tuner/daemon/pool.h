#ifndef DAEMON_POOL_H
#define DAEMON_POOL_H

#include "tuner/daemon/proc.h"

struct run;
struct trial;

/*
 * The compile workers. An idle one asks its owner for work; what came of it goes back there. What a
 * job means is the owner's.
 */
struct pool_job {
	struct run *run;
	struct trial *trial; /* NULL: one of the run's references */
	int reference;
	char *line; /* the request; taken over */
	double deadline_s;
};

struct pool_io {
	void *ctx;
	/* Fills in *ret for a request with this id; false: there is nothing to do. */
	bool (*next)(void *ctx, int64_t id, struct pool_job *ret);
	void (*reply)(void *ctx, const struct pool_job *job, struct wire_reply *r);
	void (*lost)(void *ctx, const struct pool_job *job, const struct proc_loss *l);
};

struct pool;

struct pool *pool_new(uv_loop_t *loop, int workers, const char *nvrtc, const struct pool_io *io);
void pool_close(struct pool *p); /* asynchronous; NULL is fine */

void pool_wake(struct pool *p); /* starts the workers if need be, gives the idle ones work */
void pool_rest(struct pool *p); /* ends the workers: nothing will be asked for a while */
/* Keeps the workers off a core, so that they do not disturb what is timed there; -1: use all. */
void pool_avoid(struct pool *p, int cpu);
void pool_drop(struct pool *p,
	       const struct run *run); /* kills what works for it; no callbacks follow */

int pool_size(const struct pool *p);
int pool_busy(const struct pool *p,
	      const struct run *run); /* workers that work for it; NULL: for all */
int pool_up(const struct pool *p);

#endif
