#include "tuner/search/breed.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tuner/search/metric.h"

enum { TRIES = 12 };

static const double guided = 0.5; /* share of mutations that follow the insights */

void breeder_init(struct breeder *b, const struct space *s, const struct insight *insight)
{
	b->space = s;
	b->insight = insight;
	b->ordered = mem_array((size_t)space_params(s), sizeof *b->ordered);
	for (int i = 0; i < space_params(s); i++)
		b->ordered[i] = metric_ordered(s, i);
}

void breeder_release(struct breeder *b)
{
	free(b->ordered);
}

static void copy(const struct breeder *b, const uint16_t *from, uint16_t *to)
{
	memcpy(to, from, (size_t)space_params(b->space) * sizeof *to);
}

/* An index drawn in proportion to its weight; the weights' sum is positive. */
static int draw_weighted(struct rng *r, const double *weight, int n)
{
	double sum = 0;
	double u;
	int last = 0;

	for (int i = 0; i < n; i++)
		sum += weight[i];
	u = rng_unit(r) * sum;
	for (int i = 0; i < n; i++) {
		if (weight[i] <= 0)
			continue;
		last = i;
		if ((u -= weight[i]) < 0)
			break;
	}
	return last;
}

static int choose_param(const struct breeder *b, struct rng *r, bool by_insight)
{
	double weight[SPACE_PARAMS_MAX];
	double sum = 0;

	for (int i = 0; i < b->insight->n; i++) {
		const struct insight_param *p = &b->insight->param[i];

		weight[i] = by_insight ? 0.05 + p->importance : 1;
		if (space_values(b->space, i) < 2 || p->inert)
			weight[i] = 0;
		sum += weight[i];
	}
	return sum > 0 ? draw_weighted(r, weight, b->insight->n) : -1;
}

/* A tournament of two: the value with the better effect wins, failures counting against it. */
static int choose_value(const struct breeder *b, struct rng *r, int param, int other_than,
			bool by_insight)
{
	const struct insight_param *p = &b->insight->param[param];
	int best = -1;
	double best_cost = 0;

	for (int round = 0; round < (by_insight ? 2 : 1); round++) {
		int i = (int)rng_below(r, (uint64_t)p->n - 1);
		double cost;

		i += i >= other_than;
		cost = p->value[i].effect + insight_failure_rate(&p->value[i]);
		if (best < 0 || cost < best_cost) {
			best = i;
			best_cost = cost;
		}
	}
	return best;
}

bool breed_mutate(const struct breeder *b, struct rng *r, const uint16_t *parent, int count,
		  uint16_t *ret)
{
	for (int try = 0; try < TRIES; try++) {
		copy(b, parent, ret);
		for (int i = 0; i < count; i++) {
			bool by_insight = rng_unit(r) < guided;
			int param = choose_param(b, r, by_insight);

			if (param < 0)
				return false;
			ret[param] = (uint16_t)choose_value(b, r, param, parent[param], by_insight);
		}
		if (space_legal(b->space, ret))
			return true;
	}
	return space_neighbour(b->space, r, parent, count + 1, ret);
}

static void mix_blocks(const struct breeder *b, struct rng *r, const uint16_t *second,
		       uint16_t *ret)
{
	uint64_t n = (uint64_t)space_params(b->space);
	uint64_t at = rng_below(r, n);
	uint64_t length = 1 + rng_below(r, n);

	for (uint64_t i = at; i < at + length; i++)
		ret[i % n] = second[i % n];
}

static void mix_evenly(const struct space *s, struct rng *r, const uint16_t *second, uint16_t *ret)
{
	for (int i = 0; i < space_params(s); i++)
		if (rng_below(r, 2))
			ret[i] = second[i];
}

bool breed_cross_evenly(const struct space *s, struct rng *r, const uint16_t *first,
			const uint16_t *second, uint16_t *ret)
{
	memcpy(ret, first, (size_t)space_params(s) * sizeof *ret);
	mix_evenly(s, r, second, ret);
	return space_legal(s, ret) || space_repair(s, r, ret);
}

int breed_rank(struct rng *r, int n)
{
	int u = (int)rng_below(r, (uint64_t)n * ((uint64_t)n + 1) / 2);
	int rank = 0;

	while (u >= n - rank)
		u -= n - rank++;
	return rank;
}

bool breed_cross(const struct breeder *b, struct rng *r, const uint16_t *first,
		 const uint16_t *second, uint16_t *ret)
{
	for (int try = 0; try < TRIES; try++) {
		copy(b, first, ret);
		if (rng_below(r, 2))
			mix_evenly(b->space, r, second, ret);
		else
			mix_blocks(b, r, second, ret);
		if (space_legal(b->space, ret))
			return true;
	}
	return space_repair(b->space, r, ret);
}

static bool step_along(const struct breeder *b, struct rng *r, int param, uint16_t *ret)
{
	int n = space_values(b->space, param);
	int direction = rng_below(r, 2) ? 1 : -1;

	for (int at = ret[param] + direction; at >= 0 && at < n; at += direction) {
		ret[param] = (uint16_t)at;
		if (space_legal(b->space, ret))
			return true;
	}
	return false;
}

bool breed_step(const struct breeder *b, struct rng *r, const uint16_t *parent, uint16_t *ret)
{
	for (int try = 0; try < TRIES; try++) {
		int param = choose_param(b, r, false);

		if (param < 0)
			return false;
		copy(b, parent, ret);
		if (b->ordered[param]) {
			if (step_along(b, r, param, ret))
				return true;
			continue;
		}
		ret[param] = (uint16_t)choose_value(b, r, param, parent[param], false);
		if (space_legal(b->space, ret))
			return true;
	}
	return false;
}
