#include "tuner/search/surrogate.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
	NEIGHBOURS = 6,
	LANES = 8, /* points are padded to blocks of this many, which compilers turn into vectors */
};

/* Points are kept by column: the position and the place of each parameter in each of them. */
struct surrogate {
	const struct space *space;
	struct metric metric;
	float *weight; /* of each parameter in the distance */
	int n;
	int room; /* a multiple of LANES */
	float *target;
	float *distance; /* of the configuration asked about to each point */
	float *position; /* [param * room + point] */
	float *place;
};

struct surrogate *surrogate_new(const struct space *s)
{
	struct surrogate *x = mem_alloc(sizeof *x);

	x->space = s;
	metric_init(&x->metric, s);
	x->weight = mem_array((size_t)x->metric.n, sizeof *x->weight);
	return x;
}

static void points_release(struct surrogate *x)
{
	free(x->target);
	free(x->distance);
	free(x->position);
	free(x->place);
}

void surrogate_free(struct surrogate *x)
{
	if (!x)
		return;
	points_release(x);
	metric_release(&x->metric);
	free(x->weight);
	free(x);
}

static void reserve(struct surrogate *x, int room)
{
	size_t columns = (size_t)x->metric.n * (size_t)room;

	points_release(x);
	x->room = room;
	x->target = mem_array((size_t)room, sizeof *x->target);
	x->distance = mem_array((size_t)room, sizeof *x->distance);
	x->position = mem_array(columns, sizeof *x->position);
	x->place = mem_array(columns, sizeof *x->place);
}

static void add_point(struct surrogate *x, const uint16_t *config, float target)
{
	for (int i = 0; i < x->metric.n; i++) {
		int at = i * x->room + x->n;

		x->position[at] = config[i];
		x->place[at] = x->metric.param[i].place[config[i]];
	}
	x->target[x->n++] = target;
}

/* Weights average 1; even a parameter that seems not to matter keeps some, since its marginal
 * statistics may hide an interaction. */
static void learn_weights(struct surrogate *x, const struct insight *insight)
{
	float sum = 0;

	for (int i = 0; i < x->metric.n; i++) {
		x->weight[i] = 0.15F + (float)sqrt(insight->param[i].importance);
		if (insight->param[i].inert)
			x->weight[i] = 0;
		sum += x->weight[i];
	}
	for (int i = 0; i < x->metric.n && sum > 0; i++)
		x->weight[i] *= (float)x->metric.n / sum;
}

void surrogate_learn(struct surrogate *x, const struct observation *o, int n, int pending,
		     const struct insight *insight)
{
	int need = (n + pending + LANES - 1) / LANES * LANES;
	double *target = mem_array((size_t)n, sizeof *target);

	observation_targets(o, n, target);
	learn_weights(x, insight);
	if (x->room < need)
		reserve(x, 2 * need);
	x->n = 0;
	for (int i = 0; i < n; i++)
		add_point(x, o[i].config, (float)target[i]);
	free(target);
}

static void measure_param(struct surrogate *x, int param, int position)
{
	const struct metric_param *p = &x->metric.param[param];
	const float *positions = x->position + (size_t)param * (size_t)x->room;
	const float *places = x->place + (size_t)param * (size_t)x->room;
	float differ = p->differ * x->weight[param];
	float line = p->line * x->weight[param];
	float place = p->place[position];

	for (int block = 0; block < x->n; block += LANES)
		for (int i = block; i < block + LANES; i++)
			x->distance[i] += (positions[i] == (float)position ? 0 : differ) +
					  line * fabsf(places[i] - place);
}

/* The nearest points, nearest first; the earlier one on a tie. Returns how many. */
static int nearest(const struct surrogate *x, int ret[NEIGHBOURS])
{
	int n = 0;

	for (int i = 0; i < x->n; i++) {
		int at = n;

		if (n == NEIGHBOURS && x->distance[i] >= x->distance[ret[n - 1]])
			continue;
		if (n == NEIGHBOURS)
			at--;
		else
			n++;
		for (; at > 0 && x->distance[i] < x->distance[ret[at - 1]]; at--)
			ret[at] = ret[at - 1];
		ret[at] = i;
	}
	return n;
}

static float guess(struct surrogate *x, const uint16_t *config, float *ret_deviation)
{
	int near[NEIGHBOURS];
	float sum = 0;
	float weights = 0;
	int n;

	memset(x->distance, 0, (size_t)x->room * sizeof *x->distance);
	for (int i = 0; i < x->metric.n; i++)
		measure_param(x, i, config[i]);
	n = nearest(x, near);
	for (int i = 0; i < n; i++) {
		float d = x->distance[near[i]] + 0.05F;
		float w = 1 / (d * d);

		sum += w * x->target[near[i]];
		weights += w;
	}
	*ret_deviation = n ? 0.5F * sqrtf(x->distance[near[0]]) : 1;
	return n ? sum / weights : 0;
}

void surrogate_expect(struct surrogate *x, const uint16_t *config)
{
	float deviation;

	assert(x->n < x->room);
	add_point(x, config, guess(x, config, &deviation));
}

float surrogate_promise(struct surrogate *x, const uint16_t *config, float greed)
{
	float deviation;
	float mean = guess(x, config, &deviation);

	return mean - greed * deviation;
}
