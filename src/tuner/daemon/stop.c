#include "tuner/daemon/stop.h"

#include <inttypes.h>
#include <string.h>

#include "base/str.h"

static const int64_t trials_max = 1000000000;
static const double time_max_s = 1e9, target_max_us = 1e12, target_max_percent = 1000;

const struct stop_change stop_unchanged = { -1, -1, -1, -1, -1 };

char *stop_reason(const struct run_record *r, const struct run_summary *s, double active_s)
{
	struct str why = STR_INIT;

	if (r->target_ns > 0 && s->found && s->found_p50_ns <= r->target_ns)
		str_addf(&why, "target of %g us reached: trial %" PRId64 " takes %.6g us",
			 r->target_ns / 1000, s->found, s->found_p50_ns / 1000);
	else if (r->target_share > 0 && s->found && r->found_share >= r->target_share)
		str_addf(&why,
			 "target of %g %% of the roofline reached: trial %" PRId64
			 " takes %.6g us, %.1f %%",
			 100 * r->target_share, s->found, s->found_p50_ns / 1000,
			 100 * r->found_share);
	else if (r->no_gain > 0 && s->trials - s->found >= r->no_gain)
		str_addf(&why, "no gain in %" PRId64 " trials", s->trials - s->found);
	else if (r->time_limit_s > 0 && active_s >= r->time_limit_s)
		str_addf(&why, "time limit of %g s reached", r->time_limit_s);
	else
		return NULL;
	return str_detach(&why);
}

void stop_apply(const struct stop_change *c, struct run_record *r)
{
	if (c->budget > 0)
		r->budget = c->budget;
	if (c->no_gain >= 0)
		r->no_gain = c->no_gain;
	if (c->time_limit_s >= 0)
		r->time_limit_s = c->time_limit_s;
	if (c->target_ns >= 0 || c->target_share >= 0) {
		r->target_ns = c->target_ns > 0 ? c->target_ns : 0;
		r->target_share = c->target_share > 0 ? c->target_share : 0;
	}
}

int stop_check(const struct run_record *r, struct err *e)
{
	struct json_node root, work;
	cJSON *tree;
	bool told;

	if (!(r->target_share > 0))
		return 0;
	if (strcmp(r->runtime, "noop") == 0)
		return err_set(e, ERR_INVALID,
			       "a target of %g %% of the roofline: runtime noop measures nothing",
			       100 * r->target_share);
	if (json_parse(r->task_text, strlen(r->task_text), &tree, e) < 0)
		return err_wrap(e, "task %s", r->task_name);
	root = json_root(tree);
	told = json_get(&root, "work", &work);
	cJSON_Delete(tree);
	return told ? 0
		    : err_set(e, ERR_INVALID,
			      "a target of %g %% of the roofline: task %s does not say what a "
			      "launch has to do; give it a \"work\" (bytes, operations), or the "
			      "target in microseconds",
			      100 * r->target_share, r->task_name);
}

static int read_target(const struct json_node *params, struct stop_change *c, struct err *e)
{
	double us = -1, percent = -1;
	int r = json_opt_double(params, "target_us", 0, target_max_us, &us, e);

	if (r == 0)
		r = json_opt_double(params, "target_percent", 0, target_max_percent, &percent, e);
	if (r == 0 && us >= 0 && percent >= 0)
		r = err_set(e, ERR_INVALID, "target_us and target_percent: expected one of them");
	if (r < 0)
		return r;
	if (us >= 0)
		c->target_ns = us * 1000;
	if (percent >= 0)
		c->target_share = percent / 100;
	return 0;
}

int stop_read(const struct json_node *params, struct stop_change *ret, struct err *e)
{
	struct stop_change c = stop_unchanged;
	int r = json_opt_int(params, "budget", 1, trials_max, &c.budget, e);

	if (r == 0)
		r = json_opt_double(params, "time_limit_s", 0, time_max_s, &c.time_limit_s, e);
	if (r == 0)
		r = json_opt_int(params, "stop_after_no_gain", 0, trials_max, &c.no_gain, e);
	if (r == 0)
		r = read_target(params, &c, e);
	if (r < 0)
		return r;
	*ret = c;
	return 0;
}
