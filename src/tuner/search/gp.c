#include "tuner/search/gp.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { SWEEPS_MAX = 3 };
static const double length_min = 0.05, length_max = 8;
static const double weight_min = 0.005, weight_max = 3;
static const double noise_min = 1e-5, noise_max = 0.3;

/* Deviations that a result still outstanding is taken to be worse than predicted. */
static const double pessimism = 0.3;

void gp_init(struct gp *g, const struct space *s, int room)
{
	size_t cells = (size_t)room * (size_t)room;

	*g = (struct gp){ .room = room };
	covariance_init(&g->covariance, s);
	for (int i = 0; i < g->covariance.n; i++)
		if (g->covariance.param[i].values > g->values_max)
			g->values_max = g->covariance.param[i].values;
	g->point = mem_array((size_t)room, sizeof *g->point);
	g->factor = mem_array(cells, sizeof *g->factor);
	g->work = mem_array((size_t)room, sizeof *g->work);
	g->trial_factor = mem_array(cells, sizeof *g->trial_factor);
	g->gram = mem_array(cells, sizeof *g->gram);
}

void gp_release(struct gp *g)
{
	covariance_release(&g->covariance);
	free(g->point);
	free(g->factor);
	free(g->work);
	free(g->trial_factor);
	free(g->gram);
}

void gp_clear(struct gp *g)
{
	g->n = 0;
}

/* Four partial sums, always in this order: as fast as the compiler may not make it by itself. */
static double dot(const double *a, const double *b, int n)
{
	double sum[4] = { 0 };
	int i = 0;

	for (; i + 4 <= n; i += 4)
		for (int k = 0; k < 4; k++)
			sum[k] += a[i + k] * b[i + k];
	for (; i < n; i++)
		sum[0] += a[i] * b[i];
	return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

/* Row n of the factor, from the covariances of point n with those before it and its variance. */
static void factor_row(double *factor, int room, int n, const double *covariance, double variance)
{
	double *row = factor + (size_t)n * (size_t)room;
	double rest;

	for (int i = 0; i < n; i++) {
		const double *other = factor + (size_t)i * (size_t)room;

		row[i] = (covariance[i] - dot(row, other, i)) / other[i];
	}
	rest = variance - dot(row, row, n);
	row[n] = sqrt(rest > 1e-8 ? rest : 1e-8);
}

void gp_add(struct gp *g, const uint16_t *point)
{
	assert(g->n < g->room);
	for (int i = 0; i < g->n; i++)
		g->work[i] = covariance_of(&g->covariance, point, g->point[i]);
	factor_row(g->factor, g->room, g->n, g->work, 1 + g->covariance.noise);
	g->point[g->n++] = point;
}

static void whiten(const struct gp *g, const double *target, const bool *expected, double worse,
		   double *ret)
{
	for (int i = 0; i < g->n; i++) {
		const double *row = g->factor + (size_t)i * (size_t)g->room;

		ret[i] = expected[i] ? worse : (target[i] - dot(row, ret, i)) / row[i];
	}
}

double gp_whiten(const struct gp *g, const double *target, const bool *expected, double *ret)
{
	double square = 0;
	double variance;
	int known = 0;

	whiten(g, target, expected, 0, ret);
	for (int i = 0; i < g->n; i++) {
		square += ret[i] * ret[i];
		known += !expected[i];
	}
	variance = known ? fmax(square / known, 1e-6) : 1;
	if (known < g->n)
		whiten(g, target, expected, pessimism * sqrt(variance), ret);
	return variance;
}

struct fit {
	struct gp *gp;
	const uint16_t *const *point;
	const double *target;
	int n;
	double best;
	float *ratio; /* new factors of a parameter to its old ones */
};

/* Of the targets under the kernel, its variance at the likeliest value; plus the prior. */
static double log_likelihood(struct fit *f)
{
	struct gp *g = f->gp;
	double square = 0;
	double volume = 0;

	for (int i = 0; i < f->n; i++) {
		const double *row = g->trial_factor + (size_t)i * (size_t)g->room;

		factor_row(g->trial_factor, g->room, i, g->gram + (size_t)i * (size_t)g->room,
			   1 + g->covariance.noise);
		g->work[i] = (f->target[i] - dot(row, g->work, i)) / row[i];
		square += g->work[i] * g->work[i];
		volume += log(row[i]);
	}
	return -0.5 * f->n * log(fmax(square / f->n, 1e-12)) - volume +
	       covariance_log_prior(&g->covariance);
}

static void covary(struct fit *f)
{
	for (int i = 1; i < f->n; i++)
		for (int j = 0; j < i; j++)
			f->gp->gram[(size_t)i * (size_t)f->gp->room + (size_t)j] =
				covariance_of(&f->gp->covariance, f->point[i], f->point[j]);
}

static double between(double x, double low, double high)
{
	return x < low ? low : x > high ? high : x;
}

/* Gives a parameter its factors anew, and the covariances with them: far cheaper than covary(),
 * which is called now and then because the roundings add up. */
static void retabulate(struct fit *f, int param)
{
	struct gp *g = f->gp;
	const struct covariance_param *p = &g->covariance.param[param];
	size_t values = (size_t)p->values;

	memcpy(f->ratio, p->factor, values * values * sizeof *f->ratio);
	covariance_tabulate(&g->covariance, param);
	for (size_t i = 0; i < values * values; i++)
		f->ratio[i] = p->factor[i] / f->ratio[i];
	for (int i = 1; i < f->n; i++) {
		double *row = g->gram + (size_t)i * (size_t)g->room;
		const float *ratio = f->ratio + f->point[i][param] * values;

		for (int j = 0; j < i; j++)
			row[j] *= (double)ratio[f->point[j][param]];
	}
}

/* Tries the value at half and at double; keeps what is likelier. */
static void fit_value(struct fit *f, int param, double *value, double low, double high)
{
	static const double steps[] = { 0.5, 2 };
	double old = *value;

	for (int i = 0; i < 2; i++) {
		double likelihood;

		*value = between(old * steps[i], low, high);
		if (*value == old)
			continue;
		retabulate(f, param);
		likelihood = log_likelihood(f);
		if (likelihood > f->best) {
			f->best = likelihood;
			return;
		}
	}
	*value = old;
	retabulate(f, param);
}

static void fit_noise(struct fit *f)
{
	static const double steps[] = { 0.25, 4 };
	double *noise = &f->gp->covariance.noise;
	double old = *noise;

	for (int i = 0; i < 2; i++) {
		double likelihood;

		*noise = between(old * steps[i], noise_min, noise_max);
		likelihood = log_likelihood(f);
		if (likelihood > f->best) {
			f->best = likelihood;
			return;
		}
	}
	*noise = old;
}

static void sweep(struct fit *f)
{
	struct covariance *c = &f->gp->covariance;

	covary(f);
	for (int i = 0; i < c->n; i++) {
		struct covariance_param *p = &c->param[i];

		if (p->values < 2)
			continue;
		if (p->line)
			fit_value(f, i, &p->length, length_min, length_max);
		fit_value(f, i, &p->weight, weight_min, weight_max);
	}
	fit_noise(f);
}

bool gp_fit(struct gp *g, const uint16_t *const *point, const double *target, int n)
{
	struct fit f = { .gp = g, .point = point, .target = target, .n = n };
	double first, before;

	assert(n > 0 && n <= g->room);
	f.ratio = mem_array((size_t)g->values_max * (size_t)g->values_max, sizeof *f.ratio);
	covary(&f);
	first = before = f.best = log_likelihood(&f);
	for (int i = 0; i < SWEEPS_MAX; i++) {
		sweep(&f);
		if (f.best <= before)
			break;
		before = f.best;
	}
	free(f.ratio);
	if (f.best > first)
		gp_clear(g);
	return f.best > first;
}
