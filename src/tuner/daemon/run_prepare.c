#include "tuner/daemon/run_types.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* --- references --- */

static int reference_to_build(const struct run *r)
{
	const struct problem *p = task_problem(r->setup.bound);

	for (int i = 0; i < p->n_references; i++)
		if (r->references[i].needed && !r->references[i].asked)
			return i;
	return -1;
}

bool run_job_of_reference(struct run *r, int64_t id, struct pool_job *ret)
{
	int i = reference_to_build(r);
	struct task_compile c = { 0 };
	struct err e;

	if (i < 0)
		return false;
	r->references[i].asked = true;
	if (task_reference_job(r->setup.bound, i, r->root, &c, &e) < 0) {
		run_doom(r, "%s", e.msg);
		return false;
	}
	c.job.cache = cubins_dir(r->w.cubins);
	*ret = (struct pool_job){
		.run = r,
		.reference = i,
		.line = wire_ask_compile(id, r->record.runtime, &c.job),
		.deadline_s = task_compile_timeout_s(r->setup.task),
	};
	task_compile_release(&c);
	return true;
}

void run_reference_compiled(struct run *r, int i, struct wire_reply *reply)
{
	struct problem_reference *ref = &task_problem(r->setup.bound)->references[i];
	const struct artifact *a = &reply->artifact;
	char line[400];

	if (reply->failed && reply->error.code == ERR_FULL) {
		r->references[i].asked = false;
		r->owner.disk_full(r->owner.ctx, &reply->error);
		return;
	}
	if (reply->failed) {
		run_doom(r, "reference %s: %s", ref->name, reply->error.msg);
		return;
	}
	if (a->outcome != OUTCOME_OK) {
		run_first_error(a->log ? a->log : "", line, sizeof line);
		run_doom(r, "reference %s does not compile: %s", ref->name, line);
		return;
	}
	free(ref->artifact);
	ref->artifact = mem_strdup(a->path);
	if (a->lowered[0]) {
		free(ref->entry);
		ref->entry = mem_strdup(a->lowered);
	}
	memcpy(r->references[i].hash, a->hash, sizeof r->references[i].hash);
	cubins_pin(r->w.cubins, a->hash);
	r->references[i].built = true;
}

void run_reference_lost(struct run *r, int i, const struct proc_loss *l)
{
	struct problem_reference *ref = &task_problem(r->setup.bound)->references[i];

	if (l->why == PROC_LATE)
		run_doom(r, "reference %s was not compiled after %g s", ref->name,
			 task_compile_timeout_s(r->setup.task));
	else if (r->references[i].retried)
		run_doom(r, "reference %s: its compile worker died twice", ref->name);
	r->references[i].retried = true;
	r->references[i].asked = false;
}

bool run_references_built(const struct run *r)
{
	const struct problem *p = task_problem(r->setup.bound);

	for (int i = 0; i < p->n_references; i++)
		if (r->references[i].needed && !r->references[i].built)
			return false;
	return true;
}

/* --- measuring workers --- */

static void feed(struct run_device *d)
{
	struct run *r = d->run;
	struct trial *t;
	struct measure_job job;

	if (!d->meter || !meter_idle(d->meter) || r->full || r->phase == RUN_FINAL ||
	    run_survey_first(d) || run_drift_measure(d))
		return;
	t = sched_next_measure(r->sched);
	if (!t)
		return;
	t->verdict.device = d->device->ordinal;
	t->at.measure_start = run_now_ms();
	job = (struct measure_job){
		.artifact = t->artifact.path,
		.entry = t->artifact.lowered[0] ? t->artifact.lowered : task_entry(r->setup.task),
		.launches = t->launches,
		.n_launches = t->n_launches,
		.verify = true,
		.time = true,
		.best_ns = r->told.best_p50_ns,
	};
	meter_measure(d->meter, t, &job, task_measure_timeout_s(r->setup.task));
}

static void on_ready(void *ctx)
{
	struct run_device *d = ctx;

	run_tick(d->run);
}

static void on_measured(void *ctx, void *what, struct measurement *m)
{
	struct run_device *d = ctx;

	if (what == d)
		run_drift_measured(d, m);
	else if (d->run->phase == RUN_FINAL)
		run_final_measured(d, what, m);
	else
		run_trial_measured(d, what, m);
	run_tick(d->run);
	d->run->owner.wake(d->run->owner.ctx);
}

static void on_lost(void *ctx, void *what, const struct proc_loss *l, const struct err *failed)
{
	struct run_device *d = ctx;

	if (what == d)
		run_drift_lost(d);
	else if (d->run->phase == RUN_FINAL)
		run_final_lost(d->run, what, l, failed);
	else
		run_trial_lost(d->run, what, l, failed);
	run_tick(d->run);
	d->run->owner.wake(d->run->owner.ctx);
}

static void on_failed(void *ctx, const char *why)
{
	struct run_device *d = ctx;

	run_doom(d->run, "%s", why);
	run_tick(d->run);
}

static void on_surveyed(void *ctx, const struct ceilings *c)
{
	struct run_device *d = ctx;

	run_surveyed(d, c);
	run_tick(d->run);
	d->run->owner.wake(d->run->owner.ctx);
}

/* One that pins itself to a core has to be started so. */
static struct proc *idle_worker(const struct run *r)
{
	return run_pins(r) ? NULL : probe_take(r->w.probe, r->record.runtime);
}

void run_open_meters(struct run *r)
{
	for (int i = 0; i < r->setup.n_devices; i++) {
		struct run_device *d = &r->devices[i];
		struct meter_owner owner = { d,	      on_ready,	 on_measured,
					     on_lost, on_failed, on_surveyed };
		struct meter_options o = {
			.runtime = r->record.runtime,
			.ordinal = d->device->ordinal,
			.problem = task_problem(r->setup.bound),
			.cpu = run_pins(r) ? r->w.measure_cpu : -1,
			.nvrtc = r->w.nvrtc,
		};

		if (!d->meter)
			d->meter = meter_new(r->w.loop, idle_worker(r), &o, &owner);
		if (run_references_built(r))
			meter_open(d->meter);
	}
}

void run_feed_meters(struct run *r)
{
	for (int i = 0; i < r->setup.n_devices; i++)
		feed(&r->devices[i]);
}

void run_close_meters(struct run *r)
{
	for (int i = 0; i < r->setup.n_devices; i++) {
		meter_close(r->devices[i].meter);
		r->devices[i].meter = NULL;
	}
}
