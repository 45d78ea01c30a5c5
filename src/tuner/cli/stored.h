#ifndef CLI_STORED_H
#define CLI_STORED_H

#include "tuner/daemon/setup.h"
#include "tuner/daemon/store.h"
#include "tuner/task/recording.h"

/*
 * A run as the database has it, read without a daemon; and, where asked for, its task bound to the
 * device that it ran on.
 */
struct stored {
	struct store *store;
	struct run_record run;
	struct run_summary summary;
	bool orphaned; /* no daemon holds the database: a running one is shown as `interrupted` */
	struct setup setup;	     /* after stored_bind; all zero before */
	struct recording *recording; /* after stored_space of an imported run */
};

/* To read it, for commands that then start a daemon: what an older evo-tuned made is upgraded, as
 * the daemon would. Errors as in store.h. */
int stored_upgraded(const char *db, struct store **ret, struct err *e);

/* id 0: the newest run. ERR_MISSING says how to make one. */
int stored_open(const char *db, int64_t id, struct stored *ret, struct err *e);
void stored_release(struct stored *s); /* also of one that is all zero */

/* From the text and the sources in the database: the files of today do not matter. An imported run
 * has no kernel: ERR_INVALID. */
int stored_bind(struct stored *s, struct err *e);

/* The parameters and their values, of an imported run too; borrowed. Binds where it must. */
int stored_space(struct stored *s, const struct space **ret, struct err *e);

/* What people are told of its state: the name of the state, or `interrupted`. */
const char *stored_state(const struct run_record *r, bool orphaned);

/* Over the baseline; 0: unknown. */
double stored_speedup(const struct run_summary *s, double p50_ns);

#endif
