#ifndef SEARCH_SURROGATE_H
#define SEARCH_SURROGATE_H

#include "tuner/search/insight.h"
#include "tuner/search/metric.h"

/*
 * A cheap guess at how a configuration will do, from the trials told so far: the mean of its
 * nearest neighbours, weighted by distance, and how far the nearest one is as the doubt about it.
 * Parameters that matter more stretch the distance more. Screens candidates; measures nothing.
 */
struct surrogate;

struct surrogate *surrogate_new(const struct space *s); /* borrowed */
void surrogate_free(struct surrogate *x);		/* accepts NULL */

/* Starts over from these trials, with room for `pending` calls of surrogate_expect. */
void surrogate_learn(struct surrogate *x, const struct observation *o, int n, int pending,
		     const struct insight *insight);

/* Takes the guess at a pending configuration for its result, so that candidates near it lose their
 * doubt and proposals do not pile up on one spot. */
void surrogate_expect(struct surrogate *x, const uint16_t *config);

/* The lower the more worth trying: expected target less `greed` deviations. */
float surrogate_promise(struct surrogate *x, const uint16_t *config, float greed);

#endif
