/* Kernel Tuner cache files. */
#include <stdlib.h>
#include <string.h>

#include "tuner/cli/export.h"
#include "tuner/cli/outline.h"

/* Kernel Tuner knows three errors; what every other failure has in common is that it was run. */
static const char *error_of(enum outcome o)
{
	return o == OUTCOME_COMPILE_ERROR || o == OUTCOME_COMPILE_TIMEOUT
		       ? "CompilationFailedConfig"
		       : "RuntimeFailedConfig";
}

static void add_line(struct str *s, const char *key, cJSON *value)
{
	cJSON *name = cJSON_CreateString(key);
	char *a = json_render(name), *b = json_render(value);

	str_addf(s, "%s: %s,\n", a, b);
	free(a);
	free(b);
	cJSON_Delete(name);
	cJSON_Delete(value);
}

static void add_head(const struct recording *r, struct str *s)
{
	cJSON *keys = json_new_list(), *lists = json_new_object();

	for (int p = 0; p < space_params(r->space); p++) {
		json_push(keys, cJSON_CreateString(space_name(r->space, p)));
		json_add(lists, space_name(r->space, p), recording_values(r, p));
	}
	str_addz(s, "{\n");
	add_line(s, "device_name", cJSON_CreateString(r->device));
	add_line(s, "kernel_name", cJSON_CreateString(r->kernel));
	if (r->problem_size)
		add_line(s, "problem_size", cJSON_CreateRaw(r->problem_size));
	add_line(s, "tune_params_keys", keys);
	add_line(s, "tune_params", lists);
	add_line(s, "objective", cJSON_CreateString(r->objective));
	str_addz(s, "\"cache\": {");
}

static cJSON *record_json(const struct recording *r, const struct trial_record *t,
			  const struct outlined *x)
{
	cJSON *o = json_new_object(), *times;

	for (int p = 0; p < space_params(r->space); p++)
		json_add(o, space_name(r->space, p), recording_value_json(r, p, x->config[p]));
	if (x->ok) {
		json_add_double(o, "time", x->time_ms);
	} else {
		json_add_string(o, "__error__", error_of(t->outcome));
		json_add_string(o, RECORDED_OUTCOME, outcome_name(t->outcome));
	}
	if (x->samples) {
		times = json_add_list(o, "times");
		for (int i = 0; i < x->samples->n_samples; i++)
			json_push(times, cJSON_CreateNumber(x->samples->samples_ns[i] / 1e6));
	}
	json_add_double(o, "compile_time", x->compile_ms);
	json_add_double(o, "verification_time", x->verify_ms);
	json_add_double(o, "benchmark_time", x->benchmark_ms);
	json_add_double(o, "strategy_time", x->search_ms);
	json_add_double(o, "framework_time", x->framework_ms);
	if (x->at[0])
		json_add_string(o, "timestamp", x->at);
	for (int i = 0; i < t->n_metrics; i++)
		json_add_double(o, t->metrics[i].name, t->metrics[i].value);
	return o;
}

static int check_names(const struct recording *r, struct err *e)
{
	for (int p = 0; p < space_params(r->space); p++)
		if (recording_kt_member(space_name(r->space, p)))
			return err_set(e, ERR_INVALID,
				       "parameter %.80s: a Kernel Tuner cache has another member "
				       "of this name in every record; --format t4 or csv takes it",
				       space_name(r->space, p));
	return 0;
}

/* Kernel Tuner goes on with a file whose last three characters are these, and with no other. */
int export_kt(struct stored *s, struct str *ret, struct err *e)
{
	struct recording *outline;
	int r = outline_of(s, &outline, e);

	if (r < 0)
		return r;
	r = check_names(outline, e);
	if (r == 0) {
		add_head(outline, ret);
		r = outline_write(s, outline, record_json, true, ret, e);
	}
	str_addz(ret, "}\n}");
	recording_free(outline);
	return r;
}
