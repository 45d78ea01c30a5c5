#ifndef DAEMON_ENGINE_TYPES_H
#define DAEMON_ENGINE_TYPES_H

#include "tuner/daemon/engine.h"
#include "tuner/daemon/probe.h"
#include "tuner/daemon/queue.h"

/* The inside of the engine, for the engine*.c files only. */

struct active {
	struct run *run;
	int64_t id;
	bool over; /* to be freed in the next turn */
	struct active *next;
};

struct pending {
	struct engine_start start;
	struct pending *next;
};

struct engine {
	uv_loop_t *loop;
	struct engine_io io;
	struct engine_options o;
	char *sources;
	struct store *store;
	struct ledger *ledger;
	struct cubins *cubins;
	struct pool *pool;
	struct probe *probe;
	struct queue queue;
	struct active *active;
	struct pending *pending;   /* starts that wait for their devices to be known */
	struct importing *imports; /* the first is being worked on */
	uv_idle_t slices;	   /* of an import */
	uv_idle_t idle;		   /* turns of runs that have more to do */
	uv_timer_t second;
	bool woken, stopping, told_stopped, full;
	int measure_cpu, cores;
};

/* engine.c */
struct active *engine_find(const struct engine *x, int64_t id); /* NULL: not active */
void engine_wake(void *engine);					/* there may be something to do */
/* The run cannot begin; its record says why from now on. */
void engine_fail_queued(struct engine *x, struct run_record *rec, const struct err *why);

/* engine_start.c */
void engine_probed(void *engine, const char *runtime, const struct err *e);
void engine_start_refuse(struct engine *x); /* answers all that still wait: the daemon ends */

/* engine_import.c */
int64_t engine_half_imported(const struct engine *x); /* the run that is not all there; 0: none */
void engine_import_refuse(struct engine *x);	      /* answers all: the daemon ends */

#endif
