#include "tuner/daemon/engine_types.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "tuner/daemon/row.h"
#include "tuner/daemon/stop.h"

/* Resuming, pausing and cancelling runs, active or not; and showing them. */

static const char *shown_state(const struct engine *x, const struct run_record *rec)
{
	bool held = rec->state == RUN_RUNNING || rec->state == RUN_WAITING;

	return held && !engine_find(x, rec->id) ? "interrupted" : run_state_name(rec->state);
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

/* A run that is done goes on only if what ended it would not end it again at once. */
static int check_limits(struct engine *x, const struct run_record *rec, struct err *e)
{
	struct run_summary s;
	char *why;
	int r;

	if (rec->state != RUN_DONE)
		return 0;
	r = store_summary(x->store, rec->id, &s, e);
	if (r < 0)
		return r;
	if (s.done >= rec->budget)
		return err_set(e, ERR_INVALID,
			       "run %" PRId64 " has done %" PRId64 " of %" PRId64
			       " trials; give it a new total above that with --budget",
			       rec->id, s.done, rec->budget);
	why = stop_reason(rec, &s, rec->active_s);
	if (!why)
		return 0;
	r = err_set(e, ERR_INVALID,
		    "run %" PRId64 " would end again at once: %s; give it another --time-limit, "
		    "--stop-after-no-gain or --target, 0 for none",
		    rec->id, why);
	free(why);
	return r;
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
	r = ledger_change_run(x->ledger, rec, row_run_event(rec, &s, NULL), e);
	if (r < 0)
		return r;
	if (state == RUN_QUEUED)
		queue_add(&x->queue, rec);
	else
		queue_remove(&x->queue, rec->id);
	x->io.changed(x->io.ctx);
	engine_wake(x);
	return 0;
}

static int resume_inactive(struct engine *x, int64_t run, const struct stop_change *c,
			   struct engine_answer *ret, struct err *e)
{
	struct run_record rec = { 0 };
	int r = store_run(x->store, run, &rec, e);

	if (r == 0)
		r = run_need_kernel(&rec, e);
	if (r == 0) {
		stop_apply(c, &rec);
		r = stop_check(&rec, e);
	}
	if (r == 0)
		r = check_limits(x, &rec, e);
	if (r == 0)
		r = change(x, &rec, RUN_QUEUED, NULL, e);
	if (r == 0)
		answer(x, &rec, ret);
	run_record_release(&rec);
	return r;
}

int engine_resume(struct engine *x, int64_t run, const struct stop_change *c,
		  struct engine_answer *ret, struct err *e)
{
	struct active *a;
	int r = pick(x, run, &run, e);

	if (r < 0)
		return r;
	if (x->stopping)
		return err_set(e, ERR_BUSY, "the daemon is ending; start it again");
	a = engine_find(x, run);
	if (!a)
		return resume_inactive(x, run, c, ret, e);
	r = run_check_limits(a->run, c, e);
	if (r < 0)
		return r;
	if (!run_unpause(a->run))
		return ending(run, e);
	run_set_limits(a->run, c);
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
	a = engine_find(x, run);
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
	a = engine_find(x, run);
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
	struct active *a = engine_find(each->x, rec->id);
	struct run_summary s;
	struct engine_run shown = { rec, &s, shown_state(each->x, rec), NULL, rec->active_s };
	int r;

	if (rec->id == engine_half_imported(each->x))
		return 0;
	if (a) {
		shown.record = run_record_of(a->run);
		shown.summary = run_summary_of(a->run);
		shown.state = run_state_name(shown.record->state);
		shown.phase = run_phase_name(a->run);
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
