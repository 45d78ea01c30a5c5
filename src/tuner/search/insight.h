#ifndef SEARCH_INSIGHT_H
#define SEARCH_INSIGHT_H

#include <stdbool.h>

#include "tuner/search/observation.h"
#include "tuner/search/space.h"

/*
 * What the trials say about each parameter by itself: how much of the differences in speed it
 * accounts for, which of its values did best, which ones fail. Marginal statistics: a parameter
 * that matters only together with another one looks unimportant here; interaction.h sees it. The
 * search breeds by these very figures, and `insights` shows them.
 */
struct insight_value {
	int tried;
	int failed;
	double effect; /* mean target of its trials, shrunk towards 0; negative is faster */
	double error;  /* half of the 95 % interval of that mean; infinite: too few trials */
};

struct insight_param {
	double importance; /* 0..1: share of the targets' variance that lies between its values */
	int best;	   /* position with the lowest effect, -1: no value is ok yet */
	bool inert;	   /* as the caller said: it changes nothing in the code */
	int n;
	struct insight_value *value;
};

struct insight {
	int n;
	struct insight_param *param;
};

void insight_init(struct insight *x, const struct space *s);
void insight_release(struct insight *x);

/* Starts over from these trials. `inert` flags parameters, NULL: none is. */
void insight_learn(struct insight *x, const struct observation *o, int n, const bool *inert);

/*
 * Share of the variance that lies between groups, less what groups of no effect would show by
 * chance (the adjusted R squared of a one-way analysis of variance), 0 to 1. By group: the sum of
 * its targets and their number; n targets in all, of mean 0 and variance 1.
 */
double insight_share(const double *sum, const int *count, int groups, int n);

double insight_failure_rate(const struct insight_value *v); /* 0 when it was never tried */

#endif
