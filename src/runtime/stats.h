#ifndef RUNTIME_STATS_H
#define RUNTIME_STATS_H

#include <stdbool.h>

#include "runtime/runtime.h"

/*
 * What a handful of samples says, and when to stop taking more. Nothing is assumed of their
 * distribution: the interval of the median runs between two order statistics, chosen by the
 * binomial distribution so that it covers the median with at least 95 % (Conover, "Practical
 * Nonparametric Statistics", 3rd ed. 1999, section 3.2; Le Boudec, "Performance Evaluation of
 * Computer and Communication Systems", 2010, theorem 2.1). Fewer than 6 samples cannot give 95 %:
 * then the interval is their whole range.
 */
struct stats {
	double median, mean, stddev; /* stddev with n - 1; 0 for one sample */
	double min, p90, p99;	     /* percentiles interpolate between neighbours */
	double ci_low, ci_high;	     /* of the median */
};

enum { STATS_SAMPLES_MAX = 4096 };

/* 1 <= n <= STATS_SAMPLES_MAX; any order. */
void stats_of(const double *samples, int n, struct stats *ret);

/* The same interval with another chance of missing the median, 0.05 above. Too few samples for that
 * chance (see stats_rounds) give their whole range. */
void stats_interval(const double *samples, int n, double miss, double *ret_low, double *ret_high);

/* The least number of samples whose whole range misses the median with at most this chance:
 * 2^(1 - n) <= miss. */
int stats_rounds(double miss);

/* Sets the figures of a timing from its samples. */
void stats_summarise(struct timing *t);

/* When to stop: sequential estimation to a relative precision, as in Law and Kelton, "Simulation
 * Modeling and Analysis", 3rd ed. 2000, section 9.4.1, with the interval above.
 * True when enough samples are in: at max, or from min on when the interval of the median lies
 * within +-noise * median of the median. */
bool stats_settled(const double *samples, int n, int min, int max, double noise);

/* True when the interval's lower end is above abort_factor * best_ns, judged from the third sample
 * on. Never when best_ns or abort_factor is 0. */
bool stats_hopeless(const double *samples, int n, double best_ns, double abort_factor);

#endif
