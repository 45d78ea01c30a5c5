#pragma once

#include "fragments.cuh"
#include "softmax.cuh"

/*
 * What a warp of the register path sums up, and how that becomes the output: warps that shared rows
 * hand their sums to one of them, which divides and stores.
 */
namespace fused
{
/* What a warp has summed so far for its rows. */
struct sums {
	float max[m_frags][2];	  /* raw score */
	float max_c[m_frags][2];  /* max * c, rounded */
	float weight[m_frags][4]; /* [0] rows g, [2] rows g + 8: as an accumulator has them */
	float out[m_frags][head_dim / 8][4]; /* of bytes: even d of 16, odd d of the same 16, ... */

	__device__ sums()
	{
#pragma unroll
		for (int m = 0; m < m_frags; m++) {
			max[m][0] = max[m][1] = softmax::minus_infinity();
			max_c[m][0] = max_c[m][1] = softmax::minus_infinity();
#pragma unroll
			for (int i = 0; i < 4; i++) {
				weight[m][i] = 0;
#pragma unroll
				for (int d = 0; d < head_dim / 8; d++)
					out[m][d][i] = 0;
			}
		}
	}

	__device__ void scale(int m, int half, float factor)
	{
		weight[m][2 * half] *= factor;
		weight[m][2 * half + 1] *= factor;
#pragma unroll
		for (int d = 0; d < head_dim / 8; d++) {
			out[m][d][2 * half] *= factor;
			out[m][d][2 * half + 1] *= factor;
		}
	}
};

/* Weights summed by add are partial: each lane of a row has its own keys. */
__device__ inline void finish_weights(sums &s)
{
#pragma unroll
	for (int m = 0; m < m_frags; m++)
#pragma unroll
		for (int i = 0; i < 4; i += 2) {
			s.weight[m][i] += __shfl_xor_sync(0xffffffffu, s.weight[m][i], 1);
			s.weight[m][i] += __shfl_xor_sync(0xffffffffu, s.weight[m][i], 2);
		}
}

/* All warps that compute have come. */
__device__ inline void meet()
{
	if constexpr (param::producers > 0)
		ptx::barrier<32 * param::warps>(1);
	else
		__syncthreads();
}

/* Hands the sums of all key groups to group 0, lane by lane, through shared memory. */
__device__ inline void merge(sums &s, const lane &l, float *area)
{
	constexpr int group = row_warps * lane_floats * 32;
	meet();
	if (l.key_group > 0) {
		float *to = area + (l.key_group - 1) * group + l.merge_column;
#pragma unroll
		for (int i = 0; i < 2; i++) {
			to[32 * i] = s.max_c[0][i];
			to[32 * (2 + i)] = s.weight[0][2 * i];
		}
#pragma unroll
		for (int i = 0; i < head_dim / 2; i++)
			to[32 * (4 + i)] = s.out[0][i / 4][i % 4];
	}
	meet();
	if (l.key_group > 0)
		return;
#pragma unroll 1
	for (int other = 0; other < key_warps - 1; other++) {
		const float *from = area + other * group + l.merge_column;
		float factor[2];
#pragma unroll
		for (int i = 0; i < 2; i++) {
			float top_c = fmaxf(s.max_c[0][i], from[32 * i]);
			s.scale(0, i, softmax::exponential(s.max_c[0][i] - top_c));
			factor[i] = softmax::exponential(from[32 * i] - top_c);
			s.max_c[0][i] = top_c;
			s.weight[0][2 * i] += factor[i] * from[32 * (2 + i)];
		}
#pragma unroll
		for (int i = 0; i < head_dim / 2; i++)
			s.out[0][i / 4][i % 4] += factor[i % 4 / 2] * from[32 * (4 + i)];
	}
}

__device__ inline u32 two_halves(float low, float high)
{
	return quant::bits(__floats2half2_rn(low, high));
}

/* One row of one lane: rows g or g + 8 of fragment m. */
__device__ inline void store_row(const float (&out)[head_dim / 8][4], int half, float shift,
				 float factor, __half *to, int t)
{
#pragma unroll
	for (int d = 0; d < head_dim / 8; d += 2) {
		float x[2][2];
#pragma unroll
		for (int i = 0; i < 4; i++)
			x[i / 2][i % 2] = (out[d + i / 2][2 * half + i % 2] - shift) * factor;
		if constexpr (quant::is_f16) {
			*reinterpret_cast<u32 *>(to + 8 * d + 2 * t) = two_halves(x[0][0], x[0][1]);
			*reinterpret_cast<u32 *>(to + 8 * d + 8 + 2 * t) =
				two_halves(x[1][0], x[1][1]);
		} else {
			uint2 four;
			four.x = two_halves(x[0][0], x[1][0]);
			four.y = two_halves(x[0][1], x[1][1]);
			*reinterpret_cast<uint2 *>(to + 8 * d + 4 * t) = four;
		}
	}
}

/* O = U / l. With DEQUANT=direct U and l are both 128 l too large. */
__device__ inline void store(const sums &s, const lane &l, float v_scale, __half *o, int row,
			     int rows)
{
#pragma unroll
	for (int m = 0; m < m_frags; m++)
#pragma unroll
		for (int half = 0; half < 2; half++) {
			int r = row + l.first_row + 16 * m + 8 * half + l.g;
			float shift = quant::direct ? s.weight[m][2 * half] : 0.0f;
			float factor =
				v_scale * (quant::direct ? 128.0f : 1.0f) / s.weight[m][2 * half];
			if (r >= rows)
				continue;
			store_row(s.out[m], half, shift, factor,
				  o + static_cast<size_t>(r) * head_dim, l.t);
		}
}
} // namespace fused
