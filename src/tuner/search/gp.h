#ifndef SEARCH_GP_H
#define SEARCH_GP_H

#include "tuner/search/covariance.h"

/*
 * A Gaussian process: the Cholesky factor of the covariance of its points, which are added one by
 * one. What was measured at them is given to the calls that need it, since it may change (a result
 * arrives, the slow end is clipped elsewhere) while the factor stays.
 */
struct gp {
	struct covariance covariance;
	int n;
	int room;
	int values_max;		/* of any parameter */
	const uint16_t **point; /* configurations, borrowed */
	double *factor;		/* lower triangle, row i at i * room */
	double *work;		/* one of `room` */
	double *trial_factor;	/* of a fit */
	double *gram;		/* of a fit */
};

void gp_init(struct gp *g, const struct space *s, int room);
void gp_release(struct gp *g);

void gp_clear(struct gp *g); /* forgets the points; the kernel stays */
void gp_add(struct gp *g, const uint16_t *point);

/*
 * Whitened targets, L^-1 y: one a point. Where `expected` is set, the target is not read but taken
 * for a little worse than what the points before it predict, so that what is asked while results
 * are outstanding keeps its distance from them. Returns the mean square of the others, the variance
 * of the process.
 */
double gp_whiten(const struct gp *g, const double *target, const bool *expected, double *ret);

/* Moves lengths, weights and noise to where the targets of these points are likelier: a few sweeps
 * of coordinate search on the profile likelihood. True: the kernel changed, and the points were
 * cleared. */
bool gp_fit(struct gp *g, const uint16_t *const *point, const double *target, int n);

#endif
