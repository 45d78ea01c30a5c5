#ifndef CLI_REMEASURE_H
#define CLI_REMEASURE_H

#include "tuner/cli/local.h"
#include "tuner/daemon/setup.h"
#include "tuner/daemon/trial.h"

/*
 * A measuring worker with one problem open, which built configurations (see evaluate_build) are
 * brought to again and again: what comparisons and the noise report are made of. Each call is one
 * measurement as a trial gets it. ERR_FAILED when it does not end well: it is then over with this
 * worker.
 */
struct remeasure;

/* The references of the problem must have been built. s is borrowed and must outlive it. */
int remeasure_open(const struct local *where, const struct setup *s, struct remeasure **ret,
		   struct err *e);
void remeasure_close(struct remeasure *r); /* accepts NULL */

/* Any measurement of t's binary and launches, which are set in the job. Its outcome, good or bad,
 * is in t->measurement; ERR_FAILED only when the worker did not answer. Inputs that are new to the
 * worker may take as long as opening. */
int remeasure_job(struct remeasure *r, struct trial *t, const struct measure_job *job,
		  struct err *e);

/* Correctness alone, with inputs of this seed, which is not 0. */
int remeasure_verify(struct remeasure *r, struct trial *t, uint64_t seed, struct err *e);

/* Times it, after the checks of every trial where `verify`. *ret_ns is the median over the timed
 * shapes as the objective combines them; t's measurement and verdict say more. */
int remeasure_time(struct remeasure *r, struct trial *t, bool verify, double *ret_ns,
		   struct err *e);

/* What the device spent on timing it the last time, warm-up included. */
double remeasure_timing_ms(const struct trial *t);

#endif
