#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tuner/search/strategy.h"
#include "tuner/search/walk.h"

static void *start(const struct strategy_view *v)
{
	struct walk *w = mem_alloc(sizeof *w);

	walk_init(w, v->space);
	return w;
}

static bool draft(void *self, const struct strategy_view *v, struct rng *r, struct draft *ret)
{
	const uint16_t *config;

	(void)r;
	do {
		config = walk_next(self, 0);
	} while (config && archive_find(v->archive, config) >= 0);
	if (!config)
		return false;
	memcpy(ret->config, config, (size_t)space_params(v->space) * sizeof *config);
	ret->op = SEARCH_OP_NEXT;
	return true;
}

const struct strategy strategy_exhaustive = {
	.name = "exhaustive",
	.help = "every legal configuration, in the order of the parameters' values",
	.elite_k = 6,
	.start = start,
	.draft = draft,
	.stop = free,
};
