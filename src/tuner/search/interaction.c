#include "tuner/search/interaction.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "tuner/search/field.h"
#include "tuner/search/insight.h"

enum { POINTS_MAX = 128, SWEEPS = 4, LISTED_MAX = 20000, SAMPLED = 8192, OK_MIN = 4 };

/* The legal configurations that the model is asked about, and what it says of each. */
struct landscape {
	const struct space *space;
	uint16_t *config;
	double *target;
	int n;
};

static void list(struct landscape *l)
{
	size_t width = (size_t)space_params(l->space);
	uint64_t n = 0;
	struct rng r;

	l->config = space_list(l->space, LISTED_MAX, &n);
	l->n = (int)n;
	if (l->config)
		return;
	rng_init(&r, 0, 0);
	l->config = mem_array(SAMPLED * width, sizeof *l->config);
	for (l->n = 0; l->n < SAMPLED; l->n++)
		if (!space_sample(l->space, &r, l->config + (size_t)l->n * width))
			break;
}

static void learn_process(struct gp *g, struct observation *o, int n, double *ret_whitened)
{
	const uint16_t *point[POINTS_MAX];
	double target[POINTS_MAX];
	bool expected[POINTS_MAX] = { false };

	observation_targets(o, n, target);
	for (int i = 0; i < n; i++)
		point[i] = o[i].config;
	for (int i = 0; i < SWEEPS; i++)
		gp_fit(g, point, target, n);
	gp_clear(g);
	for (int i = 0; i < n; i++)
		gp_add(g, point[i]);
	gp_whiten(g, target, expected, ret_whitened);
}

/* Means over the landscape, on the scale that insight_share wants. */
static void predict(struct landscape *l, struct observation *o, int n)
{
	int params = space_params(l->space);
	double whitened[POINTS_MAX], mean = 0, square = 0, scale;
	struct field f;
	struct gp g;

	gp_init(&g, l->space, POINTS_MAX);
	field_init(&f, params, POINTS_MAX);
	learn_process(&g, o, n, whitened);
	for (int i = 0; i < l->n; i++)
		field_add(&f, l->config + (size_t)i * (size_t)params);
	field_predict(&f, &g, whitened);
	l->target = mem_array((size_t)l->n + 1, sizeof *l->target);
	for (int i = 0; i < l->n; i++)
		mean += (double)f.mean[i] / l->n;
	for (int i = 0; i < l->n; i++)
		square += pow((double)f.mean[i] - mean, 2) / l->n;
	scale = square > 1e-12 ? 1 / sqrt(square) : 0;
	for (int i = 0; i < l->n; i++)
		l->target[i] = ((double)f.mean[i] - mean) * scale;
	field_release(&f);
	gp_release(&g);
}

/* Of the variance, what lies between the cells that two parameters' values make; the same parameter
 * twice: its own values. */
static double share(const struct landscape *l, int a, int b)
{
	int params = space_params(l->space);
	int columns = a == b ? 1 : space_values(l->space, b);
	int cells = space_values(l->space, a) * columns;
	double *sum = mem_array((size_t)cells, sizeof *sum);
	int *count = mem_array((size_t)cells, sizeof *count);
	double ret;

	for (int i = 0; i < l->n; i++) {
		const uint16_t *config = l->config + (size_t)i * (size_t)params;
		int cell = config[a] * columns + (a == b ? 0 : config[b]);

		sum[cell] += l->target[i];
		count[cell]++;
	}
	ret = insight_share(sum, count, cells, l->n);
	free(sum);
	free(count);
	return ret;
}

static int largest_first(const void *a, const void *b)
{
	const struct interaction *x = a, *y = b;

	if (x->share != y->share)
		return x->share > y->share ? -1 : 1;
	return x->first != y->first ? x->first - y->first : x->second - y->second;
}

static void divide(struct interactions *x, const struct landscape *l)
{
	for (int p = 0; p < x->params; p++)
		x->alone[p] = x->together[p] = share(l, p, p);
	for (int p = 0; p < x->params; p++)
		for (int q = p + 1; q < x->params; q++) {
			double joint = share(l, p, q) - x->alone[p] - x->alone[q];

			joint = fmax(joint, 0);
			x->pair[x->n++] = (struct interaction){ p, q, joint };
			x->together[p] = fmin(x->together[p] + joint, 1);
			x->together[q] = fmin(x->together[q] + joint, 1);
		}
	qsort(x->pair, (size_t)x->n, sizeof *x->pair, largest_first);
}

bool interactions_learn(struct interactions *x, const struct space *s, const struct observation *o,
			int n)
{
	struct observation *few = mem_array((size_t)n + 1, sizeof *few);
	struct landscape l = { .space = s };
	size_t params = (size_t)space_params(s);
	int ok = 0;

	for (int i = 0; i < n; i++) {
		few[i] = o[i];
		ok += o[i].ok;
	}
	*x = (struct interactions){ .params = space_params(s) };
	x->alone = mem_array(params, sizeof *x->alone);
	x->together = mem_array(params, sizeof *x->together);
	x->pair = mem_array(params * params, sizeof *x->pair);
	if (covariance_suits(s) && ok >= OK_MIN) {
		list(&l);
		predict(&l, few, observation_thin(few, n, POINTS_MAX));
		divide(x, &l);
	}
	free(l.config);
	free(l.target);
	free(few);
	return x->n > 0;
}

void interactions_release(struct interactions *x)
{
	free(x->alone);
	free(x->together);
	free(x->pair);
}
