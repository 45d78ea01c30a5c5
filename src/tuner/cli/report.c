#include "tuner/cli/report.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "runtime/nvml.h"
#include "tuner/cli/drift.h"
#include "tuner/cli/standing.h"
#include "tuner/cli/top.h"
#include "tuner/daemon/final_json.h"

/* A stored JSON text as a member; null if it is none. */
static void add_parsed(cJSON *o, const char *key, const char *text)
{
	struct err ignored = { 0 };
	cJSON *v;

	if (text && json_parse(text, strlen(text), &v, &ignored) == 0)
		json_add(o, key, v);
	else
		json_add_string(o, key, NULL);
}

static void add_known(cJSON *o, const char *key, double v)
{
	json_add_double(o, key, v >= 0 ? v : (double)NAN);
}

static void add_some(cJSON *o, const char *key, double v)
{
	json_add_double(o, key, v > 0 ? v : (double)NAN);
}

static void add_time(cJSON *o, const char *key, int64_t wall_ms)
{
	char text[CLOCK_ISO_MAX];

	if (wall_ms > 0)
		clock_iso(wall_ms, text);
	json_add_string(o, key, wall_ms > 0 ? text : NULL);
}

static void add_us(cJSON *list, double ns)
{
	json_push(list, isfinite(ns) ? cJSON_CreateNumber(ns / 1000) : cJSON_CreateNull());
}

static void add_interval(cJSON *o, double low_ns, double high_ns)
{
	cJSON *ci = json_add_list(o, "ci_us");

	add_us(ci, low_ns);
	add_us(ci, high_ns);
}

/* --- trials --- */

static const char *shape_name(const struct stored *s, int shape)
{
	struct problem *p = s->setup.bound ? task_problem(s->setup.bound) : NULL;

	return p && shape >= 0 && shape < p->n_shapes ? p->shapes[shape].name : NULL;
}

static const char *reference_name(const struct stored *s, int reference)
{
	struct problem *p = s->setup.bound ? task_problem(s->setup.bound) : NULL;

	return p && reference >= 0 && reference < p->n_references ? p->references[reference].name
								  : NULL;
}

const char *report_stop(const struct stored *s, const struct timing *t)
{
	const struct problem *p = s->setup.bound ? task_problem(s->setup.bound) : NULL;

	if (t->aborted)
		return "aborted";
	if (t->mode == TIMING_EVENT)
		return "fixed";
	if (!p)
		return NULL;
	return t->n_samples < p->timing.samples_max ? "settled" : "limit";
}

static cJSON *timing_json(struct stored *s, const struct trial_record *trial,
			  const struct timing *t)
{
	struct standing at;
	cJSON *o = json_new_object(), *samples;

	json_add_int(o, "shape", t->shape);
	json_add_string(o, "shape_name", shape_name(s, t->shape));
	json_add_string(o, "mode", timing_mode_name(t->mode));
	json_add_string(o, "l2", timing_l2_name(t->l2));
	json_add_double(o, "p50_us", t->p50_ns / 1000);
	add_interval(o, t->ci_low_ns, t->ci_high_ns);
	json_add_double(o, "mean_us", t->mean_ns / 1000);
	json_add_double(o, "stddev_us", t->stddev_ns / 1000);
	json_add_double(o, "min_us", t->min_ns / 1000);
	json_add_double(o, "p90_us", t->p90_ns / 1000);
	json_add_double(o, "p99_us", t->p99_ns / 1000);
	json_add_int(o, "launches_per_sample", t->launches_per_sample);
	json_add_bool(o, "aborted", t->aborted);
	json_add_string(o, "stop", report_stop(s, t));
	json_add_int(o, "throttled", t->throttled);
	json_add(
		o, "roofline",
		standing_json(standing_of(s, trial->config, trial->device, t->shape, t->p50_ns, &at)
				      ? &at
				      : NULL));
	samples = json_add_list(o, "samples_us");
	for (int i = 0; i < t->n_samples; i++)
		add_us(samples, t->samples_ns[i]);
	return o;
}

static cJSON *check_json(const struct stored *s, const struct check *c)
{
	cJSON *o = json_new_object();
	char seed[24];

	snprintf(seed, sizeof seed, "%" PRIu64, c->seed);
	json_add_int(o, "shape", c->shape);
	json_add_string(o, "shape_name", shape_name(s, c->shape));
	json_add_string(o, "seed", seed);
	json_add_int(o, "reference", c->reference);
	json_add_string(o, "reference_name", reference_name(s, c->reference));
	json_add_bool(o, "passed", c->passed);
	json_add_string(o, "why", c->why[0] ? c->why : NULL);
	json_add_double(o, "max_abs", c->max_abs);
	json_add_double(o, "mean_abs", c->mean_abs);
	json_add_double(o, "rel_l2", c->rel_l2);
	json_add_double(o, "bad_fraction", c->bad_fraction);
	json_add_int(o, "nans", c->nans);
	json_add_int(o, "unwritten", c->unwritten);
	json_add_int(o, "first_bad", c->first_bad);
	json_add_bool(o, "guards_intact", c->guards_intact);
	json_add_bool(o, "inputs_intact", c->inputs_intact);
	json_add_bool(o, "deterministic", c->deterministic);
	return o;
}

static void add_row(struct stored *s, cJSON *o, const struct trial_record *t)
{
	struct top_row row;

	top_row_of(s, t, &row);
	add_parsed(o, "config", t->config);
	json_add_string(o, "outcome", outcome_name(t->outcome));
	json_add_string(o, "detail", t->detail);
	json_add_string(o, "origin", trial_origin_name(t->origin));
	add_some(o, "p50_us", t->p50_ns / 1000);
	if (t->ci_high_ns > 0)
		add_interval(o, t->ci_low_ns, t->ci_high_ns);
	else
		json_add_string(o, "ci_us", NULL);
	add_some(o, "score_us", t->score_ns / 1000);
	add_some(o, "speedup", row.speedup);
	add_known(o, "registers", (double)row.registers);
	add_known(o, "shared_bytes", (double)row.shared_bytes);
	add_known(o, "spill_bytes", (double)row.spill_bytes);
	json_add_string(o, "cubin", t->artifact[0] ? t->artifact : NULL);
	add_known(o, "cubin_bytes", t->artifact[0] ? (double)t->artifact_bytes : -1);
	top_row_release(&row);
}

static void add_search(cJSON *o, const struct trial_record *t)
{
	cJSON *parents;

	json_add_int(o, "ask", t->ask);
	json_add_string(o, "operator", t->op);
	json_add_int(o, "generation", t->generation);
	parents = json_add_list(o, "parents");
	for (int i = 0; i < 2; i++)
		if (t->parents[i] >= 0)
			json_push(parents, cJSON_CreateNumber((double)t->parents[i]));
}

static void add_binary(cJSON *o, const struct trial_record *t)
{
	cJSON *ptxas = json_add_object(o, "ptxas"), *function = json_add_object(o, "function");
	cJSON *clocks = json_add_object(o, "clocks");

#define X(field) add_known(ptxas, #field, (double)t->ptxas.field);
	PTXAS_MAP(X)
#undef X
#define X(field) add_known(function, #field, (double)t->function.field);
	FUNCTION_MAP(X)
#undef X
	add_known(clocks, "sm_mhz", t->clocks.sm_mhz);
	add_known(clocks, "memory_mhz", t->clocks.memory_mhz);
	add_known(clocks, "celsius", t->clocks.celsius);
	add_known(clocks, "watts", t->clocks.watts);
	add_known(clocks, "throttle", (double)t->clocks.throttle);
}

static void add_phases(cJSON *o, const struct trial_record *t)
{
	cJSON *ms = json_add_object(o, "ms"), *at = json_add_object(o, "at_ms");

	json_add_double(ms, "search", t->search_ms);
	json_add_double(ms, "compile", t->compile_ms);
	json_add_double(ms, "load", t->load_ms);
	json_add_double(ms, "verify", t->verify_ms);
	json_add_double(ms, "warm", t->warm_ms);
	json_add_double(ms, "time", t->time_ms);
#define X(phase) add_some(at, #phase, t->at.phase);
	TRIAL_PHASE_MAP(X)
#undef X
}

cJSON *report_trial(struct stored *s, const struct trial_record *t)
{
	cJSON *o = json_new_object(), *list, *metrics;

	if (t->no) {
		json_add_int(o, "run", t->run);
		json_add_int(o, "trial", t->no);
	}
	add_row(s, o, t);
	if (t->no)
		add_search(o, t);
	json_add_double(o, "device", t->device < 0 ? (double)NAN : t->device);
	add_parsed(o, "gates_missed", t->gates ? t->gates : "[]");
	add_binary(o, t);
	list = json_add_list(o, "timings");
	for (int i = 0; i < t->n_timings; i++)
		json_push(list, timing_json(s, t, &t->timings[i]));
	list = json_add_list(o, "checks");
	for (int i = 0; i < t->n_checks; i++)
		json_push(list, check_json(s, &t->checks[i]));
	metrics = json_add_object(o, "metrics");
	for (int i = 0; i < t->n_metrics; i++)
		json_add_double(metrics, t->metrics[i].name, t->metrics[i].value);
	add_phases(o, t);
	json_add_string(o, "log", t->log);
	return o;
}

int report_find(struct stored *s, int64_t no, struct trial_record *ret, struct err *e)
{
	if (!no && !s->summary.best && s->summary.final)
		return err_set(e, ERR_FAILED,
			       "run %" PRId64 " has no winner: in its final no elite was found "
			       "correct again (see `evo-tuned show %" PRId64 "`); --trial N names "
			       "one",
			       s->run.id, s->run.id);
	if (!no && !s->summary.best)
		return err_set(e, ERR_FAILED,
			       "run %" PRId64 " has no correct configuration, of %" PRId64
			       " trials; --trial N names one",
			       s->run.id, s->summary.trials);
	return store_trial(s->store, s->run.id, no ? no : s->summary.best, ret, e);
}

/* --- runs --- */

static void add_settings(cJSON *o, const struct run_record *r)
{
	char seed[24];

	snprintf(seed, sizeof seed, "%" PRIu64, r->seed);
	json_add_string(o, "task_path", r->task_path);
	json_add_string(o, "task_hash", r->task_hash);
	json_add_string(o, "source_hash", r->source_hash);
	json_add_string(o, "runtime", r->runtime);
	add_parsed(o, "devices", r->devices);
	add_parsed(o, "shapes", r->shapes);
	add_parsed(o, "set", r->narrow);
	json_add_string(o, "strategy", r->strategy);
	json_add_int(o, "elite_k", r->elite_k);
	add_parsed(o, "settings", r->settings);
	if (r->warm)
		add_parsed(o, "warm", r->warm);
	json_add_string(o, "seed", seed);
	json_add_int(o, "budget", r->budget);
	add_some(o, "time_limit_s", r->time_limit_s);
	add_some(o, "stop_after_no_gain", (double)r->no_gain);
	add_some(o, "target_us", r->target_ns / 1000);
	add_some(o, "target_percent", 100 * r->target_share);
	add_some(o, "found_percent", 100 * r->found_share);
	json_add_int(o, "priority", r->priority);
	add_some(o, "jobs", r->jobs);
	json_add_bool(o, "fresh", r->fresh);
	add_parsed(o, "baseline_config", r->baseline);
	json_add_string(o, "version", r->version);
	add_time(o, "created", r->created_ms);
	add_time(o, "started", r->started_ms);
	add_time(o, "ended", r->ended_ms);
	json_add_double(o, "active_s", r->active_s);
}

static void add_counts(cJSON *o, const struct run_summary *s)
{
	cJSON *outcomes = json_add_object(o, "outcomes");

	json_add_int(o, "trials", s->trials);
	json_add_int(o, "done", s->done);
	json_add_int(o, "reused", s->reused);
	for (int i = 0; i < OUTCOME_COUNT; i++)
		json_add_int(outcomes, outcome_name((enum outcome)i), s->by_outcome[i]);
	add_some(o, "best", (double)s->best);
	add_some(o, "best_us", s->best_p50_ns / 1000);
	add_some(o, "baseline", (double)s->baseline);
	add_some(o, "baseline_us", s->baseline_p50_ns / 1000);
	add_some(o, "speedup", s->speedup);
}

struct spent {
	double search, compile, load, verify, warm, time;
	double compiler_waits, device_waits; /* proposed or built, and nobody was free */
	double compilers, devices;	     /* workers' time with a trial */
	int64_t throttled;		     /* trials */
};

/* Between two moments of a trial; 0 where it did not get there. */
static double between(double from, double to)
{
	return from > 0 && to > from ? to - from : 0;
}

static int add_spent(void *ctx, const struct trial_record *t, struct err *e)
{
	struct spent *sum = ctx;

	(void)e;
	if (t->origin == TRIAL_STORED)
		return 0; /* an earlier run's time */
	sum->search += t->search_ms;
	sum->compile += t->compile_ms;
	sum->compiler_waits += between(t->at.proposed, t->at.compile_start);
	sum->compilers += between(t->at.compile_start, t->at.compile_end);
	if (t->origin != TRIAL_MEASURED)
		return 0;
	sum->throttled += nvml_throttled(t->clocks.throttle);
	sum->device_waits += between(t->at.compile_end, t->at.measure_start);
	sum->devices += between(t->at.measure_start, t->at.measure_end);
	sum->load += t->load_ms;
	sum->verify += t->verify_ms;
	sum->warm += t->warm_ms;
	sum->time += t->time_ms;
	return 0;
}

/* Shares of the time that the run was active: how many compile workers were at work on average,
 * and which part of the time a device was. */
static void add_busy(const struct stored *s, const struct spent *sum, cJSON *o)
{
	cJSON *busy = json_add_object(o, "busy");
	double active_ms = s->run.active_s * 1000;
	double of_trials = sum->load + sum->verify + sum->warm + sum->time;

	json_add_double(busy, "compilers",
			active_ms > 0 ? sum->compilers / active_ms : (double)NAN);
	json_add_double(busy, "devices", active_ms > 0 ? sum->devices / active_ms : (double)NAN);
	json_add_double(busy, "verify_share",
			of_trials > 0 ? sum->verify / of_trials : (double)NAN);
}

static int add_times(struct stored *s, cJSON *o, struct err *e)
{
	struct spent sum = { 0 };
	cJSON *spent = json_add_object(o, "spent_ms");
	int r = store_each_trial(s->store, s->run.id, 0, add_spent, &sum, e);

	json_add_double(spent, "search", sum.search);
	json_add_double(spent, "compile", sum.compile);
	json_add_double(spent, "load", sum.load);
	json_add_double(spent, "verify", sum.verify);
	json_add_double(spent, "warm", sum.warm);
	json_add_double(spent, "time", sum.time);
	json_add_double(spent, "wait_for_compiler", sum.compiler_waits);
	json_add_double(spent, "wait_for_device", sum.device_waits);
	json_add_double(spent, "device_overhead",
			fmax(sum.devices - sum.load - sum.verify - sum.warm - sum.time, 0));
	add_busy(s, &sum, o);
	json_add_int(o, "throttled_trials", sum.throttled);
	return r;
}

static int add_final(struct stored *s, cJSON *o, struct err *e)
{
	struct final_record f = { 0 };
	struct drift d;
	int r = drift_read(s, &d, e);

	if (r < 0)
		return r;
	json_add(o, "drift", drift_json(&d));
	drift_release(&d);
	if (s->summary.final)
		r = store_final(s->store, s->run.id, false, &f, e);
	json_add(o, "final", f.id ? final_json(&f) : cJSON_CreateNull());
	final_record_release(&f);
	return r;
}

int report_run(struct stored *s, cJSON **ret, struct err *e)
{
	cJSON *o = json_new_object();
	char *environment = NULL;
	int r = 0;

	json_add_int(o, "run", s->run.id);
	json_add_string(o, "task", s->run.task_name);
	json_add_string(o, "state", stored_state(&s->run, s->orphaned));
	json_add_string(o, "reason", s->run.reason);
	add_settings(o, &s->run);
	add_counts(o, &s->summary);
	r = add_times(s, o, e);
	if (r == 0)
		r = add_final(s, o, e);
	if (r == 0 && s->run.environment)
		r = store_environment(s->store, s->run.environment, &environment, e);
	if (r < 0) {
		cJSON_Delete(o);
		return r;
	}
	add_parsed(o, "environment", environment);
	free(environment);
	*ret = o;
	return 0;
}
