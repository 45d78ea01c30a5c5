#pragma once

#include "hopper_layout.cuh"

namespace hopper
{
typedef int scores[tile_n / 2];
typedef u32 weights[tile_n / 4];

/* What one thread holds of its warpgroup's rows: rows g and g + 8 of its warp's 16. */
struct consumer {
	layout at;
	float c; /* of a raw score, to binary orders */
	u32 q[head_dim / 32][4];
	u32 q_at;	/* the same in shared memory */
	float max_c[2]; /* the rows' reference, in binary orders */
	float sum[2];
	float reach[2]; /* no score is larger, in binary orders */
	bool bounded;	/* no weight overflows a float: sums tell when a maximum is passed */
	float ones[4];	/* sums by mma */
	float o[halves64][32];

	__device__ void load_queries(const u8 *head, int row, int rows)
	{
		int t = static_cast<int>(threadIdx.x) & 3;
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
			}
	}

	/*
	 * By Cauchy and Schwarz: a key is at most 128 sqrt(D) long; its bytes are taken as 128
	 * more. Needs c and the queries.
	 */
	__device__ void bound_scores()
	{
		int squares[2] = { 0, 0 }, sums[2] = { 0, 0 };
#pragma unroll
		for (int k = 0; k < head_dim / 32; k++)
#pragma unroll
			for (int i = 0; i < 4; i++) {
				int x = static_cast<int>(q[k][i]);
				squares[i & 1] = __dp4a(x, x, squares[i & 1]);
				sums[i & 1] = __dp4a(x, 0x01010101, sums[i & 1]);
			}
#pragma unroll
		for (int r = 0; r < 2; r++) {
			float length = sqrtf(static_cast<float>(head_dim * row_sum(squares[r])));
			reach[r] = 128 * (length + static_cast<float>(row_sum(sums[r]))) * c;
		}
	}

	/* Over the four lanes that share a row. */
	static __device__ int row_sum(int x)
	{
		x += __shfl_xor_sync(0xffffffffu, x, 1);
		return x + __shfl_xor_sync(0xffffffffu, x, 2);
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

	/* The first product does not look at what is there. */
	static __device__ void begin_scores(scores &s)
	{
#pragma unroll
		for (int i = 0; i < tile_n / 2; i++)
			s[i] = 0;
		ptx::pin(s);
	}

	/* Issues Q K^T. */
	__device__ void issue_scores(scores &s, int slot) const
	{
		ptx::descriptor keys(at.k(slot), 16, 8 * head_dim, head_dim);
		ptx::descriptor queries(q_at, 16, 8 * head_dim, head_dim);
#pragma unroll
		for (int k = 0; k < head_dim / 32; k++)
			if constexpr (param::q_in_registers)
				ptx::wgmma_s8u8(s, q[k], keys.moved(32 * k), k > 0);
			else
				ptx::wgmma_s8u8(s, queries.moved(32 * k), keys.moved(32 * k),
						k > 0);
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

	static __device__ float minus_infinity()
	{
		return __int_as_float(0xff800000);
	}

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

	__device__ void first_weights(scores &s, weights &p, const walk &w)
	{
		wait_full(w.here);
		begin_scores(s);
		ptx::wgmma_fence();
		issue_scores(s, w.here.slot);
		ptx::wgmma_wait<0>();
		ptx::pin(s);
		if (w.keys < tile_n)
			weigh<true>(s, w.keys);
		else
			weigh<false>(s, w.keys);
		pack(s, p);
	}

	/*
	 * The scores of tile w and P V of the tile before, in `slot`.
	 * When this returns the scores are ready; with ORDER=overlap P V is not.
	 */
	__device__ void issue(scores &s, const weights &p, const walk &w, int slot)
	{
		wait_full(w.here);
		if constexpr (plain)
			output(p, slot);
		begin_scores(s);
		pin_output();
		ptx::wgmma_fence();
		issue_scores(s, w.here.slot);
		if constexpr (!plain)
			issue_output(p, slot);
		ptx::wgmma_wait<overlap ? 1 : 0>();
		ptx::pin(s);
	}

	/* Tile w, and P V of the tile before in `slot`: from weights to weights. */
	template <bool TAIL> __device__ void step(scores &s, weights &p, const walk &w, int slot)
	{
		issue(s, p, w, slot);
		if constexpr (overlap)
			weigh<TAIL>(s, w.keys);
		if constexpr (!plain) {
			ptx::wgmma_wait<0>();
			pin_output();
			release(slot);
		}
		if constexpr (!overlap)
			weigh<TAIL>(s, w.keys);
		pack(s, p);
	}

	/* The last tile is a case of its own, as it may have fewer keys. */
	__device__ void run(walk w)
	{
		scores s;
		weights p;
		bounded = false;
		if (!w.more())
			return;
		first_weights(s, p, w);
		int slot = w.here.slot;
#pragma unroll 1
		for (w.next(); w.keys >= tile_n; w.next()) {
			step<false>(s, p, w, slot);
			slot = w.here.slot;
		}
		if (w.more()) {
			step<true>(s, p, w, slot);
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
