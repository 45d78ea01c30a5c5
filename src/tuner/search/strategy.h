#ifndef SEARCH_STRATEGY_H
#define SEARCH_STRATEGY_H

#include "tuner/search/archive.h"
#include "tuner/search/catalog.h"
#include "tuner/search/setting.h"

/*
 * A strategy chooses the next configuration; search.c does the rest: first configurations, memory
 * of what was proposed and told, elites. A draft may be a configuration that is known already; it
 * is then asked for another one, a bounded number of times. A new one becomes member archive->n, as
 * it was when it was drafted.
 */
struct draft {
	uint16_t config[SPACE_PARAMS_MAX];
	enum search_op op;
	int parents[2]; /* members of the archive, -1: none */
};

struct strategy_view { /* borrowed from the search */
	const struct space *space;
	const struct archive *archive;
	const struct catalog *catalog; /* NULL unless the strategy draws */
	const struct settings *settings;
	int n_warm; /* members that come from an earlier search: good elsewhere, and much alike */
	const struct observation
		*past; /* n_past results of that search, while the strategy starts */
	int n_past;
};

struct strategy {
	const char *name;
	const char *help; /* one line */
	int elite_k;	  /* default */
	bool draws;
	void *(*start)(const struct strategy_view *v);
	bool (*draft)(void *self, const struct strategy_view *v, struct rng *r,
		      struct draft *ret); /* false: no more */
	void (*stop)(void *self);
};

/* All of them, the default one first. */
/* clang-format off */
#define STRATEGY_MAP(X) \
	X(full) X(insight) X(free) X(random) X(exhaustive) X(annealing) X(genetic)
/* clang-format on */

#define X(name) extern const struct strategy strategy_##name;
STRATEGY_MAP(X)
#undef X

#endif
