#ifndef CLI_STRATEGIES_H
#define CLI_STRATEGIES_H

#include "base/json.h"
#include "tuner/cli/options.h"
#include "tuner/search/setting.h"

/* How to search and what to begin with, as options of start and replay. */
struct strategy_options {
	const char *strategy;	     /* NULL: the default one */
	struct option_list settings; /* NAME=VALUE */
	int64_t elite_k;	     /* 0: its own */
	int64_t budget;		     /* 0: not given */
	struct option_seed seed;
	const char *from; /* an earlier search, NULL: not named */
	int64_t warm;	  /* so many configurations of it */
};

/* The rows of an option table; `at`: where the struct is. What a budget, a seed and an earlier
 * search are differs, and comes as help. */
/* clang-format off */
#define STRATEGY_OPTIONS(at, on_budget, on_seed, from_what, on_from)         \
	{ .name = "strategy",                                                \
	  .kind = OPTION_TEXT,                                               \
	  .value = "NAME",                                                   \
	  .help = "how to search, see below (default full)",                 \
	  .offset = (at) + offsetof(struct strategy_options, strategy) },    \
	{ .name = "setting",                                                 \
	  .kind = OPTION_LIST,                                               \
	  .value = "NAME=VALUE",                                             \
	  .help = "a setting of the strategy, see below; may be repeated",   \
	  .offset = (at) + offsetof(struct strategy_options, settings) },    \
	{ .name = "elite-k",                                                 \
	  .kind = OPTION_INT,                                                \
	  .value = "K",                                                      \
	  .help = "elites that the strategy keeps (default: its own)",       \
	  .offset = (at) + offsetof(struct strategy_options, elite_k),       \
	  .min = 1,                                                          \
	  .max = 1000 },                                                     \
	{ .name = "budget",                                                  \
	  .letter = 'b',                                                     \
	  .kind = OPTION_INT,                                                \
	  .value = "N",                                                      \
	  .help = (on_budget),                                               \
	  .offset = (at) + offsetof(struct strategy_options, budget),        \
	  .min = 1,                                                          \
	  .max = 1e9 },                                                      \
	{ .name = "seed",                                                    \
	  .kind = OPTION_SEED,                                               \
	  .value = "N",                                                      \
	  .help = (on_seed),                                                 \
	  .offset = (at) + offsetof(struct strategy_options, seed) },        \
	{ .name = "from",                                                    \
	  .kind = OPTION_TEXT,                                               \
	  .value = (from_what),                                              \
	  .help = (on_from),                                                 \
	  .offset = (at) + offsetof(struct strategy_options, from) },        \
	{ .name = "warm",                                                    \
	  .kind = OPTION_INT,                                                \
	  .value = "N",                                                      \
	  .help = "so many of them (default 6)",                             \
	  .offset = (at) + offsetof(struct strategy_options, warm),          \
	  .min = 1,                                                          \
	  .max = 1000 }
/* clang-format on */

void strategies_help(struct str *ret); /* every strategy with its settings, for command.more */

/* Strategy and settings checked; errors name the option. */
int strategies_parse(const struct strategy_options *o, struct settings *ret, struct err *e);

/* Budget, seed, strategy and the settings that are not the default, as parameters of search.start.
 */
void strategies_add(const struct strategy_options *o, const struct settings *s, cJSON *params);

#endif
