#ifndef DAEMON_STORE_TRIAL_H
#define DAEMON_STORE_TRIAL_H

#include "tuner/daemon/store.h"
#include "tuner/daemon/store_sql.h"

/*
 * A trial as rows: trial, ptxas, and one of timing or verification for each of what it holds.
 * Transactions are the caller's business; a failed write leaves a part of the trial to roll back.
 */
enum { TRIAL_KEY_BYTES = 16 };

/* Stands for a configuration asked of a run's identity: see db/schema.sql. */
void store_trial_key(const char *identity, const char *config, unsigned char ret[TRIAL_KEY_BYTES]);

/* Sets t->id. */
int store_trial_add(struct sql *q, struct trial_record *t, struct err *e);

/* Calls f with each row of c, a statement over trial_row that has its parameters, and ends c.
 * What f returns, unless 0, stops it and is returned. */
int store_trial_each(struct sql_call *c, store_on_trial *f, void *ctx, struct err *e);

/* The one row of c with everything, and ends c. ERR_MISSING "no trial NAME" where there is none. */
int store_trial_whole(struct sql_call *c, int64_t name, struct trial_record *ret, struct err *e);

#endif
