#include "runtime/cuda_ceilings.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "runtime/cuda_graph.h"
#include "runtime/nvrtc.h"

static const char text[] =
#include "kernels/ceilings.cu.inc"
	;

/* As ceilings.cu has them. */
enum { THREADS = 256, CHAINS = 16, STEPS = 8, TILES = 8, WARP = 32 };

enum {
	BLOCKS_PER_SM = 8,
	SAMPLES = 6,
	SAMPLE_NS = 1000000,
	FIRST_ROUNDS = 64,
	ROUNDS_MAX = 1 << 16,
	WARM_NS = 30 * 1000000, /* idle clocks take about that long to rise */
	WARM_LAUNCHES_MAX = 64,
	COPIES = 4, /* a sample */
};

#define COPY_BYTES_MIN ((int64_t)64 << 20)
#define COPY_BYTES_MAX ((int64_t)512 << 20)

struct bench {
	struct session *s;
	struct cuda_module *module;
	struct room from, to;
	int blocks;
};

/* A kernel of (pointer, rounds) and what it does in a round, in operations a warp. */
static const struct pipe {
	const char *name;
	enum work_unit unit;
	double operations;
} pipes[] = {
	{ "evo_fma", UNIT_F32, 2.0 * CHAINS *STEPS *WARP },
	{ "evo_mma_f16", UNIT_F16_TENSOR, 2.0 * 16 * 8 * 16 * TILES },
	{ "evo_mma_s8", UNIT_S8_TENSOR, 2.0 * 16 * 8 * 32 * TILES },
};

static int load(struct bench *x, struct err *e)
{
	char target[64];
	const char *options[] = { target, "-std=c++17" };
	struct nvrtc_job job = {
		.text = text, .name = "ceilings.cu", .options = options, .n_options = 2
	};
	struct nvrtc_result compiled = { 0 };
	const struct nvrtc *n;
	int r = nvrtc_load(&n, e);

	snprintf(target, sizeof target, "--gpu-architecture=%s", x->s->device.arch);
	if (r == 0)
		r = nvrtc_compile(n, &job, &compiled, e);
	if (r == 0 && !compiled.cubin)
		r = err_set(e, ERR_FAILED, "ceilings.cu does not compile for %s: %s",
			    x->s->device.arch, compiled.log);
	if (r == 0)
		r = cuda_check(&x->s->cu, x->s->cu.module_load(&x->module, compiled.cubin), e,
			       "loading ceilings.cu");
	nvrtc_result_release(&compiled);
	return r;
}

/* The functions below return a CUresult. */
static int time_launches(struct bench *x, struct cuda_function *f, void **arguments, int n,
			 double *ret_ns)
{
	struct session *s = x->s;
	int result = timing_begin(s);

	for (int i = 0; i < n && result == CUDA_OK; i++)
		result = s->cu.launch(f, (unsigned)x->blocks, 1, 1, THREADS, 1, 1, 0, s->stream,
				      arguments, NULL);
	return result == CUDA_OK ? timing_end(s, ret_ns) : result;
}

static int fastest(struct bench *x, struct cuda_function *f, void **arguments, int n,
		   double *ret_ns)
{
	double best = INFINITY, ns = 0;
	int result = CUDA_OK;

	for (int i = 0; i < SAMPLES && result == CUDA_OK; i++) {
		result = time_launches(x, f, arguments, n, &ns);
		best = ns > 0 ? fmin(best, ns) : best;
	}
	*ret_ns = best;
	return result;
}

/* Sets the last argument, which is the rounds, so that a launch lasts about a sample. */
static int fit_rounds(struct bench *x, struct cuda_function *f, void **arguments, int *rounds)
{
	double ns = 0;
	int result;

	*rounds = FIRST_ROUNDS;
	result = time_launches(x, f, arguments, 1, &ns);
	if (result == CUDA_OK && ns > 0)
		*rounds = (int)fmin(fmax(FIRST_ROUNDS * SAMPLE_NS / ns, 1), ROUNDS_MAX);
	return result;
}

/* Without memory or without such instructions a ceiling stays unknown. */
static int measure_pipe(struct bench *x, const struct pipe *p, struct ceilings *ret)
{
	double warps = (double)x->blocks * THREADS / WARP, ns = 0;
	struct cuda_function *f;
	int rounds = 0, result = x->s->cu.module_function(&f, x->module, p->name);
	void *arguments[] = { &x->from.at, &rounds };

	if (result == CUDA_NOT_FOUND)
		return CUDA_OK;
	if (result == CUDA_OK)
		result = fit_rounds(x, f, arguments, &rounds);
	if (result == CUDA_OK)
		result = fastest(x, f, arguments, 1, &ns);
	if (result == CUDA_OK && ns > 0)
		ret->operations_per_s[p->unit] = p->operations * rounds * warps / ns * 1e9;
	return result;
}

static int measure_copy(struct bench *x, int64_t bytes, struct ceilings *ret)
{
	uint64_t n = (uint64_t)bytes / 16;
	void *arguments[] = { &x->from.at, &x->to.at, &n };
	struct cuda_function *f;
	double ns = 0;
	int result = x->s->cu.module_function(&f, x->module, "evo_copy");

	if (result == CUDA_OK)
		result = fastest(x, f, arguments, COPIES, &ns);
	if (result == CUDA_OK && ns > 0)
		ret->dram_bytes_per_s = 2.0 * COPIES * (double)bytes / ns * 1e9;
	return result;
}

/* A quarter of the cache: halves of it may each keep a copy of what the other half has. */
static int measure_cache(struct bench *x, int64_t bytes, struct ceilings *ret)
{
	uint64_t n = (uint64_t)bytes / 16;
	struct cuda_function *f;
	double ns = 0;
	int rounds = 0, result = x->s->cu.module_function(&f, x->module, "evo_read");
	void *arguments[] = { &x->from.at, &x->to.at, &n, &rounds };

	if (result == CUDA_OK)
		result = fit_rounds(x, f, arguments, &rounds);
	if (result == CUDA_OK)
		result = fastest(x, f, arguments, 1, &ns);
	if (result == CUDA_OK && ns > 0)
		ret->cache_bytes_per_s = (double)n * 16 * rounds / ns * 1e9;
	return result;
}

static int raise_clocks(struct bench *x)
{
	struct cuda_function *f;
	int rounds = FIRST_ROUNDS, result = x->s->cu.module_function(&f, x->module, "evo_fma");
	void *arguments[] = { &x->from.at, &rounds };
	double ns = 0, spent = 0;

	if (result == CUDA_OK)
		result = fit_rounds(x, f, arguments, &rounds);
	for (int i = 0; i < WARM_LAUNCHES_MAX && spent < WARM_NS && result == CUDA_OK; i++) {
		result = time_launches(x, f, arguments, 1, &ns);
		spent += ns;
	}
	return result;
}

static int64_t copy_bytes(int64_t cache)
{
	int64_t bytes = cache * 8;

	if (bytes < COPY_BYTES_MIN)
		return COPY_BYTES_MIN;
	return bytes < COPY_BYTES_MAX ? bytes : COPY_BYTES_MAX;
}

static int measure(struct bench *x, struct ceilings *ret)
{
	int64_t cache = x->s->device.attr[DEVICE_L2_BYTES], bytes = copy_bytes(cache);
	int result = room_reserve(x->s, &x->from, bytes);
	bool roomy;

	if (result == CUDA_OK)
		result = raise_clocks(x);
	for (size_t i = 0; i < sizeof pipes / sizeof pipes[0] && result == CUDA_OK; i++)
		result = measure_pipe(x, &pipes[i], ret);
	if (result != CUDA_OK)
		return result;
	roomy = room_reserve(x->s, &x->to, bytes) == CUDA_OK;
	ret->cache_bytes = (double)cache;
	if (roomy)
		result = measure_copy(x, bytes, ret);
	if (roomy && result == CUDA_OK && cache > 0)
		result = measure_cache(x, cache / 4, ret);
	return result;
}

int cuda_ceilings(int ordinal, struct ceilings *ret, struct err *e)
{
	uint64_t seed = 0;
	const struct problem nothing = { .seeds = &seed, .n_seeds = 1 };
	struct ceilings c = { 0 };
	struct bench x = { 0 };
	int r = cuda_open(ordinal, &nothing, &x.s, e);

	if (r < 0)
		return r;
	x.blocks = (int)x.s->device.attr[DEVICE_SM_COUNT] * BLOCKS_PER_SM;
	r = load(&x, e);
	if (r == 0)
		r = cuda_check(&x.s->cu, measure(&x, &c), e, "measuring the device's ceilings");
	if (x.from.at)
		x.s->cu.free(x.from.at);
	if (x.to.at)
		x.s->cu.free(x.to.at);
	if (x.module)
		x.s->cu.module_unload(x.module);
	cuda_close(x.s);
	if (r == 0)
		*ret = c;
	return r;
}
