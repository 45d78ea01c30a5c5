#ifndef SEARCH_INTERACTION_H
#define SEARCH_INTERACTION_H

#include "tuner/search/observation.h"
#include "tuner/search/space.h"

/*
 * What the model that full searches by, a Gaussian process of the trials, says of parameters
 * together: a functional analysis of variance of its mean over the legal configurations (Hutter,
 * Hoos and Leyton-Brown, "An efficient approach for assessing hyperparameter importance", ICML
 * 2014; of Gaussian processes: Oakley and O'Hagan, 2004), all of them or a sample. Shares are of
 * the variance of the predicted targets, adjusted as insight_share says, so that chance alone shows
 * none.
 *
 * It is as good as the model: a few dozen trials over many parameters give a guess, and values that
 * were never tried are judged by their neighbours.
 */
struct interaction {
	int first, second; /* parameters, first < second */
	double share;	   /* 0..1: what they do together beyond what each does by itself */
};

struct interactions {
	int params;
	double *alone;		  /* by parameter: share of it by itself */
	double *together;	  /* by parameter: and with one other, summed; at most 1 */
	struct interaction *pair; /* the largest share first */
	int n;
};

/* False: there is nothing to learn from, as in a space too wide for the model or where every trial
 * failed. */
bool interactions_learn(struct interactions *x, const struct space *s, const struct observation *o,
			int n);
void interactions_release(struct interactions *x);

#endif
