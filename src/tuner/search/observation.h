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
 * Log scores on a common scale: mean 0 and deviation 1. Beyond a knee differences count for a
 * fifth, because the fast end matters and outliers spoil every model; not for nothing, or a region
 * that is slow by a factor would look as worth a trial as one that is slow by a tenth. Failures
 * are at the knee: the best often lies beside what is just too big, and was missed where failures
 * counted as the slowest. All are 0 when nothing is ok or all are alike.
 */
void observation_targets(const struct observation *o, int n, double *ret);

/*
 * Thins many trials out to at most `limit`, which bounds what a model of them costs: the best half
 * of `limit` stay, and of the others, failures among them, an even sample. In place, in order;
 * returns how many are left.
 */
int observation_thin(struct observation *o, int n, int limit);

#endif
