#include "runtime/host_measure.h"

#include <fenv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "runtime/host_session.h"
#include "runtime/stats.h"
#include "runtime/verify.h"

enum { LAUNCHES_MAX = 1 << 20, COLD_LAUNCHES_MAX = 4 };

struct trial {
	struct session *s;
	const struct measure_job *job;
	struct measurement *m;
	struct host_call *call;
	/* What the shared object made of the floating-point unit when it was loaded: one built with
	 * -ffast-math flushes subnormals. It is for the kernel only, not for our comparisons or the
	 * next trial. */
	fenv_t kernel_env;
};

static double ms_since(int64_t start_ns)
{
	return (double)(clock_mono_ns() - start_ns) / 1e6;
}

static void run(const struct trial *t, void **arguments, int n)
{
	fenv_t ours;

	fegetenv(&ours);
	fesetenv(&t->kernel_env);
	for (int i = 0; i < n; i++)
		host_call_run(t->call, arguments);
	fesetenv(&ours);
}

static int load(struct trial *t, struct err *e)
{
	int64_t start_ns = clock_mono_ns();
	struct err why;
	fenv_t ours;
	int r;

	if (access(t->job->artifact, R_OK))
		return err_sys(e, "%s", t->job->artifact);
	fegetenv(&ours);
	r = host_call_load(t->job->artifact, &t->call, &why);
	fegetenv(&t->kernel_env);
	fesetenv(&ours);
	t->m->load_ms = ms_since(start_ns);
	if (r < 0) {
		t->m->outcome = OUTCOME_FAULT;
		snprintf(t->m->detail, sizeof t->m->detail, "%.500s", why.msg);
	}
	return 0;
}

/* An unusable scratch size is the configuration's doing. */
static bool size_scratch(struct trial *t, int shape)
{
	struct err why;

	if (host_stage_scratch(t->s, shape, &t->job->launches[shape], &why) == 0)
		return true;
	t->m->outcome = OUTCOME_TOO_BIG;
	snprintf(t->m->detail, sizeof t->m->detail, "%.500s", why.msg);
	return false;
}

struct checking { /* one shape and seed */
	struct trial *t;
	int shape;
	const struct host_case *c;
	void **arguments;
	void **first; /* outputs of round 0, one a buffer */
	struct verify_facts facts;
	struct figures *figures; /* references by rounds by outputs */
	int n_outputs;
};

static void keep_or_match(struct checking *k, int round)
{
	const struct problem *p = k->t->s->p;

	for (int i = 0; i < p->n_buffers; i++) {
		const struct host_zone *z = &k->t->s->stages[k->shape].zones[i];

		if (!host_is_output(p, i))
			continue;
		if (round == 0)
			k->first[i] = mem_copy(z->data, z->bytes);
		else if (!p->nondeterministic && memcmp(k->first[i], z->data, z->bytes) != 0)
			k->facts.deterministic = false;
	}
}

static void count_round(struct checking *k, int round)
{
	const struct problem *p = k->t->s->p;

	for (int ref = 0; ref < p->n_references; ref++) {
		void **expected = k->c->expected + (ptrdiff_t)ref * p->n_buffers;
		struct figures *f =
			k->figures + (ptrdiff_t)(ref * VERIFY_ROUNDS + round) * k->n_outputs;

		for (int i = 0; i < p->n_buffers; i++) {
			enum dtype type = p->buffers[i].type;

			if (expected[i])
				verify_compare(type, k->t->s->stages[k->shape].zones[i].data,
					       expected[i], p->shapes[k->shape].buffers[i].count,
					       verify_poison(type, round),
					       &p->references[ref].gates, f++);
		}
	}
}

static void run_round(struct checking *k, int round)
{
	struct session *s = k->t->s;

	host_stage_reset(s, k->shape, k->c, round);
	run(k->t, k->arguments, 1);
	k->facts.guards_intact &= host_guards_intact(s, k->shape);
	k->facts.inputs_intact &= host_inputs_intact(s, k->shape, k->c);
	keep_or_match(k, round);
	count_round(k, round);
}

static void judge(struct checking *k)
{
	struct measurement *m = k->t->m;
	const struct problem *p = k->t->s->p;

	for (int ref = 0; ref < p->n_references; ref++) {
		struct check *c = &m->checks[m->n_checks++];
		int n = VERIFY_ROUNDS * k->n_outputs;

		*c = (struct check){ .shape = k->shape, .reference = ref, .seed = k->c->seed };
		verify_judge(k->figures + (ptrdiff_t)ref * n, n, &p->references[ref].gates,
			     &k->facts, c);
		if (c->passed || m->outcome != OUTCOME_OK)
			continue;
		m->outcome = verify_outcome(c);
		snprintf(m->detail, sizeof m->detail, "shape %s, seed %llu, reference %s: %s",
			 p->shapes[k->shape].name, (unsigned long long)c->seed,
			 p->references[ref].name, c->why);
	}
}

static void check_case(struct trial *t, int shape, const struct host_case *c)
{
	const struct problem *p = t->s->p;
	struct checking k = { .t = t, .shape = shape, .c = c, .facts = { true, true, true } };

	for (int i = 0; i < p->n_buffers; i++)
		k.n_outputs += host_is_output(p, i);
	k.first = mem_array((size_t)p->n_buffers, sizeof *k.first);
	k.figures = mem_array((size_t)p->n_references * VERIFY_ROUNDS * (size_t)k.n_outputs,
			      sizeof *k.figures);
	k.arguments =
		host_arguments(t->s, shape, p->arguments, p->n_arguments, &t->job->launches[shape]);
	for (int round = 0; round < VERIFY_ROUNDS; round++)
		run_round(&k, round);
	judge(&k);
	for (int i = 0; i < p->n_buffers; i++)
		free(k.first[i]);
	free(k.arguments);
	free(k.figures);
	free(k.first);
}

static int check_shape(struct trial *t, int shape, struct err *e)
{
	const struct host_stage *st = &t->s->stages[shape];
	struct host_case fresh = { .seed = 0 };
	int r;

	if (!size_scratch(t, shape))
		return 0;
	if (!t->job->fresh_seed) {
		for (int i = 0; i < st->n_cases && t->m->outcome == OUTCOME_OK; i++)
			check_case(t, shape, &st->cases[i]);
		return 0;
	}
	r = host_case_init(t->s, shape, t->job->fresh_seed, true, &fresh, e);
	/* The references may have left scratch of other sizes. */
	if (r == 0 && size_scratch(t, shape))
		check_case(t, shape, &fresh);
	host_case_release(t->s, &fresh);
	return r;
}

static int verify(struct trial *t, struct err *e)
{
	const struct problem *p = t->s->p;
	int64_t start_ns = clock_mono_ns();
	int r = 0;

	t->m->checks = mem_array((size_t)p->n_shapes * (size_t)p->n_seeds * (size_t)p->n_references,
				 sizeof *t->m->checks);
	for (int i = 0; r == 0 && i < p->n_shapes && t->m->outcome == OUTCOME_OK; i++)
		if (p->shapes[i].check)
			r = check_shape(t, i, e);
	t->m->verify_ms = ms_since(start_ns);
	return r;
}

struct timer { /* one shape */
	struct trial *t;
	int shape;
	const struct host_case *c;
	void **arguments;
	bool refill; /* a launch changes what the next one reads */
};

static void flush_caches(const struct session *s)
{
	volatile char *b = s->flush;

	for (size_t i = 0; i < s->flush_bytes; i += 64)
		b[i]++;
}

static double launch_many(const struct timer *w, int n)
{
	int64_t start_ns = clock_mono_ns();

	run(w->t, w->arguments, n);
	return (double)(clock_mono_ns() - start_ns);
}

/* Nanoseconds that n launches took. */
static double sample(const struct timer *w, int n)
{
	struct session *s = w->t->s;
	double ns = 0;

	if (w->refill)
		host_stage_reset(s, w->shape, w->c, 0);
	if (!s->flush)
		return launch_many(w, n);
	for (int i = 0; i < n; i++) {
		flush_caches(s);
		ns += launch_many(w, 1);
	}
	return ns;
}

/* Doubles the number of launches until they last a tenth of a sample, to see past the clock. */
static int launches_for(const struct timer *w, double sample_ns)
{
	int most = w->t->s->flush ? COLD_LAUNCHES_MAX : LAUNCHES_MAX, n = 1;
	double ns = sample(w, n);

	while (ns < sample_ns / 10 && n < most) {
		n *= 2;
		ns = sample(w, n);
	}
	if (ns <= 0 || sample_ns * n / ns >= most)
		return most;
	n = (int)(sample_ns * n / ns + 0.5);
	return n > 1 ? n : 1;
}

static int64_t preemptions(void)
{
	struct rusage u;

	return getrusage(RUSAGE_THREAD, &u) == 0 ? u.ru_nivcsw : 0;
}

/* A sample that another process interrupted says nothing of the kernel; three in a row say that
 * this machine is busy, and then the third stands. */
static double undisturbed_sample(const struct timer *w, struct timing *t)
{
	double ns = 0;

	for (int i = 0; i < 3; i++) {
		int64_t before = preemptions();

		ns = sample(w, t->launches_per_sample);
		if (preemptions() == before)
			break;
		t->throttled += i < 2;
	}
	return ns / t->launches_per_sample;
}

static void take_samples(const struct timer *w, double best_ns, struct timing *t)
{
	const struct timing_options *o = &w->t->s->p->timing;
	int max = o->samples_max < STATS_SAMPLES_MAX ? o->samples_max : STATS_SAMPLES_MAX;

	t->samples_ns = mem_array((size_t)(max > 0 ? max : 1), sizeof *t->samples_ns);
	do {
		t->samples_ns[t->n_samples++] = undisturbed_sample(w, t);
		t->aborted = stats_hopeless(t->samples_ns, t->n_samples, best_ns, o->abort_factor);
	} while (!t->aborted &&
		 !stats_settled(t->samples_ns, t->n_samples, o->samples_min, max, o->noise));
}

static void summarise(struct timing *t)
{
	struct stats s;

	stats_of(t->samples_ns, t->n_samples, &s);
	t->p50_ns = s.median;
	t->mean_ns = s.mean;
	t->stddev_ns = s.stddev;
	t->min_ns = s.min;
	t->p90_ns = s.p90;
	t->p99_ns = s.p99;
	t->ci_low_ns = s.ci_low;
	t->ci_high_ns = s.ci_high;
}

static bool has_inout(const struct problem *p)
{
	for (int i = 0; i < p->n_buffers; i++)
		if (p->buffers[i].role == BUFFER_INOUT)
			return true;
	return false;
}

static void time_shape(struct trial *t, int shape, double best_ns)
{
	const struct problem *p = t->s->p;
	struct timer w = { t, shape, &t->s->stages[shape].cases[0], NULL, has_inout(p) };
	struct timing *ret = &t->m->timings[t->m->n_timings];
	int64_t start_ns = clock_mono_ns();

	if (!size_scratch(t, shape))
		return;
	*ret = (struct timing){ .shape = shape, .mode = TIMING_CPU, .l2 = p->timing.l2 };
	host_stage_reset(t->s, shape, w.c, 0);
	w.arguments =
		host_arguments(t->s, shape, p->arguments, p->n_arguments, &t->job->launches[shape]);
	for (int i = 0; i < p->timing.warmup; i++)
		launch_many(&w, 1);
	ret->launches_per_sample = launches_for(&w, p->timing.sample_ns);
	t->m->warm_ms += ms_since(start_ns);
	start_ns = clock_mono_ns();
	take_samples(&w, best_ns, ret);
	summarise(ret);
	t->m->n_timings++;
	t->m->time_ms += ms_since(start_ns);
	free(w.arguments);
}

static void time_all(struct trial *t)
{
	const struct problem *p = t->s->p;
	int timed = 0;

	for (int i = 0; i < p->n_shapes; i++)
		timed += p->shapes[i].time;
	t->m->timings = mem_array((size_t)timed, sizeof *t->m->timings);
	/* The score to beat is of all shapes together: one of several cannot be held against it. */
	for (int i = 0; i < p->n_shapes && t->m->outcome == OUTCOME_OK; i++)
		if (p->shapes[i].time)
			time_shape(t, i, timed == 1 ? t->job->best_ns : 0);
}

static void init_measurement(struct measurement *m)
{
	*m = (struct measurement){ .outcome = OUTCOME_OK, .clocks = { -1, -1, -1, -1, -1 } };
#define X(field) m->function.field = -1;
	FUNCTION_MAP(X)
#undef X
}

int host_measure(struct session *s, const struct measure_job *job, struct measurement *ret,
		 struct err *e)
{
	struct measurement m;
	struct trial t = { .s = s, .job = job, .m = &m };
	int r;

	if (job->n_launches != s->p->n_shapes)
		return err_set(e, ERR_INVALID, "a trial needs %d launches, one a shape; it has %d",
			       s->p->n_shapes, job->n_launches);
	init_measurement(&m);
	r = load(&t, e);
	if (r == 0 && job->verify && m.outcome == OUTCOME_OK)
		r = verify(&t, e);
	if (r == 0 && job->time && m.outcome == OUTCOME_OK)
		time_all(&t);
	host_call_close(t.call);
	if (r < 0)
		measurement_release(&m);
	else
		*ret = m;
	return r;
}
