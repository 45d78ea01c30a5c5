/*
 * out[r][c] = in[r][c] * weight[c] / sqrt(mean of in[r][...]^2 + EPSILON), rows of halves: see
 * row.cuh for who does what.
 *
 * Each element is multiplied three times, so that only memory counts: 4 bytes an element. The
 * weights, the same for all rows, come from the cache. EARLY_WEIGHT=1 asks for them before the sum
 * over the row is known, which hides their way and costs registers.
 */
#include "row.cuh"

#ifndef EPSILON /* keeps rows of zeros from dividing by 0; not searched */
#define EPSILON 1e-5
#endif
#ifndef EARLY_WEIGHT /* 1: weights are loaded with the row (KEEP > 0) */
#define EARLY_WEIGHT 0
#endif

namespace rmsnorm
{
static_assert(!EARLY_WEIGHT || KEEP > 0, "weights are loaded early where the row is");

/* The weights of what a thread keeps; of the rest they are loaded when they are due. */
template <int N, int KEPT> struct weights {
	static constexpr int early = EARLY_WEIGHT ? KEPT : 0;
	const ptx::u16 *const from;
	row::pack<N> loaded[early ? early : 1];

	__device__ weights(const ptx::u16 *from, int vectors) : from(from)
	{
#pragma unroll
		for (int k = 0; k < early; k++)
			if (row::lane() + k * row::lanes < vectors)
				loaded[k] = row::load<N, ptx::load_kind::nc>(
					from, row::lane() + k * row::lanes);
	}

	/* Of vector i, the k-th that is kept; -1: it is not. */
	__device__ void get(int i, int k, float (&ret)[N]) const
	{
		if (k >= 0 && k < early)
			row::unpack(loaded[k], ret);
		else
			row::unpack(row::load<N, ptx::load_kind::nc>(from, i), ret);
	}
};

template <int N, int KEPT>
__device__ void walk(const ptx::u16 *in, const ptx::u16 *weight, ptx::u16 *out, int columns,
		     int length)
{
	row::part<N, KEPT> mine(in, columns);
	const weights<N, KEPT> w(weight, columns / N);
	float square = 0;

	mine.visit([&](float(&x)[N], int, int) {
#pragma unroll
		for (int i = 0; i < N; i++)
			square = fmaf(x[i], x[i], square);
	});
	const float scale = rsqrtf(row::sum<0>(square) / (float)length + (float)EPSILON);
	mine.visit([&](float(&x)[N], int i, int k) {
		float y[N];

		w.get(i, k, y);
		for (int j = 0; j < N; j++)
			y[j] *= x[j] * scale;
		row::store(out, i, y);
	});
}
} // namespace rmsnorm

extern "C" __global__ void __launch_bounds__(BLOCK, row::min_blocks)
	rmsnorm_f16(const ptx::u16 *__restrict__ in, const ptx::u16 *__restrict__ weight,
		    ptx::u16 *__restrict__ out, int rows, int columns)
{
	const size_t first = (size_t)row::number() * columns;
	const int mine = row::number() < rows ? columns : 0; /* all are there at the barriers */

	if (VEC == 1 || columns % VEC == 0)
		rmsnorm::walk<VEC, KEEP>(in + first, weight, out + first, mine, columns);
	else
		rmsnorm::walk<1, 0>(in + first, weight, out + first, mine, columns);
}
