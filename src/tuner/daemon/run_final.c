#include "tuner/daemon/run_types.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tuner/daemon/row.h"

/*
 * The final of a run on the daemon's loop. A finalist whose binary is still in the cache is READY
 * at once; others are compiled again by the pool. Then one measuring worker gets one after the
 * other.
 */
enum {
	INPUTS_S = 120
}; /* longer than a measurement, for making new inputs and running references */

/* --- building --- */

static void look_in_cache(struct run *r, struct trial *t)
{
	if (!t->artifact.lowered[0] ||
	    !cubins_find(r->w.cubins, t->artifact.hash, &t->artifact.path))
		return;
	if (!run_pin(r, t)) {
		run_trial_unpin(r, t);
		free(t->artifact.path);
		t->artifact.path = NULL;
		return;
	}
	trial_move(t, TRIAL_COMPILING);
	trial_move(t, TRIAL_READY);
}

/* All trials are stored. False: there is no final. */
static bool begin(struct run *r)
{
	struct final_source src = { r->w.store, &r->record, &r->told, r->setup.bound, 0 };
	struct err e;

	if (final_new(&src, &r->final, &e) < 0) {
		run_doom(r, "%s", e.msg);
		return false;
	}
	if (!r->final)
		return false;
	r->final_began = run_now_ms();
	for (int i = 0; i < final_entrants(r->final); i++)
		look_in_cache(r, final_trial(r->final, i));
	r->owner.wake(r->owner.ctx);
	return true;
}

static void withdraw(struct run *r, struct trial *t)
{
	trial_move(t, TRIAL_DONE);
	final_out(r->final, t);
}

static void withdraw_lost(struct run *r, struct trial *t, const char *why)
{
	trial_judge(t, OUTCOME_LOST, "%s", why);
	withdraw(r, t);
}

bool run_final_job(struct run *r, int64_t id, struct pool_job *ret)
{
	for (int i = 0; r->final && i < final_entrants(r->final); i++) {
		struct trial *t = final_trial(r->final, i);
		struct task_compile c = { 0 };
		struct err e;

		if (t->state != TRIAL_PROPOSED)
			continue;
		if (task_compile_job(r->setup.bound, t->config, r->root, &c, &e) < 0) {
			withdraw_lost(r, t, e.msg);
			continue;
		}
		trial_move(t, TRIAL_COMPILING);
		*ret = run_compile_job(r, t, id, &c);
		task_compile_release(&c);
		return true;
	}
	return false;
}

/* Once more, or the second time out. */
static void again(struct run *r, struct trial *t, bool *retried, const char *why)
{
	if (*retried) {
		withdraw_lost(r, t, why);
		return;
	}
	*retried = true;
	trial_move(t, t->state == TRIAL_COMPILING ? TRIAL_PROPOSED : TRIAL_READY);
}

/* What its worker, not the binary, complained of. */
static void complain(struct run *r, struct trial *t, bool *retried, const struct err *e)
{
	if (e->code != ERR_FULL) {
		again(r, t, retried, e->msg);
		return;
	}
	trial_move(t, t->state == TRIAL_COMPILING ? TRIAL_PROPOSED : TRIAL_READY);
	r->owner.disk_full(r->owner.ctx, e);
}

void run_final_compiled(struct run *r, struct trial *t, struct wire_reply *reply)
{
	if (reply->failed) {
		complain(r, t, &t->compile_retried, &reply->error);
	} else if (!run_take_artifact(r, t, reply)) {
		withdraw(r, t);
	} else if (!run_pin(r, t)) {
		run_trial_unpin(r, t);
		again(r, t, &t->compile_retried, "its binary was evicted before it was measured");
	} else {
		trial_move(t, TRIAL_READY);
	}
}

void run_final_compile_lost(struct run *r, struct trial *t, const struct proc_loss *l)
{
	char why[128];

	if (run_blame(r, t, l, why, sizeof why))
		withdraw(r, t);
	else
		again(r, t, &t->compile_retried, why);
}

/* --- measuring --- */

static bool is_built(const struct run *r)
{
	for (int i = 0; i < final_entrants(r->final); i++) {
		enum trial_state s = final_trial(r->final, i)->state;

		if (s == TRIAL_PROPOSED || s == TRIAL_COMPILING)
			return false;
	}
	return true;
}

static struct run_device *device_of(struct run *r)
{
	for (int i = 0; i < r->setup.n_devices; i++)
		if (r->devices[i].device->ordinal == final_device(r->final))
			return &r->devices[i];
	return &r->devices[0]; /* the best was measured by an earlier run, elsewhere */
}

static void finish(struct run *r)
{
	struct final_record f;

	final_record_of(r->final, r->final_began, run_now_ms(), &f);
	f.device = device_of(r)->device->ordinal;
	row_final(&r->told, &f);
	r->pending++;
	ledger_final(r->w.ledger, r, &f, &r->told);
}

static void ask(struct run *r, struct run_device *d, struct trial *t, const struct measure_job *job)
{
	double deadline_s = task_measure_timeout_s(r->setup.task);

	trial_move(t, TRIAL_MEASURING);
	if (r->final_pid != meter_pid(d->meter))
		deadline_s += INPUTS_S;
	meter_measure(d->meter, t, job, deadline_s);
}

static bool is_measuring(const struct run *r)
{
	for (int i = 0; i < final_entrants(r->final); i++)
		if (final_trial(r->final, i)->state == TRIAL_MEASURING)
			return true;
	return false;
}

bool run_final_go(struct run *r)
{
	struct measure_job job;
	struct run_device *d;
	struct trial *t;

	if (r->full || (!r->final && r->pending))
		return true;
	if (!r->final && !begin(r))
		return false;
	if (!is_built(r) || is_measuring(r) || !run_references_built(r))
		return true;
	run_open_meters(r);
	d = device_of(r);
	final_spent(r->final, run_now_ms() - r->final_began, run_active_s(r));
	if (!final_next(r->final, &t, &job)) {
		finish(r);
		return false;
	}
	if (d->meter && meter_idle(d->meter))
		ask(r, d, t, &job);
	return true;
}

void run_final_measured(struct run_device *d, struct trial *t, struct measurement *m)
{
	struct run *r = d->run;

	measurement_release(&t->measurement);
	t->measurement = *m;
	memset(m, 0, sizeof *m);
	r->final_pid = t->measurement.poisoned ? 0 : meter_pid(d->meter);
	trial_move(t, TRIAL_READY);
	final_measured(r->final, t);
}

void run_final_lost(struct run *r, struct trial *t, const struct proc_loss *l,
		    const struct err *failed)
{
	char why[128];

	r->final_pid = 0;
	if (failed)
		complain(r, t, &t->measure_retried, failed);
	else if (run_blame(r, t, l, why, sizeof why))
		withdraw(r, t);
	else
		again(r, t, &t->measure_retried, why);
}

void run_final_free(struct run *r)
{
	for (int i = 0; r->final && i < final_entrants(r->final); i++)
		run_trial_unpin(r, final_trial(r->final, i));
	final_free(r->final);
	r->final = NULL;
}
