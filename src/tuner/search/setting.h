#ifndef SEARCH_SETTING_H
#define SEARCH_SETTING_H

#include <stdbool.h>

#include "base/err.h"

/*
 * Every setting of every strategy, in one table: what users may set, what `start --help` shows,
 * what is stored with a run and taken from there when it is resumed. A strategy reads its settings
 * from strategy_view.settings and from nowhere else. A new setting is one more row.
 *
 * X(id, strategies that have it, name, whole number?, default, least, most, help)
 */
/* clang-format off */
#define SETTING_MAP(X) \
	X(FULL_DESIGN, "full", "design", true, 8, 1, 1000, \
	  "first trials spread over the space, at most; parameters + 2 and 6 at least") \
	X(FULL_PRIOR, "full", "prior", false, 0.7, 0, 2, \
	  "how much an earlier search's trials are trusted in the first proposals; 0: not at all") \
	X(FULL_POOL, "full", "pool", true, 320, 1, 100000, \
	  "children that neighbours screen for one proposal, after the model's time") \
	X(FULL_IMMIGRANTS, "full", "immigrants", false, 0.05, 0, 1, \
	  "share of proposals that nothing screens, after the model's time") \
	X(FULL_GREED, "full", "greed", false, 1.2, 0, 100, \
	  "deviations that doubt is worth when neighbours screen") \
	X(FULL_CROSS, "full", "cross", false, 0.25, 0, 1, \
	  "share of children that mix two elites") \
	X(FULL_STEP, "full", "step", false, 0.2, 0, 1, \
	  "share of children one step from an elite; the rest of 1 is random") \
	X(FULL_MUTATE, "full", "mutate", false, 0.4, 0, 1, \
	  "share of children that are mutants of an elite") \
	X(FULL_MUTATE_TWO, "full", "mutate_two", false, 0.4, 0, 1, \
	  "share of mutants that change two parameters") \
	X(INSIGHT_DESIGN, "insight", "design", true, 8, 1, 1000, \
	  "first trials drawn at random") \
	X(INSIGHT_POOL, "insight", "pool", true, 8, 1, 100000, \
	  "mutants that insights choose one of") \
	X(INSIGHT_IMMIGRANTS, "insight", "immigrants", false, 0.1, 0, 1, \
	  "share of proposals drawn at random") \
	X(FREE_IMMIGRANTS, "free", "immigrants", false, 0.1, 0, 1, \
	  "share of proposals drawn at random") \
	X(ANNEALING_TEMPERATURE, "annealing", "temperature", false, 1, 1e-6, 1e6, \
	  "at first: a relative loss as large is accepted with 37 %") \
	X(ANNEALING_JUMPS, "annealing", "jumps", false, 0.2, 0, 1, \
	  "share of moves that give one parameter any value") \
	X(ANNEALING_COOLING, "annealing", "cooling", false, 0.995, 0, 1, \
	  "factor on the temperature at each move") \
	X(ANNEALING_COLD, "annealing", "cold", false, 0.001, 0, 1e6, \
	  "the temperature at which the walk starts elsewhere, hot again") \
	X(ANNEALING_STUCK, "annealing", "stuck", true, 100, 1, 1e6, \
	  "moves refused in a row after which it starts elsewhere") \
	X(GENETIC_POPULATION, "genetic", "population", true, 20, 2, 100000, \
	  "configurations in a generation") \
	X(GENETIC_MUTATION, "genetic", "mutation", false, 0.1, 0, 1, \
	  "share of children with one parameter changed")
/* clang-format on */

enum setting_id {
#define X(id, ...) SETTING_##id,
	SETTING_MAP(X)
#undef X
		SETTING_COUNT
};

struct setting {
	const char *strategies; /* names, separated by spaces */
	const char *name;	/* unique within a strategy */
	bool whole;
	double initial, least, most;
	const char *help;
};
extern const struct setting setting_table[SETTING_COUNT];

struct settings {
	double value[SETTING_COUNT];
};

void settings_init(struct settings *s); /* the defaults */

bool setting_is_of(enum setting_id id, const char *strategy);

/* ERR_INVALID: the strategy has no such setting, or the value is out of its range. */
int settings_set(struct settings *s, const char *strategy, const char *name, double value,
		 struct err *e);
int settings_set_text(struct settings *s, const char *strategy, const char *assignment,
		      struct err *e); /* NAME=VALUE */

#endif
