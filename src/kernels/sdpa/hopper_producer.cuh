#pragma once

#include "hopper_layout.cuh"

namespace hopper
{
/* Bytes 2 PAIR and 2 PAIR + 1 of `four` as two halves. */
template <int PAIR> __device__ inline u32 halves(u32 four)
{
	const u32 pattern = subnormal ? 0 : 0x64646464u;
	u32 h = __byte_perm(four, pattern, PAIR == 0 ? 0x4140 : 0x4342);
	if constexpr (subnormal)
		return h;
	const u32 offset = 0x64806480u; /* 1024 + 128, twice */
	return bits(__hsub2(*reinterpret_cast<__half2 *>(&h),
			    *reinterpret_cast<const __half2 *>(&offset)));
}

/* One warp, which brings its share of the keys of every tile. */
struct producer {
	const layout at;
	const u8 *const k, *const v; /* the warp's keys of tile 0 */
	const int left;		     /* keys from there on */
	const int warp, lane;

	static constexpr int keys = tile_n / param::producers;	 /* of a tile */
	static constexpr int pieces = keys * head_dim / 16 / 32; /* of 16 bytes, for a lane */
	static constexpr int step = 32 / piece_row; /* keys between two pieces of a lane */
	static constexpr int at_once = pieces < 2 ? pieces : 2; /* as registers allow */

	__device__ producer(const layout &at, const u8 *k, const u8 *v, int rows, int warp)
	    : at(at), k(k + warp * keys * head_dim), v(v + warp * keys * head_dim),
	      left(rows - warp * keys), warp(warp), lane(ptx::thread_again() % 32)
	{
	}

	__device__ u32 raw_k(int slot) const
	{
		return at.raw(slot) + warp * keys * head_dim;
	}

	/* Starts the copies of tile t, of the keys that exist. For lane 0. */
	__device__ void fetch(int t, int slot) const
	{
		u32 bytes = max(0, min(left - t * tile_n, keys)) * head_dim;
		size_t from = static_cast<size_t>(t) * k_bytes;
		ptx::barrier_expect(at.arrived(slot, warp), 2 * bytes);
		if (bytes > 0) {
			ptx::copy_bulk(raw_k(slot), k + from, bytes, at.arrived(slot, warp));
			ptx::copy_bulk(raw_k(slot) + k_bytes, v + from, bytes,
				       at.arrived(slot, warp));
		}
	}

	/* What the lowest bits of a row change in the swizzled address of a lane's piece I. */
	static __device__ constexpr u32 twisted(int i)
	{
		return i * step % 8 * 16;
	}

	/* 16 elements of V, whose first half goes to `to`. */
	static __device__ void store_values(u32 to, uint4 x)
	{
		ptx::store_shared(to, make_uint4(halves<0>(x.x), halves<1>(x.x), halves<0>(x.y),
						 halves<1>(x.y)));
		ptx::store_shared(to ^ 16, make_uint4(halves<0>(x.z), halves<1>(x.z),
						      halves<0>(x.w), halves<1>(x.w)));
	}

	/*
	 * Bytes as they came become K and V as wgmma wants them. Eight lanes, whose 16 bytes are
	 * stored at a time, have neighbouring rows, and with D = 128 different halves of them: the
	 * swizzle then sends no two of them to the same banks.
	 */
	__device__ void convert(int slot) const
	{
		int part = head_dim == 64 ? lane / 4 : lane / 16 * 2 + ((lane / 4 ^ lane / 8) & 1);
		int row = warp * keys + part, chunk = lane % piece_row;
		int twist = head_dim == 64 ? row >> 1 & 3 : row & 7;
		u32 from = raw_k(slot) + part * head_dim + chunk * 16;
		u32 to_k = at.k(slot) + row * head_dim + (chunk ^ twist) * 16;
		u32 to_v = at.v(slot) + chunk / 4 * (tile_n * 128) + row * 128 +
			   (chunk % 4 * 2 ^ (row & 7)) * 16;
#pragma unroll
		for (int i = 0; i < pieces; i += at_once) {
			uint4 x[at_once];
#pragma unroll
			for (int j = 0; j < at_once; j++)
				x[j] = ptx::load_shared(from + k_bytes + (i + j) * 512);
#pragma unroll
			for (int j = 0; j < at_once; j++)
				store_values((to_v ^ twisted(i + j)) + (i + j) * step * 128, x[j]);
#pragma unroll
			for (int j = 0; j < at_once; j++)
				x[j] = ptx::load_shared(from + (i + j) * 512);
#pragma unroll
			for (int j = 0; j < at_once; j++)
				ptx::store_shared(
					(to_k ^ twisted(i + j)) + (i + j) * step * head_dim, x[j]);
		}
	}

	__device__ void run(int tiles) const
	{
		place p(0);
		if (lane == 0)
			for (int t = 0; t < stages && t < tiles; t++)
				fetch(t, t);
#pragma unroll 1
		for (int t = 0; t < tiles; t++, p.advance(1)) {
			ptx::barrier_wait(at.arrived(p.slot, warp), p.phase);
			ptx::barrier_wait(at.empty(p.slot), p.phase ^ 1);
			convert(p.slot);
			ptx::fence_async();
			__syncwarp();
			if (lane == 0) {
				ptx::barrier_arrive(at.full(p.slot));
				if (t + stages < tiles)
					fetch(t + stages, p.slot);
			}
		}
	}
};
} // namespace hopper
