#include "tuner/daemon/run_types.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "tuner/daemon/row.h"
#include "tuner/daemon/settings_json.h"
#include "tuner/daemon/stop.h"
#include "tuner/daemon/warm_json.h"

#define TO(p) (1u << RUN_##p)

static const unsigned may_go_to[RUN_PHASE_COUNT] = {
	[RUN_RECALLING] = TO(SEARCHING) | TO(OVER),
	[RUN_SEARCHING] = TO(DRAINING) | TO(FINAL) | TO(OVER),
	[RUN_DRAINING] = TO(SEARCHING) | TO(FINAL) | TO(OVER),
	[RUN_FINAL] = TO(OVER),
	[RUN_OVER] = 0,
};

static void move(struct run *r, enum run_phase to)
{
	if (!(may_go_to[r->phase] & (1u << to)))
		abort();
	r->phase = to;
}

double run_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

double run_active_s(const struct run *r)
{
	return r->record.active_s +
	       (r->active_ns ? (double)(clock_mono_ns() - r->active_ns) / 1e9 : 0);
}

/* --- beginning --- */

static int check_sources(struct run *r, struct err *e)
{
	int code;

	r->root = file_join(r->w.sources, r->record.source_hash);
	code = task_materialise(r->setup.task, r->root, e);
	return code < 0 ? err_wrap(e, "sources of run %lld", (long long)r->record.id) : 0;
}

static void take_references(struct run *r)
{
	const struct problem *p = task_problem(r->setup.bound);

	r->references = mem_array((size_t)p->n_references, sizeof *r->references);
	for (int i = 0; i < p->n_references; i++)
		r->references[i].needed = !p->references[i].files;
}

static void take_devices(struct run *r)
{
	r->devices = mem_array((size_t)r->setup.n_devices, sizeof *r->devices);
	for (int i = 0; i < r->setup.n_devices; i++) {
		r->devices[i].run = r;
		r->devices[i].device = &r->setup.devices[i];
	}
}

/* A run that measures on a core leaves that one alone. */
static int compile_slots(const struct run *r)
{
	int size = pool_size(r->w.pool);

	if (r->record.jobs && r->record.jobs < size)
		return r->record.jobs;
	return run_pins(r) && !r->record.jobs && size > 1 ? size - 1 : size;
}

/* How many trials may be on their way: enough to keep every worker busy. */
static int lookahead(const struct run *r)
{
	return compile_slots(r) + 2 * r->setup.n_devices;
}

/* While the device gets ready, compiling goes on: with once more what the workers hold, but no more
 * than an eighth of the budget on top, since nothing is known yet that could choose it. */
static int first_lookahead(const struct run *r)
{
	int64_t more = r->record.budget / 8;

	return lookahead(r) + (more < compile_slots(r) ? (int)more : compile_slots(r));
}

static int new_search(struct run *r, struct err *e)
{
	const struct space *s = task_space(r->setup.bound);
	size_t bytes = (size_t)space_params(s) * sizeof *r->baseline;
	struct search_options o = {
		.strategy = r->record.strategy,
		.seed = r->record.seed,
		.elite_k = r->record.elite_k,
		.outstanding = lookahead(r),
	};
	struct sched_io io = run_sched_io;
	struct settings settings;
	struct warm_first first;
	struct warm_past past;
	int code;

	if (settings_parse(r->record.settings, r->record.strategy, &settings, e) < 0)
		return e->code;
	o.settings = &settings;
	o.first = task_first(r->setup.bound, &o.n_first);
	r->baseline = mem_copy(o.first, bytes);
	io.ctx = r;
	r->sched = sched_new(&io, r->record.budget);
	sched_set_lookahead(r->sched, lookahead(r), first_lookahead(r));
	if (warm_past(r->record.warm, s, &past, e) < 0)
		return e->code;
	if (warm_append(r->record.warm, s, o.first, o.n_first, &first, e) < 0) {
		warm_past_release(&past);
		return e->code;
	}
	o.first = first.config;
	o.n_first = first.n;
	o.n_warm = first.n_warm;
	o.past = past.trial;
	o.n_past = past.n;
	code = search_new(s, &o, &r->search, e);
	warm_past_release(&past);
	free(first.config);
	return code;
}

/* Two runs of one identity share their devices, so that there cannot be another one later. */
static int on_other_run(void *ctx, const struct run_record *other, struct err *e)
{
	struct run *r = ctx;

	(void)e;
	if (other->id != r->record.id && strcmp(other->identity, r->record.identity) == 0)
		r->first = false;
	return 0;
}

static int look_for_earlier(struct run *r, struct err *e)
{
	r->first = true;
	return store_each_run(r->w.store, on_other_run, r, e);
}

static void take_gates(struct run *r)
{
	for (int g = 0; g < GATE_FIGURE_COUNT; g++)
		r->gates[g] = *task_gate(r->setup.task, (enum gate_figure)g);
}

/* Writes the record with an event that tells of its state. */
static void write_state(struct run *r)
{
	r->pending++;
	ledger_run(r->w.ledger, r, &r->record,
		   row_run_event(&r->record, &r->told, run_phase_name(r)));
}

static void set_state(struct run *r, enum run_state state, const char *reason)
{
	char *copy = mem_strdup(reason); /* it may be the one that is freed */

	r->record.state = state;
	free(r->record.reason);
	r->record.reason = copy;
}

static void start(struct run *r)
{
	free(r->record.baseline);
	r->record.baseline = task_config_json(task_space(r->setup.bound), r->baseline);
	set_state(r, RUN_RUNNING, NULL);
	if (!r->record.started_ms)
		r->record.started_ms = clock_wall_ms();
	r->record.ended_ms = 0;
	r->active_ns = clock_mono_ns();
	write_state(r);
}

int run_new(const struct run_world *w, const struct run_owner *o, struct run_record *record,
	    struct setup *setup, struct run **ret, struct err *e)
{
	struct run *r = mem_alloc(sizeof *r);
	int code;

	r->w = *w;
	r->owner = *o;
	r->record = *record;
	r->setup = *setup;
	*record = (struct run_record){ 0 };
	*setup = (struct setup){ 0 };
	recall_init(&r->recall);
	take_references(r);
	take_devices(r);
	take_gates(r);
	run_find_ceilings(r);
	code = check_sources(r, e);
	if (code == 0)
		code = new_search(r, e);
	if (code == 0)
		code = look_for_earlier(r, e);
	if (code < 0) {
		*record = r->record; /* the caller has to say that it failed */
		r->record = (struct run_record){ 0 };
		run_free(r);
		return code;
	}
	start(r);
	*ret = r;
	return 0;
}

static void unpin_references(struct run *r)
{
	for (int i = 0; i < task_problem(r->setup.bound)->n_references; i++)
		if (r->references[i].built)
			cubins_unpin(r->w.cubins, r->references[i].hash);
}

static void unpin(void *run, struct trial *t)
{
	run_trial_unpin(run, t);
}

void run_free(struct run *r)
{
	if (!r)
		return;
	run_close_meters(r);
	run_final_free(r);
	if (r->anchor)
		run_trial_unpin(r, r->anchor);
	trial_free(r->anchor);
	if (r->sched)
		sched_each(r->sched, unpin, r);
	unpin_references(r);
	sched_free(r->sched);
	recall_release(&r->recall);
	search_free(r->search);
	setup_release(&r->setup);
	run_record_release(&r->record);
	free(r->references);
	free(r->devices);
	free(r->baseline);
	free(r->found);
	free(r->root);
	free(r->then_reason);
	free(r->unbuilt);
	free(r->doom);
	free(r);
}

/* --- ending --- */

static void keep_time(struct run *r)
{
	r->record.active_s = run_active_s(r);
	r->active_ns = 0;
}

static void end(struct run *r, enum run_state state, const char *reason)
{
	keep_time(r);
	set_state(r, state, reason);
	if (run_state_ended(state))
		r->record.ended_ms = clock_wall_ms();
	move(r, RUN_OVER);
	pool_drop(r->w.pool, r);
	run_close_meters(r);
	write_state(r);
	log_info("run %lld: %s%s%s", (long long)r->record.id, run_state_name(state),
		 reason ? ": " : "", reason ? reason : "");
}

void run_doom(struct run *r, const char *fmt, ...)
{
	struct str s = STR_INIT;
	va_list ap;

	if (r->doom)
		return;
	va_start(ap, fmt);
	str_vaddf(&s, fmt, ap);
	va_end(ap);
	r->doom = str_detach(&s);
}

static void drain(struct run *r, enum run_state then, char *reason)
{
	sched_hold(r->sched, true);
	r->then = then;
	free(r->then_reason);
	r->then_reason = reason;
	if (r->phase == RUN_SEARCHING)
		move(r, RUN_DRAINING);
}

static char *text(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static char *text(const char *fmt, ...)
{
	struct str s = STR_INIT;
	va_list ap;

	va_start(ap, fmt);
	str_vaddf(&s, fmt, ap);
	va_end(ap);
	return str_detach(&s);
}

/* Takes the reason over; NULL: then_reason has it. */
static void begin_final(struct run *r, char *reason)
{
	r->then = RUN_DONE;
	if (reason) {
		free(r->then_reason);
		r->then_reason = reason;
	}
	move(r, RUN_FINAL);
	write_state(r);
}

/* The trials stand, whatever becomes of the final. */
static void end_without_final(struct run *r)
{
	char *why = text("%s; no final: %s", r->then_reason, r->doom);

	end(r, RUN_DONE, why);
	free(why);
}

static void tick_final(struct run *r)
{
	bool going;

	if (r->stopping) {
		end(r, RUN_RUNNING, NULL);
		return;
	}
	if (!r->doom && run_surveys(r))
		return;
	going = !r->doom && run_final_go(r);
	if (r->doom)
		end_without_final(r);
	else if (!going)
		end(r, RUN_DONE, r->then_reason);
}

static bool is_searched(const struct run *r)
{
	return r->phase == RUN_SEARCHING && !sched_in_flight(r->sched) &&
	       (sched_spent(r->sched) || sched_dry(r->sched));
}

static void end_searched(struct run *r)
{
	char *why;

	if (run_barren(r)) {
		run_doom_barren(r);
		end(r, RUN_FAILED, r->doom);
		return;
	}
	if (sched_spent(r->sched))
		why = text("budget of %lld reached", (long long)r->record.budget);
	else
		why = text("the space is exhausted after %lld configurations",
			   (long long)r->told.trials);
	begin_final(r, why);
}

static void check_rules(struct run *r)
{
	char *why = NULL;

	if (r->phase == RUN_SEARCHING)
		why = stop_reason(&r->record, &r->told, run_active_s(r));
	if (why)
		drain(r, RUN_DONE, why);
}

/* When the daemon ends, what no worker holds may be dropped: it will be proposed again, the
 * same. */
static bool is_drained(const struct run *r)
{
	if (!r->stopping)
		return !sched_in_flight(r->sched);
	return !sched_count(r->sched, TRIAL_COMPILING) && !sched_count(r->sched, TRIAL_MEASURING);
}

void run_tick(struct run *r)
{
	if (r->phase == RUN_OVER)
		return;
	if (r->phase == RUN_FINAL) {
		tick_final(r);
		return;
	}
	if (r->doom) {
		end(r, RUN_FAILED, r->doom);
		return;
	}
	if (r->phase == RUN_RECALLING) {
		if (r->stopping)
			end(r, r->then, r->then_reason);
		return;
	}
	check_rules(r);
	if (is_searched(r)) {
		end_searched(r);
		return;
	}
	if (r->phase == RUN_DRAINING && is_drained(r)) {
		if (r->then == RUN_DONE && r->stopping)
			end(r, RUN_RUNNING, NULL); /* its final is still to come */
		else if (r->then == RUN_DONE)
			begin_final(r, NULL);
		else
			end(r, r->then, r->then_reason);
		return;
	}
	run_open_meters(r);
	if (!r->stopping)
		run_feed_meters(r);
}

static void wake(struct run *r)
{
	r->owner.wake(r->owner.ctx);
}

/* --- what others say --- */

bool run_next_job(struct run *r, int64_t id, struct pool_job *ret)
{
	struct trial *t;

	if (r->full || r->stopping || r->doom || r->phase == RUN_RECALLING ||
	    r->phase == RUN_OVER || pool_busy(r->w.pool, r) >= compile_slots(r))
		return false;
	if (run_job_of_reference(r, id, ret))
		return true;
	if (r->phase == RUN_FINAL)
		return run_final_job(r, id, ret);
	while ((t = sched_next_compile(r->sched)))
		if (run_job_of_trial(r, t, id, ret))
			return true;
	if (r->doom || is_searched(r))
		r->owner.wake(r->owner.ctx);
	return false;
}

void run_compiled(struct run *r, const struct pool_job *job, struct wire_reply *reply)
{
	if (job->trial && r->phase == RUN_FINAL)
		run_final_compiled(r, job->trial, reply);
	else if (job->trial)
		run_trial_compiled(r, job->trial, reply);
	else
		run_reference_compiled(r, job->reference, reply);
	run_tick(r);
	wake(r);
}

void run_compile_lost(struct run *r, const struct pool_job *job, const struct proc_loss *l)
{
	if (job->trial && r->phase == RUN_FINAL)
		run_final_compile_lost(r, job->trial, l);
	else if (job->trial)
		run_trial_lost(r, job->trial, l, NULL);
	else
		run_reference_lost(r, job->reference, l);
	run_tick(r);
	wake(r);
}

bool run_turn(struct run *r)
{
	bool more = false;

	if (r->phase == RUN_RECALLING && !r->doom) {
		more = run_recall(r);
		if (!more && !r->doom)
			move(r, RUN_SEARCHING);
		if (!more && !r->doom && r->then_reason)
			move(r, RUN_DRAINING);
	}
	run_tick(r);
	return more || (r->phase == RUN_SEARCHING && sched_more(r->sched));
}

void run_second(struct run *r)
{
	run_tick(r);
}

void run_stored(struct run *r, const struct run_summary *after)
{
	if (after)
		r->stored = *after;
	r->pending--;
	if (r->phase == RUN_OVER && r->pending == 0)
		r->owner.over(r->owner.ctx, r);
	else if (r->phase == RUN_FINAL && r->pending == 0)
		wake(r);
}

void run_set_full(struct run *r, bool full, const char *why)
{
	if (r->phase == RUN_OVER || r->full == full)
		return;
	r->full = full;
	set_state(r, full ? RUN_WAITING : RUN_RUNNING, why);
	write_state(r);
	if (!full)
		run_tick(r);
	wake(r);
}

int run_check_limits(const struct run *r, const struct stop_change *c, struct err *e)
{
	struct run_record then = r->record;

	stop_apply(c, &then);
	return stop_check(&then, e);
}

void run_set_limits(struct run *r, const struct stop_change *c)
{
	stop_apply(c, &r->record);
	sched_set_budget(r->sched, r->record.budget);
	write_state(r);
	wake(r);
}

bool run_pause(struct run *r)
{
	if (r->phase == RUN_OVER || (r->phase == RUN_DRAINING && r->then != RUN_PAUSED))
		return false;
	if (r->phase == RUN_FINAL) { /* it will be made when the run is resumed */
		end(r, RUN_PAUSED, "paused by a user");
		return true;
	}
	drain(r, RUN_PAUSED, mem_strdup("paused by a user"));
	run_tick(r);
	return true;
}

bool run_unpause(struct run *r)
{
	if (r->phase == RUN_OVER || r->phase == RUN_FINAL ||
	    (r->phase == RUN_DRAINING && r->then != RUN_PAUSED))
		return false;
	sched_hold(r->sched, false);
	free(r->then_reason);
	r->then_reason = NULL;
	if (r->phase == RUN_DRAINING)
		move(r, RUN_SEARCHING);
	run_tick(r);
	wake(r);
	return true;
}

void run_stop(struct run *r)
{
	if (r->phase == RUN_OVER)
		return;
	r->stopping = true;
	if (r->phase != RUN_DRAINING)
		drain(r, RUN_RUNNING, NULL);
	run_tick(r);
}

void run_cancel(struct run *r)
{
	if (r->phase != RUN_OVER)
		end(r, RUN_CANCELLED, "cancelled by a user");
}

const char *run_phase_name(const struct run *r)
{
	static const char *const names[RUN_PHASE_COUNT] = {
		"recalling", "searching", "draining", "final", "over",
	};

	return names[r->phase];
}

const struct run_record *run_record_of(const struct run *r)
{
	return &r->record;
}

const struct run_summary *run_summary_of(const struct run *r)
{
	return &r->stored;
}

bool run_pins(const struct run *r)
{
	return r->w.measure_cpu >= 0 && strcmp(r->record.runtime, "host") == 0;
}

bool run_uses(const struct run *r, const char *runtime, int ordinal)
{
	if (strcmp(r->record.runtime, runtime) != 0)
		return false;
	for (int i = 0; i < r->setup.n_devices; i++)
		if (r->devices[i].device->ordinal == ordinal)
			return true;
	return false;
}

int run_meters(const struct run *r)
{
	int n = 0;

	for (int i = 0; i < r->setup.n_devices; i++)
		n += r->devices[i].meter && meter_pid(r->devices[i].meter) > 0;
	return n;
}
