#include "runtime/host_ceilings.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#include "base/clock.h"
#include "base/mem.h"

enum {
	SAMPLES = 20, /* short ones: on a busy machine some are not disturbed */
	FAR_SAMPLES = 4,
	ROUNDS = 20000,
	CHAINS = 10, /* a unit or two busy, and few enough for 16 registers */
	NEAR_BYTES = 128 << 10,
	NEAR_COPIES = 20,
};

#define FAR_BYTES_MIN ((size_t)32 << 20)
#define FAR_BYTES_MAX ((size_t)96 << 20)

/* Each returns something of its result, so that the work is not dropped; the count of floats in a
 * vector says how many operations that were. */
#if defined(__x86_64__)
__attribute__((target("avx512f"))) static float multiply_512(void)
{
	__m512 x[CHAINS], a = _mm512_set1_ps(0.999f), b = _mm512_set1_ps(0.001f);
	float out[16];

	for (int k = 0; k < CHAINS; k++)
		x[k] = _mm512_set1_ps((float)k);
	for (int i = 0; i < ROUNDS; i++)
#pragma GCC unroll 10
		for (int k = 0; k < CHAINS; k++)
			x[k] = _mm512_fmadd_ps(x[k], a, b);
	for (int k = 1; k < CHAINS; k++)
		x[0] = _mm512_add_ps(x[0], x[k]);
	_mm512_storeu_ps(out, x[0]);
	return out[0];
}

__attribute__((target("avx2,fma"))) static float multiply_256(void)
{
	__m256 x[CHAINS], a = _mm256_set1_ps(0.999f), b = _mm256_set1_ps(0.001f);
	float out[8];

	for (int k = 0; k < CHAINS; k++)
		x[k] = _mm256_set1_ps((float)k);
	for (int i = 0; i < ROUNDS; i++)
#pragma GCC unroll 10
		for (int k = 0; k < CHAINS; k++)
			x[k] = _mm256_fmadd_ps(x[k], a, b);
	for (int k = 1; k < CHAINS; k++)
		x[0] = _mm256_add_ps(x[0], x[k]);
	_mm256_storeu_ps(out, x[0]);
	return out[0];
}
#elif defined(__aarch64__)
static float multiply_neon(void)
{
	float32x4_t x[CHAINS], a = vdupq_n_f32(0.999f), b = vdupq_n_f32(0.001f);

	for (int k = 0; k < CHAINS; k++)
		x[k] = vdupq_n_f32((float)k);
	for (int i = 0; i < ROUNDS; i++)
#pragma GCC unroll 10
		for (int k = 0; k < CHAINS; k++)
			x[k] = vfmaq_f32(b, x[k], a);
	for (int k = 1; k < CHAINS; k++)
		x[0] = vaddq_f32(x[0], x[k]);
	return vgetq_lane_f32(x[0], 0);
}
#endif

typedef float vector __attribute__((vector_size(16)));

static float multiply_plain(void)
{
	vector x[CHAINS], a = { 0.999f, 0.999f, 0.999f, 0.999f }, b = a / 999;

	for (int k = 0; k < CHAINS; k++)
		x[k] = a * (float)k;
	for (int i = 0; i < ROUNDS; i++)
#pragma GCC unroll 10
		for (int k = 0; k < CHAINS; k++)
			x[k] = x[k] * a + b;
	for (int k = 1; k < CHAINS; k++)
		x[0] += x[k];
	return x[0][0];
}

struct multiplier {
	float (*run)(void);
	int lanes;
};

static struct multiplier widest(void)
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx512f"))
		return (struct multiplier){ multiply_512, 16 };
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
		return (struct multiplier){ multiply_256, 8 };
#elif defined(__aarch64__)
	return (struct multiplier){ multiply_neon, 4 };
#endif
	return (struct multiplier){ multiply_plain, 4 };
}

static double multiply_rate(void)
{
	struct multiplier m = widest();
	double operations = 2.0 * ROUNDS * CHAINS * m.lanes, best_ns = INFINITY;
	volatile float sink;

	for (int i = 0; i < SAMPLES; i++) {
		int64_t start = clock_mono_ns();

		sink = m.run();
		best_ns = fmin(best_ns, (double)(clock_mono_ns() - start));
	}
	(void)sink;
	return best_ns > 0 ? operations / best_ns * 1e9 : 0;
}

/* Bytes read and written a second by copies of `bytes`, `copies` of them a sample. */
static double copy_rate(size_t bytes, int samples, int copies)
{
	char *from = mem_alloc(bytes), *to = mem_alloc(bytes);
	double best_ns = INFINITY;

	memset(from, 1, bytes);
	memset(to, 2, bytes);
	for (int i = 0; i < samples; i++) {
		int64_t start = clock_mono_ns();

		for (int k = 0; k < copies; k++) {
			from[(size_t)k % bytes]++; /* no two copies are one */
			memcpy(to, from, bytes);
			__asm__ volatile("" ::"r"(to) : "memory");
		}
		best_ns = fmin(best_ns, (double)(clock_mono_ns() - start));
	}
	free(from);
	free(to);
	return best_ns > 0 ? 2.0 * (double)bytes * copies / best_ns * 1e9 : 0;
}

int host_ceilings(int ordinal, struct ceilings *ret, struct err *e)
{
	long cache = sysconf(_SC_LEVEL3_CACHE_SIZE);
	size_t far = cache > 0 ? (size_t)cache * 2 : 0;

	if (ordinal != 0)
		return err_set(e, ERR_MISSING, "host device %d: there is only device 0", ordinal);
	far = far < FAR_BYTES_MIN ? FAR_BYTES_MIN : far > FAR_BYTES_MAX ? FAR_BYTES_MAX : far;
	*ret = (struct ceilings){ .dram_bytes_per_s = copy_rate(far, FAR_SAMPLES, 1),
				  .cache_bytes_per_s =
					  copy_rate(NEAR_BYTES, SAMPLES, NEAR_COPIES) };
	cache = sysconf(_SC_LEVEL2_CACHE_SIZE);
	ret->cache_bytes = fmax((double)cache, 2.0 * NEAR_BYTES);
	ret->operations_per_s[UNIT_F32] = multiply_rate();
	return 0;
}
