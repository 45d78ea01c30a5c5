#include "tuner/search/strategy.h"

static void *start(const struct strategy_view *v)
{
	(void)v;
	return NULL;
}

static bool draft(void *self, const struct strategy_view *v, struct rng *r, struct draft *ret)
{
	(void)self;
	ret->op = SEARCH_OP_RANDOM;
	return catalog_draw(v->catalog, r, ret->config);
}

static void stop(void *self)
{
	(void)self;
}

const struct strategy strategy_random = {
	.name = "random",
	.help = "legal configurations drawn evenly, for comparison",
	.elite_k = 6,
	.draws = true,
	.start = start,
	.draft = draft,
	.stop = stop,
};
