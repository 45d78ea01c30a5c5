#include "runtime/host_timing.h"

#include <stdlib.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/mem.h"
#include "runtime/host_recheck.h"
#include "runtime/stats.h"

enum { LAUNCHES_MAX = 1 << 20, COLD_LAUNCHES_MAX = 4 };

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

	host_run(w->t, w->arguments, n);
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

	if (!host_size_scratch(t, shape))
		return;
	*ret = (struct timing){ .shape = shape, .mode = TIMING_CPU, .l2 = p->timing.l2 };
	host_stage_reset(t->s, shape, w.c, 0);
	w.arguments =
		host_arguments(t->s, shape, p->arguments, p->n_arguments, &t->job->launches[shape]);
	for (int i = 0; i < p->timing.warmup; i++)
		launch_many(&w, 1);
	ret->launches_per_sample = launches_for(&w, p->timing.sample_ns);
	t->m->warm_ms += host_ms_since(start_ns);
	start_ns = clock_mono_ns();
	take_samples(&w, best_ns, ret);
	stats_summarise(ret);
	t->m->time_ms += host_ms_since(start_ns);
	start_ns = clock_mono_ns();
	if (t->job->verify)
		host_recheck(t, shape, w.arguments, ret);
	t->m->verify_ms += host_ms_since(start_ns);
	if (t->m->outcome == OUTCOME_OK)
		t->m->n_timings++;
	else
		free(ret->samples_ns);
	free(w.arguments);
}

void host_time(struct trial *t)
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
