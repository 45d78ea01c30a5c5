#ifndef SEARCH_OBSERVATION_H
#define SEARCH_OBSERVATION_H

#include <stdbool.h>
#include <stdint.h>

/* One told trial, as the statistics and the surrogate see it. */
struct observation {
	const uint16_t *config; /* borrowed */
	bool ok;
	double score; /* > 0, smaller is better; only if ok */
};

/*
 * Log scores on a common scale: mean 0 and deviation 1, the slow end clipped, because only the fast
 * end matters and outliers bend every model. Failures take the worst value there is. All are 0
 * when nothing is ok or all are alike.
 */
void observation_targets(const struct observation *o, int n, double *ret);

/*
 * Thins many trials out to at most `limit`, which bounds what a model of them costs: the best half
 * of `limit` stay, and of the others, failures among them, an even sample. In place, in order;
 * returns how many are left.
 */
int observation_thin(struct observation *o, int n, int limit);

#endif
