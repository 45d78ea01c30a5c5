#ifndef DAEMON_STORE_RUN_H
#define DAEMON_STORE_RUN_H

#include "tuner/daemon/store.h"
#include "tuner/daemon/store_sql.h"

/* A run as rows: run, its sources, its summary. Transactions are the caller's business. */

int store_run_add(struct sql *q, struct run_record *r, const struct store_source *sources, int n,
		  struct err *e); /* sets r->id */
int store_run_update(struct sql *q, const struct run_record *r, struct err *e);

/* Calls f with each row of c, a statement over run that has its parameters, and ends c. What f
 * returns, unless 0, stops it and is returned. */
int store_run_each(struct sql_call *c, store_on_run *f, void *ctx, struct err *e);
int store_run_one(struct sql *q, int64_t id, struct run_record *ret, struct err *e);
int store_run_sources(struct sql *q, int64_t run, store_on_source *f, void *ctx, struct err *e);

/* Several statements: the caller holds a transaction, so that they see one state. */
int store_run_summary(struct sql *q, int64_t run, struct run_summary *ret, struct err *e);

#endif
