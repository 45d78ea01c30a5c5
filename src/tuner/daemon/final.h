#ifndef DAEMON_FINAL_H
#define DAEMON_FINAL_H

#include "tuner/daemon/store.h"
#include "tuner/daemon/trial.h"
#include "tuner/task/task.h"

/*
 * The final of a run: its elites, which are the best distinct binaries, and its baseline, verified
 * with inputs that nothing has seen before and then timed in rounds (see contest.h). This picks the
 * finalists from the run's rows, says what to measure, takes what came of it and gives the record.
 * Building binaries and asking a worker is left to those who hold it: the daemon when a search has
 * ended, and `evo-tuned final`.
 */
struct final_source { /* all borrowed */
	struct store *store;
	const struct run_record *run;
	const struct run_summary *summary;
	struct task_bound *bound;
	int repeat; /* another one gives other inputs and another order; the daemon's is 0 */
};

struct final;

/* *ret is NULL where the run has nothing correct. The source must outlive it. */
int final_new(const struct final_source *src, struct final **ret, struct err *e);
void final_free(struct final *f); /* accepts NULL */

int final_entrants(const struct final *f);
/* One with its configuration, launches, and what its row says of its binary: hash and entry. Its
 * holder sets artifact.path before the first final_next. */
struct trial *final_trial(const struct final *f, int i);
/* All are measured on the one that measured the best. */
int final_device(const struct final *f);

/* It takes no more part; its verdict, which is set, says why. Calls for one that is out are fine.
 */
void final_out(struct final *f, const struct trial *t);

/* What to measure next, the same until it is answered; false: it is over. The first time, a worker
 * makes the inputs and runs the references on them, which takes as long as opening it did. */
bool final_next(struct final *f, struct trial **ret, struct measure_job *ret_job);
/* A final is not to take much of the time that its run was active: to be told, before each step,
 * how long it has taken. */
void final_spent(struct final *f, double ms, double active_s);
/* The answer is in t->measurement. */
void final_measured(struct final *f, struct trial *t);

/* Once it is over. Times are wall clock milliseconds. */
void final_record_of(const struct final *f, double began_at, double ended_at,
		     struct final_record *ret);

#endif
