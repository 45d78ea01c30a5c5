#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tuner/search/breed.h"
#include "tuner/search/strategy.h"

/*
 * The two smaller configurations of EvoEngineer (Guo et al., arXiv:2510.03760) beside full, for
 * comparison. Neither sees historical solutions: only the best one, which is the kernel at hand.
 *
 * free has the task's context alone, the space with its constraints: unguided mutants of the best
 * configuration. insight adds what all trials say about each parameter by itself: mutants that
 * follow it, of which the one whose values did best by their sum is proposed.
 */
enum { FREE_TRIES = 64 };

struct single {
	struct insight insight; /* of free: it never learns */
	struct breeder breeder;
	struct observation *told;
};

static void *start(const struct strategy_view *v)
{
	struct single *x = mem_alloc(sizeof *x);

	insight_init(&x->insight, v->space);
	breeder_init(&x->breeder, v->space, &x->insight);
	return x;
}

static void stop(void *self)
{
	struct single *x = self;

	breeder_release(&x->breeder);
	insight_release(&x->insight);
	free(x->told);
	free(x);
}

static void learn(struct single *x, const struct archive *a)
{
	int n = 0;

	x->told = mem_grow(x->told, (size_t)a->n + 1, sizeof *x->told);
	for (int i = 0; i < a->n; i++) {
		const struct member *m = &a->member[i];

		if (m->state != MEMBER_PENDING)
			x->told[n++] =
				(struct observation){ m->config, m->state == MEMBER_OK, m->score };
	}
	insight_learn(&x->insight, x->told, n, NULL);
}

/* How its values did, each by itself; a value that fails costs what it would lose. */
static double outlook(const struct insight *x, const uint16_t *config)
{
	double sum = 0;

	for (int i = 0; i < x->n; i++) {
		const struct insight_value *v = &x->param[i].value[config[i]];

		sum += v->effect + insight_failure_rate(v);
	}
	return sum;
}

static bool draft_mutant(struct single *x, const struct strategy_view *v, struct rng *r, int tries,
			 struct draft *ret)
{
	const struct archive *a = v->archive;
	double least = 0;
	bool found = false;

	for (int i = 0; i < tries; i++) {
		uint16_t config[SPACE_PARAMS_MAX];
		double cost;

		if (!breed_mutate(&x->breeder, r, a->member[a->elite[0]].config,
				  1 + (int)rng_below(r, 3), config) ||
		    archive_find(a, config) >= 0)
			continue;
		cost = outlook(&x->insight, config);
		if (found && cost >= least)
			continue;
		memcpy(ret->config, config, sizeof config);
		least = cost;
		found = true;
	}
	ret->op = SEARCH_OP_MUTATE;
	ret->parents[0] = a->elite[0];
	return found;
}

static bool draft_immigrant(const struct strategy_view *v, struct rng *r, struct draft *ret)
{
	ret->op = SEARCH_OP_IMMIGRANT;
	ret->parents[0] = -1;
	return catalog_draw(v->catalog, r, ret->config);
}

static bool draft_free(void *self, const struct strategy_view *v, struct rng *r, struct draft *ret)
{
	if (v->archive->n_elite == 0 || rng_unit(r) < v->settings->value[SETTING_FREE_IMMIGRANTS])
		return draft_immigrant(v, r, ret);
	for (int i = 0; i < FREE_TRIES; i++)
		if (draft_mutant(self, v, r, 1, ret))
			return true;
	return draft_immigrant(v, r, ret);
}

static bool draft_insight(void *self, const struct strategy_view *v, struct rng *r,
			  struct draft *ret)
{
	const double *set = v->settings->value;

	if (v->archive->n < (int)set[SETTING_INSIGHT_DESIGN] || v->archive->n_elite == 0 ||
	    rng_unit(r) < set[SETTING_INSIGHT_IMMIGRANTS])
		return draft_immigrant(v, r, ret);
	learn(self, v->archive);
	return draft_mutant(self, v, r, (int)set[SETTING_INSIGHT_POOL], ret) ||
	       draft_immigrant(v, r, ret);
}

const struct strategy strategy_insight = {
	.name = "insight",
	.help = "mutants of the best, guided by insights but without elites, for comparison",
	.elite_k = 6,
	.draws = true,
	.start = start,
	.draft = draft_insight,
	.stop = stop,
};

const struct strategy strategy_free = {
	.name = "free",
	.help = "mutants of the best, without elites or insights, for comparison",
	.elite_k = 6,
	.draws = true,
	.start = start,
	.draft = draft_free,
	.stop = stop,
};
