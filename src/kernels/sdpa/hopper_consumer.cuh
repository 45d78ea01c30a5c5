#pragma once

#include "hopper_layout.cuh"

namespace hopper
{
typedef int scores[n64][32];
typedef u32 weights[4 * n64 * 4];

/* What one thread holds of its warpgroup's rows: rows g and g + 8 of its warp's 16. */
struct consumer {
	layout at;
	float c;     /* of a raw score, to binary orders */
	float slack; /* in raw scores */
	u32 q[head_dim / 32][4];
	u32 q_at;	/* the same in shared memory */
	int start[2];	/* of the accumulators */
	float limit[2]; /* the row's maximum plus slack: whole numbers, exact */
	float max_c[2];
	float sum[2];
	float ones[4]; /* sums by mma */
	float o[halves64][32];

	__device__ void load_queries(const u8 *head, int row, int rows)
	{
		int t = static_cast<int>(threadIdx.x) & 3;
		start[0] = start[1] = 0;
#pragma unroll
		for (int k = 0; k < head_dim / 32; k++)
#pragma unroll
			for (int i = 0; i < 4; i++) {
				int r = row + (i & 1) * 8;
				u32 raw = 0x80808080u;
				if (r < rows)
					raw = *reinterpret_cast<const u32 *>(
						head + static_cast<size_t>(r) * head_dim + 32 * k +
						(i >> 1) * 16 + 4 * t);
				q[k][i] = raw ^ 0x80808080u;
				start[i & 1] =
					__dp4a(static_cast<int>(q[k][i]), 0x01010101, start[i & 1]);
			}
#pragma unroll
		for (int i = 0; i < 2; i++) {
			start[i] += __shfl_xor_sync(0xffffffffu, start[i], 1);
			start[i] += __shfl_xor_sync(0xffffffffu, start[i], 2);
			start[i] = 0x4b400000 - 128 * start[i];
		}
	}

	/* Moves the queries where the other operand is: 64 rows, swizzled. */
	__device__ void share_queries(int id)
	{
		int lane = static_cast<int>(threadIdx.x) % 32;
		int row = static_cast<int>(threadIdx.x) % group / 32 * 16 + lane / 4;
		u32 to = at.q(id) + lane % 4 * 4;
#pragma unroll
		for (int k = 0; k < head_dim / 32; k++)
#pragma unroll
			for (int i = 0; i < 4; i++) {
				int r = row + (i & 1) * 8, chunk = 2 * k + (i >> 1);
				int twist = head_dim == 64 ? r >> 1 & 3 : r & 7;
				ptx::store_shared(to + r * head_dim + (chunk ^ twist) * 16,
						  q[k][i]);
			}
		ptx::fence_async();
		ptx::sync_some<group>(2 + id);
		q_at = at.q(id);
	}

	__device__ void clear()
	{
#pragma unroll
		for (int i = 0; i < 2; i++) {
			limit[i] = max_c[i] = minus_infinity();
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

	__device__ void begin_scores(scores &s) const
	{
#pragma unroll
		for (int n = 0; n < n64; n++)
#pragma unroll
			for (int i = 0; i < 32; i++)
				s[n][i] = start[i / 2 % 2];
	}

	__device__ u64 q_tile(int k) const
	{
		return ptx::descriptor(q_at, 16, 8 * head_dim, head_dim).moved(32 * k);
	}

	/* Issues Q K^T. */
	__device__ void issue_scores(scores &s, int slot) const
	{
#pragma unroll
		for (int n = 0; n < n64; n++) {
			ptx::descriptor b(at.k(slot), 16, 8 * head_dim, head_dim);
#pragma unroll
			for (int k = 0; k < head_dim / 32; k++) {
				u64 keys = b.moved(n * 64 * head_dim + 32 * k);
				if constexpr (param::q_in_registers)
					ptx::wgmma_s8u8(s[n], q[k], keys, biased || k > 0);
				else
					ptx::wgmma_s8u8(s[n], q_tile(k), keys, biased || k > 0);
			}
		}
		ptx::wgmma_commit();
	}

	/* Issues P V. */
	__device__ void issue_output(const weights &p, int slot)
	{
		ptx::descriptor one(at.ones(), 128, 128, 0);
		ptx::descriptor values(at.v(slot), tile_n * 128, 1024, 128);
#pragma unroll
		for (int k = 0; k < tile_n / 16; k++) {
#pragma unroll
			for (int h = 0; h < halves64; h++)
				ptx::wgmma_f16(o[h], p + 4 * k,
					       values.moved(h * tile_n * 128 + 2048 * k));
			if constexpr (sum_by_mma)
				ptx::wgmma_f16_narrow(ones, p + 4 * k, one.moved(0));
		}
		ptx::wgmma_commit();
	}

	__device__ void pin_output()
	{
#pragma unroll
		for (int h = 0; h < halves64; h++)
			ptx::pin(o[h]);
		if constexpr (sum_by_mma)
			ptx::pin(ones);
	}

	static __device__ void pin_scores(scores &s)
	{
#pragma unroll
		for (int n = 0; n < n64; n++)
			ptx::pin(s[n]);
	}

	static __device__ float value(int score)
	{
		return biased ? __int_as_float(score) : __int2float_rn(score);
	}

	static __device__ float minus_infinity()
	{
		return __int_as_float(0xff800000);
	}

	/* The first of the two neighbouring keys of accumulators i and i + 1 of part n. */
	static __device__ int first_key(int n, int i)
	{
		return 64 * n + i / 4 * 8 + 2 * (static_cast<int>(threadIdx.x) & 3);
	}

	/* Keys from `keys` on do not raise a maximum. */
	static __device__ void mask(scores &s, int keys)
	{
		const int lowest = 1 << 31;
#pragma unroll
		for (int n = 0; n < n64; n++)
#pragma unroll
			for (int i = 0; i < 32; i++)
				if (first_key(n, i) + i % 2 >= keys)
					s[n][i] = lowest;
	}

	/* The largest score this thread has of each of its rows. */
	static __device__ void tops(const scores &s, float (&ret)[2])
	{
#pragma unroll
		for (int r = 0; r < 2; r++) {
			int top = ::max(s[0][2 * r], s[0][2 * r + 1]);
#pragma unroll
			for (int n = 0; n < n64; n++)
#pragma unroll
				for (int i = n == 0 ? 4 : 0; i < 32; i += 4)
					top = __vimax3_s32(top, s[n][i + 2 * r],
							   s[n][i + 2 * r + 1]);
			ret[r] = value(top);
		}
	}

	/* The output so far, too: with ORDER=overlap P V is still to be waited for. */
	__device__ void rescale(const float (&factor)[2])
	{
		if constexpr (param::order == param::order_kind::overlap) {
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
		if constexpr (param::order == param::order_kind::overlap)
			pin_output();
	}

	/* Raises the rows' maxima where they are passed. */
	__device__ void raise(const scores &s)
	{
		float top[2], factor[2];
		tops(s, top);
		if (!__any_sync(0xffffffffu, top[0] > limit[0] || top[1] > limit[1]))
			return;
#pragma unroll
		for (int r = 0; r < 2; r++) {
			float m = fmaxf(limit[r] - slack, top[r]);
			m = fmaxf(m, __shfl_xor_sync(0xffffffffu, m, 1));
			m = fmaxf(m, __shfl_xor_sync(0xffffffffu, m, 2));
			float m_c = m * c;
			factor[r] = ptx::exp2(max_c[r] - m_c);
			max_c[r] = m_c;
			limit[r] = m + slack;
			sum[r] *= factor[r];
		}
		rescale(factor);
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
	 * Scores become weights where they are, as the bits of floats. With TAIL keys from `keys`
	 * on do not exist.
	 */
	template <bool TAIL, int I> __device__ void exponentiate(scores &s, int keys)
	{
		constexpr int n = I / 16, i = I % 16 * 2, row = I % 2;
		float low = value(s[n][i]), high = value(s[n][i + 1]);
		if constexpr (TAIL) {
			int key = first_key(n, i);
			low = key < keys ? low : minus_infinity();
			high = key + 1 < keys ? high : minus_infinity();
		}
		float a = weight<2 * I % 16>(fmaf(low, c, -max_c[row]));
		float b = weight<(2 * I + 1) % 16>(fmaf(high, c, -max_c[row]));
		if constexpr (!sum_by_mma)
			sum[row] += a + b;
		s[n][i] = __float_as_int(a);
		s[n][i + 1] = __float_as_int(b);
		if constexpr (I + 1 < 16 * n64)
			exponentiate<TAIL, I + 1>(s, keys);
	}

	static __device__ void pack(const scores &s, weights &p)
	{
#pragma unroll
		for (int i = 0; i < 16 * n64; i++)
			p[i] = bits(__floats2half2_rn(__int_as_float(s[i / 16][i % 16 * 2]),
						      __int_as_float(s[i / 16][i % 16 * 2 + 1])));
	}

	/* --- the loops over this group's tiles --- */

	/* A tile and the keys from its first on. */
	struct walk {
		place here;
		int keys;

		__device__ walk(int first, int rows) : here(first), keys(rows - first * tile_n)
		{
		}
		__device__ void next()
		{
			keys -= key_groups * tile_n;
			here.advance(key_groups);
		}
		__device__ bool more() const
		{
			return keys > 0;
		}
	};

	__device__ void wait_full(const place &p) const
	{
		ptx::barrier_wait(at.full(p.slot), p.phase);
	}

	__device__ void release(int slot) const
	{
		if (threadIdx.x % 32 == 0)
			ptx::barrier_arrive(at.empty(slot));
	}

	/* Scores to weights, but for packing. */
	template <bool TAIL> __device__ void weigh_part(scores &s, int keys)
	{
		if constexpr (TAIL)
			mask(s, keys);
		raise(s);
		exponentiate<TAIL, 0>(s, keys);
	}

	__device__ void weigh(scores &s, const walk &w)
	{
		if (w.keys < tile_n)
			weigh_part<true>(s, w.keys);
		else
			weigh_part<false>(s, tile_n);
	}

	/* The weights are ready: P V of the tile in `slot`, to its end. */
	__device__ void output(const weights &p, int slot)
	{
		pin_output();
		ptx::wgmma_fence();
		issue_output(p, slot);
		ptx::wgmma_wait<0>();
		pin_output();
		release(slot);
	}

	__device__ void first_scores(scores &s, const walk &w)
	{
		wait_full(w.here);
		begin_scores(s);
		pin_scores(s);
		ptx::wgmma_fence();
		issue_scores(s, w.here.slot);
		ptx::wgmma_wait<0>();
		pin_scores(s);
	}

	/*
	 * The scores of tile w and P V of the tile before, in `slot`.
	 * When this returns the scores are ready; with ORDER=overlap P V is not.
	 */
	__device__ void issue(scores &s, const weights &p, const walk &w, int slot)
	{
		constexpr bool plain = param::order == param::order_kind::plain;
		constexpr bool overlap = param::order == param::order_kind::overlap;

		wait_full(w.here);
		if constexpr (plain)
			output(p, slot);
		begin_scores(s);
		pin_scores(s);
		pin_output();
		ptx::wgmma_fence();
		issue_scores(s, w.here.slot);
		if constexpr (!plain)
			issue_output(p, slot);
		ptx::wgmma_wait<overlap ? 1 : 0>();
		pin_scores(s);
	}

	__device__ void run(walk w)
	{
		constexpr bool plain = param::order == param::order_kind::plain;
		constexpr bool overlap = param::order == param::order_kind::overlap;
		scores s;
		weights p;
		if (!w.more())
			return;
		first_scores(s, w);
		weigh(s, w);
		pack(s, p);
		ptx::pin(p);
		int slot = w.here.slot;
#pragma unroll 1
		for (w.next(); w.more(); w.next()) {
			issue(s, p, w, slot);
			if constexpr (overlap)
				weigh(s, w);
			if constexpr (!plain) {
				ptx::wgmma_wait<0>();
				pin_output();
				release(slot);
			}
			if constexpr (!overlap)
				weigh(s, w);
			pack(s, p);
			ptx::pin(p);
			slot = w.here.slot;
		}
		output(p, slot);
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

	__device__ void store(__half *head, float v_scale, int row, int rows) const
	{
		int t = static_cast<int>(threadIdx.x) & 3;
#pragma unroll
		for (int r = 0; r < 2; r++) {
			float by = v_scale / sum[r] * (subnormal ? 16777216.0f : 1.0f);
			float add = subnormal ? -128.0f * v_scale : 0.0f;
			if (row + 8 * r >= rows)
				continue;
			__half *to = head + static_cast<size_t>(row + 8 * r) * head_dim + 2 * t;
#pragma unroll
			for (int h = 0; h < halves64; h++)
#pragma unroll
				for (int i = 0; i < 32; i += 4)
					*reinterpret_cast<__half2 *>(to + 64 * h + 2 * i) =
						__floats2half2_rn(
							fmaf(o[h][i + 2 * r], by, add),
							fmaf(o[h][i + 2 * r + 1], by, add));
		}
	}
};
} // namespace hopper
