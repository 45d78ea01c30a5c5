/* T4 results (FAIR auto-tuning schema 1.0.0), as Kernel Tuner and the schema's own text have them.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tuner/task/recording_format.h"
#include "tuner/task/recording_mend.h"
#include "tuner/task/task_value.h"

/* --- parameters that no T1 file describes --- */

struct seen {
	const cJSON *value;
};

static int compare_values(const void *a, const void *b)
{
	const cJSON *x = ((const struct seen *)a)->value, *y = ((const struct seen *)b)->value;

	if (cJSON_IsString(x) && cJSON_IsString(y))
		return strcmp(x->valuestring, y->valuestring);
	if (cJSON_IsString(x) != cJSON_IsString(y))
		return cJSON_IsString(x) ? 1 : -1;
	if (cJSON_IsNumber(x) && cJSON_IsNumber(y))
		return (x->valuedouble > y->valuedouble) - (x->valuedouble < y->valuedouble);
	return cJSON_IsTrue(x) - cJSON_IsTrue(y);
}

/* The values that a parameter has anywhere in the results, in ascending order. */
static cJSON *values_of(const cJSON *results, const char *name)
{
	size_t n = (size_t)cJSON_GetArraySize(results), found = 0;
	struct seen *all = mem_array(n + 1, sizeof *all);
	cJSON *list = json_new_list();
	const cJSON *result;

	cJSON_ArrayForEach(result, results)
	{
		const cJSON *config = cJSON_GetObjectItemCaseSensitive(result, "configuration");
		const cJSON *value = cJSON_GetObjectItemCaseSensitive(config, name);

		if (value)
			all[found++].value = value;
	}
	qsort(all, found, sizeof *all, compare_values);
	for (size_t i = 0; i < found; i++)
		if (i == 0 || compare_values(&all[i - 1], &all[i]) != 0)
			json_push(list, cJSON_Duplicate(all[i].value, true));
	free(all);
	return list;
}

static int infer_params(struct recording *r, const struct json_node *results, struct err *e)
{
	struct json_node first, config, param;
	int status = 0;

	if (!json_first(results, &first))
		return json_wrong(results, e, "no results in it");
	status = json_need(&first, "configuration", &config, e);
	if (status == 0)
		status = json_object(&config, e);
	if (status < 0)
		return status;
	for (bool more = json_first(&config, &param); more && status == 0;
	     more = json_next(&param)) {
		cJSON *values = values_of(results->value, param.key);
		struct json_node list = json_root(values);

		status = recording_add_param(r, param.key, &list, e);
		cJSON_Delete(values);
	}
	return status;
}

/* --- results --- */

#define NS 1e9 /* in a second */

static const char *text_of(const cJSON *object, const char *key)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
}

/* Seconds in one unit of time; the hub misspells the usual one. NULL or no unit: `other`. */
static double seconds_in(const char *name, double other)
{
	static const struct {
		const char *name;
		double seconds;
	} units[] = {
		{ "milliseconds", 1e-3 },
		{ "miliseconds", 1e-3 },
		{ "ms", 1e-3 },
		{ "seconds", 1 },
		{ "s", 1 },
		{ "microseconds", 1e-6 },
		{ "us", 1e-6 },
		{ "nanoseconds", 1e-9 },
		{ "ns", 1e-9 },
	};

	for (size_t i = 0; name && i < sizeof units / sizeof *units; i++)
		if (strcmp(name, units[i].name) == 0)
			return units[i].seconds;
	return other;
}

/* Of the file's times. */
static int read_unit(const struct json_node *root, double *ret, struct err *e)
{
	struct json_node metadata, unit;
	double seconds;

	*ret = 1e-3;
	if (!json_get(root, "metadata", &metadata) || !json_get(&metadata, "timeunit", &unit))
		return 0;
	seconds = seconds_in(cJSON_GetStringValue(unit.value), 0);
	if (seconds == 0)
		return json_expected(&unit, e, "\"milliseconds\" or another unit of time");
	*ret = seconds;
	return 0;
}

static double sum_of_runs(const struct json_node *times, double unit)
{
	struct json_node runs;
	const cJSON *one;
	double sum = 0;

	if (!json_get(times, "runtimes", &runs))
		return 0;
	cJSON_ArrayForEach(one, runs.value)
	{
		if (cJSON_IsNumber(one) && one->valuedouble > 0)
			sum += one->valuedouble * unit;
	}
	return sum;
}

static int read_times(const struct json_node *result, double unit, struct recorded *x,
		      struct err *e)
{
	struct json_node times;
	int status = json_need(result, "times", &times, e);
	double bench;

	if (status < 0)
		return status;
	x->compile_s = recording_seconds(&times, "compilation", unit);
	if (x->compile_s == 0)
		x->compile_s = recording_seconds(&times, "compilation_time", unit);
	bench = recording_seconds(&times, "benchmark", unit);
	if (bench == 0)
		bench = sum_of_runs(&times, unit);
	x->verify_s = recording_seconds(&times, "validation", unit);
	x->measure_s = x->verify_s + bench;
	x->search_s = recording_seconds(&times, "search_algorithm", unit);
	recorded_add_samples(x, cJSON_GetObjectItemCaseSensitive(times.value, "runtimes"),
			     unit * NS);
	return 0;
}

/* Everything that was measured: the time of a launch, and other figures. */
static void read_measurements(const struct json_node *result, double unit, struct recorded *x)
{
	const cJSON *all = cJSON_GetObjectItemCaseSensitive(result->value, "measurements"), *one;

	cJSON_ArrayForEach(one, all)
	{
		const char *name = text_of(one, "name");
		const cJSON *value = cJSON_GetObjectItemCaseSensitive(one, "value");

		if (name && strcmp(name, "time") == 0)
			x->time_ns = recorded_time_ns(value,
						      NS * seconds_in(text_of(one, "unit"), unit));
		else if (name && strcmp(name, RECORDED_OUTCOME) == 0 && !x->ok)
			x->outcome = recorded_failure(cJSON_GetStringValue(value), x->outcome);
		else if (name)
			recorded_add_metric(x, name, value);
	}
}

static enum outcome outcome_of(const char *invalidity)
{
	static const struct {
		const char *name;
		enum outcome outcome;
	} words[] = {
		{ "correct", OUTCOME_OK },    { "compile", OUTCOME_COMPILE_ERROR },
		{ "runtime", OUTCOME_FAULT }, { "correctness", OUTCOME_WRONG },
		{ "timeout", OUTCOME_HANG },
	};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(invalidity, words[i].name) == 0)
			return words[i].outcome;
	return OUTCOME_FAULT;
}

/* The first objective named by the first result holds for all of them. */
static void find_objective(struct recording *r, const struct json_node *results)
{
	const cJSON *first = cJSON_GetArrayItem(results->value, 0);
	const cJSON *names = cJSON_GetObjectItemCaseSensitive(first, "objectives");
	const char *name = cJSON_GetStringValue(cJSON_GetArrayItem(names, 0));

	r->objective = mem_strdup(name ? name : "time");
	r->higher = recording_is_rate(r->objective);
}

static int read_value(const struct recording *r, const struct json_node *result, struct recorded *x,
		      struct err *e)
{
	struct json_node list, item, name, value;
	int status = json_need(result, "measurements", &list, e);

	if (status < 0)
		return status;
	for (bool more = json_first(&list, &item); more; more = json_next(&item)) {
		if (!json_get(&item, "name", &name) || !cJSON_IsString(name.value) ||
		    strcmp(name.value->valuestring, r->objective) != 0)
			continue;
		status = json_need(&item, "value", &value, e);
		if (status < 0)
			return status;
		if (cJSON_IsString(value.value) && recording_is_nan(value.value->valuestring))
			return 0;
		x->ok = true;
		return recording_value(&value, &x->value, e);
	}
	return json_wrong(&list, e, "the objective \"%.80s\" was not measured", r->objective);
}

static int read_result(struct recording *r, const struct json_node *result, double unit,
		       struct err *e)
{
	struct recorded x = { 0 };
	uint16_t config[SPACE_PARAMS_MAX] = { 0 };
	struct json_node invalidity, values;
	const char *why = "";
	int status = json_need(result, "invalidity", &invalidity, e);

	if (status == 0)
		status = json_string(&invalidity, &why, e);
	if (status < 0)
		return status;
	if (strcmp(why, "constraints") == 0) {
		r->n_illegal++;
		return 0;
	}
	x.outcome = outcome_of(why);
	status = json_need(result, "configuration", &values, e);
	if (status == 0)
		status = recording_config(r, &values, config, e);
	if (status == 0 && x.outcome == OUTCOME_OK)
		status = read_value(r, result, &x, e);
	if (status == 0)
		status = read_times(result, unit, &x, e);
	if (status < 0)
		return status;
	if (!x.ok && x.outcome == OUTCOME_OK)
		x.outcome = OUTCOME_FAULT;
	x.at_ms = recorded_at_ms(cJSON_GetObjectItemCaseSensitive(result->value, "timestamp"));
	read_measurements(result, unit, &x);
	recording_add(r, config, &x);
	return 0;
}

static int read(struct recording *r, const struct json_node *root, struct err *e)
{
	struct json_node results, result;
	double unit = 0;
	int status = json_need(root, "results", &results, e);

	if (status == 0)
		status = json_list(&results, e);
	if (status == 0)
		status = read_unit(root, &unit, e);
	if (status == 0 && space_params(r->space) == 0)
		status = infer_params(r, &results, e);
	if (status < 0)
		return status;
	find_objective(r, &results);
	for (bool more = json_first(&results, &result); more && status == 0;
	     more = json_next(&result))
		status = read_result(r, &result, unit, e);
	return status;
}

const struct recording_format recording_t4 = {
	.name = "T4 results",
	.member = "results",
	.read = read,
};
