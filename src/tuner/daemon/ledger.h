#ifndef DAEMON_LEDGER_H
#define DAEMON_LEDGER_H

#include <uv.h>

#include "tuner/daemon/store.h"
#include "tuner/daemon/trial.h"

/*
 * What waits to be written, in order, and its group commits: the rows that ended within
 * LEDGER_AGE_MS of each other, or LEDGER_ROWS of them, share one transaction with their events.
 * Nothing is told to anyone before its commit. A crash loses only the end of this list, and what is
 * lost is done again, the same.
 *
 * When the disk is full everything stays here, and is tried again every second.
 */
enum { LEDGER_ROWS = 64, LEDGER_AGE_MS = 20, LEDGER_EVENTS_KEPT = 100000 };

struct ledger_io {
	void *ctx;
	void (*published)(void *ctx, const struct event_record *v); /* it is stored now */
	/* An entry of the run is stored: its figures then; NULL: a change of the run itself. */
	void (*stored)(void *ctx, void *run, const struct run_summary *after);
	/* The disk is full, and later: it is not any more. */
	void (*full)(void *ctx, bool full, const char *why);
};

struct ledger;

struct ledger *ledger_new(uv_loop_t *loop, struct store *s, const struct ledger_io *io);
void ledger_close(struct ledger *l); /* drops what could not be written; NULL is fine */

struct ledger_trial {
	void *run;
	struct trial_record row; /* taken over */
	struct verdict *own;	 /* learns the row's id; NULL: none */
	struct verdict *same;	 /* whose row is the origin of this one; NULL: none */
	char *event;		 /* body; taken over */
	struct run_summary after;
};
void ledger_trial(struct ledger *l, const struct ledger_trial *t);

/* f is taken over, by emptying it. `after` are the run's figures with it. */
void ledger_final(struct ledger *l, void *run, struct final_record *f,
		  const struct run_summary *after);
void ledger_drift(struct ledger *l, void *run, const struct drift_record *d);

/* The record is borrowed, and read when it is written. event may be NULL: nothing to tell. */
void ledger_run(struct ledger *l, void *run, const struct run_record *r, char *event);

/* At once, for those who wait for an answer: a new run, or a change of one that is not active. What
 * waits is written first. */
int ledger_add_run(struct ledger *l, struct run_record *r, const struct store_source *sources,
		   int n, const char *environment, struct err *e);
int ledger_change_run(struct ledger *l, const struct run_record *r, char *event, struct err *e);
int ledger_put_ceilings(struct ledger *l, const struct device *d, const struct ceilings *c,
			struct err *e);
int ledger_add_event(struct ledger *l, const char *kind, char *body, struct err *e);

int ledger_flush(struct ledger *l, struct err *e);

/* Someone else has a transaction open on the store: what can wait does until ledger_release. What
 * cannot calls `settle` first, which ends that transaction and releases. */
void ledger_hold(struct ledger *l, void (*settle)(void *ctx), void *ctx);
void ledger_release(struct ledger *l);

int ledger_waiting(const struct ledger *l);
void ledger_report_full(struct ledger *l,
			const struct err *e); /* someone else found the disk full */

#endif
