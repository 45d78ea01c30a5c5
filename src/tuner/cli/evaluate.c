#include "tuner/cli/evaluate.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "tuner/daemon/row.h"
#include "tuner/daemon/score.h"

struct evaluation {
	const struct local *where;
	const struct task *task;
	struct task_bound *bound;
	const char *folder; /* of sources and binaries */
	struct trial *trial;
};

static int build_reference(const struct evaluation *v, int i, struct err *e)
{
	struct problem_reference *ref = &task_problem(v->bound)->references[i];
	struct local with = *v->where;
	struct artifact a = { 0 };
	struct task_compile c;
	int r = task_reference_job(v->bound, i, v->folder, &c, e);

	if (r < 0)
		return r;
	if (ref->language == LANGUAGE_C)
		with.runtime = "host";
	c.job.cache = v->folder;
	r = local_compile(&with, &c.job, task_compile_timeout_s(v->task), &a, e);
	task_compile_release(&c);
	if (r == 0 && a.outcome != OUTCOME_OK)
		r = err_set(e, ERR_FAILED, "%s: %.800s", outcome_name(a.outcome), a.log);
	if (r == 0) {
		free(ref->artifact);
		free(ref->entry);
		ref->artifact = mem_strdup(a.path);
		ref->entry = mem_strdup(a.lowered);
	}
	artifact_release(&a);
	return r < 0 ? err_wrap(e, "reference %s", ref->name) : 0;
}

static int build_references(const struct evaluation *v, struct err *e)
{
	const struct problem *p = task_problem(v->bound);
	int r = 0;

	for (int i = 0; i < p->n_references && r == 0; i++)
		if (!p->references[i].files)
			r = build_reference(v, i, e);
	return r;
}

static void judge_unanswered(struct trial *t, enum call_end end, int signal_no, double timeout_s)
{
	if (end == CALL_TIMEOUT)
		trial_judge(t, OUTCOME_HANG, "not measured within %g s", timeout_s);
	else
		trial_judge(t, OUTCOME_FAULT, "the measuring process died%s%s",
			    signal_no ? " by " : "", signal_no ? strsignal(signal_no) : "");
}

static int measure(const struct evaluation *v, struct call *c, struct err *e)
{
	struct trial *t = v->trial;
	struct measure_job job = {
		.artifact = t->artifact.path,
		.entry = t->artifact.lowered,
		.launches = t->launches,
		.n_launches = t->n_launches,
		.verify = true,
		.time = true,
	};
	double timeout_s = task_measure_timeout_s(v->task);
	struct wire_reply reply = { 0 };
	enum call_end end;
	int signal_no = 0;
	int r = call_exchange(c, wire_ask_measure(2, &job), (int64_t)(timeout_s * 1000), &end,
			      &signal_no, &reply, e);

	if (r < 0)
		return r;
	if (end != CALL_REPLIED) {
		judge_unanswered(t, end, signal_no, timeout_s);
		return 0;
	}
	if (reply.failed) {
		*e = reply.error;
		wire_reply_release(&reply);
		return e->code;
	}
	t->measurement = reply.measurement;
	memset(&reply.measurement, 0, sizeof reply.measurement);
	wire_reply_release(&reply);
	t->at.measure_end = (double)clock_wall_ms();
	t->verdict.device = task_device(v->bound)->ordinal;
	score_measured(t, task_problem(v->bound));
	score_believe(t, v->bound, NULL);
	return 0;
}

static int open_and_measure(const struct evaluation *v, struct err *e)
{
	struct wire_reply reply = { 0 };
	struct call *c = NULL;
	int r = build_references(v, e);

	if (r == 0)
		r = call_new("measure", v->where->nvrtc, &c, e);
	if (r < 0)
		return r;
	v->trial->at.measure_start = (double)clock_wall_ms();
	r = local_ask(c,
		      wire_ask_open(1, v->where->runtime, task_device(v->bound)->ordinal,
				    task_problem(v->bound)),
		      LOCAL_OPEN_MS, "filling the buffers and running the references", &reply, e);
	if (r == 0) {
		wire_reply_release(&reply);
		r = measure(v, c, e);
	}
	call_free(c);
	return r;
}

static int compile(const struct evaluation *v, const uint16_t *config, struct err *e)
{
	struct trial *t = v->trial;
	struct task_compile c;
	int r = task_materialise(v->task, v->folder, e);

	if (r == 0)
		r = task_compile_job(v->bound, config, v->folder, &c, e);
	if (r < 0)
		return r;
	c.job.cache = v->folder;
	t->at.compile_start = (double)clock_wall_ms();
	r = local_compile(v->where, &c.job, task_compile_timeout_s(v->task), &t->artifact, e);
	t->at.compile_end = (double)clock_wall_ms();
	task_compile_release(&c);
	return r;
}

/* The line of the log that names the error; the whole log is kept as well. */
static void judge_refused(struct trial *t)
{
	const char *log = t->artifact.log, *line = strstr(log, "error");

	while (line && line > log && line[-1] != '\n')
		line--;
	line = line ? line : log;
	trial_judge(t, t->artifact.outcome, "%.*s", (int)strcspn(line, "\n"), line);
}

static int compile_and_measure(const struct evaluation *v, const uint16_t *config, struct err *e)
{
	struct resource_gate gates[GATE_FIGURE_COUNT];
	struct trial *t = v->trial;
	int r = compile(v, config, e);

	if (r < 0)
		return r;
	if (t->artifact.outcome != OUTCOME_OK) {
		judge_refused(t);
		return 0;
	}
	for (int g = 0; g < GATE_FIGURE_COUNT; g++)
		gates[g] = *task_gate(v->task, (enum gate_figure)g);
	return score_gates(t, gates) ? open_and_measure(v, e) : 0;
}

static int evaluate_trial(struct evaluation *v, const uint16_t *config, struct err *e)
{
	struct err limit = { 0 };
	char *folder;
	int r;

	if (task_launches(v->bound, config, &v->trial->launches, &limit) < 0) {
		trial_judge(v->trial, OUTCOME_TOO_BIG, "%.500s", limit.msg);
		return 0;
	}
	v->trial->n_launches = task_problem(v->bound)->n_shapes;
	r = local_folder(&folder, e);
	if (r < 0)
		return r;
	v->folder = folder;
	r = compile_and_measure(v, config, e);
	local_folder_remove(folder);
	return r;
}

int evaluate(const struct local *where, const struct task *t, struct task_bound *b,
	     const uint16_t *config, struct trial_record *ret, struct err *e)
{
	struct evaluation v = { .where = where, .task = t, .bound = b, .trial = trial_new() };
	int r;

	v.trial->config = config;
	v.trial->config_json = task_config_json(task_space(b), config);
	v.trial->op = SEARCH_OP_SEED;
	r = evaluate_trial(&v, config, e);
	if (r < 0)
		trial_free(v.trial);
	else
		row_from_trial(v.trial, ret);
	return r;
}

int evaluate_references(const struct local *where, const struct setup *s, const char *folder,
			struct err *e)
{
	struct evaluation v = { where, s->task, s->bound, folder, NULL };
	int r = task_materialise(s->task, folder, e);

	return r < 0 ? r : build_references(&v, e);
}

int evaluate_build(const struct local *where, const struct setup *s, const uint16_t *config,
		   const char *folder, struct trial **ret, struct err *e)
{
	struct trial *one = trial_new();
	struct evaluation v = { where, s->task, s->bound, folder, one };
	int r = task_launches(s->bound, config, &one->launches, e);

	if (r == 0) {
		one->n_launches = task_problem(s->bound)->n_shapes;
		r = compile(&v, config, e);
	}
	if (r == 0 && one->artifact.outcome != OUTCOME_OK)
		r = err_set(e, ERR_FAILED, "%s: %.800s", outcome_name(one->artifact.outcome),
			    one->artifact.log);
	if (r < 0)
		trial_free(one);
	else
		*ret = one;
	return r;
}
