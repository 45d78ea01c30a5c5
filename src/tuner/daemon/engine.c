#include "tuner/daemon/engine.h"

#include <inttypes.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "tuner/daemon/probe.h"
#include "tuner/daemon/queue.h"
#include "tuner/daemon/row.h"
#include "version.h"

enum { SECOND_MS = 1000 };
static const int64_t cache_bytes = (int64_t)512 << 20;

struct active {
	struct run *run;
	int64_t id;
	bool over; /* to be freed in the next turn */
	struct active *next;
};

struct pending {
	struct engine_start start;
	struct pending *next;
};

struct engine {
	uv_loop_t *loop;
	struct engine_io io;
	struct engine_options o;
	char *sources;
	struct store *store;
	struct ledger *ledger;
	struct cubins *cubins;
	struct pool *pool;
	struct probe *probe;
	struct queue queue;
	struct active *active;
	struct pending *pending; /* starts that wait for their devices to be known */
	uv_idle_t idle;		 /* turns of runs that have more to do */
	uv_timer_t second;
	bool woken, stopping, told_stopped, full;
	int measure_cpu, cores;
};

static void wake(void *ctx);
static void turn(struct engine *x);

/* --- looking up --- */

static struct active *find_active(const struct engine *x, int64_t id)
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
	return x->active || x->queue.n || x->pending || ledger_waiting(x->ledger);
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
	wake(x);
}

static void on_over(void *ctx, struct run *run)
{
	struct engine *x = ctx;

	for (struct active *a = x->active; a; a = a->next)
		if (a->run == run)
			a->over = true;
	wake(x);
}

static void on_disk_full(void *ctx, const struct err *e)
{
	struct engine *x = ctx;

	ledger_report_full(x->ledger, e);
}

/* --- from queued to active --- */

/* The run cannot begin; its record says why from now on. */
static void fail_queued(struct engine *x, struct run_record *rec, const struct err *why)
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
	if (ledger_change_run(x->ledger, rec, row_run_event(rec, &s), &e) < 0)
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
		.cubins = x->cubins,
		.sources = x->sources,
		.nvrtc = x->o.nvrtc,
		.measure_cpu = x->measure_cpu,
	};
	struct run_owner owner = { x, wake, on_over, on_disk_full };
	struct setup setup = { 0 };
	int64_t id = rec->id;
	struct active *a;
	struct run *run;
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
	if (r < 0)
		fail_queued(x, &rec, &e);
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
	if (!x->stopping || x->told_stopped || x->active)
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

static void wake(void *ctx)
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
	wake(x);
}

/* --- starting runs --- */

static void answer_start(struct engine_start *s, int64_t run, const struct err *e)
{
	s->done(s->ctx, run, e);
	run_record_release(&s->record);
	task_free(s->task);
}

static char *all_ordinals(const struct device *here, int n)
{
	cJSON *list = json_new_list();
	char *text;

	for (int i = 0; i < n; i++)
		json_push(list, cJSON_CreateNumber(here[i].ordinal));
	text = json_render(list);
	cJSON_Delete(list);
	return text;
}

static int store_new(struct engine *x, struct run_record *rec, const struct setup *setup,
		     struct err *e)
{
	const struct task_source *src;
	int n = task_sources(setup->task, &src), r;
	struct store_source *list = mem_array((size_t)n, sizeof *list);
	char *environment = setup_environment(setup);

	for (int i = 0; i < n; i++)
		list[i] =
			(struct store_source){ src[i].path, src[i].text, src[i].hash, src[i].len };
	rec->state = RUN_QUEUED;
	rec->created_ms = clock_wall_ms();
	rec->version = mem_strdup(EVO_TUNED_VERSION);
	task_identity(setup->bound, rec->identity);
	r = ledger_add_run(x->ledger, rec, list, n, environment, e);
	free(environment);
	free(list);
	return r;
}

static void start_known(struct engine *x, struct engine_start *s, const struct device *here,
			int n_here)
{
	struct setup setup = { 0 };
	struct err e;
	int r;

	if (s->all_devices) {
		free(s->record.devices);
		s->record.devices = all_ordinals(here, n_here);
	}
	r = setup_bind(&s->record, s->task, here, n_here, &setup, &e);
	s->task = NULL;
	if (r == 0)
		r = store_new(x, &s->record, &setup, &e);
	setup_release(&setup);
	if (r == 0)
		queue_add(&x->queue, &s->record);
	answer_start(s, r == 0 ? s->record.id : 0, r < 0 ? &e : NULL);
	x->io.changed(x->io.ctx);
	wake(x);
}

void engine_start(struct engine *x, struct engine_start *s)
{
	const struct device *here;
	struct pending *p;
	struct err e;
	int n_here;

	if (x->stopping) {
		err_set(&e, ERR_BUSY, "the daemon is ending; start it again");
		answer_start(s, 0, &e);
		return;
	}
	here = probe_devices(x->probe, s->record.runtime, &n_here);
	if (here) {
		start_known(x, s, here, n_here);
		return;
	}
	if (probe_want(x->probe, s->record.runtime, &e) < 0) {
		answer_start(s, 0, &e);
		return;
	}
	p = mem_alloc(sizeof *p);
	p->start = *s;
	for (struct pending **end = &x->pending;; end = &(*end)->next)
		if (!*end) {
			*end = p;
			break;
		}
}

/* Takes the first start that waits for this runtime out of the list. */
static struct pending *take_pending(struct engine *x, const char *runtime)
{
	for (struct pending **p = &x->pending; *p; p = &(*p)->next) {
		struct pending *found = *p;

		if (strcmp(found->start.record.runtime, runtime) != 0)
			continue;
		*p = found->next;
		return found;
	}
	return NULL;
}

static int fail_one_queued(struct engine *x, const char *runtime, const struct err *why)
{
	for (int i = 0; i < x->queue.n; i++) {
		struct run_record rec = { 0 };
		struct err e;

		if (strcmp(x->queue.items[i].runtime, runtime) != 0)
			continue;
		if (store_run(x->store, x->queue.items[i].run, &rec, &e) < 0)
			return 0;
		fail_queued(x, &rec, why);
		run_record_release(&rec);
		return 1;
	}
	return 0;
}

static void on_probed(void *ctx, const char *runtime, const struct err *e)
{
	struct engine *x = ctx;
	const struct device *here;
	struct pending *p;
	int n_here = 0;

	here = probe_devices(x->probe, runtime, &n_here);
	while ((p = take_pending(x, runtime))) {
		if (here)
			start_known(x, &p->start, here, n_here);
		else
			answer_start(&p->start, 0, e);
		free(p);
	}
	while (!here && fail_one_queued(x, runtime, e))
		;
	wake(x);
}

/* --- changing runs --- */

static const char *shown_state(const struct engine *x, const struct run_record *rec)
{
	bool held = rec->state == RUN_RUNNING || rec->state == RUN_WAITING;

	return held && !find_active(x, rec->id) ? "interrupted" : run_state_name(rec->state);
}

static void answer(const struct engine *x, const struct run_record *rec, struct engine_answer *ret)
{
	*ret = (struct engine_answer){ rec->id, rec->budget, shown_state(x, rec) };
}

static int pick(struct engine *x, int64_t run, int64_t *ret, struct err *e)
{
	int r;

	*ret = run;
	if (run)
		return 0;
	r = store_newest_run(x->store, true, ret, e);
	if (r == ERR_MISSING || (r == 0 && !*ret))
		return err_set(e, ERR_MISSING,
			       "there is no unfinished run; name one by its number (see "
			       "`evo-tuned runs`)");
	return r;
}

static int ending(int64_t run, struct err *e)
{
	return err_set(e, ERR_BUSY, "run %" PRId64 " is just ending; try again", run);
}

static int check_budget(struct engine *x, const struct run_record *rec, int64_t budget,
			struct err *e)
{
	int64_t total = budget ? budget : rec->budget;
	struct run_summary s;
	int r;

	if (rec->state != RUN_DONE)
		return 0;
	r = store_summary(x->store, rec->id, &s, e);
	if (r < 0)
		return r;
	if (s.done < total)
		return 0;
	return err_set(e, ERR_INVALID,
		       "run %" PRId64 " has done %" PRId64 " of %" PRId64
		       " trials; give it a new total above that with --budget",
		       rec->id, s.done, total);
}

/* Writes a change of a run that is not active; then it waits for its turn, if it is queued. */
static int change(struct engine *x, struct run_record *rec, enum run_state state,
		  const char *reason, struct err *e)
{
	struct run_summary s;
	int r = store_summary(x->store, rec->id, &s, e);

	if (r < 0)
		return r;
	rec->state = state;
	free(rec->reason);
	rec->reason = mem_strdup(reason);
	rec->ended_ms = run_state_ended(state) ? clock_wall_ms() : 0;
	r = ledger_change_run(x->ledger, rec, row_run_event(rec, &s), e);
	if (r < 0)
		return r;
	if (state == RUN_QUEUED)
		queue_add(&x->queue, rec);
	else
		queue_remove(&x->queue, rec->id);
	x->io.changed(x->io.ctx);
	wake(x);
	return 0;
}

static int resume_inactive(struct engine *x, int64_t run, int64_t budget, struct engine_answer *ret,
			   struct err *e)
{
	struct run_record rec = { 0 };
	int r = store_run(x->store, run, &rec, e);

	if (r == 0)
		r = check_budget(x, &rec, budget, e);
	if (r == 0) {
		rec.budget = budget ? budget : rec.budget;
		r = change(x, &rec, RUN_QUEUED, NULL, e);
	}
	if (r == 0)
		answer(x, &rec, ret);
	run_record_release(&rec);
	return r;
}

int engine_resume(struct engine *x, int64_t run, int64_t budget, struct engine_answer *ret,
		  struct err *e)
{
	struct active *a;
	int r = pick(x, run, &run, e);

	if (r < 0)
		return r;
	if (x->stopping)
		return err_set(e, ERR_BUSY, "the daemon is ending; start it again");
	a = find_active(x, run);
	if (!a)
		return resume_inactive(x, run, budget, ret, e);
	if (!run_unpause(a->run))
		return ending(run, e);
	if (budget)
		run_set_budget(a->run, budget);
	answer(x, run_record_of(a->run), ret);
	return 0;
}

/* For runs that are not active: from `held` states to `to`. */
static int hold_inactive(struct engine *x, int64_t run, enum run_state to, const char *reason,
			 struct engine_answer *ret, struct err *e)
{
	struct run_record rec = { 0 };
	int r = store_run(x->store, run, &rec, e);

	if (r == 0 && run_state_ended(rec.state))
		r = err_set(e, ERR_INVALID, "run %" PRId64 " has ended (%s)", run,
			    run_state_name(rec.state));
	if (r == 0)
		r = change(x, &rec, to, reason, e);
	if (r == 0)
		answer(x, &rec, ret);
	run_record_release(&rec);
	return r;
}

int engine_pause(struct engine *x, int64_t run, struct engine_answer *ret, struct err *e)
{
	struct active *a;
	int r = pick(x, run, &run, e);

	if (r < 0)
		return r;
	a = find_active(x, run);
	if (!a)
		return hold_inactive(x, run, RUN_PAUSED, "paused by a user", ret, e);
	if (!run_pause(a->run))
		return ending(run, e);
	*ret = (struct engine_answer){ run, run_record_of(a->run)->budget, "paused" };
	return 0;
}

int engine_cancel(struct engine *x, int64_t run, struct engine_answer *ret, struct err *e)
{
	struct active *a;
	int r = pick(x, run, &run, e);

	if (r < 0)
		return r;
	a = find_active(x, run);
	if (!a)
		return hold_inactive(x, run, RUN_CANCELLED, "cancelled by a user", ret, e);
	run_cancel(a->run);
	answer(x, run_record_of(a->run), ret);
	return 0;
}

/* --- showing --- */

struct each {
	struct engine *x;
	engine_on_run *f;
	void *ctx;
};

static int on_run(void *ctx, const struct run_record *rec, struct err *e)
{
	struct each *each = ctx;
	struct active *a = find_active(each->x, rec->id);
	struct run_summary s;
	struct engine_run shown = { rec, &s, shown_state(each->x, rec), rec->active_s };
	int r;

	if (a) {
		shown.record = run_record_of(a->run);
		shown.summary = run_summary_of(a->run);
		shown.state = run_state_name(shown.record->state);
		shown.active_s = run_active_s(a->run);
		return each->f(each->ctx, &shown, e);
	}
	r = store_summary(each->x->store, rec->id, &s, e);
	return r < 0 ? r : each->f(each->ctx, &shown, e);
}

int engine_each_run(struct engine *x, engine_on_run *f, void *ctx, struct err *e)
{
	struct each each = { x, f, ctx };

	return store_each_run(x->store, on_run, &each, e);
}

void engine_workers(const struct engine *x, struct engine_workers *ret)
{
	*ret = (struct engine_workers){
		.compile_up = pool_up(x->pool),
		.compile_busy = pool_busy(x->pool, NULL),
		.compile_size = pool_size(x->pool),
	};
	for (const struct active *a = x->active; a; a = a->next)
		ret->measure_up += run_meters(a->run);
}

const struct device *engine_device(const struct engine *x, int i, const char **ret_runtime)
{
	for (int k = 0; probe_runtime(k); k++) {
		int n = 0;
		const struct device *d = probe_devices(x->probe, probe_runtime(k), &n);

		if (i < n) {
			*ret_runtime = probe_runtime(k);
			return &d[i];
		}
		i -= n;
	}
	return NULL;
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
	x->probe = probe_new(loop, o->nvrtc, on_probed, x);
	uv_idle_init(loop, &x->idle);
	uv_timer_init(loop, &x->second);
	x->idle.data = x->second.data = x;
	uv_timer_start(&x->second, on_second, SECOND_MS, SECOND_MS);
	tell_started(x);
	wake(x);
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
	wake(x);
}

void engine_close(struct engine *x)
{
	struct pending *p;
	struct err e;

	if (!x)
		return;
	err_set(&e, ERR_BUSY, "the daemon is ending; start it again");
	while ((p = x->pending)) {
		x->pending = p->next;
		answer_start(&p->start, 0, &e);
		free(p);
	}
	ledger_close(x->ledger);
	pool_close(x->pool);
	probe_close(x->probe);
	for (struct active *a; (a = x->active);) {
		x->active = a->next;
		run_free(a->run);
		free(a);
	}
	uv_close((uv_handle_t *)&x->idle, NULL);
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
