#include "tuner/daemon/run_types.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "tuner/daemon/row.h"
#include "tuner/daemon/score.h"

enum {
	BARREN_TRIALS = 20, /* so many that cannot even be compiled end a run */
	TRIM_EVERY = 256,   /* compiles between two looks at the size of the cache */
	UPDATE_NS = 1000 * 1000 * 1000,
};

/* --- proposing --- */

static bool next_proposal(struct run *r, struct trial *t)
{
	int64_t began = clock_mono_ns();
	struct proposal p;

	if (!recall_take(&r->recall, &p) && !search_ask(r->search, &p))
		return false;
	t->search_ms = (double)(clock_mono_ns() - began) / 1e6;
	t->at.proposed = run_now_ms();
	t->ask = p.ask;
	t->config = p.config;
	t->op = p.op;
	t->parents[0] = p.parents[0];
	t->parents[1] = p.parents[1];
	t->generation = p.generation;
	t->config_json = task_config_json(task_space(r->setup.bound), p.config);
	return true;
}

/* An earlier answer to the same question, from this or any other run. */
static bool take_known(struct run *r, struct trial *t)
{
	struct trial_record known = { 0 };
	int64_t id = 0;
	struct err e;

	if (r->record.fresh || r->first || t->op == SEARCH_OP_WARM ||
	    store_find_known(r->w.store, r->record.identity, t->config_json, &id, &e) < 0 || !id ||
	    store_trial_by_id(r->w.store, id, &known, &e) < 0)
		return false;
	row_verdict(&known, &t->verdict);
	t->origin = TRIAL_STORED;
	t->origin_row = known.origin_trial ? known.origin_trial : known.id;
	t->gates = known.gates;
	known.gates = NULL;
	memcpy(t->artifact.hash, known.artifact, sizeof t->artifact.hash);
	snprintf(t->artifact.lowered, sizeof t->artifact.lowered, "%s",
		 known.entry ? known.entry : "");
	t->artifact.bytes = known.artifact_bytes;
	t->artifact.ptxas = known.ptxas;
	if (known.artifact[0] && known.device >= 0) {
		struct verdict for_others = t->verdict;

		trial_set_key(t);
		for_others.row = t->origin_row;
		sched_know(r->sched, t->key, &for_others);
	}
	trial_record_release(&known);
	return true;
}

static enum sched_offer propose(void *ctx, struct trial *t)
{
	struct run *r = ctx;
	struct err e;

	if (!next_proposal(r, t))
		return SCHED_NONE;
	if (task_launches(r->setup.bound, t->config, &t->launches, &e) < 0) {
		trial_judge(t, OUTCOME_TOO_BIG, "%s", e.msg);
		return SCHED_ENDED;
	}
	t->n_launches = task_problem(r->setup.bound)->n_shapes;
	return take_known(r, t) ? SCHED_ENDED : SCHED_NEW;
}

/* --- finishing --- */

static double rate_per_s(struct run *r)
{
	int64_t now = clock_mono_ns(), oldest;

	r->finish_ns[r->finished++ % RATE_RING] = now;
	oldest = r->finished > RATE_RING ? r->finish_ns[r->finished % RATE_RING] : r->finish_ns[0];
	if (now <= oldest)
		return 0;
	return (double)((r->finished > RATE_RING ? RATE_RING : r->finished) - 1) * 1e9 /
	       (double)(now - oldest);
}

bool run_barren(const struct run *r)
{
	const struct run_summary *s = &r->told;
	int64_t unbuilt = s->by_outcome[OUTCOME_COMPILE_ERROR] + s->by_outcome[OUTCOME_LOST];

	return s->trials && unbuilt == s->trials;
}

void run_doom_barren(struct run *r)
{
	bool lost = r->told.by_outcome[OUTCOME_LOST] == r->told.trials;

	run_doom(r, "none of the first %lld configurations could be %s: %s",
		 (long long)r->told.trials, lost ? "built and measured" : "built",
		 r->unbuilt ? r->unbuilt : "see the trials' logs");
}

static void check_barren(struct run *r, const struct trial_record *row)
{
	if (!r->unbuilt && row->outcome != OUTCOME_OK)
		r->unbuilt = mem_strdup(row->detail);
	if (run_barren(r) && (r->told.trials >= BARREN_TRIALS || r->told.done >= r->record.budget))
		run_doom_barren(r);
}

static void keep_active_time(struct run *r)
{
	int64_t now = clock_mono_ns();

	if (now - r->updated_ns < UPDATE_NS)
		return;
	r->updated_ns = now;
	r->pending++;
	ledger_run(r->w.ledger, r, &r->record, NULL);
}

static void finish(void *ctx, struct trial *t)
{
	struct run *r = ctx;
	struct ledger_trial n = { .run = r };
	struct told told = { t->ask, NULL, t->verdict.outcome == OUTCOME_OK, t->verdict.score_ns };
	size_t config_bytes = (size_t)space_params(task_space(r->setup.bound)) * sizeof *t->config;
	const uint16_t *config = t->config; /* the search's, which outlives t */
	bool baseline = memcmp(config, r->baseline, config_bytes) == 0;

	run_trial_unpin(r, t);
	if (t->origin == TRIAL_SAME_CUBIN)
		n.same = t->same;
	else if (t->same)
		n.own = t->same;
	row_from_trial(t, &n.row);
	n.row.run = r->record.id;
	n.row.no = r->told.trials + 1;
	n.row.asked_before = search_asked(r->search);
	if (n.own)
		n.own->no = n.row.no;
	search_tell(r->search, &told);
	row_count(&r->told, &n.row, baseline);
	run_note_found(r, &n.row, config);
	if (baseline && n.row.outcome == OUTCOME_OK)
		run_anchor(r, &n.row);
	check_barren(r, &n.row);
	n.after = r->told;
	n.event = row_event(&n.row, &r->told, r->record.budget, rate_per_s(r));
	r->pending++;
	ledger_trial(r->w.ledger, &n);
	keep_active_time(r);
}

const struct sched_io run_sched_io = { .propose = propose, .finish = finish };

/* --- compiling --- */

struct pool_job run_compile_job(struct run *r, struct trial *t, int64_t id,
				const struct task_compile *c)
{
	struct compile_job job = c->job;

	job.cache = cubins_dir(r->w.cubins);
	t->at.compile_start = run_now_ms();
	return (struct pool_job){
		.run = r,
		.trial = t,
		.line = wire_ask_compile(id, r->record.runtime, &job),
		.deadline_s = task_compile_timeout_s(r->setup.task),
	};
}

bool run_job_of_trial(struct run *r, struct trial *t, int64_t id, struct pool_job *ret)
{
	struct task_compile c = { 0 };
	struct err e;

	if (task_compile_job(r->setup.bound, t->config, r->root, &c, &e) < 0) {
		trial_judge(t, OUTCOME_LOST, "%s", e.msg);
		sched_ended(r->sched, t);
		return false;
	}
	*ret = run_compile_job(r, t, id, &c);
	task_compile_release(&c);
	return true;
}

void run_first_error(const char *log, char *ret, size_t size)
{
	const char *line = strstr(log, "error");
	size_t len;

	line = line ? line : log;
	while (line > log && line[-1] != '\n')
		line--;
	len = strcspn(line, "\n");
	snprintf(ret, size, "%.*s", (int)(len < size ? len : size - 1), line);
}

static void trim_cache(struct run *r)
{
	struct cubins_evicted gone;
	struct err e;

	if (++r->compiled < TRIM_EVERY)
		return;
	r->compiled = 0;
	if (cubins_trim(r->w.cubins, &gone, &e) < 0)
		log_warn("the cache of binaries: %s", e.msg);
}

/* From now on its binary is not evicted. False: it was, after the worker had found it in its place
 * and before we heard of it. */
bool run_pin(struct run *r, struct trial *t)
{
	cubins_pin(r->w.cubins, t->artifact.hash);
	t->pinned = true;
	return cubins_use(r->w.cubins, t->artifact.path);
}

void run_trial_unpin(struct run *r, struct trial *t)
{
	if (t->pinned)
		cubins_unpin(r->w.cubins, t->artifact.hash);
	t->pinned = false;
}

static void machine_failed(struct run *r, struct trial *t, const struct err *e)
{
	if (e->code == ERR_FULL) {
		sched_back(r->sched, t);
		r->owner.disk_full(r->owner.ctx, e);
	} else {
		sched_lost(r->sched, t, e->msg);
	}
}

bool run_take_artifact(struct run *r, struct trial *t, struct wire_reply *reply)
{
	char line[TRIAL_DETAIL_MAX];

	artifact_release(&t->artifact);
	t->artifact = reply->artifact;
	memset(&reply->artifact, 0, sizeof reply->artifact);
	t->at.compile_end = run_now_ms();
	trim_cache(r);
	if (t->artifact.outcome == OUTCOME_OK)
		return true;
	run_first_error(t->artifact.log ? t->artifact.log : "", line, sizeof line);
	trial_judge(t, t->artifact.outcome, "%s", line);
	return false;
}

void run_trial_compiled(struct run *r, struct trial *t, struct wire_reply *reply)
{
	if (reply->failed) {
		machine_failed(r, t, &reply->error);
		return;
	}
	if (!run_take_artifact(r, t, reply) || !score_gates(t, r->gates)) {
		sched_ended(r->sched, t);
	} else if (!run_pin(r, t)) {
		run_trial_unpin(r, t);
		sched_lost(r->sched, t, "its binary was evicted before it was measured, twice");
	} else {
		trial_set_key(t);
		sched_built(r->sched, t);
	}
}

/* --- measuring --- */

void run_trial_measured(struct run_device *d, struct trial *t, struct measurement *m)
{
	struct run *r = d->run;

	measurement_release(&t->measurement);
	t->measurement = *m;
	memset(m, 0, sizeof *m);
	t->at.measure_end = run_now_ms();
	d->drift.spent_ms += t->at.measure_end - t->at.measure_start;
	score_measured(t, task_problem(r->setup.bound));
	score_believe(t, r->setup.bound, run_ceilings(r, t->verdict.device));
	sched_ended(r->sched, t);
}

static bool kernel_did_it(int signal)
{
	return signal == SIGSEGV || signal == SIGBUS || signal == SIGFPE || signal == SIGILL ||
	       signal == SIGABRT;
}

static void late(struct run *r, struct trial *t)
{
	if (t->state == TRIAL_COMPILING)
		trial_judge(t, OUTCOME_COMPILE_TIMEOUT,
			    "the compiler was killed after %g s (kernel.compile_timeout_s)",
			    task_compile_timeout_s(r->setup.task));
	else
		trial_judge(t, OUTCOME_HANG,
			    "not done after %g s (kernel.measure_timeout_s); it was killed",
			    task_measure_timeout_s(r->setup.task));
}

bool run_blame(struct run *r, struct trial *t, const struct proc_loss *l, char *ret_why,
	       size_t size)
{
	const char *name = sigabbrev_np(l->signal);

	if (l->why == PROC_LATE) {
		late(r, t);
		return true;
	}
	if (t->state == TRIAL_MEASURING && l->why == PROC_DIED && kernel_did_it(l->signal)) {
		trial_judge(t, OUTCOME_FAULT, "the kernel ended its worker by SIG%s (%s)", name,
			    sigdescr_np(l->signal));
		return true;
	}
	if (l->why == PROC_DIED && l->signal)
		snprintf(ret_why, size, "its worker was ended by SIG%s twice", name ? name : "?");
	else if (l->why == PROC_DIED)
		snprintf(ret_why, size, "its worker exited with status %d, twice", l->status);
	else
		snprintf(ret_why, size, "its worker broke the protocol twice");
	return false;
}

void run_trial_lost(struct run *r, struct trial *t, const struct proc_loss *l,
		    const struct err *failed)
{
	char why[128];

	if (failed)
		machine_failed(r, t, failed);
	else if (run_blame(r, t, l, why, sizeof why))
		sched_ended(r->sched, t);
	else
		sched_lost(r->sched, t, why);
}
