#include "tuner/daemon/control.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "tuner/daemon/engine.h"
#include "tuner/daemon/final_json.h"
#include "tuner/daemon/import.h"
#include "tuner/daemon/ranking.h"
#include "tuner/daemon/request.h"
#include "tuner/daemon/stop.h"
#include "version.h"

/* Each answers the call, now or later, or returns an error for the dispatcher to answer with. */
typedef int method(struct control *c, struct rpc_call *call, const struct json_node *params,
		   struct err *e);

static void add_us(cJSON *o, const char *key, double ns)
{
	json_add(o, key, ns > 0 ? cJSON_CreateNumber(ns / 1000) : cJSON_CreateNull());
}

static void add_some(cJSON *o, const char *key, int64_t n)
{
	json_add(o, key, n > 0 ? cJSON_CreateNumber((double)n) : cJSON_CreateNull());
}

static void add_percent(cJSON *o, const char *key, double share)
{
	json_add(o, key, share > 0 ? cJSON_CreateNumber(100 * share) : cJSON_CreateNull());
}

static void add_ratio(cJSON *o, const char *key, double above, double below)
{
	json_add(o, key,
		 above > 0 && below > 0 ? cJSON_CreateNumber(above / below) : cJSON_CreateNull());
}

static void add_json(cJSON *o, const char *key, const char *text)
{
	cJSON *v = NULL;
	struct err ignored;

	if (!text || json_parse(text, strlen(text), &v, &ignored) < 0)
		v = cJSON_CreateNull();
	json_add(o, key, v);
}

/* --- search.start --- */

struct start_call {
	struct rpc_call *call;
};

static void on_started(void *ctx, int64_t run, const struct err *e)
{
	struct start_call *s = ctx;
	cJSON *result;

	if (e) {
		rpc_fail(s->call, e);
	} else {
		result = json_new_object();
		json_add_int(result, "run", run);
		rpc_result(s->call, result);
	}
	free(s);
}

static int search_start(struct control *c, struct rpc_call *call, const struct json_node *params,
			struct err *e)
{
	struct engine_start start;
	struct start_call *s;
	int r = request_start(params, engine_configs(c->engine), &start, e);

	if (r < 0)
		return r;
	s = mem_alloc(sizeof *s);
	s->call = call;
	start.done = on_started;
	start.ctx = s;
	engine_start(c->engine, &start);
	return 0;
}

/* --- search.resume, pause, cancel --- */

static cJSON *answer_object(const struct engine_answer *a)
{
	cJSON *result = json_new_object();

	json_add_int(result, "run", a->run);
	json_add_string(result, "state", a->state);
	json_add_int(result, "budget", a->budget);
	return result;
}

static int search_resume(struct control *c, struct rpc_call *call, const struct json_node *params,
			 struct err *e)
{
	static const char *const keys[] = { "run", STOP_KEYS, NULL };
	struct stop_change change;
	struct engine_answer a;
	int64_t run = 0;
	int r = json_only(params, keys, e);

	if (r == 0)
		r = request_run(params, &run, e);
	if (r == 0)
		r = stop_read(params, &change, e);
	if (r == 0)
		r = engine_resume(c->engine, run, &change, &a, e);
	if (r == 0)
		rpc_result(call, answer_object(&a));
	return r;
}

typedef int change_run(struct engine *x, int64_t run, struct engine_answer *ret, struct err *e);

static int change(struct control *c, struct rpc_call *call, const struct json_node *params,
		  change_run *f, struct err *e)
{
	static const char *const keys[] = { "run", NULL };
	struct engine_answer a;
	int64_t run = 0;
	int r = json_only(params, keys, e);

	if (r == 0)
		r = request_run(params, &run, e);
	if (r == 0)
		r = f(c->engine, run, &a, e);
	if (r == 0)
		rpc_result(call, answer_object(&a));
	return r;
}

static int search_pause(struct control *c, struct rpc_call *call, const struct json_node *params,
			struct err *e)
{
	return change(c, call, params, engine_pause, e);
}

static int search_cancel(struct control *c, struct rpc_call *call, const struct json_node *params,
			 struct err *e)
{
	return change(c, call, params, engine_cancel, e);
}

/* --- runs.list --- */

static void add_settings(cJSON *o, const struct run_record *r)
{
	char seed[24];

	snprintf(seed, sizeof seed, "%llu", (unsigned long long)r->seed);
	json_add_string(o, "strategy", r->strategy);
	json_add_string(o, "seed", seed);
	json_add_string(o, "runtime", r->runtime);
	add_json(o, "devices", r->devices);
	json_add_int(o, "budget", r->budget);
	json_add_int(o, "priority", r->priority);
	json_add(o, "time_limit_s",
		 r->time_limit_s > 0 ? cJSON_CreateNumber(r->time_limit_s) : cJSON_CreateNull());
	add_some(o, "stop_after_no_gain", r->no_gain);
	add_us(o, "target_us", r->target_ns);
	add_percent(o, "target_percent", r->target_share);
	add_percent(o, "found_percent", r->found_share);
	add_json(o, "settings", r->settings);
}

static void add_figures(cJSON *o, const struct run_summary *s)
{
	cJSON *failures;

	json_add_int(o, "done", s->done);
	json_add_int(o, "trials", s->trials);
	json_add_int(o, "ok", s->by_outcome[OUTCOME_OK]);
	json_add_int(o, "reused", s->reused);
	failures = json_add_object(o, "failures");
	for (int i = 0; i < OUTCOME_COUNT; i++)
		if (i != OUTCOME_OK && s->by_outcome[i])
			json_add_int(failures, outcome_name((enum outcome)i), s->by_outcome[i]);
	add_us(o, "best_us", s->best_p50_ns);
	add_some(o, "best_no", s->best);
	add_us(o, "baseline_us", s->baseline_p50_ns);
	add_ratio(o, "speedup", s->speedup, 1);
}

static cJSON *run_object(const struct engine_run *x)
{
	const struct run_record *r = x->record;
	cJSON *o = json_new_object();

	json_add_int(o, "run", r->id);
	json_add_string(o, "task", r->task_name);
	json_add_string(o, "state", x->state);
	json_add_string(o, "phase", x->phase);
	json_add_string(o, "reason", r->reason);
	add_settings(o, r);
	add_figures(o, x->summary);
	json_add_int(o, "created_ms", r->created_ms);
	add_some(o, "started_ms", r->started_ms);
	add_some(o, "ended_ms", r->ended_ms);
	json_add_double(o, "active_s", x->active_s);
	return o;
}

struct list {
	cJSON *json;
	bool unfinished; /* only those */
};

static int on_run(void *ctx, const struct engine_run *x, struct err *e)
{
	struct list *l = ctx;

	(void)e;
	if (!l->unfinished || !run_state_ended(x->record->state))
		json_push(l->json, run_object(x));
	return 0;
}

static int add_runs(struct control *c, cJSON *o, bool unfinished, struct err *e)
{
	struct list l = { json_add_list(o, "runs"), unfinished };

	return engine_each_run(c->engine, on_run, &l, e);
}

/* Answers with o, or gives the error to the dispatcher. */
static int finish(struct rpc_call *call, cJSON *o, int r)
{
	if (r < 0)
		cJSON_Delete(o);
	else
		rpc_result(call, o);
	return r;
}

static const char *const no_keys[] = { NULL };

static int runs_list(struct control *c, struct rpc_call *call, const struct json_node *params,
		     struct err *e)
{
	cJSON *o = json_new_object();
	int r = json_only(params, no_keys, e);

	if (r == 0)
		r = add_runs(c, o, false, e);
	return finish(call, o, r);
}

/* --- runs.import --- */

static void on_imported(void *ctx, const struct import_result *x, const struct err *e)
{
	if (e)
		rpc_fail(ctx, e);
	else
		rpc_result(ctx, import_json(x));
}

static int runs_import(struct control *c, struct rpc_call *call, const struct json_node *params,
		       struct err *e)
{
	static const char *const keys[] = { "file", "t1", "name", NULL };
	struct import_request q = { 0 };
	struct engine_import wish = { &q, on_imported, call };
	struct json_node file;
	int r = json_only(params, keys, e);

	if (r == 0)
		r = json_need(params, "file", &file, e);
	if (r == 0)
		r = json_string(&file, &q.file, e);
	if (r == 0 && q.file[0] != '/')
		r = json_expected(&file, e, "an absolute path");
	if (r == 0)
		r = json_opt_string(params, "t1", &q.t1, e);
	if (r == 0)
		r = json_opt_string(params, "name", &q.name, e);
	if (r == 0)
		engine_import(c->engine, &wish);
	return r;
}

/* --- runs.top --- */

struct top {
	cJSON *rows;
	struct final_record final;
	double baseline_ns;
	int rank;
};

static void add_known(cJSON *o, const char *key, int64_t n)
{
	json_add(o, key, n >= 0 ? cJSON_CreateNumber((double)n) : cJSON_CreateNull());
}

static int on_top(void *ctx, const struct trial_record *t, const struct finalist_record *x,
		  struct err *e)
{
	struct top *top = ctx;
	cJSON *o = json_new_object(), *ci;
	int64_t spills = t->ptxas.spill_store_bytes;

	(void)e;
	json_add_int(o, "rank", ++top->rank);
	json_add_int(o, "trial", t->no);
	add_json(o, "config", t->config);
	add_us(o, "p50_us", t->p50_ns);
	ci = json_add_list(o, "ci_us");
	json_push(ci, cJSON_CreateNumber(t->ci_low_ns / 1000));
	json_push(ci, cJSON_CreateNumber(t->ci_high_ns / 1000));
	add_ratio(o, "speedup", top->baseline_ns, t->p50_ns);
	add_known(o, "registers", t->ptxas.registers);
	add_known(o, "shared_bytes", t->ptxas.shared_bytes);
	add_known(o, "spill_bytes", spills < 0 ? -1 : spills + t->ptxas.spill_load_bytes);
	json_add_string(o, "cubin", t->artifact);
	json_add(o, "final",
		 x && x->trial == t->no ? finalist_json(&top->final, x) : cJSON_CreateNull());
	json_push(top->rows, o);
	return 0;
}

static int newest_run(struct store *s, int64_t *run, struct err *e)
{
	int r = *run ? 0 : store_newest_run(s, false, run, e);

	return r == 0 && !*run ? err_set(e, ERR_MISSING, "there are no runs yet") : r;
}

static int runs_top(struct control *c, struct rpc_call *call, const struct json_node *params,
		    struct err *e)
{
	static const char *const keys[] = { "run", "k", NULL };
	struct store *s = engine_store(c->engine);
	cJSON *o = json_new_object();
	struct run_summary summary;
	int64_t run = 0, k = 10;
	struct top top = { 0 };
	int r = json_only(params, keys, e);

	if (r == 0)
		r = request_run(params, &run, e);
	if (r == 0)
		r = json_opt_int(params, "k", 1, 1000, &k, e);
	engine_settle(c->engine);
	if (r == 0)
		r = newest_run(s, &run, e);
	if (r == 0)
		r = store_summary(s, run, &summary, e);
	if (r == 0)
		r = store_final(s, run, false, &top.final, e);
	if (r == 0) {
		json_add_int(o, "run", run);
		top.rows = json_add_list(o, "rows");
		top.baseline_ns = summary.baseline_p50_ns;
		r = ranking_each(s, &summary, &top.final, &(struct ranking_to){ on_top, &top, k },
				 e);
	}
	final_record_release(&top.final);
	return finish(call, o, r);
}

/* --- events.subscribe --- */

static int events_subscribe(struct control *c, struct rpc_call *call,
			    const struct json_node *params, struct err *e)
{
	static const char *const keys[] = { "from", NULL };
	int64_t from = 0, peer = call->peer.peer;
	cJSON *result;
	int r = json_only(params, keys, e);

	if (r == 0)
		r = store_last_event(engine_store(c->engine), &from, e);
	from++;
	if (r == 0)
		r = json_opt_int(params, "from", 1, (int64_t)1 << 53, &from, e);
	if (r < 0)
		return r;
	result = json_new_object();
	json_add_int(result, "from", from);
	rpc_result(call, result); /* before the first notification */
	c->subscribe(c->ctx, peer, from);
	return 0;
}

/* --- daemon.status, daemon.stop --- */

static void add_devices(struct control *c, cJSON *o)
{
	cJSON *list = json_add_list(o, "devices");
	const struct device *d;
	const char *runtime;

	for (int i = 0; (d = engine_device(c->engine, i, &runtime)); i++) {
		cJSON *x = json_new_object();

		json_add_string(x, "runtime", runtime);
		json_add_int(x, "ordinal", d->ordinal);
		json_add_string(x, "name", d->name);
		json_add_string(x, "uuid", d->uuid);
		json_add_string(x, "arch", d->arch);
		json_add_string(x, "driver", d->driver);
		json_add_string(x, "compiler", d->compiler);
		json_push(list, x);
	}
}

static void add_workers(struct control *c, cJSON *o)
{
	cJSON *x = json_add_object(o, "workers");
	struct engine_workers w;

	engine_workers(c->engine, &w);
	json_add_int(x, "compile", w.compile_size);
	json_add_int(x, "compile_up", w.compile_up);
	json_add_int(x, "compile_busy", w.compile_busy);
	json_add_int(x, "measure_up", w.measure_up);
}

static int daemon_status(struct control *c, struct rpc_call *call, const struct json_node *params,
			 struct err *e)
{
	cJSON *o = json_new_object();
	int r = json_only(params, no_keys, e);

	json_add_int(o, "pid", getpid());
	json_add_string(o, "version", EVO_TUNED_VERSION);
	json_add_double(o, "uptime_s", (double)(clock_mono_ns() - c->started_ns) / 1e9);
	json_add_string(o, "db", c->db);
	json_add_string(o, "socket", c->socket);
	add_devices(c, o);
	add_workers(c, o);
	json_add_int(o, "clients", c->clients(c->ctx));
	if (r == 0)
		r = add_runs(c, o, true, e);
	return finish(call, o, r);
}

static int daemon_stop(struct control *c, struct rpc_call *call, const struct json_node *params,
		       struct err *e)
{
	cJSON *o;
	int r = json_only(params, no_keys, e);

	if (r < 0)
		return r;
	o = json_new_object();
	json_add_int(o, "pid", getpid());
	rpc_result(call, o);
	c->stop(c->ctx);
	return 0;
}

static const struct {
	const char *name;
	method *call;
} methods[] = {
	{ "search.start", search_start },   { "search.resume", search_resume },
	{ "search.pause", search_pause },   { "search.cancel", search_cancel },
	{ "runs.list", runs_list },	    { "runs.top", runs_top },
	{ "runs.import", runs_import },	    { "events.subscribe", events_subscribe },
	{ "daemon.status", daemon_status }, { "daemon.stop", daemon_stop },
};

void control_dispatch(struct control *c, struct rpc_call *call)
{
	struct json_node params = json_root(call->params);
	struct err e;

	for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
		if (strcmp(methods[i].name, call->method) != 0)
			continue;
		if (methods[i].call(c, call, &params, &e) < 0)
			rpc_fail(call, &e);
		return;
	}
	rpc_error(call, RPC_NO_METHOD, "no such method");
}
