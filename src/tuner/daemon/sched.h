#ifndef DAEMON_SCHED_H
#define DAEMON_SCHED_H

#include "tuner/daemon/trial.h"

/*
 * Moves the trials of one run from proposal to their end. It does no I/O and reads no clock: those
 * who have an idle worker pull work from it and bring back what became of it. tests/sim_sched.c
 * drives it through a world that crashes, hangs and answers late.
 *
 * How far ahead it proposes is bounded, so that compiling cannot run far ahead of what the search
 * has learnt; and never more is in flight than the budget has left.
 */
enum sched_offer {
	SCHED_NONE,  /* nothing to propose now */
	SCHED_NEW,   /* to be compiled */
	SCHED_ENDED, /* it has its verdict already: from the store, or over a launch limit */
};

struct sched_io {
	void *ctx;
	enum sched_offer (*propose)(void *ctx, struct trial *t); /* fills in t */
	/* The trial is DONE: tell the search, write the row. Trials come in the order the search is
	 * to be told. t belongs to the callee; t->same stays valid as long as the scheduler. */
	void (*finish)(void *ctx, struct trial *t);
};

struct sched;

struct sched *sched_new(const struct sched_io *io, int64_t budget);
void sched_free(struct sched *s); /* accepts NULL; drops what is in flight */

/* How many trials may be in flight: `trials`, and before any has ended `first`, since a device
 * takes longer to get ready than a compiler. Both are 1 at first. */
void sched_set_lookahead(struct sched *s, int trials, int first);
void sched_set_budget(struct sched *s, int64_t budget);
void sched_set_done(struct sched *s, int64_t done); /* of an earlier life */
void sched_hold(struct sched *s, bool held); /* held: no new proposals; what is in flight ends */

/* An earlier verdict, from a resumed run's rows. */
void sched_know(struct sched *s, const char *key, const struct verdict *v);

/* The next trial for an idle worker, now COMPILING or MEASURING; NULL: none. One call lets at most
 * SCHED_ENDED_MAX trials end at once: see sched_more. */
enum { SCHED_ENDED_MAX = 64 };
struct trial *sched_next_compile(struct sched *s);
struct trial *sched_next_measure(struct sched *s);
bool sched_more(const struct sched *s); /* the last next_compile stopped at that limit */

/* It compiled and may be measured; t->key is set. Becomes READY, TWIN, or DONE by an equal one. */
void sched_built(struct sched *s, struct trial *t);
/* t->verdict is set: DONE, and its twins with it. */
void sched_ended(struct sched *s, struct trial *t);
/* Its worker could do nothing about it, say with a full disk. It goes back as if never begun. */
void sched_back(struct sched *s, struct trial *t);
/* Its worker died, for no fault that is known to be the trial's. It goes back to be tried once
 * more; the second time it is DONE as lost, with `detail`. */
void sched_lost(struct sched *s, struct trial *t, const char *detail);

void sched_each(struct sched *s, void (*f)(void *ctx, struct trial *t), void *ctx); /* in flight */
int sched_in_flight(const struct sched *s);
int64_t sched_done(const struct sched *s); /* what counts for the budget */
bool sched_spent(const struct sched *s);   /* done has reached the budget */
bool sched_dry(const struct sched *s); /* nothing in flight and the last proposal gave nothing */
int sched_count(const struct sched *s, enum trial_state state); /* in flight, by state */

#endif
