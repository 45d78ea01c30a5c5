/*
 * The matrix product as one setting of its macros has it, run on a CPU and compared with sums in
 * double. See sdpa.cpp for what this proves and what it cannot.
 *
 * Compiled with -D for each parameter and -DSHARED_BYTES=, the task's expression without quotes;
 * says nothing and exits 0 when all is well.
 */
#include "cuda_fp16.h"
#include "lanes.h"
#include "ptx.h"
#include "ptx_wgmma.h"

#include <cstdint>
#include <cstdio>
#include <vector>

using std::max;
using std::min;

#include "gemm/gemm_f16.cu"

/* What the task makes of its expression: the language is C's, but for quotes around names. */
namespace task
{
enum { mma, wgmma };
constexpr int shared_bytes = SHARED_BYTES;
} // namespace task

enum { SHARED_MAX = 256 << 10, GUARD = 1024 };
extern "C" {
alignas(1024) unsigned char shared[SHARED_MAX];
}
bool ptx::eager;

static int fail(const tile::problem &p, const char *what, double figure, double limit)
{
	std::printf("(%d,%d,%d): %s %g, limit %g\n", p.m, p.n, p.k, what, figure, limit);
	return 1;
}

/* Halves in [-1, 1). */
static std::vector<__half> matrix(int rows, int columns)
{
	static uint32_t state = 1;
	std::vector<__half> x((size_t)rows * (size_t)columns);

	for (__half &h : x) {
		state = state * 1664525 + 1013904223;
		h = __float2half_rn((float)(state >> 22) / 512 - 1);
	}
	return x;
}

/* backwards: the last warp runs first. */
static bool run(const tile::problem &p, bool backwards)
{
	const unsigned int tiles = (unsigned int)(p.tiles_m() * p.tiles_n());

	gridDim = { param::persistent ? min(tiles, 3u) : tiles, 1, 1 };
	for (unsigned int x = 0; x < gridDim.x; x++) {
		std::memset(shared, 0xff, SHARED_MAX); /* NaN wherever nothing was stored */
		ptx::forget();
		blockIdx = { x, 0, 0 };
		if (!lanes::run_block(param::threads, backwards,
				      [&] { gemm_f16(p.a, p.b, p.c, p.m, p.n, p.k); }))
			return false;
	}
	return true;
}

static int compare(const tile::problem &p)
{
	double diff = 0, square = 0;

	for (int i = 0; i < p.m * p.n; i++) {
		double want = 0;
		for (int k = 0; k < p.k; k++)
			want += (double)__half2float(p.a[i / p.n * p.k + k]) *
				(double)__half2float(p.b[i % p.n * p.k + k]);
		double d = __half2float(p.c[i]) - want;
		if (std::isnan(d))
			return fail(p, "element is not a number:", i, 0);
		diff += d * d;
		square += want * want;
	}
	if (std::sqrt(diff / square) > 5e-4)
		return fail(p, "rel_l2", std::sqrt(diff / square), 5e-4);
	return 0;
}

static int check(int m, int n, int k, bool backwards, bool eager)
{
	const std::vector<__half> a = matrix(m, k), b = matrix(n, k);
	const int count = m * n;
	std::vector<__half> c((size_t)count + GUARD, __half{ 0xffff });
	const tile::problem p = { a.data(), b.data(), c.data(), m, n, k };

	ptx::eager = eager;
	if (!run(p, backwards))
		return fail(p, "threads wait for ever", 0, 0);
	for (int i = task::shared_bytes; i < SHARED_MAX; i++)
		if (shared[i] != 0xff)
			return fail(p, "shared byte written:", i, task::shared_bytes);
	for (int i = count; i < count + GUARD; i++)
		if (c[(size_t)i].bits != 0xffff)
			return fail(p, "written past the end, element", i - count, 0);
	return compare(p);
}

int main()
{
	return check(1, 8, 8, false, false) || check(37, 72, 40, true, true) ||
	       check(65, 264, 264, false, true) || check(130, 40, 520, true, false);
}
