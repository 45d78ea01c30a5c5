#ifndef SEARCH_COVARIANCE_H
#define SEARCH_COVARIANCE_H

#include "tuner/search/metric.h"

/*
 * How alike configurations are expected to do: the covariance of the Gaussian process, a product
 * over parameters of a Matern 5/2 kernel of their distance on the line (Rasmussen and Williams,
 * "Gaussian Processes for Machine Learning", 2006, eq. 4.17) and exp(-weight) where they differ at
 * all. Each parameter's factor is kept as a table over pairs of positions.
 */
enum { COVARIANCE_VALUES_MAX = 256 };

struct covariance_param {
	int values;
	bool line;     /* its values lie on a line */
	double length; /* on the line from 0 to 1; a long one: the parameter does not matter */
	double weight; /* for being different at all */
	float *factor; /* [a * values + b] */
};

struct covariance {
	struct metric metric;
	int n;
	struct covariance_param *param;
	double noise; /* variance that no neighbour shares, the process having 1 */
};

/* Whether the tables stay small: no parameter has over COVARIANCE_VALUES_MAX values. */
bool covariance_suits(const struct space *s);

void covariance_init(struct covariance *c, const struct space *s);
void covariance_release(struct covariance *c);
void covariance_tabulate(struct covariance *c, int param); /* after its length or weight changed */

double covariance_of(const struct covariance *c, const uint16_t *a, const uint16_t *b);

/* Log of a weak prior on the lengths, the weights and the noise: where few trials say little, they
 * stay where they were found to be usual. */
double covariance_log_prior(const struct covariance *c);

#endif
