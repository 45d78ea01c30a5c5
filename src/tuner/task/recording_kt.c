/* Kernel Tuner cache files: one object whose member "cache" has a record for each configuration. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tuner/task/recording_format.h"
#include "tuner/task/recording_mend.h"

#define MS    1e-3
#define MS_NS 1e6

static const char INVALID[] = "InvalidConfig", NO_COMPILE[] = "CompilationFailedConfig";

static bool is_error(const char *text)
{
	return strcmp(text, INVALID) == 0 || strcmp(text, NO_COMPILE) == 0 ||
	       strcmp(text, "RuntimeFailedConfig") == 0 || strcmp(text, "ErrorConfig") == 0;
}

/* The name of the error of a record, wherever it stands; NULL: none. */
static const char *error_of(const struct json_node *record)
{
	const cJSON *member;

	cJSON_ArrayForEach(member, record->value)
	{
		const char *text = cJSON_GetStringValue(member);

		if (text && (strcmp(member->string, "__error__") == 0 || is_error(text)))
			return text;
	}
	return NULL;
}

bool recording_kt_member(const char *name)
{
	static const char *const members[] = {
		"time",		  "times",	    "compile_time",
		"strategy_time",  "framework_time", "benchmark_time",
		"timestamp",	  "__error__",	    "verification_time",
		RECORDED_OUTCOME,
	};

	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
		if (strcmp(name, members[i]) == 0)
			return true;
	return false;
}

static void read_figures(const struct recording *r, const struct json_node *record,
			 struct recorded *x)
{
	const cJSON *member;

	x->compile_s = recording_seconds(record, "compile_time", MS);
	x->verify_s = recording_seconds(record, "verification_time", MS);
	x->measure_s = x->verify_s + recording_seconds(record, "benchmark_time", MS);
	x->search_s = recording_seconds(record, "strategy_time", MS);
	cJSON_ArrayForEach(member, record->value)
	{
		if (strcmp(member->string, "time") == 0)
			x->time_ns = recorded_time_ns(member, MS_NS);
		else if (strcmp(member->string, "times") == 0)
			recorded_add_samples(x, member, MS_NS);
		else if (strcmp(member->string, "timestamp") == 0)
			x->at_ms = recorded_at_ms(member);
		else if (!recording_kt_member(member->string) &&
			 space_find(r->space, member->string) < 0)
			recorded_add_metric(x, member->string, member);
	}
}

static enum outcome failure_of(const struct json_node *record, const char *error)
{
	const char *exact = "";
	struct err ignored = { 0 };

	json_opt_string(record, RECORDED_OUTCOME, &exact, &ignored);
	return recorded_failure(exact, error && strcmp(error, NO_COMPILE) == 0
					       ? OUTCOME_COMPILE_ERROR
					       : OUTCOME_FAULT);
}

/* A number's text is lost in JSON: Python's key tells 1.0 from 1, and the longer one is kept. Only
 * where the key is made of as many texts as there are parameters, which a comma in a string
 * prevents. */
static void learn_texts(struct recording *r, const char *key, const uint16_t *config)
{
	char *copy = mem_strdup(key), *rest = copy, *part[SPACE_PARAMS_MAX + 1];
	int n = 0, params = space_params(r->space);

	while (n <= params && (part[n] = strsep(&rest, ",")))
		n++;
	for (int p = 0; n == params && p < n; p++) {
		const struct value *v = space_value(r->space, p, config[p]);
		char **text = &r->text[p][config[p]], *end;

		if (v->kind == VALUE_TEXT || !strchr("-0123456789", part[p][0]) ||
		    strlen(part[p]) <= strlen(*text) || strtod(part[p], &end) != value_number(v) ||
		    *end)
			continue;
		free(*text);
		*text = mem_strdup(part[p]);
	}
	free(copy);
}

static int read_value(const struct recording *r, const struct json_node *record,
		      struct recorded *ret, struct err *e)
{
	struct json_node value;
	int status = json_need(record, r->objective, &value, e);

	if (status < 0)
		return status;
	if (cJSON_IsNull(value.value) ||
	    (cJSON_IsString(value.value) && recording_is_nan(value.value->valuestring)))
		return 0;
	if (cJSON_IsString(value.value))
		return json_expected(&value, e, "a number or the name of an error");
	ret->ok = true;
	return recording_value(&value, &ret->value, e);
}

static int read_record(struct recording *r, const struct json_node *record, struct err *e)
{
	struct recorded x = { .key = (char *)record->key };
	uint16_t config[SPACE_PARAMS_MAX] = { 0 };
	const char *error;
	int status = json_object(record, e);

	if (status < 0)
		return status;
	error = error_of(record);
	if (error && strcmp(error, INVALID) == 0) {
		r->n_illegal++;
		return 0;
	}
	status = recording_config(r, record, config, e);
	if (status == 0 && !error)
		status = read_value(r, record, &x, e);
	if (status < 0)
		return status;
	x.outcome = x.ok ? OUTCOME_OK : failure_of(record, error);
	read_figures(r, record, &x);
	learn_texts(r, record->key, config);
	recording_add(r, config, &x);
	return 0;
}

static int read_params(struct recording *r, const struct json_node *root, struct err *e)
{
	struct json_node keys, key, lists, values;
	int status = json_need(root, "tune_params_keys", &keys, e);

	if (status == 0)
		status = json_list(&keys, e);
	if (status == 0)
		status = json_need(root, "tune_params", &lists, e);
	if (status < 0)
		return status;
	for (bool more = json_first(&keys, &key); more && status == 0; more = json_next(&key)) {
		const char *name = NULL;

		status = json_string(&key, &name, e);
		if (status == 0)
			status = json_need(&lists, name, &values, e);
		if (status == 0)
			status = recording_add_param(r, name, &values, e);
	}
	return status;
}

static int read(struct recording *r, const struct json_node *root, struct err *e)
{
	const char *kernel = "", *device = "", *objective = "time";
	struct json_node cache, record, size;
	int status = json_need(root, "cache", &cache, e);

	if (status == 0)
		status = json_object(&cache, e);
	if (status == 0)
		status = json_opt_string(root, "kernel_name", &kernel, e);
	if (status == 0)
		status = json_opt_string(root, "device_name", &device, e);
	if (status == 0)
		status = json_opt_string(root, "objective", &objective, e);
	if (status == 0)
		status = read_params(r, root, e);
	if (status < 0)
		return status;
	r->kernel = mem_strdup(kernel);
	r->device = mem_strdup(device);
	r->objective = mem_strdup(objective);
	r->higher = recording_is_rate(objective);
	if (json_get(root, "problem_size", &size))
		r->problem_size = json_render(size.value);
	for (bool more = json_first(&cache, &record); more && status == 0;
	     more = json_next(&record))
		status = read_record(r, &record, e);
	return status;
}

const struct recording_format recording_kt = {
	.name = "Kernel Tuner cache",
	.member = "cache",
	.read = read,
};
