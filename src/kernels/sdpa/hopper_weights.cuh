#pragma once

#include "hopper_sums.cuh"

namespace hopper
{
typedef int scores[tile_n / 2];
typedef u32 weights[tile_n / 4];

/* How scores become weights, and what the weights are relative to. */
struct weigher : sums {
	float c;	/* of a raw score, to binary orders */
	float reach[2]; /* no score is larger, in binary orders */
	bool bounded;	/* no weight overflows a float: sums tell when a maximum is passed */

	static __device__ int key_of(int i)
	{
		return i / 4 * 8 + 2 * (static_cast<int>(threadIdx.x) & 3) + i % 2;
	}

	/* Keys from `keys` on do not raise a maximum. */
	static __device__ void mask(scores &s, int keys)
	{
		const int lowest = 1 << 31;
#pragma unroll
		for (int i = 0; i < tile_n / 2; i++)
			if (key_of(i) >= keys)
				s[i] = lowest;
	}

	/* The largest score this thread has of each of its rows. */
	static __device__ void tops(const scores &s, float (&ret)[2])
	{
#pragma unroll
		for (int r = 0; r < 2; r++) {
			int top = ::max(s[2 * r], s[2 * r + 1]);
#pragma unroll
			for (int i = 4; i < tile_n / 2; i += 4)
				top = __vimax3_s32(top, s[i + 2 * r], s[i + 2 * r + 1]);
			ret[r] = __int2float_rn(top);
		}
	}

	/*
	 * With a maximum close enough to what scores can reach a weight is at most 2^120, a float:
	 * if the sum of a thread's shows that one may not be a half, all are made smaller.
	 */
	__device__ void settle()
	{
		if constexpr (by_sums)
			bounded = __all_sync(0xffffffffu, reach[0] - max_c[0] <= 120 &&
								  reach[1] - max_c[1] <= 120);
	}

	/* Raises the rows' maxima where they are passed. */
	__device__ void raise(const scores &s)
	{
		float top[2], factor[2];
		tops(s, top);
		if (!__any_sync(0xffffffffu, top[0] * c > max_c[0] + param::slack ||
						     top[1] * c > max_c[1] + param::slack))
			return;
#pragma unroll
		for (int r = 0; r < 2; r++) {
			float m_c = fmaxf(max_c[r], top[r] * c);
			m_c = fmaxf(m_c, __shfl_xor_sync(0xffffffffu, m_c, 1));
			m_c = fmaxf(m_c, __shfl_xor_sync(0xffffffffu, m_c, 2));
			factor[r] = ptx::exp2(max_c[r] - m_c);
			max_c[r] = m_c;
			sum[r] *= factor[r];
		}
		rescale(factor);
		settle();
	}

	/*
	 * 2^x on the FMA units, for x <= SLACK. Degree 3, relative error 1.02e-4; whole numbers
	 * are exact. As softmax.cuh derives it.
	 */
	static __device__ float exp2_poly(float x)
	{
		const float shifter = 12582912.0f; /* 1.5 * 2^23 */
		x = fmaxf(x, -126.0f);
		float shifted = x + shifter;
		float f = x - (shifted - shifter);
		float y = fmaf(0x1.c2a218p-5f, f, 0x1.f00c4cp-3f);
		y = fmaf(y, f, 0x1.62f5fap-1f);
		y = fmaf(y, f, 1.0f);
		return __int_as_float(__float_as_int(y) + (__float_as_int(shifted) << 23));
	}

	/* `part` sums this tile's weights, which are still floats, and is not in sum[] yet. */
	__device__ void shrink(scores &s, float (&part)[2])
	{
		const float most = 32768;
		if (!__any_sync(0xffffffffu, part[0] > most || part[1] > most))
			return;
		float factor[2];
#pragma unroll
		for (int r = 0; r < 2; r++) {
			float top = fmaxf(part[r], __shfl_xor_sync(0xffffffffu, part[r], 1));
			top = fmaxf(top, __shfl_xor_sync(0xffffffffu, top, 2));
			int orders = max((__float_as_int(top) >> 23) - 127, 0);
			factor[r] = __int_as_float((127 - orders) << 23);
			max_c[r] += static_cast<float>(orders);
			sum[r] *= factor[r];
			part[r] *= factor[r];
		}
		rescale(factor);
#pragma unroll
		for (int i = 0; i < tile_n / 2; i++)
			s[i] = __float_as_int(__int_as_float(s[i]) * factor[i / 2 % 2]);
	}

	template <int INDEX> __device__ static float weight(float x)
	{
		/* Spread evenly: the multiples of POLY / 16 step up at POLY of 16 places. */
		constexpr bool by_fma = (INDEX + 1) * param::poly / 16 > INDEX * param::poly / 16;
		if constexpr (by_fma)
			return exp2_poly(x);
		else
			return ptx::exp2(x);
	}

	/*
	 * Scores become weights where they are, as the bits of floats; `total` sums them by row.
	 * With TAIL keys from `keys` on do not exist.
	 */
	template <bool TAIL, int I>
	__device__ void exponentiate(scores &s, int keys, float (&total)[2])
	{
		constexpr int i = 2 * I, row = I % 2;
		float low = __int2float_rn(s[i]), high = __int2float_rn(s[i + 1]);
		if constexpr (TAIL) {
			low = key_of(i) < keys ? low : minus_infinity();
			high = key_of(i + 1) < keys ? high : minus_infinity();
		}
		float a = weight<i % 16>(fmaf(low, c, -max_c[row]));
		float b = weight<(i + 1) % 16>(fmaf(high, c, -max_c[row]));
		if constexpr (!sum_by_mma)
			total[row] += a + b;
		s[i] = __float_as_int(a);
		s[i + 1] = __float_as_int(b);
		if constexpr (i + 2 < tile_n / 2)
			exponentiate<TAIL, I + 1>(s, keys, total);
	}

	static __device__ void pack(const scores &s, weights &p)
	{
#pragma unroll
		for (int i = 0; i < tile_n / 4; i++)
			p[i] = bits(__floats2half2_rn(__int_as_float(s[2 * i]),
						      __int_as_float(s[2 * i + 1])));
		ptx::pin(p);
	}

	/* Scores to weights, but for packing. `keys` are left from the tile's first on. */
	template <bool TAIL> __device__ void weigh(scores &s, int keys)
	{
		if constexpr (TAIL)
			mask(s, keys);
		if (!by_sums || !bounded)
			raise(s);
		if constexpr (by_sums) {
			float part[2] = { 0, 0 };
			exponentiate<TAIL, 0>(s, keys, part);
			shrink(s, part);
			sum[0] += part[0];
			sum[1] += part[1];
		} else {
			exponentiate<TAIL, 0>(s, keys, sum);
		}
	}
};
} // namespace hopper
