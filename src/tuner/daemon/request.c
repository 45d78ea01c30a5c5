#include "tuner/daemon/request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "tuner/daemon/settings_json.h"
#include "tuner/daemon/stop.h"

static const char *const start_keys[] = {
	STOP_KEYS, "task",   "strategy", "settings", "elite_k", "seed", "runtime", "devices",
	"jobs",	   "shapes", "set",	 "priority", "fresh",	"warm", NULL,
};

/* --- the task --- */

/* Shipped tasks go by their bare name: sgemm_host. */
static char *find_task(const char *name, const char *configs)
{
	struct str path = STR_INIT;

	if (name[0] == '/' || !configs || strchr(name, '/'))
		return mem_strdup(name);
	str_addf(&path, "%s/%s%s", configs, name, strstr(name, ".json") ? "" : ".json");
	return str_detach(&path);
}

static int take_task(const struct json_node *params, const char *configs, struct engine_start *x,
		     struct err *e)
{
	struct run_record *r = &x->record;
	struct json_node n;
	const char *name = "";
	int ret = json_need(params, "task", &n, e);

	if (ret == 0)
		ret = json_string(&n, &name, e);
	if (ret < 0)
		return ret;
	r->task_path = find_task(name, configs);
	if (r->task_path[0] != '/')
		return json_expected(&n, e, "an absolute path, or the name of a shipped task");
	ret = task_load(r->task_path, &x->task, e);
	if (ret < 0)
		return ret;
	r->task_name = mem_strdup(task_name(x->task));
	r->task_text = mem_strdup(task_text(x->task, NULL));
	memcpy(r->task_hash, task_hash(x->task), sizeof r->task_hash);
	memcpy(r->source_hash, task_source_hash(x->task), sizeof r->source_hash);
	return 0;
}

static int take_shapes(const struct json_node *params, struct engine_start *x, struct err *e)
{
	struct json_node list, n;
	const char *name;
	int ret;

	if (!json_get(params, "shapes", &list)) {
		x->record.shapes = mem_strdup("[]");
		return 0;
	}
	ret = json_list(&list, e);
	if (ret < 0)
		return ret;
	for (bool ok = json_first(&list, &n); ok; ok = json_next(&n)) {
		ret = json_string(&n, &name, e);
		if (ret < 0)
			return ret;
		if (task_find_shape(x->task, name) < 0)
			return json_expected(&n, e, "the name of a shape of the task");
	}
	x->record.shapes = json_render(list.value);
	return 0;
}

static int take_narrow(const struct json_node *params, struct engine_start *x, struct err *e)
{
	struct json_node object, n;
	const char *values;
	int ret;

	if (!json_get(params, "set", &object)) {
		x->record.narrow = mem_strdup("{}");
		return 0;
	}
	ret = json_object(&object, e);
	if (ret < 0)
		return ret;
	for (bool ok = json_first(&object, &n); ok; ok = json_next(&n)) {
		ret = json_string(&n, &values, e);
		if (ret < 0)
			return ret;
	}
	x->record.narrow = json_render(object.value);
	return 0;
}

/* Its configurations are looked at when the space is known. */
static int take_warm(const struct json_node *params, struct engine_start *x, struct err *e)
{
	static const char *const keys[] = { "from", "configs", "mended", "dropped", "past", NULL };
	struct json_node object;
	int ret;

	if (!json_get(params, "warm", &object))
		return 0;
	ret = json_object(&object, e);
	if (ret == 0)
		ret = json_only(&object, keys, e);
	if (ret == 0)
		x->record.warm = json_render(object.value);
	return ret;
}

/* --- where and how --- */

static int take_devices(const struct json_node *params, struct engine_start *x, struct err *e)
{
	struct json_node list, n;
	int64_t ordinal;
	int ret;

	x->record.devices = mem_strdup("[0]");
	if (!json_get(params, "devices", &list))
		return 0;
	if (cJSON_IsString(list.value) && strcmp(list.value->valuestring, "all") == 0) {
		x->all_devices = true;
		return 0;
	}
	if (!cJSON_IsArray(list.value) || json_count(&list) < 1 || json_count(&list) > 64)
		return json_expected(&list, e, "\"all\" or a list of 1 to 64 device numbers");
	for (bool ok = json_first(&list, &n); ok; ok = json_next(&n)) {
		ret = json_int(&n, 0, 1023, &ordinal, e);
		if (ret < 0)
			return ret;
	}
	free(x->record.devices);
	x->record.devices = json_render(list.value);
	return 0;
}

/* Seeds have 64 bits, which JSON numbers have not: text is exact. */
static int take_seed(const struct json_node *params, uint64_t *ret, struct err *e)
{
	struct json_node n;
	int64_t number;
	char *end;
	int r;

	if (!json_get(params, "seed", &n))
		return 0;
	if (!cJSON_IsString(n.value)) {
		r = json_int(&n, 0, (int64_t)1 << 53, &number, e);
		if (r == 0)
			*ret = (uint64_t)number;
		return r;
	}
	errno = 0;
	*ret = strtoull(n.value->valuestring, &end, 10);
	if (errno || end == n.value->valuestring || *end ||
	    !strchr("0123456789", n.value->valuestring[0]))
		return json_expected(&n, e, "a whole number from 0 to 2^64 - 1");
	return 0;
}

static int take_strategy(const struct json_node *params, struct run_record *r, struct err *e)
{
	const char *name = search_strategy_name(0);
	struct settings settings;
	struct json_node n;
	int ret = json_opt_string(params, "strategy", &name, e);

	if (ret < 0)
		return ret;
	if (search_strategy_check(name, e) < 0)
		return err_wrap(e, "strategy");
	settings_init(&settings);
	if (json_get(params, "settings", &n))
		ret = settings_read(&n, name, &settings, e);
	if (ret < 0)
		return ret;
	r->strategy = mem_strdup(name);
	r->settings = settings_render(&settings, name);
	return 0;
}

static int take_numbers(const struct json_node *params, struct run_record *r, struct err *e)
{
	int64_t elite_k = 0, jobs = 0, priority = 0;
	struct stop_change stop;
	int ret = stop_read(params, &stop, e);

	if (ret == 0)
		ret = json_opt_int(params, "elite_k", 0, 1000, &elite_k, e);
	if (ret == 0)
		ret = json_opt_int(params, "jobs", 0, 1024, &jobs, e);
	if (ret == 0)
		ret = json_opt_int(params, "priority", -1000, 1000, &priority, e);
	if (ret == 0)
		ret = json_opt_bool(params, "fresh", &r->fresh, e);
	if (ret == 0)
		ret = take_seed(params, &r->seed, e);
	if (ret < 0)
		return ret;
	r->budget = BUDGET_DEFAULT;
	stop_apply(&stop, r);
	r->elite_k = (int)elite_k;
	r->jobs = (int)jobs;
	r->priority = (int)priority;
	return 0;
}

static int take_runtime(const struct json_node *params, struct engine_start *x, struct err *e)
{
	const char *name = task_runtime(x->task);
	int ret = json_opt_string(params, "runtime", &name, e);

	if (ret < 0)
		return ret;
	if (strlen(name) > 15)
		return err_set(e, ERR_INVALID, "runtime: expected cuda or host, found \"%.40s\"",
			       name);
	x->record.runtime = mem_strdup(name);
	return 0;
}

int request_start(const struct json_node *params, const char *configs, struct engine_start *ret,
		  struct err *e)
{
	struct engine_start x = { 0 };
	int r = json_only(params, start_keys, e);

	if (r == 0)
		r = take_numbers(params, &x.record, e);
	if (r == 0)
		r = take_strategy(params, &x.record, e);
	if (r == 0 && !x.record.elite_k)
		x.record.elite_k = search_default_elites(x.record.strategy);
	if (r == 0)
		r = take_devices(params, &x, e);
	if (r == 0)
		r = take_task(params, configs, &x, e);
	if (r == 0)
		r = take_shapes(params, &x, e);
	if (r == 0)
		r = take_narrow(params, &x, e);
	if (r == 0)
		r = take_warm(params, &x, e);
	if (r == 0)
		r = take_runtime(params, &x, e);
	if (r < 0) {
		run_record_release(&x.record);
		task_free(x.task);
		return r;
	}
	*ret = x;
	return 0;
}

int request_run(const struct json_node *params, int64_t *ret, struct err *e)
{
	return json_opt_int(params, "run", 1, (int64_t)1 << 53, ret, e);
}
