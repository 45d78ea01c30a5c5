#ifndef DAEMON_RUN_H
#define DAEMON_RUN_H

#include "tuner/daemon/cubins.h"
#include "tuner/daemon/ledger.h"
#include "tuner/daemon/pool.h"
#include "tuner/daemon/probe.h"
#include "tuner/daemon/setup.h"

/*
 * A run that is being worked on.
 *
 *   RECALLING --rows told again--> SEARCHING --limit, pause, stop--> DRAINING
 *       |                           ^  |   |                           |    |
 *       |                           +--|---|---- resumed in time ------+    | time limit
 *       |                              |   +---- budget, space ----------> FINAL
 *       +------ cancelled, failed -----+------ paused, stopped, ended -----+--> OVER
 *
 * A paused run, like one that the daemon's end has interrupted, is not kept: it is put together
 * again from its rows when it is resumed. OVER tells its owner, once everything is stored.
 */
struct run_world { /* all borrowed */
	uv_loop_t *loop;
	struct store *store;
	struct ledger *ledger;
	struct pool *pool;
	struct cubins *cubins;
	struct probe *probe;
	const char *sources; /* folder */
	const char *nvrtc;
	int measure_cpu; /* where the host runtime measures; -1: anywhere */
};

struct run_owner {
	void *ctx;
	void (*wake)(void *ctx);		  /* it may have work: for the pool, or a turn */
	void (*over)(void *ctx, struct run *run); /* free it, but not from inside this call */
	void (*disk_full)(void *ctx, const struct err *e); /* a worker could not write */
};

struct run;

/* Takes over record and setup, also when it fails. */
int run_new(const struct run_world *w, const struct run_owner *o, struct run_record *record,
	    struct setup *setup, struct run **ret, struct err *e);
void run_free(struct run *r); /* accepts NULL */

const struct run_record *run_record_of(const struct run *r);
const struct run_summary *run_summary_of(const struct run *r); /* as stored */
double run_active_s(const struct run *r);
const char *run_phase_name(const struct run *r); /* "searching", "final", ... */
bool run_uses(const struct run *r, const char *runtime, int ordinal);
bool run_pins(const struct run *r);  /* it measures on world's measure_cpu */
int run_meters(const struct run *r); /* measuring workers that are up */

/* For the pool. A reply or a loss belongs to a job that run_next_job has given. */
bool run_next_job(struct run *r, int64_t id, struct pool_job *ret);
void run_compiled(struct run *r, const struct pool_job *job, struct wire_reply *reply);
void run_compile_lost(struct run *r, const struct pool_job *job, const struct proc_loss *l);

/* Does a bounded piece of what needs no worker; true: there is more. */
bool run_turn(struct run *r);
void run_second(struct run *r);					 /* once a second */
void run_stored(struct run *r, const struct run_summary *after); /* see ledger_io */
void run_set_full(struct run *r, bool full, const char *why);	 /* the disk */
struct stop_change;						 /* see stop.h */
int run_check_limits(const struct run *r, const struct stop_change *c, struct err *e);
void run_set_limits(struct run *r, const struct stop_change *c);

bool run_pause(struct run *r);	 /* false: it is ending already */
bool run_unpause(struct run *r); /* false: it is ending already */
void run_stop(struct run *r);	 /* the daemon ends: what is in a worker's hands ends first */
void run_cancel(struct run *r);

#endif
