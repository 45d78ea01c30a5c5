/* Kernel Tuner cache files: one object whose member "cache" has a record for each configuration. */
#include <string.h>

#include "base/mem.h"
#include "tuner/task/recording_format.h"
#include "tuner/task/recording_mend.h"

#define MS 1e-3

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

static double measuring_time(const struct json_node *record)
{
	return recording_seconds(record, "verification_time", MS) +
	       recording_seconds(record, "benchmark_time", MS);
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
	struct recorded x = { .key = (char *)record->key, .compiled = true };
	uint16_t config[SPACE_PARAMS_MAX] = { 0 };
	const char *error;
	int status = json_object(record, e);

	if (status < 0)
		return status;
	error = error_of(record);
	if (error && strcmp(error, INVALID) == 0)
		return 0;
	x.compiled = !error || strcmp(error, NO_COMPILE) != 0;
	x.compile_s = recording_seconds(record, "compile_time", MS);
	x.measure_s = measuring_time(record);
	status = recording_config(r, record, config, e);
	if (status == 0 && !error)
		status = read_value(r, record, &x, e);
	if (status == 0)
		recording_add(r, config, &x);
	return status;
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
	struct json_node cache, record;
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
