#ifndef DAEMON_STORE_FINAL_H
#define DAEMON_STORE_FINAL_H

#include "tuner/daemon/store.h"
#include "tuner/daemon/store_sql.h"

/* Finals and drift as rows. Transactions are the caller's business. */

int store_final_add(struct sql *q, struct final_record *f, struct err *e); /* sets f->id */
/* The newest of the run with its finalists, and its times where asked for; id 0: none. */
int store_final_newest(struct sql *q, int64_t run, bool times, struct final_record *ret,
		       struct err *e);

int store_drift_add(struct sql *q, const struct drift_record *d, struct err *e);
int store_drift_each(struct sql *q, int64_t run, store_on_drift *f, void *ctx, struct err *e);

#endif
