#include "tuner/cli/compare.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "runtime/stats.h"
#include "tuner/cli/evaluate.h"
#include "tuner/cli/remeasure.h"

/* --- by new measurements --- */

struct rounds {
	struct compare_side *sides;
	const struct compare_plan *plan;
	struct local where;
	char *folders[2]; /* one a side: their sources may share names but not texts */
	struct trial *trials[2];
	struct remeasure *worker;
	double *times[2]; /* rounds_max, and so are these */
	double *spent_ms[2], *sm_mhz[2];
	int n;
};

static struct setup *setup_of(const struct rounds *x, int side)
{
	return &x->sides[side].stored.setup;
}

/* A CPU has a mode of its own and no other. */
static int choose_mode(const struct rounds *x, struct err *e)
{
	enum timing_mode mode = x->plan->mode;

	for (int i = 0; i < 2 && x->plan->mode_given; i++) {
		struct timing_options *o = &task_problem(setup_of(x, i)->bound)->timing;

		if ((mode == TIMING_CPU) != (o->mode == TIMING_CPU))
			return err_set(e, ERR_INVALID,
				       "--mode: %s is timed in mode %s, not in mode %s",
				       x->sides[i].name, timing_mode_name(o->mode),
				       timing_mode_name(mode));
		o->mode = mode;
	}
	return 0;
}

/* Both are brought to one worker, so that they get the same buffers and the same references. */
static int check_problems(const struct rounds *x, struct err *e)
{
	char *asked[2];
	bool same = strcmp(x->sides[0].runtime, x->sides[1].runtime) == 0;

	for (int i = 0; i < 2; i++)
		asked[i] =
			wire_ask_open(1, x->where.runtime, 0, task_problem(setup_of(x, i)->bound));
	same = same && strcmp(asked[0], asked[1]) == 0;
	free(asked[0]);
	free(asked[1]);
	if (same)
		return 0;
	return err_set(e, ERR_INVALID,
		       "%s and %s are not of one problem: the kernel's arguments, buffers, shapes, "
		       "references or settings of `measure` differ; --stored compares what is in "
		       "the database",
		       x->sides[0].name, x->sides[1].name);
}

/* A stored task is bound to the device that it ran on. */
static int check_device(const struct rounds *x, struct err *e)
{
	const struct device *then = task_device(setup_of(x, 0)->bound);

	if (local_check_device(&x->where, then, x->sides[0].name, e) < 0)
		return err_wrap(e, "--stored compares what is in the database");
	return 0;
}

static int build(struct rounds *x, struct err *e)
{
	int r = 0;

	for (int i = 0; i < 2 && r == 0; i++) {
		struct setup *s = setup_of(x, i);

		r = local_folder(&x->folders[i], e);
		if (r == 0)
			r = evaluate_build(&x->where, s, x->sides[i].config, x->folders[i],
					   &x->trials[i], e);
		if (r < 0)
			return err_wrap(e, "%s", x->sides[i].name);
	}
	return evaluate_references(&x->where, setup_of(x, 0), x->folders[0], e);
}

static int verify(struct rounds *x, struct err *e)
{
	for (int i = 0; i < 2; i++)
		if (remeasure_verify(x->worker, x->trials[i], x->plan->seed, e) < 0)
			return err_wrap(e, "%s", x->sides[i].name);
	return 0;
}

static int one_round(struct rounds *x, struct err *e)
{
	int first = paired_a_first(x->n) ? 0 : 1;

	for (int k = 0; k < 2; k++) {
		int side = k == 0 ? first : 1 - first;

		if (remeasure_time(x->worker, x->trials[side], false, &x->times[side][x->n], e) < 0)
			return err_wrap(e, "%s, round %d", x->sides[side].name, x->n + 1);
		x->spent_ms[side][x->n] = remeasure_timing_ms(x->trials[side]);
		x->sm_mhz[side][x->n] = x->trials[side]->measurement.clocks.sm_mhz;
	}
	x->n++;
	return 0;
}

static int all_rounds(struct rounds *x, struct comparison *ret, struct err *e)
{
	double ignored;
	int r = verify(x, e);

	/* The first of each finds a cold device. */
	for (int i = 0; i < 2 && r == 0; i++)
		r = remeasure_time(x->worker, x->trials[i], false, &ignored, e);
	while (r == 0 && x->n < x->plan->rounds_max) {
		r = one_round(x, e);
		if (r < 0)
			break;
		paired_of(x->times[0], x->times[1], x->n, &ret->ratio);
		if (x->plan->precision > 0 && paired_settled(&ret->ratio, x->plan->precision))
			break;
	}
	return r;
}

static int measure(struct rounds *x, struct comparison *ret, struct err *e)
{
	int r = choose_mode(x, e);

	if (r == 0)
		r = check_problems(x, e);
	if (r == 0)
		r = check_device(x, e);
	if (r == 0)
		r = build(x, e);
	if (r == 0)
		r = remeasure_open(&x->where, setup_of(x, 0), &x->worker, e);
	return r == 0 ? all_rounds(x, ret, e) : r;
}

static void summarise(struct rounds *x, struct comparison *ret)
{
	const struct timing_options *t = &task_problem(setup_of(x, 0)->bound)->timing;
	struct stats s;

	for (int i = 0; i < 2; i++) {
		stats_of(x->times[i], x->n, &s);
		ret->p50_ns[i] = s.median;
		stats_of(x->spent_ms[i], x->n, &s);
		ret->timing_ms[i] = s.median;
		ret->times_ns[i] = x->times[i];
		ret->sm_mhz[i] = x->sm_mhz[i];
		x->times[i] = x->sm_mhz[i] = NULL;
	}
	ret->coverage = 0.95;
	ret->mode = t->mode;
	ret->l2 = t->l2;
}

int compare_measured(struct compare_side sides[2], const struct compare_plan *plan,
		     struct comparison *ret, struct err *e)
{
	struct rounds x = { .sides = sides,
			    .plan = plan,
			    .where = { sides[0].runtime, plan->nvrtc } };
	struct comparison got = { .coverage = 0 };
	int r;

	for (int i = 0; i < 2; i++) {
		x.times[i] = mem_array((size_t)plan->rounds_max, sizeof *x.times[i]);
		x.spent_ms[i] = mem_array((size_t)plan->rounds_max, sizeof *x.spent_ms[i]);
		x.sm_mhz[i] = mem_array((size_t)plan->rounds_max, sizeof *x.sm_mhz[i]);
	}
	r = measure(&x, &got, e);
	if (r == 0) {
		summarise(&x, &got);
		*ret = got;
	}
	remeasure_close(x.worker);
	for (int i = 0; i < 2; i++) {
		trial_free(x.trials[i]);
		local_folder_remove(x.folders[i]);
		free(x.times[i]);
		free(x.spent_ms[i]);
		free(x.sm_mhz[i]);
	}
	return r;
}

void comparison_release(struct comparison *c)
{
	for (int i = 0; i < 2; i++) {
		free(c->times_ns[i]);
		free(c->sm_mhz[i]);
	}
}

/* --- from the store --- */

/* A trial that took over another's result has its figures, but the timings are the other's. */
static int fetch_timings(struct compare_side *s, struct err *e)
{
	struct trial_record origin;
	int r;

	if (!s->trial.run)
		return err_set(e, ERR_INVALID,
			       "--stored: %s is a preset; expected RUN or RUN:TRIAL, such as 3:17",
			       s->name);
	if (s->trial.n_timings || !s->trial.origin_trial)
		return 0;
	r = store_trial_by_id(s->stored.store, s->trial.origin_trial, &origin, e);
	if (r < 0)
		return err_wrap(e, "the trial that %s has its result from", s->name);
	s->trial.timings = origin.timings;
	s->trial.n_timings = origin.n_timings;
	origin.timings = NULL;
	origin.n_timings = 0;
	trial_record_release(&origin);
	return 0;
}

static int differ(struct compare_side sides[2], const char *what, const char *a, const char *b,
		  struct err *e)
{
	return err_set(e, ERR_INVALID,
		       "%s and %s were not measured alike: %s %s and %s; without --stored both are "
		       "measured again",
		       sides[0].name, sides[1].name, what, a, b);
}

static const char *timed_shape(const struct compare_side *s, int i)
{
	const struct problem *p = task_problem(s->stored.setup.bound);
	int shape = s->trial.timings[i].shape;

	return shape >= 0 && shape < p->n_shapes ? p->shapes[shape].name : "?";
}

static int check_alike(struct compare_side sides[2], struct err *e)
{
	const struct trial_record *a = &sides[0].trial, *b = &sides[1].trial;

	if (!a->n_timings || a->n_timings != b->n_timings)
		return err_set(e, ERR_INVALID, "%s has timings of %d shapes and %s of %d",
			       sides[0].name, a->n_timings, sides[1].name, b->n_timings);
	for (int i = 0; i < a->n_timings; i++) {
		const struct timing *x = &a->timings[i], *y = &b->timings[i];

		if (x->mode != y->mode)
			return differ(sides, "mode", timing_mode_name(x->mode),
				      timing_mode_name(y->mode), e);
		if (x->l2 != y->l2)
			return differ(sides, "L2", timing_l2_name(x->l2), timing_l2_name(y->l2), e);
		if (strcmp(timed_shape(&sides[0], i), timed_shape(&sides[1], i)) != 0)
			return differ(sides, "shape", timed_shape(&sides[0], i),
				      timed_shape(&sides[1], i), e);
	}
	return 0;
}

int compare_stored(struct compare_side sides[2], struct comparison *ret, struct err *e)
{
	const struct trial_record *a = &sides[0].trial, *b = &sides[1].trial;
	int r = fetch_timings(&sides[0], e);

	if (r == 0)
		r = fetch_timings(&sides[1], e);
	if (r == 0)
		r = check_alike(sides, e);
	if (r < 0)
		return r;
	*ret = (struct comparison){
		.ratio = { a->p50_ns / b->p50_ns, a->ci_low_ns / b->ci_high_ns,
			   a->ci_high_ns / b->ci_low_ns, 0 },
		.coverage = 0.9,
		.p50_ns = { a->p50_ns, b->p50_ns },
		.mode = a->timings[0].mode,
		.l2 = a->timings[0].l2,
	};
	return 0;
}
