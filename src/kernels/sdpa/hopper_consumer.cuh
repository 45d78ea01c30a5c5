#pragma once

#include "hopper_weights.cuh"

namespace hopper
{
/* One thread of a consumer warpgroup: its queries, and the walk over the key tiles. */
struct consumer : weigher {
	layout at;
	u32 q[head_dim / 32][4];
	u32 q_at; /* the same in shared memory */

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
};
} // namespace hopper
