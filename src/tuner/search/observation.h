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

#endif
