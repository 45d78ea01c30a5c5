#include "tuner/search/prior.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tuner/search/gp.h"

enum { OK_MIN = 4, SWEEPS = 4 };

/* The trust counts as much as results that differ from one another by so many squared deviations.
 */
static const double trust_weight = 4;

struct prior {
	double trust;
	struct gp gp;
	uint16_t *config; /* n rows */
	double *weight;	  /* of each point's covariance */
	int n;
};

/* Solves L^T weight = whitened. */
static void find_weights(const struct gp *g, const double *whitened, double *ret)
{
	for (int i = g->n - 1; i >= 0; i--) {
		double sum = whitened[i];

		for (int j = i + 1; j < g->n; j++)
			sum -= g->factor[(size_t)j * (size_t)g->room + (size_t)i] * ret[j];
		ret[i] = sum / g->factor[(size_t)i * (size_t)g->room + (size_t)i];
	}
}

static void learn(struct prior *p, const struct observation *past)
{
	const uint16_t *point[PRIOR_TRIALS];
	double target[PRIOR_TRIALS], whitened[PRIOR_TRIALS];
	bool expected[PRIOR_TRIALS] = { false };
	size_t width = (size_t)p->gp.covariance.n;

	observation_targets(past, p->n, target);
	for (int i = 0; i < p->n; i++) {
		point[i] = p->config + (size_t)i * width;
		memcpy(p->config + (size_t)i * width, past[i].config, width * sizeof *p->config);
	}
	for (int i = 0; i < SWEEPS; i++)
		gp_fit(&p->gp, point, target, p->n);
	gp_clear(&p->gp);
	for (int i = 0; i < p->n; i++)
		gp_add(&p->gp, point[i]);
	gp_whiten(&p->gp, target, expected, whitened);
	find_weights(&p->gp, whitened, p->weight);
}

struct prior *prior_new(const struct space *s, const struct observation *past, int n, double trust)
{
	struct prior *p;
	int ok = 0;

	for (int i = 0; i < n; i++)
		ok += past[i].ok;
	if (!(trust > 0) || ok < OK_MIN || n > PRIOR_TRIALS || !covariance_suits(s))
		return NULL;
	p = mem_alloc(sizeof *p);
	p->n = n;
	p->trust = trust;
	gp_init(&p->gp, s, n);
	p->config = mem_array((size_t)n * (size_t)space_params(s), sizeof *p->config);
	p->weight = mem_array((size_t)n, sizeof *p->weight);
	learn(p, past);
	return p;
}

void prior_free(struct prior *p)
{
	if (!p)
		return;
	gp_release(&p->gp);
	free(p->config);
	free(p->weight);
	free(p);
}

double prior_mean(const struct prior *p, const uint16_t *config)
{
	double sum = 0;

	for (int i = 0; i < p->n; i++)
		sum += p->weight[i] * covariance_of(&p->gp.covariance, config, p->gp.point[i]);
	return sum;
}

struct prior_slope prior_slope(const struct prior *p, const double *expected, const double *target,
			       int n)
{
	struct prior_slope s = { 0 };
	double both = trust_weight * p->trust, square = trust_weight;

	for (int i = 0; i < n; i++)
		s.middle += expected[i] / n;
	for (int i = 0; i < n; i++) {
		both += (expected[i] - s.middle) * target[i];
		square += (expected[i] - s.middle) * (expected[i] - s.middle);
	}
	s.slope = fmax(both / square, 0);
	return s;
}
