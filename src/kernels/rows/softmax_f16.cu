/*
 * out[r][c] = exp(in[r][c]) / sum of exp(in[r][...]), rows of halves: see row.cuh for who does
 * what.
 *
 * The largest element of a row is subtracted first. ONLINE=0 finds it on a pass of its own;
 * ONLINE=1 sums up on the same pass and rescales the sum whenever a larger element turns up
 * (Milakov and Gimelshein, "Online normalizer calculation for softmax", 2018), which saves a pass,
 * and where memory is read anew a third of the traffic, for more exponentials.
 *
 * What every configuration has to move is 4 bytes an element: bound by memory as long as the
 * exponentials, one or two an element, are short. EXP=expf is the library's, ex2 one instruction
 * after a multiply-add, half2 one for two elements, which rounds the exponent to a half: a weight
 * 2^-n of the largest is then right to about n / 2^12 of itself.
 */
#include "row.cuh"

#ifndef EXP /* expf, ex2 or half2 (VEC > 1) */
#define EXP ex2
#endif
#ifndef ONLINE /* 1: largest element and sum on one pass */
#define ONLINE 0
#endif

namespace softmax
{
enum class exp_kind { expf, ex2, half2 };

constexpr exp_kind kind = exp_kind::EXP;
constexpr float log2e = 1.4426950408889634f;
constexpr float lowest = -1e30f; /* below all halves, and far from what overflows */

static_assert(kind != exp_kind::half2 || VEC > 1, "half2 takes elements in pairs");

/* e^(x - most) */
static __device__ float weight(float x, float most)
{
	if constexpr (kind == exp_kind::expf)
		return expf(x - most);
	else
		return ptx::exp2((x - most) * log2e);
}

template <int N> __device__ void weights(const float (&x)[N], float most, float (&ret)[N])
{
	if constexpr (kind == exp_kind::half2 && N > 1) {
#pragma unroll
		for (int i = 0; i < N; i += 2) {
			const float2 w =
				ptx::exp2_half2((x[i] - most) * log2e, (x[i + 1] - most) * log2e);

			ret[i] = w.x;
			ret[i + 1] = w.y;
		}
	} else {
#pragma unroll
		for (int i = 0; i < N; i++)
			ret[i] = weight(x[i], most);
	}
}

template <int N> __device__ float largest(float most, const float (&x)[N])
{
#pragma unroll
	for (int i = 0; i < N; i++)
		most = fmaxf(most, x[i]);
	return most;
}

template <int N> __device__ float added(float sum, const float (&x)[N])
{
#pragma unroll
	for (int i = 0; i < N; i++)
		sum += x[i];
	return sum;
}

struct norm {
	float most, sum;
};

template <int N, int KEPT> __device__ norm online(row::part<N, KEPT> &mine)
{
	float most = lowest, sum = 0;

	mine.visit([&](float(&x)[N], int, int) {
		const float before = most;
		float w[N];

		most = largest(most, x);
		weights(x, most, w);
		sum = added(sum * weight(before, most), w);
	});
	const float all = row::largest<0>(most);
	return { all, row::sum<1>(sum * weight(most, all)) };
}

/* Turns what stays into weights. */
template <int N, int KEPT> __device__ norm one_by_one(row::part<N, KEPT> &mine)
{
	float most = lowest, sum = 0;

	mine.visit([&](float(&x)[N], int, int) { most = largest(most, x); });
	most = row::largest<0>(most);
	mine.visit([&](float(&x)[N], int, int k) {
		float w[N];

		weights(x, most, w);
		sum = added(sum, w);
		if (mine.stays(k))
			for (int i = 0; i < N; i++)
				x[i] = w[i];
	});
	return { most, row::sum<1>(sum) };
}

template <int N, int KEPT> __device__ void walk(const ptx::u16 *in, ptx::u16 *out, int columns)
{
	row::part<N, KEPT> mine(in, columns);
	const norm n = ONLINE ? online(mine) : one_by_one(mine);
	const float scale = 1 / n.sum;

	mine.visit([&](float(&x)[N], int i, int k) {
		float w[N];

		if (mine.stays(k) && !ONLINE) {
			for (int j = 0; j < N; j++)
				w[j] = x[j];
		} else {
			weights(x, n.most, w);
		}
		for (int j = 0; j < N; j++)
			w[j] *= scale;
		row::store(out, i, w);
	});
}
} // namespace softmax

extern "C" __global__ void __launch_bounds__(BLOCK, row::min_blocks)
	softmax_f16(const ptx::u16 *__restrict__ in, ptx::u16 *__restrict__ out, int rows,
		    int columns)
{
	const size_t first = (size_t)row::number() * columns;
	const int mine = row::number() < rows ? columns : 0; /* all are there at the barriers */

	if (VEC == 1 || columns % VEC == 0)
		softmax::walk<VEC, KEEP>(in + first, out + first, mine);
	else
		softmax::walk<1, 0>(in + first, out + first, mine);
}
