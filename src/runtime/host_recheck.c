#include "runtime/host_recheck.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "runtime/host_check.h"
#include "runtime/verify.h"

enum {
	ATTEMPTS = 3, /* what an attempt finds may be another process's doing */
	TURNS_MIN = 8,
	TURNS_MAX = 64,
};

/* Old outputs that are right for these inputs already would tell nothing. */
static void clear_outputs(struct session *s, int shape)
{
	for (int i = 0; i < s->p->n_buffers; i++)
		if (s->p->buffers[i].role == BUFFER_OUT)
			memset(s->stages[shape].zones[i].data, 0, s->stages[shape].zones[i].bytes);
}

/* After a launch on the inputs that were timed, so that old outputs lie there. */
static void check_outputs(struct trial *t, int shape, void **arguments, const struct host_case *c)
{
	const struct host_case *timed = &t->s->stages[shape].cases[0];

	host_stage_fill(t->s, shape, timed);
	host_run(t, arguments, 1);
	if (c == timed)
		clear_outputs(t->s, shape);
	else
		host_stage_fill(t->s, shape, c);
	host_run(t, arguments, 1);
	host_check_as_it_is(t, shape, c);
}

struct turns {
	struct trial *t;
	int shape, n;
	void **arguments;
	const struct host_case *cases[2];
	double repeat_ns, differ_ns; /* of the shortest launch */
};

static double launch_on(const struct turns *w, const struct host_case *c)
{
	int64_t start_ns;

	host_stage_fill(w->t->s, w->shape, c);
	start_ns = clock_mono_ns();
	host_run(w->t, w->arguments, 1);
	return (double)(clock_mono_ns() - start_ns);
}

/* The inputs go A A B B A A B B: every launch with an even number has other ones than the last. */
static void take_turns(struct turns *w)
{
	w->repeat_ns = w->differ_ns = INFINITY;
	launch_on(w, w->cases[1]);
	for (int i = 0; i < w->n; i++) {
		double ns = launch_on(w, w->cases[i / 2 % 2]);

		if (i % 2)
			w->repeat_ns = fmin(w->repeat_ns, ns);
		else
			w->differ_ns = fmin(w->differ_ns, ns);
	}
}

static void check_times(struct turns *w, double p50_ns)
{
	struct measurement *m = w->t->m;

	for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
		take_turns(w);
		if (!verify_keeps_answers(w->differ_ns, w->repeat_ns, p50_ns))
			return;
	}
	m->outcome = OUTCOME_WRONG;
	verify_say_kept(m->detail, sizeof m->detail, w->t->s->p->shapes[w->shape].name,
			w->differ_ns, w->repeat_ns);
}

static int turns_for(double sample_ns, double p50_ns)
{
	double n = p50_ns > 0 ? sample_ns / p50_ns : TURNS_MAX;

	return (int)fmax(TURNS_MIN, fmin(n, TURNS_MAX));
}

void host_recheck(struct trial *t, int shape, void **arguments, const struct timing *timing)
{
	const struct host_case *timed = &t->s->stages[shape].cases[0];
	uint64_t seed = verify_other_seed(t->s->p, shape, timed->seed);
	struct turns w = { .t = t,
			   .shape = shape,
			   .n = turns_for(t->s->p->timing.sample_ns, timing->p50_ns),
			   .arguments = arguments,
			   .cases = { timed, host_case_find(t->s, shape, seed) } };

	if (w.cases[1] != timed && !timing->aborted)
		check_times(&w, timing->p50_ns);
	if (t->m->outcome == OUTCOME_OK && w.cases[1]->expected)
		check_outputs(t, shape, arguments, w.cases[1]);
}
