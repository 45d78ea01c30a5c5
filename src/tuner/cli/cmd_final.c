#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "tuner/cli/command.h"
#include "tuner/cli/evaluate.h"
#include "tuner/cli/final_text.h"
#include "tuner/cli/print.h"
#include "tuner/cli/remeasure.h"
#include "tuner/cli/stored.h"
#include "tuner/daemon/contest.h"
#include "tuner/daemon/final.h"
#include "tuner/daemon/final_json.h"

struct final_command {
	int64_t repeat;
	const char *nvrtc;
};

static const struct final_command defaults = { .repeat = 1 };

static const struct option_spec options[] = {
	{ .name = "repeat",
	  .kind = OPTION_INT,
	  .value = "N",
	  .help = "so many finals, each with inputs and a process of its own (default 1)",
	  .offset = offsetof(struct final_command, repeat),
	  .min = 1,
	  .max = 1000 },
	{ .name = "nvrtc",
	  .kind = OPTION_TEXT,
	  .value = "PATH",
	  .help = "libnvrtc.so to use (default: looked for in the usual places)",
	  .offset = offsetof(struct final_command, nvrtc) },
	{ 0 },
};

/* Finals of one run; the binaries are built once, in the order of the entrants. */
struct series {
	struct stored *stored;
	struct local where;
	char *folder;
	struct trial *built[CONTEST_MAX]; /* NULL: not yet */
	struct remeasure *worker;
	struct final_record *records;
	int n;
};

static int open_final(struct series *x, struct final **ret, struct err *e)
{
	struct stored *s = x->stored;
	struct final_source src = { s->store, &s->run, &s->summary, s->setup.bound, x->n + 1 };
	int r = final_new(&src, ret, e);

	if (r == 0 && !*ret)
		r = err_set(e, ERR_FAILED,
			    "run %" PRId64 " has no correct configuration yet, of %" PRId64
			    " trials",
			    s->run.id, s->summary.trials);
	return r;
}

/* The same in every final: the same rows are read. */
static int build(struct series *x, const struct final *f, struct err *e)
{
	for (int i = 0; i < final_entrants(f); i++) {
		struct trial *t = final_trial(f, i);

		if (!x->built[i] && evaluate_build(&x->where, &x->stored->setup, t->config,
						   x->folder, &x->built[i], e) < 0)
			return err_wrap(e, "a finalist");
		assert(x->built[i]);
		t->artifact.path = mem_strdup(x->built[i]->artifact.path);
		memcpy(t->artifact.lowered, x->built[i]->artifact.lowered,
		       sizeof t->artifact.lowered);
	}
	return 0;
}

static int open_worker(struct series *x, struct err *e)
{
	remeasure_close(x->worker);
	x->worker = NULL;
	return remeasure_open(&x->where, &x->stored->setup, &x->worker, e);
}

/* A worker that did not answer, or whose context is gone, is replaced. */
static int one_step(struct series *x, struct final *f, struct trial *t,
		    const struct measure_job *job, struct err *e)
{
	if (remeasure_job(x->worker, t, job, e) < 0) {
		trial_judge(t, OUTCOME_LOST, "%s", e->msg);
		final_out(f, t);
		return open_worker(x, e);
	}
	final_measured(f, t);
	return t->measurement.poisoned ? open_worker(x, e) : 0;
}

static int one_final(struct series *x, struct err *e)
{
	double began;
	struct final *f = NULL;
	struct measure_job job;
	struct trial *t;
	int r = open_final(x, &f, e);

	if (r == 0)
		r = build(x, f, e);
	if (r == 0)
		r = open_worker(x, e);
	began = (double)clock_wall_ms();
	while (r == 0 && final_next(f, &t, &job)) {
		r = one_step(x, f, t, &job, e);
		final_spent(f, (double)clock_wall_ms() - began, x->stored->run.active_s);
	}
	if (r == 0) {
		x->records = mem_grow(x->records, (size_t)x->n + 1, sizeof *x->records);
		final_record_of(f, began, (double)clock_wall_ms(), &x->records[x->n++]);
	}
	final_free(f);
	return r;
}

/* --- how well they agree --- */

struct agreement {
	int64_t winner;	  /* of most finals; 0: none */
	int same;	  /* finals that it won */
	int same_or_tied; /* or in which it is tied with the winner */
};

static int wins(const struct series *x, int64_t trial)
{
	int n = 0;

	for (int i = 0; i < x->n; i++)
		n += x->records[i].winner == trial;
	return n;
}

static bool is_tied(const struct final_record *f, int64_t trial)
{
	for (int i = 0; i < f->n; i++)
		if (f->finalists[i].trial == trial && f->finalists[i].tied)
			return true;
	return false;
}

static struct agreement agree(const struct series *x)
{
	struct agreement a = { 0 };

	for (int i = 0; i < x->n; i++)
		if (x->records[i].winner && wins(x, x->records[i].winner) > a.same) {
			a.winner = x->records[i].winner;
			a.same = wins(x, a.winner);
		}
	for (int i = 0; i < x->n && a.winner; i++)
		a.same_or_tied += is_tied(&x->records[i], a.winner);
	return a;
}

static cJSON *to_json(const struct series *x)
{
	struct agreement a = agree(x);
	cJSON *o = json_new_object(), *list, *agreement;

	json_add_int(o, "run", x->stored->run.id);
	list = json_add_list(o, "repeats");
	for (int i = 0; i < x->n; i++)
		json_push(list, final_json(&x->records[i]));
	agreement = json_add_object(o, "agreement");
	json_add(agreement, "winner",
		 a.winner ? cJSON_CreateNumber((double)a.winner) : cJSON_CreateNull());
	json_add_int(agreement, "same", a.same);
	json_add_int(agreement, "same_or_tied", a.same_or_tied);
	json_add_int(agreement, "repeats", x->n);
	return o;
}

static void print(const struct series *x)
{
	struct agreement a = agree(x);

	for (int i = 0; i < x->n; i++) {
		final_print(&x->records[i], stdout);
		if (x->n == 1)
			final_print_table(&x->records[i], stdout);
	}
	if (x->n > 1 && a.winner)
		printf("trial %" PRId64 " won %d of %d finals, and won or was tied in %d\n",
		       a.winner, a.same, x->n, a.same_or_tied);
}

/* --- the command --- */

static int check(struct series *x, struct err *e)
{
	struct stored *s = x->stored;
	char what[32];
	int r = stored_bind(s, e);

	if (r < 0)
		return r;
	snprintf(what, sizeof what, "run %" PRId64, s->run.id);
	return local_check_device(&x->where, task_device(s->setup.bound), what, e);
}

static int measure(struct series *x, int repeat, struct err *e)
{
	int r = check(x, e);

	if (r == 0)
		r = local_folder(&x->folder, e);
	if (r == 0)
		r = evaluate_references(&x->where, &x->stored->setup, x->folder, e);
	while (r == 0 && x->n < repeat)
		r = one_final(x, e);
	return r;
}

static void series_release(struct series *x)
{
	remeasure_close(x->worker);
	for (int i = 0; i < CONTEST_MAX; i++)
		trial_free(x->built[i]);
	for (int i = 0; i < x->n; i++)
		final_record_release(&x->records[i]);
	free(x->records);
	local_folder_remove(x->folder);
}

static int run(const struct invocation *v, struct err *e)
{
	const struct final_command *c = v->options;
	struct stored s;
	struct series x = { .stored = &s, .where = { .nvrtc = c->nvrtc } };
	int64_t id = 0;
	bool won;
	int r;

	if (v->n_operands && operand_run(v->operands[0], &id, e) < 0)
		return -EXIT_USAGE;
	if (stored_open(v->db, id, &s, e) < 0)
		return EXIT_BY_ERROR;
	x.where.runtime = s.run.runtime;
	r = measure(&x, (int)c->repeat, e);
	if (r == 0 && v->json)
		print_json(to_json(&x));
	else if (r == 0)
		print(&x);
	won = agree(&x).winner != 0;
	series_release(&x);
	stored_release(&s);
	return r < 0 ? EXIT_BY_ERROR : won ? EXIT_DONE : EXIT_WORK;
}

const struct command command_final = {
	.name = "final",
	.summary = "measure a run's best configurations once more, in rounds",
	.operands = "[RUN]",
	.notes = "What a run ends with, made again without a daemon and without storing it: the "
		 "elites and the baseline\nare verified with fresh inputs, then timed in "
		 "interleaved rounds on the run's first device. Without RUN:\nthe newest. Let the "
		 "machine be idle. Exit status: 0 there is a winner; 1 no finalist is correct.",
	.max_operands = 1,
	.query = true,
	.options = options,
	.defaults = &defaults,
	.size = sizeof(struct final_command),
	.run = run,
};
