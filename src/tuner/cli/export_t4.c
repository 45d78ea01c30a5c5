/* T4 results (FAIR auto-tuning schema 1.0.0), with the names that Kernel Tuner gives to times. */
#include <stdlib.h>

#include "tuner/cli/export.h"
#include "tuner/cli/outline.h"

static const char *invalidity_of(enum outcome o)
{
	switch (o) {
	case OUTCOME_OK:
		return "correct";
	case OUTCOME_COMPILE_ERROR:
		return "compile";
	case OUTCOME_COMPILE_TIMEOUT:
	case OUTCOME_HANG:
		return "timeout";
	case OUTCOME_WRONG:
	case OUTCOME_NONDETERMINISTIC:
	case OUTCOME_SUSPECT:
		return "correctness";
	case OUTCOME_REJECTED:
	case OUTCOME_TOO_BIG:
	case OUTCOME_FAULT:
	case OUTCOME_LOST:
	case OUTCOME_COUNT:
		return "runtime";
	}
	return "runtime";
}

static void add_times(cJSON *o, const struct outlined *x)
{
	cJSON *times = json_add_object(o, "times"), *runs;

	json_add_double(times, "compilation", x->compile_ms);
	json_add_double(times, "compilation_time", x->compile_ms);
	json_add_double(times, "benchmark", x->benchmark_ms);
	json_add_double(times, "framework", x->framework_ms);
	json_add_double(times, "search_algorithm", x->search_ms);
	json_add_double(times, "validation", x->verify_ms);
	runs = json_add_list(times, "runtimes");
	for (int i = 0; x->samples && i < x->samples->n_samples; i++)
		json_push(runs, cJSON_CreateNumber(x->samples->samples_ns[i] / 1e6));
}

static void add_measurement(cJSON *list, const char *name, cJSON *value, const char *unit)
{
	cJSON *o = json_new_object();

	json_add_string(o, "name", name);
	json_add(o, "value", value);
	json_add_string(o, "unit", unit);
	json_push(list, o);
}

static void add_measurements(cJSON *o, const struct trial_record *t, const struct outlined *x)
{
	cJSON *list = json_add_list(o, "measurements");

	if (x->ok)
		add_measurement(list, "time", cJSON_CreateNumber(x->time_ms), "ms");
	else
		add_measurement(list, RECORDED_OUTCOME,
				cJSON_CreateString(outcome_name(t->outcome)), "");
	for (int i = 0; i < t->n_metrics; i++)
		add_measurement(list, t->metrics[i].name, cJSON_CreateNumber(t->metrics[i].value),
				"");
}

static cJSON *result_json(const struct recording *r, const struct trial_record *t,
			  const struct outlined *x)
{
	cJSON *o = json_new_object(), *config, *objectives;

	if (x->at[0])
		json_add_string(o, "timestamp", x->at);
	config = json_add_object(o, "configuration");
	for (int p = 0; p < space_params(r->space); p++)
		json_add(config, space_name(r->space, p), recording_value_json(r, p, x->config[p]));
	add_times(o, x);
	json_add_string(o, "invalidity", invalidity_of(t->outcome));
	json_add_int(o, "correctness", x->ok);
	add_measurements(o, t, x);
	objectives = json_add_list(o, "objectives");
	json_push(objectives, cJSON_CreateString(r->objective));
	return o;
}

int export_t4(struct stored *s, struct str *ret, struct err *e)
{
	struct recording *outline;
	int r = outline_of(s, &outline, e);

	if (r < 0)
		return r;
	str_addz(ret, "{\"schema_version\": \"1.0.0\", \"metadata\": {\"timeunit\": "
		      "\"milliseconds\"},\n\"results\": [");
	r = outline_write(s, outline, result_json, false, ret, e);
	str_addz(ret, "]}\n");
	recording_free(outline);
	return r;
}
