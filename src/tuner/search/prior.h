#ifndef SEARCH_PRIOR_H
#define SEARCH_PRIOR_H

#include "tuner/search/observation.h"
#include "tuner/search/space.h"

/*
 * What an earlier search of the same kernel, on another device, shape or compiler, lets expect of a
 * configuration here: the mean of a Gaussian process of its trials. It is a shape, not a time: its
 * scale and how far to trust it are for the new search's own results to say (prior_slope).
 */
enum { PRIOR_TRIALS = 128 };

struct prior;

/* Of at most PRIOR_TRIALS trials, whose configurations are of this space, legal or not; copied.
 * `trust`: the slope to begin with. NULL: that is 0, the trials are too few to say anything, or the
 * space is too wide. */
struct prior *prior_new(const struct space *s, const struct observation *past, int n, double trust);
void prior_free(struct prior *p); /* accepts NULL */

/* On the scale of observation_targets. */
double prior_mean(const struct prior *p, const uint16_t *config);

/*
 * What counts of it here: slope * (prior_mean - middle), the regression of n targets, whose mean is
 * 0, on what was expected of them. It is drawn towards the trust as if a few trials had shown that,
 * and is never negative.
 */
struct prior_slope {
	double slope, middle;
};
struct prior_slope prior_slope(const struct prior *p, const double *expected, const double *target,
			       int n);

#endif
