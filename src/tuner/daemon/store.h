#ifndef DAEMON_STORE_H
#define DAEMON_STORE_H

#include "base/err.h"
#include "tuner/daemon/record_final.h"

/*
 * The SQLite file: the only state there is, and this module its only user. WAL, STRICT tables,
 * foreign keys on, user_version upgrade steps; statements live in db/queries.sql under names. One
 * writer (the daemon, which holds PATH.lock) and any number of readers, which open read-only and
 * never block it.
 *
 * Errors: ERR_BUSY another daemon holds it; ERR_INVALID no database of ours, or a newer version;
 * ERR_FULL no space: the transaction was rolled back, what the caller still holds can be written
 * again later; ERR_MISSING no such file, run or trial.
 */
struct store;

enum store_mode { STORE_WRITE, STORE_READ };

/* STORE_WRITE makes the folder and the file where missing, and upgrades an older version. */
int store_open(const char *path, enum store_mode mode, struct store **ret, struct err *e);
void store_close(struct store *s); /* accepts NULL; rolls back what was not committed */
const char *store_path(const struct store *s);

/* --- writing: all between begin and commit --- */

/* A write or a commit that fails rolls the whole transaction back: begin anew, and write all of it
 * again. A reader may begin and commit too: what it reads in between is of one moment. */
int store_begin(struct store *s, struct err *e);
int store_commit(struct store *s, struct err *e);
void store_rollback(struct store *s);

/* Sets r->id. Sources are kept once per hash. */
struct store_source {
	const char *path, *text, *hash;
	size_t len;
};
int store_add_run(struct store *s, struct run_record *r, const struct store_source *sources, int n,
		  struct err *e);
/* Writes what may change of a run: state, reason, budget, stop rules, priority, times, baseline,
 * environment, active time. */
int store_update_run(struct store *s, const struct run_record *r, struct err *e);
/* Environment as JSON; the same text gives the same row. */
int store_add_environment(struct store *s, const char *json, int64_t *ret, struct err *e);
/* What the device can do; replaces what was measured before on the same driver. */
int store_put_ceilings(struct store *s, const struct device *d, const struct ceilings *c,
		       struct err *e);
/* The trial with its ptxas, timing, verification and metric rows. Sets t->id. (run, no), (run, ask)
 * and (run, config) are unique. */
int store_add_trial(struct store *s, struct trial_record *t, struct err *e);
/* The final with its finalists and times. Sets f->id. */
int store_add_final(struct store *s, struct final_record *f, struct err *e);
int store_add_drift(struct store *s, const struct drift_record *d, struct err *e);
int store_add_event(struct store *s, struct event_record *v, struct err *e); /* sets v->no */
/* Keeps the newest `keep` events. */
int store_trim_events(struct store *s, int64_t keep, struct err *e);

/* --- reading --- */

/* A callback returns 0 to go on; anything else ends the reading and is returned. It may call any
 * function of the store. What it is given is released after it. */
int store_run(struct store *s, int64_t id, struct run_record *ret, struct err *e);
typedef int store_on_run(void *ctx, const struct run_record *r, struct err *e);
int store_each_run(struct store *s, store_on_run *f, void *ctx, struct err *e); /* newest first */
/* ERR_MISSING: none. Unfinished: neither done, failed nor cancelled. */
int store_newest_run(struct store *s, bool unfinished, int64_t *ret, struct err *e);
/* The run that was imported from the file of this hash; 0 in *ret: none. */
int store_find_recorded(struct store *s, const char *hash, int64_t *ret, struct err *e);
typedef int store_on_source(void *ctx, const struct store_source *src, struct err *e);
int store_each_source(struct store *s, int64_t run, store_on_source *f, void *ctx, struct err *e);
int store_environment(struct store *s, int64_t id, char **ret_json, struct err *e);
/* ERR_MISSING: never measured on this device and driver. */
int store_ceilings(struct store *s, const struct device *d, struct ceilings *ret, struct err *e);
int store_summary(struct store *s, int64_t run, struct run_summary *ret, struct err *e);

/* Trials without their log, timings and checks. `from` is exclusive, by no. */
typedef int store_on_trial(void *ctx, const struct trial_record *t, struct err *e);
int store_each_trial(struct store *s, int64_t run, int64_t from, store_on_trial *f, void *ctx,
		     struct err *e);
/* Configurations that compiled and their binaries, in the order of no; the texts are borrowed. */
typedef int store_on_binary(void *ctx, const char *config, const char *artifact, struct err *e);
int store_each_binary(struct store *s, int64_t run, int64_t limit, store_on_binary *f, void *ctx,
		      struct err *e);
/* ok trials by score, then no. */
int store_top(struct store *s, int64_t run, int64_t k, store_on_trial *f, void *ctx, struct err *e);
/* One with everything. */
int store_trial(struct store *s, int64_t run, int64_t no, struct trial_record *ret, struct err *e);
int store_trial_by_id(struct store *s, int64_t id, struct trial_record *ret, struct err *e);
/* The newest final of the run, with its times where asked for; ret->id 0: none. It speaks of the
 * run as it is only while run_summary.final. */
int store_final(struct store *s, int64_t run, bool times, struct final_record *ret, struct err *e);
typedef int store_on_drift(void *ctx, const struct drift_record *d, struct err *e);
int store_each_drift(struct store *s, int64_t run, store_on_drift *f, void *ctx, struct err *e);
/* The newest measured trial of this identity and configuration in any run; 0 in *ret: none.
 * Outcomes that say nothing of the variant (lost, hang, compile_timeout) do not count. */
int store_find_known(struct store *s, const char *identity, const char *config, int64_t *ret,
		     struct err *e);
typedef int store_on_event(void *ctx, const struct event_record *v, struct err *e);
int store_each_event(struct store *s, int64_t after, int64_t limit, store_on_event *f, void *ctx,
		     struct err *e);
int store_last_event(struct store *s, int64_t *ret, struct err *e);
int store_free_bytes(const struct store *s, int64_t *ret, struct err *e); /* of its file system */

#endif
