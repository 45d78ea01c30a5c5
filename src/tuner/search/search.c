#include "tuner/search/search.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "tuner/search/strategy.h"

enum {
	ATTEMPTS = 200, /* drafts of a strategy until one is new */
	ELITE_K_MAX = 1000,
};

static const struct strategy *const strategies[] = {
#define X(name) &strategy_##name,
	STRATEGY_MAP(X)
#undef X
};

enum {
#define X(name) +1
	N_STRATEGIES = 0 STRATEGY_MAP(X),
#undef X
};

static const char *const op_names[SEARCH_OP_COUNT] = {
	[SEARCH_OP_SEED] = "seed",	     [SEARCH_OP_SPREAD] = "spread",
	[SEARCH_OP_MUTATE] = "mutate",	     [SEARCH_OP_CROSSOVER] = "crossover",
	[SEARCH_OP_NEIGHBOUR] = "neighbour", [SEARCH_OP_IMMIGRANT] = "immigrant",
	[SEARCH_OP_RANDOM] = "random",	     [SEARCH_OP_NEXT] = "next",
	[SEARCH_OP_WARM] = "warm",
};

struct search {
	const struct space *space; /* borrowed */
	const struct strategy *strategy;
	void *state; /* the strategy's own */
	struct archive archive;
	struct catalog catalog;
	struct settings settings;
	uint64_t seed;
	uint16_t *first;
	int n_first, n_warm;
	int next_first;
};

const char *search_op_name(enum search_op op)
{
	return op_names[op];
}

int search_op_parse(const char *name, enum search_op *ret)
{
	for (int i = 0; i < SEARCH_OP_COUNT; i++)
		if (strcmp(op_names[i], name) == 0) {
			*ret = (enum search_op)i;
			return 0;
		}
	return -1;
}

const char *search_strategy_name(int i)
{
	return i >= 0 && i < N_STRATEGIES ? strategies[i]->name : NULL;
}

const char *search_strategy_help(int i)
{
	return i >= 0 && i < N_STRATEGIES ? strategies[i]->help : NULL;
}

int search_default_elites(const char *strategy)
{
	for (int i = 0; i < N_STRATEGIES; i++)
		if (strcmp(strategies[i]->name, strategy) == 0)
			return strategies[i]->elite_k;
	return 0;
}

static const struct strategy *find_strategy(const char *name)
{
	if (!name)
		return strategies[0];
	for (int i = 0; i < N_STRATEGIES; i++)
		if (strcmp(strategies[i]->name, name) == 0)
			return strategies[i];
	return NULL;
}

int search_strategy_check(const char *name, struct err *e)
{
	struct str all = STR_INIT;

	if (!name || find_strategy(name))
		return 0;
	for (int i = 0; i < N_STRATEGIES; i++)
		str_addf(&all, "%s%s", i ? ", " : "", strategies[i]->name);
	err_set(e, ERR_INVALID, "expected one of %s, found \"%.60s\"", all.data, name);
	str_release(&all);
	return ERR_INVALID;
}

static int check_options(const struct space *s, const struct search_options *o, struct err *e)
{
	int params = space_params(s);

	if (params == 0)
		return err_set(e, ERR_INVALID, "the space has no parameters");
	if (o->elite_k < 0 || o->elite_k > ELITE_K_MAX)
		return err_set(e, ERR_INVALID, "elite_k: expected 1 to %d (0: default), found %d",
			       ELITE_K_MAX, o->elite_k);
	if (o->outstanding < 1)
		return err_set(e, ERR_INVALID, "outstanding: expected at least 1, found %d",
			       o->outstanding);
	for (int i = 0; i < o->n_first; i++)
		if (!space_legal(s, o->first + (size_t)i * (size_t)params))
			return err_set(e, ERR_INVALID, "first configuration %d is not legal", i);
	return 0;
}

static struct strategy_view view(const struct search *x)
{
	return (struct strategy_view){
		.space = x->space,
		.archive = &x->archive,
		.catalog = x->strategy->draws ? &x->catalog : NULL,
		.settings = &x->settings,
		.n_warm = x->n_warm,
	};
}

int search_new(const struct space *s, const struct search_options *o, struct search **ret,
	       struct err *e)
{
	const struct strategy *strategy = find_strategy(o->strategy);
	int r = search_strategy_check(o->strategy, e);
	struct strategy_view v;
	struct search *x;
	size_t width;

	if (r == 0)
		r = check_options(s, o, e);
	if (r)
		return r;
	x = mem_alloc(sizeof *x);
	x->space = s;
	x->strategy = strategy;
	settings_init(&x->settings);
	if (o->settings)
		x->settings = *o->settings;
	x->seed = o->seed;
	x->n_first = o->n_first;
	x->n_warm = o->n_warm;
	width = (size_t)space_params(s) * sizeof *x->first;
	if (o->n_first > 0)
		x->first = mem_copy(o->first, (size_t)o->n_first * width);
	archive_init(&x->archive, s, o->elite_k ? o->elite_k : strategy->elite_k);
	if (strategy->draws)
		catalog_init(&x->catalog, s);
	v = view(x);
	v.past = o->past;
	v.n_past = o->n_past;
	x->state = strategy->start(&v);
	*ret = x;
	return 0;
}

void search_free(struct search *x)
{
	if (!x)
		return;
	x->strategy->stop(x->state);
	archive_release(&x->archive);
	catalog_release(&x->catalog);
	free(x->first);
	free(x);
}

static bool draft_first(struct search *x, struct draft *ret)
{
	size_t width = (size_t)space_params(x->space);

	while (x->next_first < x->n_first) {
		const uint16_t *config = x->first + (size_t)x->next_first++ * width;

		if (archive_find(&x->archive, config) >= 0)
			continue;
		memcpy(ret->config, config, width * sizeof *config);
		ret->op = x->next_first > x->n_first - x->n_warm ? SEARCH_OP_WARM : SEARCH_OP_SEED;
		return true;
	}
	return false;
}

static bool draft_next(struct search *x, struct draft *ret)
{
	struct strategy_view v = view(x);
	struct rng r;

	rng_init(&r, x->seed, (uint64_t)x->archive.n_ask);
	for (int i = 0; i < ATTEMPTS; i++) {
		ret->parents[0] = ret->parents[1] = -1;
		if (!x->strategy->draft(x->state, &v, &r, ret))
			return false;
		if (archive_find(&x->archive, ret->config) < 0)
			return true;
	}
	return false;
}

bool search_ask(struct search *x, struct proposal *ret)
{
	struct draft d = { .parents = { -1, -1 } };
	struct proposal p = { .parents = { -1, -1 } };
	struct member *m;

	if (!draft_first(x, &d) && !draft_next(x, &d))
		return false;
	for (int i = 0; i < 2; i++) {
		const struct member *parent;

		if (d.parents[i] < 0)
			continue;
		parent = &x->archive.member[d.parents[i]];
		p.parents[i] = parent->ask;
		if (parent->generation >= p.generation)
			p.generation = parent->generation + 1;
	}
	m = archive_ask(&x->archive, d.config, p.generation);
	if (x->strategy->draws)
		catalog_take(&x->catalog, m->config);
	p.ask = m->ask;
	p.config = m->config;
	p.op = d.op;
	*ret = p;
	return true;
}

void search_tell(struct search *x, const struct told *t)
{
	const struct member *m = archive_tell(&x->archive, t);

	if (m && m->ask < 0 && x->strategy->draws)
		catalog_take(&x->catalog, m->config);
}

int64_t search_asked(const struct search *x)
{
	return x->archive.n_ask;
}

int64_t search_told(const struct search *x)
{
	return x->archive.n_told;
}

int search_elites(const struct search *x, int64_t *ret, int n)
{
	int found = 0;

	for (int i = 0; i < x->archive.n_elite && found < n; i++) {
		int64_t ask = x->archive.member[x->archive.elite[i]].ask;

		if (ask >= 0)
			ret[found++] = ask;
	}
	return found;
}
