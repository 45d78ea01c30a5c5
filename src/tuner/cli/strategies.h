#ifndef CLI_STRATEGIES_H
#define CLI_STRATEGIES_H

#include "base/json.h"
#include "tuner/cli/options.h"
#include "tuner/search/setting.h"

/* How to search, as options say it: --strategy, --setting and --elite-k of start and replay. */

/* Three rows; the offsets are those of a const char *, a struct option_list and an int64_t. */
#define STRATEGY_OPTIONS(strategy_at, setting_at, elite_k_at)                      \
	{ .name = "strategy",                                                      \
	  .kind = OPTION_TEXT,                                                     \
	  .value = "NAME",                                                         \
	  .help = "how to search, see below (default full)",                       \
	  .offset = (strategy_at) },                                               \
		{ .name = "setting",                                               \
		  .kind = OPTION_LIST,                                             \
		  .value = "NAME=VALUE",                                           \
		  .help = "a setting of the strategy, see below; may be repeated", \
		  .offset = (setting_at) },                                        \
	{                                                                          \
		.name = "elite-k", .kind = OPTION_INT, .value = "K",               \
		.help = "elites that the strategy keeps (default: its own)",       \
		.offset = (elite_k_at), .min = 1, .max = 1000                      \
	}

void strategies_help(struct str *ret); /* every strategy with its settings, for command.more */

/* Strategy (NULL: the default one) and settings checked; errors name the option. */
int strategies_parse(const char *strategy, const struct option_list *assignments,
		     struct settings *ret, struct err *e);

/* The settings that are not the default, as a parameter of search.start. */
void strategies_add(const char *strategy, const struct settings *s, cJSON *params);

#endif
