#include "tuner/daemon/engine_types.h"

#include <inttypes.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "tuner/daemon/row.h"

enum { SECOND_MS = 1000 };
static const int64_t cache_bytes = (int64_t)512 << 20;

/* --- looking up --- */

struct active *engine_find(const struct engine *x, int64_t id)
{
	for (struct active *a = x->active; a; a = a->next)
		if (a->id == id && !a->over)
			return a;
	return NULL;
}

/* A run that is over keeps its devices until it is freed. */
static bool device_is_busy(void *ctx, const char *runtime, int ordinal)
{
	const struct engine *x = ctx;

	for (const struct active *a = x->active; a; a = a->next)
		if (run_uses(a->run, runtime, ordinal))
			return true;
	return false;
}

bool engine_busy(const struct engine *x)
{
	return x->active || x->queue.n || x->pending || x->imports || ledger_waiting(x->ledger);
}

struct store *engine_store(struct engine *x)
{
	return x->store;
}

const char *engine_configs(const struct engine *x)
{
	return x->o.configs;
}

/* --- compile work --- */

static bool goes_before(struct engine *x, const struct active *a, const struct active *b)
{
	int pa = run_record_of(a->run)->priority, pb = run_record_of(b->run)->priority;

	return pa != pb ? pa > pb : pool_busy(x->pool, a->run) < pool_busy(x->pool, b->run);
}

/* Of those not asked yet, the run that is to be asked first for work; NULL: all were asked. */
static struct active *next_to_ask(struct engine *x, const bool *asked)
{
	struct active *best = NULL;
	int i = 0;

	for (struct active *a = x->active; a; a = a->next, i++)
		if (!asked[i] && (!best || goes_before(x, a, best)))
			best = a;
	return best;
}

static int index_of(const struct engine *x, const struct active *wanted)
{
	int i = 0;

	for (const struct active *a = x->active; a != wanted; a = a->next)
		i++;
	return i;
}

static bool next_job(void *ctx, int64_t id, struct pool_job *ret)
{
	struct engine *x = ctx;
	bool asked[64] = { 0 };
	struct active *a;

	while ((a = next_to_ask(x, asked))) {
		if (run_next_job(a->run, id, ret))
			return true;
		asked[index_of(x, a)] = true;
	}
	return false;
}

static void on_reply(void *ctx, const struct pool_job *job, struct wire_reply *r)
{
	(void)ctx;
	run_compiled(job->run, job, r);
}

static void on_lost(void *ctx, const struct pool_job *job, const struct proc_loss *l)
{
	(void)ctx;
	run_compile_lost(job->run, job, l);
}

/* --- the ledger --- */

static void on_published(void *ctx, const struct event_record *v)
{
	struct engine *x = ctx;

	x->io.published(x->io.ctx, v);
}

static void on_stored(void *ctx, void *run, const struct run_summary *after)
{
	(void)ctx;
	run_stored(run, after);
}

static void on_full(void *ctx, bool full, const char *why)
{
	struct engine *x = ctx;

	x->full = full;
	if (!full)
		log_info("%s can be written again", x->o.db);
	for (struct active *a = x->active; a; a = a->next)
		run_set_full(a->run, full, why);
	engine_wake(x);
}

static void on_over(void *ctx, struct run *run)
{
	struct engine *x = ctx;

	for (struct active *a = x->active; a; a = a->next)
		if (a->run == run)
			a->over = true;
	engine_wake(x);
}

static void on_disk_full(void *ctx, const struct err *e)
{
	struct engine *x = ctx;

	ledger_report_full(x->ledger, e);
}

/* --- from queued to active --- */

void engine_fail_queued(struct engine *x, struct run_record *rec, const struct err *why)
{
	struct run_summary s = { 0 };
	struct err e;

	queue_remove(&x->queue, rec->id);
	store_summary(x->store, rec->id, &s, &e);
	rec->state = RUN_FAILED;
	free(rec->reason);
	rec->reason = mem_strdup(why->msg);
	rec->ended_ms = clock_wall_ms();
	log_error("run %" PRId64 ": %s", rec->id, why->msg);
	if (ledger_change_run(x->ledger, rec, row_run_event(rec, &s, NULL), &e) < 0)
		log_error("run %" PRId64 ": %s", rec->id, e.msg);
}

static int begin(struct engine *x, struct run_record *rec, const struct device *here, int n_here,
		 struct err *e)
{
	struct run_world w = {
		.loop = x->loop,
		.store = x->store,
		.ledger = x->ledger,
		.pool = x->pool,
		.probe = x->probe,
		.cubins = x->cubins,
		.sources = x->sources,
		.nvrtc = x->o.nvrtc,
		.measure_cpu = x->measure_cpu,
	};
	struct run_owner owner = { x, engine_wake, on_over, on_disk_full };
	struct setup setup = { 0 };
	int64_t id = rec->id;
	struct active *a;
	struct run *run = NULL;
	int r = setup_stored(x->store, rec, here, n_here, &setup, e);

	if (r == 0)
		r = run_new(&w, &owner, rec, &setup, &run, e);
	if (r < 0)
		return r;
	queue_remove(&x->queue, id);
	a = mem_alloc(sizeof *a);
	a->id = id;
	a->run = run;
	a->next = x->active;
	x->active = a;
	log_info("run %" PRId64 ": %s", id, run_record_of(run)->task_name);
	return 0;
}

/* False: it still waits for its devices to be looked for. */
static bool activate(struct engine *x, int64_t id)
{
	struct run_record rec = { 0 };
	const struct device *here;
	int n_here = 0, r;
	struct err e;

	r = store_run(x->store, id, &rec, &e);
	if (r < 0) {
		log_error("run %" PRId64 ": %s", id, e.msg);
		queue_remove(&x->queue, id);
		return true;
	}
	here = probe_devices(x->probe, rec.runtime, &n_here);
	if (!here)
		r = probe_want(x->probe, rec.runtime, &e);
	else
		r = begin(x, &rec, here, n_here, &e);
	if (r == ERR_FULL)
		ledger_report_full(x->ledger, &e); /* it stays queued */
	else if (r < 0)
		engine_fail_queued(x, &rec, &e);
	run_record_release(&rec);
	return here || r < 0;
}

static int active_count(const struct engine *x)
{
	int n = 0;

	for (const struct active *a = x->active; a; a = a->next)
		n++;
	return n;
}

static void start_queued(struct engine *x)
{
	enum { ACTIVE_MAX = 64 };
	int64_t id;

	while (!x->stopping && !x->full && active_count(x) < ACTIVE_MAX &&
	       (id = queue_next(&x->queue, device_is_busy, x)))
		if (!activate(x, id))
			return;
}

/* --- turns --- */

static void free_over(struct engine *x)
{
	struct active **p = &x->active;
	bool any = false;

	while (*p) {
		struct active *a = *p;

		if (!a->over) {
			p = &a->next;
			continue;
		}
		*p = a->next;
		pool_drop(x->pool, a->run);
		run_free(a->run);
		free(a);
		any = true;
	}
	if (any)
		x->io.changed(x->io.ctx);
}

static void tend_pool(struct engine *x)
{
	int avoid = -1;

	for (const struct active *a = x->active; a; a = a->next)
		if (run_pins(a->run))
			avoid = x->measure_cpu;
	if (x->active) {
		pool_avoid(x->pool, avoid);
		pool_wake(x->pool);
	} else {
		pool_rest(x->pool);
	}
}

static void check_stopped(struct engine *x)
{
	if (!x->stopping || x->told_stopped || x->active || x->imports)
		return;
	if (ledger_waiting(x->ledger) && !x->full)
		return;
	x->told_stopped = true;
	x->io.stopped(x->io.ctx);
}

static void turn(struct engine *x)
{
	bool more = false;

	x->woken = false;
	free_over(x);
	start_queued(x);
	tend_pool(x);
	for (struct active *a = x->active; a; a = a->next)
		more |= run_turn(a->run);
	check_stopped(x);
	if (!more && !x->woken)
		uv_idle_stop(&x->idle);
}

static void on_idle(uv_idle_t *h)
{
	turn(h->data);
}

void engine_wake(void *ctx)
{
	struct engine *x = ctx;

	x->woken = true;
	if (!uv_is_closing((uv_handle_t *)&x->idle))
		uv_idle_start(&x->idle, on_idle);
}

static void on_second(uv_timer_t *h)
{
	struct engine *x = h->data;

	for (struct active *a = x->active; a; a = a->next)
		run_second(a->run);
	probe_second(x->probe);
	engine_wake(x);
}

/* --- beginning and ending --- */

static int on_left_behind(void *ctx, const struct run_record *rec, struct err *e)
{
	struct engine *x = ctx;

	(void)e;
	if (rec->state == RUN_QUEUED)
		queue_add(&x->queue, rec);
	else if (rec->state == RUN_RUNNING || rec->state == RUN_WAITING)
		log_info("run %" PRId64 " was interrupted; `evo-tuned resume %" PRId64
			 "` carries on",
			 rec->id, rec->id);
	return 0;
}

/* Of the cores this process may use, the last is where the host runtime measures. */
static void look_at_cores(struct engine *x)
{
	cpu_set_t set;

	x->cores = 1;
	x->measure_cpu = -1;
	if (sched_getaffinity(0, sizeof set, &set))
		return;
	x->cores = CPU_COUNT(&set);
	for (int i = 0; x->cores > 1 && i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &set))
			x->measure_cpu = i;
}

static int open_state(struct engine *x, struct err *e)
{
	char *dir = file_dirname(x->o.db), *cache = file_join(dir, "cache");
	int r = store_open(x->o.db, STORE_WRITE, &x->store, e);

	x->sources = file_join(dir, "sources");
	if (r == 0)
		r = cubins_open(cache, cache_bytes, &x->cubins, e);
	if (r == 0)
		r = file_mkdirs(x->sources, e);
	free(cache);
	free(dir);
	return r;
}

/* The first event of a life; without it, too, the daemon can serve. */
static void tell_started(struct engine *x)
{
	struct err e;

	if (ledger_add_event(x->ledger, "daemon", mem_strdup("{\"state\":\"started\"}"), &e) < 0)
		log_error("%s: %s", x->o.db, e.msg);
}

int engine_new(uv_loop_t *loop, const struct engine_options *o, const struct engine_io *io,
	       struct engine **ret, struct err *e)
{
	struct engine *x = mem_alloc(sizeof *x);
	struct pool_io pool_io = { x, next_job, on_reply, on_lost };
	struct ledger_io ledger_io = { x, on_published, on_stored, on_full };
	int r;

	x->loop = loop;
	x->io = *io;
	x->o = *o;
	queue_init(&x->queue);
	look_at_cores(x);
	r = open_state(x, e);
	if (r == 0)
		r = store_each_run(x->store, on_left_behind, x, e);
	if (r < 0) {
		engine_free(x);
		return r;
	}
	x->ledger = ledger_new(loop, x->store, &ledger_io);
	x->pool = pool_new(loop, o->jobs ? o->jobs : x->cores, o->nvrtc, &pool_io);
	x->probe = probe_new(loop, o->nvrtc, engine_probed, x);
	uv_idle_init(loop, &x->idle);
	uv_idle_init(loop, &x->slices);
	uv_timer_init(loop, &x->second);
	x->idle.data = x->slices.data = x->second.data = x;
	uv_timer_start(&x->second, on_second, SECOND_MS, SECOND_MS);
	tell_started(x);
	engine_wake(x);
	*ret = x;
	return 0;
}

void engine_stop(struct engine *x)
{
	if (x->stopping)
		return;
	x->stopping = true;
	for (struct active *a = x->active; a; a = a->next)
		run_stop(a->run);
	engine_wake(x);
}

void engine_close(struct engine *x)
{
	if (!x)
		return;
	engine_start_refuse(x);
	engine_import_refuse(x);
	ledger_close(x->ledger);
	pool_close(x->pool);
	probe_close(x->probe);
	for (struct active *a; (a = x->active);) {
		x->active = a->next;
		run_free(a->run);
		free(a);
	}
	uv_close((uv_handle_t *)&x->idle, NULL);
	uv_close((uv_handle_t *)&x->slices, NULL);
	uv_close((uv_handle_t *)&x->second, NULL);
}

void engine_free(struct engine *x)
{
	if (!x)
		return;
	queue_release(&x->queue);
	cubins_close(x->cubins);
	store_close(x->store);
	free(x->sources);
	free(x);
}
