#include "tuner/cli/stop_options.h"

void stop_add(const struct stop_options *o, cJSON *params)
{
	if (o->time_limit_s >= 0)
		json_add_double(params, "time_limit_s", o->time_limit_s);
	if (o->no_gain >= 0)
		json_add_int(params, "stop_after_no_gain", o->no_gain);
	if (o->target.value >= 0)
		json_add_double(params, o->target.percent ? "target_percent" : "target_us",
				o->target.value);
}
