#include "tuner/daemon/run_types.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "tuner/daemon/score.h"

/*
 * The baseline again, between trials, so that a change of the machine shows. It is timed and not
 * verified, the search is not told of it, and it costs no budget. It is due when a device has
 * measured trials for SHARE times as long as the last such look took: that bounds its cost by 1 in
 * SHARE of the measuring time, 1.6 %, whatever a trial takes. Nor is it due more often than
 * gap_ns: clocks and temperature do not move faster.
 */
enum { SHARE = 64 };
static const int64_t gap_ns = INT64_C(250) * 1000 * 1000;

/* Where its binary is not in the cache any more there is no drift to be told, until a resumed run
 * is measured anew. */
void run_anchor(struct run *r, const struct trial_record *row)
{
	struct trial *t;
	struct err ignored;
	char *path;

	if (r->anchor || !row->entry || !cubins_find(r->w.cubins, row->artifact, &path))
		return;
	t = trial_new();
	t->artifact.path = path;
	memcpy(t->artifact.hash, row->artifact, sizeof t->artifact.hash);
	snprintf(t->artifact.lowered, sizeof t->artifact.lowered, "%s", row->entry);
	if (task_launches(r->setup.bound, r->baseline, &t->launches, &ignored) < 0 ||
	    !run_pin(r, t)) {
		run_trial_unpin(r, t);
		trial_free(t);
		return;
	}
	t->n_launches = task_problem(r->setup.bound)->n_shapes;
	r->anchor = t;
	for (int i = 0; i < r->setup.n_devices; i++) {
		r->devices[i].drift.cost_ms = row->load_ms + row->warm_ms + row->time_ms;
		r->devices[i].drift.spent_ms = 0;
		r->devices[i].drift.last_ns = clock_mono_ns();
	}
}

static bool is_due(const struct run_device *d)
{
	const struct run *r = d->run;

	return r->anchor && r->phase == RUN_SEARCHING && d->drift.cost_ms > 0 &&
	       d->drift.spent_ms >= SHARE * d->drift.cost_ms &&
	       clock_mono_ns() - d->drift.last_ns >= gap_ns;
}

bool run_drift_measure(struct run_device *d)
{
	struct run *r = d->run;
	struct measure_job job = { .time = true };

	if (!is_due(d))
		return false;
	job.artifact = r->anchor->artifact.path;
	job.entry = r->anchor->artifact.lowered;
	job.launches = r->anchor->launches;
	job.n_launches = r->anchor->n_launches;
	d->drift.busy = true;
	d->drift.began_ms = run_now_ms();
	d->drift.trials = r->told.trials;
	meter_measure(d->meter, d, &job, task_measure_timeout_s(r->setup.task));
	return true;
}

static void rest(struct run_device *d)
{
	d->drift.busy = false;
	d->drift.spent_ms = 0;
	d->drift.last_ns = clock_mono_ns();
}

void run_drift_measured(struct run_device *d, struct measurement *m)
{
	struct run *r = d->run;
	struct trial *t = r->anchor;
	const struct verdict *v = &t->verdict;
	struct drift_record n = { .run = r->record.id,
				  .device = d->device->ordinal,
				  .trials = d->drift.trials,
				  .at = d->drift.began_ms,
				  .clocks = m->clocks };

	measurement_release(&t->measurement);
	t->measurement = *m;
	memset(m, 0, sizeof *m);
	score_measured(t, task_problem(r->setup.bound));
	d->drift.cost_ms = run_now_ms() - d->drift.began_ms;
	rest(d);
	if (v->outcome != OUTCOME_OK) {
		log_warn("run %lld: the baseline, measured again: %s: %s", (long long)r->record.id,
			 outcome_name(v->outcome), v->detail ? v->detail : "");
		return;
	}
	n.p50_ns = v->p50_ns;
	n.ci_low_ns = v->ci_low_ns;
	n.ci_high_ns = v->ci_high_ns;
	r->pending++;
	ledger_drift(r->w.ledger, r, &n);
}

void run_drift_lost(struct run_device *d)
{
	rest(d);
}
