#include "tuner/search/covariance.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

static const double usual_weight = 0.15, usual_noise = 1e-3;
static const double usual_weight_unordered = 0.5;
static const double prior_strength = 0.3, prior_strength_noise = 0.1;

bool covariance_suits(const struct space *s)
{
	for (int i = 0; i < space_params(s); i++)
		if (space_values(s, i) > COVARIANCE_VALUES_MAX)
			return false;
	return true;
}

/* On a line of few values neighbours are far apart and yet much alike. */
static double usual_length(const struct covariance_param *p)
{
	return 0.5 + 6.0 / (p->values * p->values);
}

static double usual_weight_of(const struct covariance_param *p)
{
	return p->line ? usual_weight : usual_weight_unordered;
}

void covariance_init(struct covariance *c, const struct space *s)
{
	metric_init(&c->metric, s);
	c->n = space_params(s);
	c->noise = usual_noise;
	c->param = mem_array((size_t)c->n, sizeof *c->param);
	for (int i = 0; i < c->n; i++) {
		struct covariance_param *p = &c->param[i];

		p->values = space_values(s, i);
		p->line = c->metric.param[i].line > 0;
		p->length = usual_length(p);
		p->weight = usual_weight_of(p);
		p->factor = mem_array((size_t)p->values * (size_t)p->values, sizeof *p->factor);
		covariance_tabulate(c, i);
	}
}

void covariance_release(struct covariance *c)
{
	for (int i = 0; i < c->n; i++)
		free(c->param[i].factor);
	free(c->param);
	metric_release(&c->metric);
}

void covariance_tabulate(struct covariance *c, int param)
{
	struct covariance_param *p = &c->param[param];
	const float *place = c->metric.param[param].place;

	for (int a = 0; a < p->values; a++)
		for (int b = 0; b < p->values; b++) {
			double r = sqrt(5) * fabs((double)place[a] - (double)place[b]) / p->length;
			double weight = a == b ? 0 : p->weight;

			p->factor[a * p->values + b] =
				(float)((1 + r + r * r / 3) * exp(-r - weight));
		}
}

double covariance_of(const struct covariance *c, const uint16_t *a, const uint16_t *b)
{
	double product = 1;

	for (int i = 0; i < c->n; i++)
		product *= (double)c->param[i].factor[a[i] * c->param[i].values + b[i]];
	return product;
}

static double square_log(double ratio)
{
	return log(ratio) * log(ratio);
}

double covariance_log_prior(const struct covariance *c)
{
	double sum = 0;

	for (int i = 0; i < c->n; i++) {
		const struct covariance_param *p = &c->param[i];

		if (p->line)
			sum += square_log(p->length / usual_length(p));
		sum += square_log(p->weight / usual_weight_of(p));
	}
	return -prior_strength * sum - prior_strength_noise * square_log(c->noise / usual_noise);
}
