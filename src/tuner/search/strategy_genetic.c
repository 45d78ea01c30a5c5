#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tuner/search/breed.h"
#include "tuner/search/strategy.h"

/*
 * A genetic algorithm (Holland, "Adaptation in Natural and Artificial Systems", 1975), for
 * comparison, with the settings of Kernel Tuner's (van Werkhoven, FGCS 2019): generations of 20,
 * parents by rank, uniform crossover, one child in ten with one parameter changed. A child that is
 * known already joins its generation and costs nothing. With several results outstanding, what is
 * pending when a generation is full is no parent of the next one.
 */
enum { MATINGS = 200 /* without a new child, then one is drawn at random */ };

struct genetic {
	int *parents; /* members of the archive, best first */
	int n_parents;
	int *born; /* members of the generation that is being made */
	int n_born;
};

static void *start(const struct strategy_view *v)
{
	struct genetic *x = mem_alloc(sizeof *x);
	size_t size = (size_t)v->settings->value[SETTING_GENETIC_POPULATION];

	x->parents = mem_array(size, sizeof *x->parents);
	x->born = mem_array(size, sizeof *x->born);
	return x;
}

static void stop(void *self)
{
	struct genetic *x = self;

	free(x->parents);
	free(x->born);
	free(x);
}

/* What is better comes first, of equals what came first; failures and what is pending not at all.
 */
static void add_parent(struct genetic *x, const struct archive *a, int member)
{
	int at = x->n_parents;

	if (a->member[member].state != MEMBER_OK)
		return;
	for (; at > 0 && a->member[member].score < a->member[x->parents[at - 1]].score; at--)
		x->parents[at] = x->parents[at - 1];
	x->parents[at] = member;
	x->n_parents++;
}

static void breed_on(struct genetic *x, const struct archive *a)
{
	x->n_parents = 0;
	for (int i = 0; i < x->n_born; i++)
		add_parent(x, a, x->born[i]);
	x->n_born = 0;
}

static bool mate(const struct genetic *x, const struct strategy_view *v, struct rng *r,
		 struct draft *ret)
{
	const struct archive *a = v->archive;
	int first = breed_rank(r, x->n_parents);
	int second = breed_rank(r, x->n_parents - 1);

	second += second >= first;
	ret->op = SEARCH_OP_CROSSOVER;
	ret->parents[0] = x->parents[first];
	ret->parents[1] = x->parents[second];
	if (!breed_cross_evenly(v->space, r, a->member[ret->parents[0]].config,
				a->member[ret->parents[1]].config, ret->config))
		return false;
	if (rng_unit(r) < v->settings->value[SETTING_GENETIC_MUTATION])
		return space_neighbour(v->space, r, ret->config, 1, ret->config);
	return true;
}

/* False: the generation came to its end, or nothing new was born. */
static bool draft_child(struct genetic *x, const struct strategy_view *v, struct rng *r, int size,
			struct draft *ret)
{
	for (int i = 0; i < MATINGS && x->n_parents > 1; i++) {
		int known;

		if (x->n_born == size)
			breed_on(x, v->archive);
		if (x->n_parents < 2 || !mate(x, v, r, ret))
			continue;
		known = archive_find(v->archive, ret->config);
		if (known < 0)
			return true;
		x->born[x->n_born++] = known;
	}
	return false;
}

static bool draft(void *self, const struct strategy_view *v, struct rng *r, struct draft *ret)
{
	struct genetic *x = self;
	int size = (int)v->settings->value[SETTING_GENETIC_POPULATION];

	if (x->n_parents == 0) /* the first generation has what was proposed before it began */
		for (int i = 0; i < v->archive->n && x->n_born == i && i < size; i++)
			x->born[x->n_born++] = i;
	if (x->n_born == size)
		breed_on(x, v->archive);
	if (!draft_child(x, v, r, size, ret)) {
		ret->op = SEARCH_OP_RANDOM;
		ret->parents[0] = ret->parents[1] = -1;
		if (!catalog_draw(v->catalog, r, ret->config))
			return false;
		if (archive_find(v->archive, ret->config) >= 0)
			return true; /* it will not be proposed */
	}
	if (x->n_born == size)
		breed_on(x, v->archive);
	x->born[x->n_born++] = v->archive->n;
	return true;
}

const struct strategy strategy_genetic = {
	.name = "genetic",
	.help = "a genetic algorithm, for comparison",
	.elite_k = 6,
	.draws = true,
	.start = start,
	.draft = draft,
	.stop = stop,
};
