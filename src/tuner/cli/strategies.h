#ifndef CLI_STRATEGIES_H
#define CLI_STRATEGIES_H

#include "base/json.h"
#include "tuner/cli/options.h"
#include "tuner/search/setting.h"

/* How to search, as options say it: --strategy and --setting of start and replay. */

/* Both rows; the offsets are those of a const char * and of a struct option_list. */
#define STRATEGY_OPTIONS(strategy_at, setting_at)                                \
	{ .name = "strategy",                                                    \
	  .kind = OPTION_TEXT,                                                   \
	  .value = "NAME",                                                       \
	  .help = "how to search, see below (default full)",                     \
	  .offset = (strategy_at) },                                             \
	{                                                                        \
		.name = "setting", .kind = OPTION_LIST, .value = "NAME=VALUE",   \
		.help = "a setting of the strategy, see below; may be repeated", \
		.offset = (setting_at)                                           \
	}

void strategies_help(struct str *ret); /* every strategy with its settings, for command.more */

/* Strategy (NULL: the default one) and settings checked; errors name the option. */
int strategies_parse(const char *strategy, const struct option_list *assignments,
		     struct settings *ret, struct err *e);

/* The settings that are not the default, as a parameter of search.start. */
void strategies_add(const char *strategy, const struct settings *s, cJSON *params);

#endif
