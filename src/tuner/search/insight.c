#include "tuner/search/insight.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Trials of no effect that every value starts with: one lucky trial is not yet a good value. */
static const double prior_trials = 1.5;

void insight_init(struct insight *x, const struct space *s)
{
	x->n = space_params(s);
	x->param = mem_array((size_t)x->n, sizeof *x->param);
	for (int i = 0; i < x->n; i++) {
		x->param[i].n = space_values(s, i);
		x->param[i].best = -1;
		x->param[i].value = mem_array((size_t)x->param[i].n, sizeof *x->param[i].value);
	}
}

void insight_release(struct insight *x)
{
	for (int i = 0; i < x->n; i++)
		free(x->param[i].value);
	free(x->param);
}

double insight_failure_rate(const struct insight_value *v)
{
	return v->tried ? (double)v->failed / v->tried : 0;
}

/* Between-value variance against the total, less what values of no effect would show by chance
 * (the adjusted R squared of a one-way analysis of variance). */
static double importance(const struct insight_param *p, const double *sum, int n)
{
	double between = 0;
	int groups = 0;
	double share;

	for (int i = 0; i < p->n; i++) {
		if (!p->value[i].tried)
			continue;
		between += sum[i] * sum[i] / p->value[i].tried / n;
		groups++;
	}
	if (groups < 2 || n <= groups)
		return 0;
	share = 1 - (1 - between) * (n - 1) / (n - groups);
	return share < 0 ? 0 : share > 1 ? 1 : share;
}

static void learn_param(struct insight_param *p, int param, const struct observation *o,
			const double *target, int n)
{
	double *sum = mem_array((size_t)p->n, sizeof *sum);

	memset(p->value, 0, (size_t)p->n * sizeof *p->value);
	for (int i = 0; i < n; i++) {
		int position = o[i].config[param];

		p->value[position].tried++;
		p->value[position].failed += !o[i].ok;
		sum[position] += target[i];
	}
	p->best = -1;
	for (int i = 0; i < p->n; i++) {
		struct insight_value *v = &p->value[i];

		v->effect = sum[i] / (v->tried + prior_trials);
		if (v->tried > v->failed && (p->best < 0 || v->effect < p->value[p->best].effect))
			p->best = i;
	}
	p->importance = importance(p, sum, n);
	free(sum);
}

void insight_learn(struct insight *x, const struct observation *o, int n, const bool *inert)
{
	double *target = mem_array((size_t)n, sizeof *target);

	observation_targets(o, n, target);
	for (int i = 0; i < x->n; i++) {
		learn_param(&x->param[i], i, o, target, n);
		x->param[i].inert = inert && inert[i];
	}
	free(target);
}
