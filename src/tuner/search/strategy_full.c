#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tuner/search/breed.h"
#include "tuner/search/kinship.h"
#include "tuner/search/model.h"
#include "tuner/search/strategy.h"
#include "tuner/search/surrogate.h"

/*
 * Elite-K evolution in the sense of EvoEngineer-Full: the task's context is the space with its
 * constraints, historical solutions are the K elites, insights what all trials say about each
 * parameter. After a design spread over the space, each proposal is the one that a Gaussian process
 * of all trials expects most of; later the most promising of a pool of the elites' children, as a
 * cheaper surrogate sees it, and now and then an immigrant that nothing screened.
 */
enum { SPREAD_TRIES = 64, DESIGN_MIN = 6, LEARN_MAX = 400 };

struct full {
	struct insight insight;
	struct prior *prior; /* NULL: nothing is known of an earlier search */
	struct model *model;
	struct surrogate *surrogate;
	struct breeder breeder;
	struct metric metric;
	struct observation *told;
	int n_told;
};

static void *start(const struct strategy_view *v)
{
	struct full *x = mem_alloc(sizeof *x);

	insight_init(&x->insight, v->space);
	x->prior = prior_new(v->space, v->past, v->n_past, v->settings->value[SETTING_FULL_PRIOR]);
	x->model = model_new(v->space, v->catalog, x->prior);
	x->surrogate = surrogate_new(v->space);
	breeder_init(&x->breeder, v->space, &x->insight);
	metric_init(&x->metric, v->space);
	return x;
}

static void stop(void *self)
{
	struct full *x = self;

	insight_release(&x->insight);
	model_free(x->model);
	prior_free(x->prior);
	surrogate_free(x->surrogate);
	breeder_release(&x->breeder);
	metric_release(&x->metric);
	free(x->told);
	free(x);
}

/* A little more for more parameters. */
static int design_size(const struct strategy_view *v)
{
	int n = space_params(v->space) + 2;
	int most = (int)v->settings->value[SETTING_FULL_DESIGN];

	n = n < DESIGN_MIN ? DESIGN_MIN : n;
	return n > most ? most : n;
}

static float nearest_member(const struct full *x, const struct archive *a, const uint16_t *config)
{
	float least = 1e30F;

	for (int i = 0; i < a->n; i++) {
		float d = metric_distance(&x->metric, config, a->member[i].config);

		if (d < least)
			least = d;
	}
	return least;
}

/* Maximin: of some random configurations the one farthest from all that are known. */
static bool draft_spread(struct full *x, const struct strategy_view *v, struct rng *r,
			 struct draft *ret)
{
	uint16_t config[SPACE_PARAMS_MAX];
	float most = 0;

	ret->op = SEARCH_OP_SPREAD;
	for (int i = 0; i < SPREAD_TRIES && catalog_draw(v->catalog, r, config); i++) {
		float d = nearest_member(x, v->archive, config);

		if (d > most) {
			most = d;
			memcpy(ret->config, config, sizeof config);
		}
	}
	return most > 0;
}

static bool draft_immigrant(const struct strategy_view *v, struct rng *r, struct draft *ret)
{
	ret->op = SEARCH_OP_IMMIGRANT;
	ret->parents[0] = ret->parents[1] = -1;
	return catalog_draw(v->catalog, r, ret->config);
}

static void observe(struct full *x, const struct archive *a)
{
	x->told = mem_grow(x->told, (size_t)a->n + 1, sizeof *x->told);
	x->n_told = 0;
	for (int i = 0; i < a->n; i++) {
		const struct member *m = &a->member[i];

		if (m->state != MEMBER_PENDING)
			x->told[x->n_told++] =
				(struct observation){ m->config, m->state == MEMBER_OK, m->score };
	}
	x->n_told = observation_thin(x->told, x->n_told, LEARN_MAX);
}

static void learn(struct full *x, const struct archive *a)
{
	observe(x, a);
	insight_learn(&x->insight, x->told, x->n_told, NULL);
	surrogate_learn(x->surrogate, x->told, x->n_told, a->n_pending, &x->insight);
	for (int i = 0; i < a->n; i++)
		if (a->member[i].state == MEMBER_PENDING)
			surrogate_expect(x->surrogate, a->member[i].config);
}

static bool draft_child(struct full *x, const struct strategy_view *v, struct rng *r,
			struct draft *ret)
{
	const struct archive *a = v->archive;
	const double *set = v->settings->value;
	int first = a->elite[breed_rank(r, a->n_elite)];
	int second = a->elite[breed_rank(r, a->n_elite)];
	const uint16_t *config = a->member[first].config;
	double u = rng_unit(r);

	ret->parents[0] = first;
	ret->parents[1] = -1;
	if (u < set[SETTING_FULL_CROSS] && first != second) {
		ret->op = SEARCH_OP_CROSSOVER;
		ret->parents[1] = second;
		return breed_cross(&x->breeder, r, config, a->member[second].config, ret->config);
	}
	u -= set[SETTING_FULL_CROSS];
	if (u < set[SETTING_FULL_STEP]) {
		ret->op = SEARCH_OP_NEIGHBOUR;
		return breed_step(&x->breeder, r, config, ret->config);
	}
	u -= set[SETTING_FULL_STEP];
	if (u < set[SETTING_FULL_MUTATE]) {
		ret->op = SEARCH_OP_MUTATE;
		return breed_mutate(&x->breeder, r, config,
				    1 + (rng_unit(r) < set[SETTING_FULL_MUTATE_TWO]), ret->config);
	}
	return draft_immigrant(v, r, ret);
}

static bool draft_best_child(struct full *x, const struct strategy_view *v, struct rng *r,
			     struct draft *ret)
{
	const double *set = v->settings->value;
	float best = 0;
	bool found = false;

	learn(x, v->archive);
	for (int i = 0; i < (int)set[SETTING_FULL_POOL]; i++) {
		struct draft child;
		float promise;

		if (!draft_child(x, v, r, &child) || archive_find(v->archive, child.config) >= 0)
			continue;
		promise = surrogate_promise(x->surrogate, child.config,
					    (float)set[SETTING_FULL_GREED]);
		if (!found || promise < best) {
			best = promise;
			*ret = child;
			found = true;
		}
	}
	return found;
}

/* The pool of a space too large to list: children of the elites, and random configurations. */
static void breed_pool(struct full *x, const struct strategy_view *v, struct rng *r)
{
	observe(x, v->archive);
	insight_learn(&x->insight, x->told, x->n_told, NULL);
	for (int i = 0; i < MODEL_POOL; i++) {
		struct draft child;

		if (draft_child(x, v, r, &child))
			model_add_candidate(x->model, child.config);
	}
}

static bool draft_modelled(struct full *x, const struct strategy_view *v, struct rng *r,
			   struct draft *ret)
{
	if (!model_serves(x->model, v->archive))
		return false;
	model_follow(x->model, v->archive);
	if (model_wants_pool(x->model, v->archive))
		breed_pool(x, v, r);
	if (!model_choose(x->model, v->archive, ret->config))
		return false;
	kinship_find(v->archive, ret);
	return true;
}

static bool draft(void *self, const struct strategy_view *v, struct rng *r, struct draft *ret)
{
	struct full *x = self;

	if (v->archive->n < design_size(v) + v->n_warm || v->archive->n_elite == 0)
		return draft_spread(x, v, r, ret) || draft_immigrant(v, r, ret);
	if (draft_modelled(x, v, r, ret))
		return true;
	if (rng_unit(r) >= v->settings->value[SETTING_FULL_IMMIGRANTS] &&
	    draft_best_child(x, v, r, ret))
		return true;
	return draft_immigrant(v, r, ret);
}

const struct strategy strategy_full = {
	.name = "full",
	.help = "elites, insights and a Gaussian process of all trials",
	.elite_k = 6,
	.draws = true,
	.start = start,
	.draft = draft,
	.stop = stop,
};
