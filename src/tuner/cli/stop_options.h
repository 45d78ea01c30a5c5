#ifndef CLI_STOP_OPTIONS_H
#define CLI_STOP_OPTIONS_H

#include "base/json.h"
#include "tuner/cli/options.h"

/* The rules that end a run early, as options of start and resume. Below 0: not given; 0 lifts a
 * rule that was stored. */
struct stop_options {
	double time_limit_s;
	int64_t no_gain;
	struct option_amount target; /* microseconds, or percent of the roofline */
};
#define STOP_OPTIONS_DEFAULT      \
	{                         \
		-1, -1,           \
		{                 \
			-1, false \
		}                 \
	}

/* The rows of an option table; `at`: where the struct is. */
/* clang-format off */
#define STOP_OPTIONS(at)                                                     \
	{ .name = "time-limit",                                              \
	  .kind = OPTION_REAL,                                               \
	  .value = "SECONDS",                                                \
	  .help = "end after so much running time",                          \
	  .offset = (at) + offsetof(struct stop_options, time_limit_s),      \
	  .min = 0,                                                          \
	  .max = 1e9 },                                                      \
	{ .name = "stop-after-no-gain",                                      \
	  .kind = OPTION_INT,                                                \
	  .value = "N",                                                      \
	  .help = "end after N trials without a better result",              \
	  .offset = (at) + offsetof(struct stop_options, no_gain),           \
	  .min = 0,                                                          \
	  .max = 1e9 },                                                      \
	{ .name = "target",                                                  \
	  .kind = OPTION_AMOUNT,                                             \
	  .value = "US|PERCENT%",                                            \
	  .help = "end once the best takes at most so many microseconds, or "    \
		  "has such a share of the roofline (80%)",                      \
	  .offset = (at) + offsetof(struct stop_options, target),            \
	  .min = 0,                                                          \
	  .max = 1e12 }
/* clang-format on */

void stop_add(const struct stop_options *o, cJSON *params); /* of search.start and search.resume */

#endif
