#ifndef DAEMON_CONTEST_H
#define DAEMON_CONTEST_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/paired.h"

/*
 * The final between a run's elites: who is measured next, and who has won. Pure: whoever has a
 * worker measures what contest_next names and brings back its time.
 *
 * Everyone is measured once a round. The order is drawn anew for every round, so that nobody always
 * follows the same neighbour. What drifts moves all times of a round alike, so times are judged by
 * their ratios within rounds (see paired.h).
 *
 * The leader has the lowest median of its times over the round's geometric mean. Another one is
 * tied with it unless it is slower by CONTEST_MARGIN and the interval of their ratio excludes 1.
 * There are n - 1 comparisons with a leader that was chosen for its luck too, so each interval may
 * miss with a chance of 5 % / (n - 1): all hold together with 95 % (Bonferroni's inequality). Among
 * the tied the winner is one of lower spread, then of fewer registers, then of lower median. The
 * spread is taken from one round to the next (von Neumann and others, "The mean square successive
 * difference", Annals of Mathematical Statistics 1941), so that a slow drift is no part of it. Two
 * count as equal within a factor of 2: for 8 to 12 rounds an F test at 5 % tells deviations apart
 * from a ratio of about that on. Spreads under a tenth of the margin are none.
 *
 * Who takes CONTEST_FAR times as long as the leader in every round is not measured for ever: after
 * 3 rounds it rests, the baseline after the 6 that a 95 % interval of the speed-up needs. In a
 * hurry the baseline does so after 3 too, and who takes CONTEST_HOPELESS times as long after 1.
 *
 * It ends once nobody is left in doubt and the speed-up is known well enough, within limits. Where
 * time was up before there were rounds enough for such intervals, all that are not so far are tied
 * and the leader wins.
 */
enum { CONTEST_ROUNDS_MIN = PAIRED_ROUNDS_MIN, CONTEST_ROUNDS_MAX = 12, CONTEST_MAX = 17 };

/* A closer one is as good. Rounds share a process and its buffers, so they cannot see what another
 * placement of these would change: on an H200 single measurements of one kernel in processes of
 * their own differ by up to 0.16 to 0.3 % (bench/RESULTS.md, "told apart at 95 %"). */
#define CONTEST_MARGIN	 0.003
#define CONTEST_FAR	 1.5
#define CONTEST_HOPELESS 4.0

struct contest_entry {
	int64_t no;	   /* of the trial: the last resort where all else is equal */
	double penalty;	   /* its times are multiplied by it: 1 or more */
	int64_t registers; /* -1: unknown */
	bool baseline;	   /* the one that the speed-up is over; at most one */
};

struct contest_place {
	int entry;
	bool out;  /* it was not measured to the end; no figures */
	bool tied; /* with the leader; true of the winner and of the leader */
	double p50_ns, ci_low_ns, ci_high_ns; /* median over rounds, 95 % interval */
	double spread;	     /* deviation of its times from round to round, as a share */
	struct paired ratio; /* of its score over the winner's, at the coverage above */
};

struct contest_result {
	struct contest_place places[CONTEST_MAX]; /* the winner first, those out last */
	int n;
	bool won;     /* places[0] is the winner; false: all are out, or no round is whole */
	bool settled; /* it ended before the limit of rounds */
	int rounds;   /* whole ones, known once contest_next has said that it is over */
	struct paired speedup; /* baseline's p50 over the winner's, 95 %; rounds 0: none */
};

struct contest;

/* 1 <= n <= CONTEST_MAX. The entries are copied. */
struct contest *contest_new(const struct contest_entry *entries, int n, uint64_t seed);
void contest_free(struct contest *c); /* accepts NULL */

/* The entry to measure next, the same until it is answered; false: it is over. */
bool contest_next(struct contest *c, int *ret_entry, int *ret_round);
/* Answers: the time of the one that is next, above 0; or it takes no more part, and never did. */
void contest_timed(struct contest *c, double p50_ns);
void contest_out(struct contest *c, int entry);
/* Time runs out: see CONTEST_HOPELESS. */
void contest_hurry(struct contest *c);
/* Time is up: it is over once one round is whole. What is left of a later one does not count. */
void contest_stop(struct contest *c);

void contest_judge(const struct contest *c, struct contest_result *ret);

#endif
