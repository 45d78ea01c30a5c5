#pragma once

#include "hopper_layout.cuh"

namespace hopper
{
/*
 * What one thread sums of its warpgroup's rows, which are g and g + 8 of its warp's 16, and what
 * becomes of it in the end.
 */
struct sums {
	float max_c[2]; /* the rows' reference, in binary orders */
	float sum[2];
	float ones[4]; /* sums by mma */
	float o[halves64][32];

	static __device__ float minus_infinity()
	{
		return __int_as_float(0xff800000);
	}

	__device__ void clear()
	{
#pragma unroll
		for (int i = 0; i < 2; i++) {
			max_c[i] = minus_infinity();
			sum[i] = 0;
		}
#pragma unroll
		for (int h = 0; h < halves64; h++)
#pragma unroll
			for (int i = 0; i < 32; i++)
				o[h][i] = 0;
#pragma unroll
		for (int i = 0; i < 4; i++)
			ones[i] = 0;
	}

	__device__ void pin_output()
	{
#pragma unroll
		for (int h = 0; h < halves64; h++)
			ptx::pin(o[h]);
		if constexpr (sum_by_mma)
			ptx::pin(ones);
	}

	/* The output so far, for which P V may still have to be waited for. */
	__device__ void rescale(const float (&factor)[2])
	{
		if constexpr (overlap) {
			ptx::wgmma_wait<0>();
			pin_output();
		}
#pragma unroll
		for (int h = 0; h < halves64; h++)
#pragma unroll
			for (int i = 0; i < 32; i++)
				o[h][i] *= factor[i / 2 % 2];
		if constexpr (sum_by_mma)
#pragma unroll
			for (int i = 0; i < 4; i++)
				ones[i] *= factor[i / 2 % 2];
		if constexpr (overlap)
			pin_output();
	}

	/* Each lane of a row has added its own keys only; a column of ones has added all. */
	__device__ void finish_sums()
	{
#pragma unroll
		for (int r = 0; r < 2; r++) {
			if constexpr (sum_by_mma) {
				sum[r] = ones[2 * r];
			} else {
				sum[r] += __shfl_xor_sync(0xffffffffu, sum[r], 1);
				sum[r] += __shfl_xor_sync(0xffffffffu, sum[r], 2);
			}
		}
	}

	__device__ void scale_row(int r, float by)
	{
		sum[r] *= by;
#pragma unroll
		for (int h = 0; h < halves64; h++)
#pragma unroll
			for (int i = 0; i < 32; i += 4) {
				o[h][i + 2 * r] *= by;
				o[h][i + 2 * r + 1] *= by;
			}
	}

	/* `area`: this thread's column of the exchange area of its rows. */
	__device__ void give(float *area) const
	{
#pragma unroll
		for (int r = 0; r < 2; r++) {
			area[group * r] = max_c[r];
			area[group * (2 + r)] = sum[r];
		}
#pragma unroll
		for (int i = 0; i < 32 * halves64; i++)
			area[group * (4 + i)] = o[i / 32][i % 32];
	}

	__device__ void take(const float *area)
	{
		float by[2];
#pragma unroll
		for (int r = 0; r < 2; r++) {
			float m_c = fmaxf(max_c[r], area[group * r]);
			scale_row(r, ptx::exp2(max_c[r] - m_c));
			by[r] = ptx::exp2(area[group * r] - m_c);
			max_c[r] = m_c;
			sum[r] += by[r] * area[group * (2 + r)];
		}
#pragma unroll
		for (int i = 0; i < 32 * halves64; i++)
			o[i / 32][i % 32] += by[i / 2 % 2] * area[group * (4 + i)];
	}

	/* Sums of all key groups, in group 0. */
	__device__ void merge(int row_group, int key_group, float *shared)
	{
		constexpr int area = (head_dim / 2 + 4) * group;
		float *column = shared + row_group * area + threadIdx.x % group;
		ptx::sync_some<consumers * group>(1);
		if (key_group > 0)
			give(column + (key_group - 1) * row_groups * area);
		ptx::sync_some<consumers * group>(1);
		if (key_group == 0)
#pragma unroll 1
			for (int other = 0; other < key_groups - 1; other++)
				take(column + other * row_groups * area);
	}

	/* Element i of lane t, of the four that share a row, becomes element t of lane i. */
	static __device__ void transpose(u32 (&x)[4])
	{
		int t = static_cast<int>(threadIdx.x) & 3;
#pragma unroll
		for (int bit = 1; bit < 4; bit *= 2)
#pragma unroll
			for (int i = 0; i < 4; i++) {
				if (i & bit)
					continue;
				u32 other = __shfl_xor_sync(0xffffffffu,
							    t & bit ? x[i] : x[i ^ bit], bit);
				x[i] = t & bit ? other : x[i];
				x[i ^ bit] = t & bit ? x[i ^ bit] : other;
			}
	}

	/* Four lanes store 64 bytes side by side. */
	__device__ void store(__half *head, float v_scale, int row, int rows) const
	{
		int t = static_cast<int>(threadIdx.x) & 3;
#pragma unroll
		for (int r = 0; r < 2; r++) {
			float by = v_scale / sum[r] * (subnormal ? 16777216.0f : 1.0f);
			float add = subnormal ? -128.0f * v_scale : 0.0f;
			__half *to = head + static_cast<size_t>(row + 8 * r) * head_dim + 8 * t;
#pragma unroll
			for (int part = 0; part < 2 * halves64; part++) {
				u32 x[4];
#pragma unroll
				for (int i = 0; i < 4; i++) {
					const float *from = o[part / 2] + part % 2 * 16 + 4 * i;
					x[i] = bits(
						__floats2half2_rn(fmaf(from[2 * r], by, add),
								  fmaf(from[2 * r + 1], by, add)));
				}
				transpose(x);
				if (row + 8 * r < rows)
					*reinterpret_cast<uint4 *>(to + 32 * part) =
						make_uint4(x[0], x[1], x[2], x[3]);
			}
		}
	}
};
} // namespace hopper
