/* searchbench-task-1: a recorded space as columns, with a budget of its own. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "tuner/task/recording_format.h"

static int read_params(struct recording *r, const struct json_node *root, struct err *e)
{
	struct json_node list, param, name, values;
	int status = json_need(root, "params", &list, e);

	if (status == 0)
		status = json_list(&list, e);
	if (status < 0)
		return status;
	for (bool more = json_first(&list, &param); more && status == 0; more = json_next(&param)) {
		const char *text = NULL;

		status = json_need(&param, "name", &name, e);
		if (status == 0)
			status = json_string(&name, &text, e);
		if (status == 0)
			status = json_need(&param, "values", &values, e);
		if (status == 0)
			status = recording_add_param(r, text, &values, e);
	}
	return status;
}

static int read_budget(struct recording *r, const struct json_node *root, struct err *e)
{
	struct json_node budget;
	int64_t seed = 0;
	int status;

	r->max_evals = INT64_MAX;
	r->max_cost = HUGE_VAL;
	if (json_get(root, "seed", &budget)) {
		status = json_int(&budget, 0, (int64_t)1 << 53, &seed, e);
		if (status < 0)
			return status;
		r->seed = (uint64_t)seed;
		r->has_seed = true;
	}
	if (!json_get(root, "budget", &budget))
		return 0;
	r->has_budget = true;
	status = json_opt_int(&budget, "max_evals", 1, (int64_t)1 << 53, &r->max_evals, e);
	if (status == 0)
		status = json_opt_int(&budget, "min_evals", 0, (int64_t)1 << 53, &r->min_evals, e);
	if (status == 0)
		status = json_opt_double(&budget, "max_cost", 0, HUGE_VAL, &r->max_cost, e);
	return status;
}

static int read_names(struct recording *r, const struct json_node *root, struct err *e)
{
	const char *space = "", *name = "time", *direction = "min";
	struct json_node objective;
	int status = json_opt_string(root, "space", &space, e);

	if (status == 0 && json_get(root, "objective", &objective)) {
		status = json_opt_string(&objective, "name", &name, e);
		if (status == 0)
			status = json_opt_string(&objective, "direction", &direction, e);
		if (status == 0 && strcmp(direction, "min") != 0 && strcmp(direction, "max") != 0)
			status = json_wrong(&objective, e,
					    "direction: expected \"min\" or \"max\", found "
					    "\"%.40s\"",
					    direction);
	}
	if (status < 0)
		return status;
	r->kernel = mem_strdup(space);
	r->objective = mem_strdup(name);
	r->higher = strcmp(direction, "max") == 0;
	return 0;
}

static int read_config(const struct recording *r, const struct json_node *row, uint16_t *ret,
		       struct err *e)
{
	int params = space_params(r->space), p = 0, status = json_list(row, e);
	struct json_node item;

	if (status == 0 && json_count(row) != params)
		status = json_wrong(row, e, "expected %d positions, found %d", params,
				    json_count(row));
	if (status < 0)
		return status;
	for (bool more = json_first(row, &item); more && status == 0; more = json_next(&item)) {
		int64_t at = 0;

		status = json_int(&item, 0, space_values(r->space, p) - 1, &at, e);
		ret[p++] = (uint16_t)at;
	}
	return status;
}

/* One step down three columns of the same length. */
static int read_row(struct recording *r, const struct json_node *row, const struct json_node *value,
		    const struct json_node *cost, struct err *e)
{
	struct recorded x = { .outcome = OUTCOME_FAULT };
	uint16_t config[SPACE_PARAMS_MAX] = { 0 };
	int status = read_config(r, row, config, e);

	if (status == 0)
		status = json_double(cost, 0, HUGE_VAL, &x.measure_s, e);
	if (status == 0 && !cJSON_IsNull(value->value)) {
		x.ok = true;
		x.outcome = OUTCOME_OK;
		status = recording_value(value, &x.value, e);
	}
	if (status == 0)
		recording_add(r, config, &x);
	return status;
}

static int need_list(const struct json_node *root, const char *key, int length,
		     struct json_node *ret, struct err *e)
{
	int status = json_need(root, key, ret, e);

	if (status == 0)
		status = json_list(ret, e);
	if (status == 0 && length >= 0 && json_count(ret) != length)
		status = json_wrong(ret, e,
				    "expected %d of them, one for each of \"configs\", "
				    "found %d",
				    length, json_count(ret));
	return status;
}

static int read_rows(struct recording *r, const struct json_node *root, struct err *e)
{
	struct json_node rows, values, costs, row, value, cost;
	int status = need_list(root, "configs", -1, &rows, e);
	bool more;

	if (status == 0)
		status = need_list(root, "values", json_count(&rows), &values, e);
	if (status == 0)
		status = need_list(root, "costs", json_count(&rows), &costs, e);
	if (status < 0)
		return status;
	more = json_first(&rows, &row) && json_first(&values, &value) && json_first(&costs, &cost);
	while (more && status == 0) {
		status = read_row(r, &row, &value, &cost, e);
		more = json_next(&row) && json_next(&value) && json_next(&cost);
	}
	return status;
}

static int read(struct recording *r, const struct json_node *root, struct err *e)
{
	struct json_node format;
	const char *name = NULL;
	int status = json_need(root, "format", &format, e);

	if (status == 0)
		status = json_string(&format, &name, e);
	if (status == 0 && strcmp(name, "searchbench-task-1") != 0)
		status = json_expected(&format, e, "\"searchbench-task-1\"");
	if (status == 0)
		status = read_names(r, root, e);
	if (status == 0)
		status = read_budget(r, root, e);
	if (status == 0)
		status = read_params(r, root, e);
	return status == 0 ? read_rows(r, root, e) : status;
}

const struct recording_format recording_bench = {
	.name = "searchbench task",
	.member = "configs",
	.read = read,
};
