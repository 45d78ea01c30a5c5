#include "tuner/search/insight.h"

#include <math.h>
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

double insight_share(const double *sum, const int *count, int groups, int n)
{
	double between = 0;
	int used = 0;
	double share;

	for (int i = 0; i < groups; i++) {
		if (!count[i])
			continue;
		between += sum[i] * sum[i] / count[i] / n;
		used++;
	}
	if (used < 2 || n <= used)
		return 0;
	share = 1 - (1 - between) * (n - 1) / (n - used);
	return share < 0 ? 0 : share > 1 ? 1 : share;
}

/* Student's t that 2.5 % exceed, by the first terms of its expansion in 1/freedom (Abramowitz and
 * Stegun, "Handbook of Mathematical Functions", 26.7.5). */
static double student(int freedom)
{
	const double z = 1.96, n = freedom;

	return z + (z * z * z + z) / (4 * n) +
	       (5 * pow(z, 5) + 16 * pow(z, 3) + 3 * z) / (96 * n * n);
}

/* All values have one variance, since few of them have trials enough for one of their own. */
static void find_errors(struct insight_param *p, const double *sum, double square, int n)
{
	double within = square;
	int freedom = n;

	for (int i = 0; i < p->n; i++) {
		if (!p->value[i].tried)
			continue;
		within -= sum[i] * sum[i] / p->value[i].tried;
		freedom--;
	}
	for (int i = 0; i < p->n; i++) {
		struct insight_value *v = &p->value[i];

		v->error = freedom > 0 && v->tried
				   ? student(freedom) * sqrt(fmax(within, 0) / freedom / v->tried)
				   : HUGE_VAL;
	}
}

static void learn_param(struct insight_param *p, int param, const struct observation *o,
			const double *target, int n)
{
	double *sum = mem_array((size_t)p->n, sizeof *sum), square = 0;
	int *count = mem_array((size_t)p->n, sizeof *count);

	memset(p->value, 0, (size_t)p->n * sizeof *p->value);
	for (int i = 0; i < n; i++) {
		int position = o[i].config[param];

		p->value[position].tried++;
		p->value[position].failed += !o[i].ok;
		sum[position] += target[i];
		square += target[i] * target[i];
		count[position]++;
	}
	p->best = -1;
	for (int i = 0; i < p->n; i++) {
		struct insight_value *v = &p->value[i];

		v->effect = sum[i] / (v->tried + prior_trials);
		if (v->tried > v->failed && (p->best < 0 || v->effect < p->value[p->best].effect))
			p->best = i;
	}
	p->importance = insight_share(sum, count, p->n, n);
	find_errors(p, sum, square, n);
	free(sum);
	free(count);
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
