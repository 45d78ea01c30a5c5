#include "tuner/search/kinship.h"

enum { MUTANT_DIFFERS = 2 };

static int differing(const struct archive *a, const uint16_t *x, const uint16_t *y)
{
	int params = space_params(a->space);
	int n = 0;

	for (int i = 0; i < params; i++)
		n += x[i] != y[i];
	return n;
}

static bool is_mix(const struct archive *a, const uint16_t *config, const uint16_t *x,
		   const uint16_t *y)
{
	int params = space_params(a->space);

	for (int i = 0; i < params; i++)
		if (config[i] != x[i] && config[i] != y[i])
			return false;
	return true;
}

static const uint16_t *elite(const struct archive *a, int rank)
{
	return a->member[a->elite[rank]].config;
}

static void descend(struct draft *d, enum search_op op, int first, int second)
{
	d->op = op;
	d->parents[0] = first;
	d->parents[1] = second;
}

static bool find_near(const struct archive *a, int differs, enum search_op op, struct draft *d)
{
	for (int i = 0; i < a->n_elite; i++)
		if (differing(a, d->config, elite(a, i)) == differs) {
			descend(d, op, a->elite[i], -1);
			return true;
		}
	return false;
}

static bool find_mix(const struct archive *a, struct draft *d)
{
	for (int i = 0; i < a->n_elite; i++)
		for (int j = 0; j < i; j++)
			if (is_mix(a, d->config, elite(a, j), elite(a, i))) {
				descend(d, SEARCH_OP_CROSSOVER, a->elite[j], a->elite[i]);
				return true;
			}
	return false;
}

void kinship_find(const struct archive *a, struct draft *d)
{
	if (find_mix(a, d) || find_near(a, 1, SEARCH_OP_NEIGHBOUR, d) ||
	    find_near(a, MUTANT_DIFFERS, SEARCH_OP_MUTATE, d))
		return;
	descend(d, SEARCH_OP_IMMIGRANT, -1, -1);
}
