#include "runtime/cuda_measure.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "runtime/cuda_check.h"
#include "runtime/cuda_place.h"
#include "runtime/cuda_timing.h"

enum { CUBIN_BYTES_MAX = 1 << 30 };

static double ms_since(int64_t start)
{
	return (double)(clock_mono_ns() - start) / 1e6;
}

static int attribute(struct trial *t, int which, int64_t *ret)
{
	int value, result = t->s->cu.function_attribute(&value, which, t->function);

	if (result == CUDA_OK)
		*ret = value;
	return result;
}

static int read_attributes(struct trial *t)
{
	struct function *f = &t->m->function;
	int result = attribute(t, CUDA_FUNCTION_REGISTERS, &f->registers);

	if (result == CUDA_OK)
		result = attribute(t, CUDA_FUNCTION_SHARED_BYTES, &f->shared_bytes);
	if (result == CUDA_OK)
		result = attribute(t, CUDA_FUNCTION_LOCAL_BYTES, &f->local_bytes);
	if (result == CUDA_OK)
		result = attribute(t, CUDA_FUNCTION_CONSTANT_BYTES, &f->constant_bytes);
	if (result == CUDA_OK)
		result = attribute(t, CUDA_FUNCTION_MAX_THREADS, &f->max_threads);
	return result;
}

/* The shape whose occupancy is told: the first that is timed, else the first. */
static const struct launch *main_launch(const struct trial *t)
{
	for (int i = 0; i < t->s->p->n_shapes; i++)
		if (t->s->p->shapes[i].time)
			return &t->job->launches[i];
	return &t->job->launches[0];
}

/* Says by name what the driver would only call an invalid value. */
static int hold_limits(struct trial *t)
{
	const struct function *f = &t->m->function;
	int64_t shared_max = t->s->device.attr[DEVICE_MAX_SHARED_BYTES];

	for (int i = 0; i < t->job->n_launches; i++) {
		const struct launch *l = &t->job->launches[i];
		int64_t threads = l->block[0] * l->block[1] * l->block[2];

		if (threads > f->max_threads)
			return trial_end(t, OUTCOME_TOO_BIG,
					 "shape %s: %lld threads a block; with %lld registers a "
					 "thread the kernel can have %lld",
					 t->s->p->shapes[i].name, (long long)threads,
					 (long long)f->registers, (long long)f->max_threads);
		if (l->shared_bytes + f->shared_bytes > shared_max)
			return trial_end(t, OUTCOME_TOO_BIG,
					 "shape %s: %lld bytes of dynamic and %lld of static "
					 "shared memory; the device has %lld a block",
					 t->s->p->shapes[i].name, (long long)l->shared_bytes,
					 (long long)f->shared_bytes, (long long)shared_max);
	}
	return 0;
}

static int allow_launches(struct trial *t, struct err *e)
{
	const struct launch *l = main_launch(t);
	int64_t shared = 0, threads = l->block[0] * l->block[1] * l->block[2];
	int blocks = 0, result, r;

	for (int i = 0; i < t->job->n_launches; i++)
		if (t->job->launches[i].shared_bytes > shared)
			shared = t->job->launches[i].shared_bytes;
	r = trial_verdict(t, cuda_allow_shared(t->s, t->function, shared), TRIAL_LAUNCH,
			  "asking for dynamic shared memory", e);
	if (r)
		return r;
	result = t->s->cu.occupancy(&blocks, t->function, (int)threads, (size_t)l->shared_bytes);
	if (result == CUDA_OK)
		t->m->function.blocks_per_sm = blocks;
	return trial_verdict(t, result, TRIAL_LAUNCH, "asking for the occupancy", e);
}

static int load(struct trial *t, struct err *e)
{
	struct session *s = t->s;
	char *bytes;
	int result, r = file_read(t->job->artifact, CUBIN_BYTES_MAX, &bytes, NULL, e);

	if (r < 0)
		return err_wrap(e, "the variant's binary");
	result = s->cu.module_load(&t->module, bytes);
	free(bytes);
	if (result == CUDA_OK)
		result = s->cu.module_function(&t->function, t->module, t->job->entry);
	if (result == CUDA_OK)
		result = read_attributes(t);
	r = trial_verdict(t, result, TRIAL_OURS, "loading the kernel", e);
	if (r == 0)
		r = hold_limits(t);
	if (r == 0)
		r = allow_launches(t, e);
	return r;
}

static int run(struct trial *t, struct err *e)
{
	int64_t start = clock_mono_ns();
	int r = load(t, e);

	t->m->load_ms = ms_since(start);
	start = clock_mono_ns();
	if (r == 0 && t->job->verify)
		r = trial_check(t, e);
	t->m->verify_ms = ms_since(start);
	if (r == 0 && t->job->time)
		r = trial_time(t, e);
	return r;
}

int cuda_measure(struct session *s, const struct measure_job *job, struct measurement *ret,
		 struct err *e)
{
	struct measurement m = { .outcome = OUTCOME_OK,
				 .function = { -1, -1, -1, -1, -1, -1 },
				 .clocks = { -1, -1, -1, -1, -1 } };
	struct trial t = { .s = s, .job = job, .m = &m };
	int r;

	if (s->poisoned)
		return err_set(e, ERR_FAILED,
			       "an earlier kernel faulted and took the device's context with it; "
			       "open the device again in a new process");
	if (job->n_launches != s->p->n_shapes)
		return err_set(e, ERR_INVALID, "%d launches for a problem of %d shapes",
			       job->n_launches, s->p->n_shapes);
	r = run(&t, e);
	if (t.module)
		s->cu.module_unload(t.module);
	if (r < 0) {
		measurement_release(&m);
		return r;
	}
	*ret = m;
	return 0;
}
