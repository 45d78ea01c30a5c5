#include "runtime/cuda_timing.h"

#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "runtime/cuda_clock.h"
#include "runtime/cuda_graph.h"
#include "runtime/cuda_place.h"
#include "runtime/cuda_recheck.h"
#include "runtime/cuda_turns.h"
#include "runtime/stats.h"

/*
 * Where the cache is to be cold, every launch follows a write of twice the cache's size, and what
 * a graph of such writes alone takes is subtracted. Where it is rotating, a graph goes through all
 * copies as often as any.
 */
enum {
	LAUNCHES_MAX = 1000,
	ESTIMATE_LAUNCHES_MAX = 64,
	ESTIMATE_NS = 200000,
	EVENT_WARMUP = 20,
	EVENT_LAUNCHES = 100,
	FLUSH_SAMPLES = 5,
	THROTTLE_RETRIES = 3,
	FLUSH_BYTES_MIN = 32 << 20,
};

struct timing_run {
	struct trial *t;
	const struct dataset *set;
	struct place *places;
	struct cuda_call call;
	struct turns turns; /* none: every launch is the call above */
	bool cold;
	int launches;
	struct cuda_exec *exec, *flush_exec;
	double flush_ns; /* of the writes in one sample */
	double beat_ns;	 /* for early abort; 0: nothing to beat */
	struct timing *ret;
};

static int flush(struct session *s)
{
	return s->cu.set8(s->flush.at, 0, (size_t)s->flush.bytes, s->stream);
}

/* The four below return a CUresult. */
static int go(struct timing_run *run)
{
	struct session *s = run->t->s;

	return run->turns.n ? turns_go(&run->turns, s) : cuda_call_go(s, &run->call);
}

static int launch_once(struct timing_run *run)
{
	int result = run->cold ? flush(run->t->s) : CUDA_OK;

	return result == CUDA_OK ? go(run) : result;
}

static int time_event(struct timing_run *run, double *ret_ns)
{
	struct session *s = run->t->s;
	int result = run->cold ? flush(s) : CUDA_OK;

	if (result == CUDA_OK)
		result = s->cu.event_record(s->start, s->stream);
	if (result == CUDA_OK)
		result = go(run);
	return result == CUDA_OK ? timing_end(s, ret_ns) : result;
}

static int warm_up(struct timing_run *run, int launches)
{
	int result = CUDA_OK;

	for (int i = 0; i < launches && result == CUDA_OK; i++)
		result = launch_once(run);
	return result == CUDA_OK ? run->t->s->cu.stream_sync(run->t->s->stream) : result;
}

/* Doubles the batch until it lasts long enough to be told from a launch's own cost. */
static int estimate(struct timing_run *run, double *ret_ns)
{
	double ns = 0;

	for (int n = 1;; n *= 4) {
		int result = timing_begin(run->t->s);

		for (int i = 0; i < n && result == CUDA_OK; i++)
			result = launch_once(run);
		if (result == CUDA_OK)
			result = timing_end(run->t->s, &ns);
		if (result != CUDA_OK)
			return result;
		if (ns >= ESTIMATE_NS || n >= ESTIMATE_LAUNCHES_MAX) {
			*ret_ns = ns / n;
			return CUDA_OK;
		}
	}
}

static int queue_launch(void *run, int i)
{
	(void)i;
	return launch_once(run);
}

static int queue_flush(void *run, int i)
{
	struct timing_run *r = run;

	(void)i;
	return flush(r->t->s);
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int time_flushes(struct timing_run *run)
{
	double ns[FLUSH_SAMPLES];
	struct session *s = run->t->s;
	int result = graph_build(s, queue_flush, run, run->launches, &run->flush_exec);

	for (int i = 0; i < FLUSH_SAMPLES && result == CUDA_OK; i++)
		result = graph_time(s, run->flush_exec, &ns[i]);
	if (result != CUDA_OK)
		return result;
	qsort(ns, FLUSH_SAMPLES, sizeof ns[0], compare_doubles);
	run->flush_ns = ns[FLUSH_SAMPLES / 2];
	return CUDA_OK;
}

static int build_graphs(struct timing_run *run)
{
	double sample_ns = run->t->s->p->timing.sample_ns, one_ns = 0;
	int result = estimate(run, &one_ns);

	if (result != CUDA_OK)
		return result;
	run->launches = 1;
	if (one_ns > 0 && sample_ns > one_ns)
		run->launches = (int)fmin(round(sample_ns / one_ns), LAUNCHES_MAX);
	if (run->turns.n)
		run->launches = (run->launches + run->turns.n - 1) / run->turns.n * run->turns.n;
	result = graph_build(run->t->s, queue_launch, run, run->launches, &run->exec);
	if (result == CUDA_OK && run->cold)
		result = time_flushes(run);
	return result;
}

static int take_sample(struct timing_run *run, double *ret_ns)
{
	double ns = 0;
	int result;

	if (run->ret->mode == TIMING_EVENT)
		return time_event(run, ret_ns);
	result = graph_time_clocked(run->t->s, run->exec, run->ret->n_samples, &ns);
	*ret_ns = fmax(ns - run->flush_ns, 0) / run->launches;
	return result;
}

static bool enough(const struct timing_run *run, int n)
{
	const struct timing_options *o = &run->t->s->p->timing;
	int max = o->samples_max < STATS_SAMPLES_MAX ? o->samples_max : STATS_SAMPLES_MAX;

	if (n == 0)
		return false;
	if (run->ret->mode == TIMING_EVENT)
		return n >= EVENT_LAUNCHES;
	return stats_settled(run->ret->samples_ns, n, o->samples_min, max, o->noise);
}

static int take_samples(struct timing_run *run)
{
	struct timing *t = run->ret;
	double factor = run->t->s->p->timing.abort_factor;
	int result;

	t->n_samples = 0;
	while (!enough(run, t->n_samples) && !t->aborted) {
		result = take_sample(run, &t->samples_ns[t->n_samples]);
		if (result != CUDA_OK)
			return result;
		t->n_samples++;
		t->aborted = stats_hopeless(t->samples_ns, t->n_samples, run->beat_ns, factor);
	}
	return CUDA_OK;
}

/* What NVML tells of the SM clock is what is asked for; see cuda_clock.h. */
static int read_clock(struct timing_run *run, struct clocks *c)
{
	double mhz = 0;
	int result = CUDA_OK;

	if (run->ret->mode == TIMING_GRAPH)
		result = clock_median(run->t->s, run->ret->n_samples, &mhz);
	if (mhz > 0)
		c->sm_mhz = mhz;
	return result;
}

/* Takes the set again while the card was held back, a few times; then keeps what there is. */
static int sample_unthrottled(struct timing_run *run)
{
	struct trial *t = run->t;

	for (int attempt = 0;; attempt++) {
		struct clocks before, after;
		int result;

		nvml_clocks(t->s->nvml, &before);
		result = take_samples(run);
		if (result != CUDA_OK)
			return result;
		nvml_clocks(t->s->nvml, &after);
		if (before.throttle > 0 && after.throttle >= 0)
			after.throttle |= before.throttle;
		result = read_clock(run, &after);
		if (result != CUDA_OK)
			return result;
		t->m->clocks = after;
		if (!nvml_throttled(after.throttle) || attempt == THROTTLE_RETRIES)
			return CUDA_OK;
		run->ret->throttled += run->ret->n_samples;
		run->ret->aborted = false;
	}
}

static int prepare(struct timing_run *run)
{
	struct session *s = run->t->s;
	int64_t l2 = s->device.attr[DEVICE_L2_BYTES] * 2;
	int result = CUDA_OK;

	if (run->cold)
		result = room_reserve(s, &s->flush, l2 > FLUSH_BYTES_MIN ? l2 : FLUSH_BYTES_MIN);
	if (result == CUDA_OK)
		result = cuda_restore(s, run->set, run->places, SCOPE_VARIANT, 0);
	if (result == CUDA_OK && run->ret->l2 == TIMING_L2_ROTATING)
		result = turns_init(&run->turns, s, run->set, run->t->function, run->call.launch,
				    run->places);
	return result;
}

static int recheck(struct timing_run *run, struct err *e)
{
	struct recheck after = {
		.timed = run->set, .places = run->places, .call = &run->call, .timing = run->ret
	};
	int64_t start = clock_mono_ns();
	int r = trial_recheck(run->t, &after, e);

	run->t->m->verify_ms += (double)(clock_mono_ns() - start) / 1e6;
	return r;
}

static int run_timing(struct timing_run *run, struct err *e)
{
	struct trial *t = run->t;
	bool graph = run->ret->mode == TIMING_GRAPH;
	int64_t start = clock_mono_ns();
	int warmup = t->s->p->timing.warmup;
	int r = trial_verdict(t, prepare(run), TRIAL_OURS, "preparing the buffers", e);

	if (r)
		return r;
	if (warmup < 1)
		warmup = 1;
	if (!graph && warmup < EVENT_WARMUP)
		warmup = EVENT_WARMUP;
	r = trial_verdict(t, warm_up(run, warmup), TRIAL_LAUNCH, "warming up", e);
	if (r == 0 && graph)
		r = trial_verdict(t, build_graphs(run), TRIAL_OURS, "building the graph", e);
	t->m->warm_ms += (double)(clock_mono_ns() - start) / 1e6;
	start = clock_mono_ns();
	if (r == 0)
		r = trial_verdict(t, sample_unthrottled(run), TRIAL_OURS, "timing the kernel", e);
	t->m->time_ms += (double)(clock_mono_ns() - start) / 1e6;
	run->ret->launches_per_sample = graph ? run->launches : 1;
	if (r == 0)
		stats_summarise(run->ret);
	if (r == 0 && t->job->verify)
		r = recheck(run, e);
	if (run->exec)
		t->s->cu.exec_destroy(run->exec);
	if (run->flush_exec)
		t->s->cu.exec_destroy(run->flush_exec);
	return r;
}

/*
 * The p50 that this shape must beat for the weighted geometric mean over all shapes to beat the
 * best: known only at the last shape, when the others are in.
 */
static double to_beat(const struct trial *t, int shape)
{
	const struct problem *p = t->s->p;
	double weights = 0, rest = 0, own = p->shapes[shape].weight;

	if (t->job->best_ns <= 0 || own <= 0)
		return 0;
	for (int i = 0; i < p->n_shapes; i++) {
		if (p->shapes[i].time && i > shape)
			return 0;
		if (p->shapes[i].time)
			weights += p->shapes[i].weight;
	}
	for (int i = 0; i < t->m->n_timings; i++) {
		const struct timing *done = &t->m->timings[i];

		if (done->p50_ns <= 0)
			return 0;
		rest += p->shapes[done->shape].weight * log(done->p50_ns);
	}
	return exp((weights * log(t->job->best_ns) - rest) / own);
}

/* On error or an early end the row is given up: a timing in *m is always complete. */
static int time_shape(struct trial *t, int shape, struct err *e)
{
	const struct problem *p = t->s->p;
	struct timing timing = { .shape = shape, .mode = p->timing.mode, .l2 = p->timing.l2 };
	struct timing_run run = { .t = t,
				  .cold = p->timing.l2 == TIMING_L2_COLD,
				  .beat_ns = to_beat(t, shape),
				  .ret = &timing };
	uint64_t seed =
		t->job->fresh_seed && p->shapes[shape].check ? t->job->fresh_seed : p->seeds[0];
	int r = trial_dataset(t, shape, seed, &run.set, e);

	if (r < 0)
		return r;
	run.places = mem_array((size_t)p->n_buffers + 1, sizeof *run.places);
	timing.samples_ns = mem_array(STATS_SAMPLES_MAX, sizeof(double));
	r = trial_verdict(t, cuda_place(t->s, shape, &t->job->launches[shape], run.places),
			  TRIAL_LAUNCH, "allocating scratch buffers", e);
	if (r == 0) {
		cuda_call_init(&run.call, t->function, p->arguments, p->n_arguments,
			       &t->job->launches[shape], run.places);
		r = run_timing(&run, e);
		turns_release(&run.turns);
		cuda_call_release(&run.call);
	}
	free(run.places);
	if (r) {
		free(timing.samples_ns);
		return r;
	}
	timing.samples_ns = mem_grow(timing.samples_ns, (size_t)timing.n_samples, sizeof(double));
	t->m->timings = mem_grow(t->m->timings, (size_t)t->m->n_timings + 1, sizeof timing);
	t->m->timings[t->m->n_timings++] = timing;
	return 0;
}

int trial_time(struct trial *t, struct err *e)
{
	const struct problem *p = t->s->p;
	int r = 0;

	for (int shape = 0; shape < p->n_shapes && r == 0; shape++)
		if (p->shapes[shape].time)
			r = time_shape(t, shape, e);
	return r;
}
