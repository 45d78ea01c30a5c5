#ifndef RUNTIME_PAIRED_H
#define RUNTIME_PAIRED_H

#include <stdbool.h>

/*
 * Which of two, A or B, is faster, from rounds in which both were measured one right after the
 * other, and how far one figure repeats. What drifts (clocks, temperature, neighbours) moves both
 * times of a round alike and cancels in their ratio. Pure.
 *
 * The estimate is the median of the rounds' ratios A/B. Its interval runs between two of them, the
 * order statistics of stats.h: the interval that belongs to the sign test of paired data (Conover,
 * "Practical Nonparametric Statistics", 3rd ed. 1999, sections 3.2 and 3.4), so nothing is assumed
 * of their distribution.
 */
enum {
	PAIRED_ROUNDS_MIN = 8
}; /* the least number that leaves the interval room for an outlier
    * being noticed; 6 would already give 95 % */

struct paired {
	double ratio, ci_low, ci_high; /* of A's time over B's: below 1, A is faster */
	int rounds;
};

enum paired_verdict { PAIRED_FASTER, PAIRED_SLOWER, PAIRED_SAME }; /* A, seen from B */
const char *paired_verdict_name(enum paired_verdict v);		   /* "FASTER", "SLOWER", "SAME" */

/* Rounds go A B, B A, A B, ...: who comes first alternates, so that a steady drift within a round
 * cancels over two. Rounds count from 0. */
bool paired_a_first(int round);

/* Times of n rounds, all above 0; 1 <= n <= STATS_SAMPLES_MAX. */
void paired_of(const double *a, const double *b, int n, struct paired *ret);

/* The same with an interval that misses with another chance than 0.05: see stats_interval. */
void paired_within(const double *a, const double *b, int n, double miss, struct paired *ret);

/* True from PAIRED_ROUNDS_MIN on, when the interval lies within +-`precision` of the ratio, or
 * within a tenth of its distance from 1: a large difference need not be known that sharply. */
bool paired_settled(const struct paired *p, double precision);

/* SAME when the interval includes 1, or the ratio is closer to 1 than `threshold`. */
enum paired_verdict paired_judge(const struct paired *p, double threshold);

/*
 * How far repeated measurements of one thing scatter. All but the median are shares of it.
 */
struct repeatability {
	double median;
	double spread;	  /* largest minus smallest */
	double deviation; /* standard deviation, n - 1 */
	/* Two single measurements that differ by more differ at 95 %: 1.96 sqrt(2) deviations, the
	 * repeatability limit of ISO 5725-6:1994, section 4.1. */
	double limit;
};

/* 2 <= n <= STATS_SAMPLES_MAX; all above 0. */
void repeatability_of(const double *samples, int n, struct repeatability *ret);

#endif
