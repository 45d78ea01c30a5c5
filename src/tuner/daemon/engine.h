#ifndef DAEMON_ENGINE_H
#define DAEMON_ENGINE_H

#include "tuner/daemon/run.h"

/*
 * The runs of one database: those that wait, those that are being worked on, the workers they share
 * and the writing. What can be asked of it is what the control socket offers; nothing here knows of
 * sockets.
 */
struct engine_options { /* borrowed */
	const char *db;
	const char *configs, *nvrtc; /* may be NULL */
	int jobs;		     /* compile workers; 0: one a core */
};

struct engine_io {
	void *ctx;
	void (*published)(void *ctx, const struct event_record *v); /* to every subscriber */
	void (*changed)(void *ctx); /* something began or ended; engine_busy may differ now */
	void (*stopped)(void *ctx); /* after engine_stop: nothing is left to wait for */
};

struct engine;

int engine_new(uv_loop_t *loop, const struct engine_options *o, const struct engine_io *io,
	       struct engine **ret, struct err *e);
void engine_close(struct engine *x); /* at once; NULL is fine */
void engine_free(struct engine *x);  /* when the loop has run out after engine_close */

/* No new work; what workers hold ends first. Runs stay `running` in the database. */
void engine_stop(struct engine *x);
bool engine_busy(const struct engine *x);
struct store *engine_store(struct engine *x);
const char *engine_configs(const struct engine *x);

/* A new run. The record says what is wanted; all_devices: every device of the runtime, whatever
 * record.devices says. `done` is called once, now or later; run is 0 when e is set. Takes over the
 * record's content and task. */
struct engine_start {
	struct run_record record;
	struct task *task;
	bool all_devices;
	void (*done)(void *ctx, int64_t run, const struct err *e);
	void *ctx;
};
void engine_start(struct engine *x, struct engine_start *s);

/* run 0: the newest that it makes sense for. ret_* are how it stands afterwards. */
struct engine_answer {
	int64_t run, budget;
	const char *state;
};
struct stop_change; /* see stop.h */
int engine_resume(struct engine *x, int64_t run, const struct stop_change *change,
		  struct engine_answer *ret, struct err *e);
int engine_pause(struct engine *x, int64_t run, struct engine_answer *ret, struct err *e);
int engine_cancel(struct engine *x, int64_t run, struct engine_answer *ret, struct err *e);

/* See import.h. The file is read by another thread and stored in slices between other work; several
 * wait for one another. `done` is called once, later; x is NULL when e is set. */
struct import_request;
struct import_result;
struct engine_import {
	const struct import_request *request; /* borrowed for the call */
	void (*done)(void *ctx, const struct import_result *x, const struct err *e);
	void *ctx;
};
void engine_import(struct engine *x, const struct engine_import *i);
/* What is being stored is finished first: for those who look for the newest run. */
void engine_settle(struct engine *x);

/* A run as it is shown: with the figures and the state of the moment. */
struct engine_run {
	const struct run_record *record;
	const struct run_summary *summary;
	const char *state;
	const char *phase; /* of an active one: see run_phase_name; NULL: it is not */
	double active_s;
};
typedef int engine_on_run(void *ctx, const struct engine_run *r, struct err *e);
int engine_each_run(struct engine *x, engine_on_run *f, void *ctx,
		    struct err *e); /* newest first */

struct engine_workers {
	int compile_up, compile_busy, compile_size, measure_up;
};
void engine_workers(const struct engine *x, struct engine_workers *ret);
/* Device i of those known by now; NULL past the last. */
const struct device *engine_device(const struct engine *x, int i, const char **ret_runtime);

#endif
