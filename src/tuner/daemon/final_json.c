#include "tuner/daemon/final_json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

static void add_some(cJSON *o, const char *key, double v)
{
	json_add_double(o, key, v > 0 ? v : (double)NAN);
}

/* null: unknown. */
static void add_pair(cJSON *o, const char *key, double low, double high)
{
	cJSON *list;

	if (!(low > 0)) {
		json_add_string(o, key, NULL);
		return;
	}
	list = json_add_list(o, key);
	json_push(list, cJSON_CreateNumber(low));
	json_push(list, cJSON_CreateNumber(high));
}

cJSON *finalist_json(const struct final_record *f, const struct finalist_record *x)
{
	bool ok = x->outcome == OUTCOME_OK;
	cJSON *o = json_new_object();

	json_add_int(o, "trial", x->trial);
	json_add_bool(o, "winner", x->trial == f->winner);
	json_add_bool(o, "tied", x->tied);
	json_add_bool(o, "elite", x->elite);
	json_add_string(o, "outcome", outcome_name(x->outcome));
	json_add_string(o, "detail", x->detail);
	add_some(o, "p50_us", x->p50_ns / 1000);
	add_pair(o, "ci_us", x->ci_low_ns / 1000, x->ci_high_ns / 1000);
	add_some(o, "score_us", x->p50_ns * x->penalty / 1000);
	json_add_double(o, "spread", ok && f->winner ? x->spread : (double)NAN);
	add_some(o, "ratio", x->ratio.ratio);
	add_pair(o, "ratio_ci", x->ratio.ci_low, x->ratio.ci_high);
	return o;
}

cJSON *final_json(const struct final_record *f)
{
	cJSON *o = json_new_object(), *tied, *list;
	char seed[24];

	snprintf(seed, sizeof seed, "%" PRIu64, f->seed);
	add_some(o, "winner", (double)f->winner);
	tied = json_add_list(o, "tied");
	for (int i = 0; i < f->n; i++)
		if (f->finalists[i].tied && f->finalists[i].trial != f->winner)
			json_push(tied, cJSON_CreateNumber((double)f->finalists[i].trial));
	add_some(o, "p50_us", f->winner ? f->finalists[0].p50_ns / 1000 : 0);
	add_pair(o, "ci_us", f->winner ? f->finalists[0].ci_low_ns / 1000 : 0,
		 f->winner ? f->finalists[0].ci_high_ns / 1000 : 0);
	add_some(o, "baseline", (double)f->baseline);
	add_some(o, "speedup", f->speedup.ratio);
	add_pair(o, "speedup_ci", f->speedup.ci_low, f->speedup.ci_high);
	json_add_int(o, "rounds", f->rounds);
	json_add_bool(o, "settled", f->settled);
	json_add_int(o, "trials", f->trials);
	json_add_int(o, "device", f->device);
	json_add_string(o, "seed", seed);
	json_add_double(o, "seconds", (f->ended_at - f->began_at) / 1000);
	list = json_add_list(o, "finalists");
	for (int i = 0; i < f->n; i++)
		json_push(list, finalist_json(f, &f->finalists[i]));
	return o;
}
