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

	__device__ producer(const layout &at, const u8 *k, const u8 *v, int rows, int thread)
	    : at(at), k(k + thread / 32 * keys * head_dim), v(v + thread / 32 * keys * head_dim),
	      left(rows - thread / 32 * keys), warp(thread / 32), lane(thread % 32)
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

	/* Bytes as they came become K and V as wgmma wants them. */
	__device__ void convert(int slot) const
	{
		int row = warp * keys + lane / piece_row, chunk = lane % piece_row;
		int twist = head_dim == 64 ? row >> 1 & 3 : row & 7;
		u32 from = raw_k(slot) + lane * 16;
		u32 to_k = at.k(slot) + row * head_dim + (chunk ^ twist) * 16;
		u32 to_v = at.v(slot) + chunk / 4 * (tile_n * 128) + row * 128 +
			   (chunk % 4 * 2 ^ (row & 7)) * 16;
#pragma unroll 1
		for (int i = 0; i < pieces; i++) {
			u32 other = i * step % 8 * 16; /* the lowest bits of the row */
			u32 here = (to_v ^ other) + i * step * 128;
			uint4 x = ptx::load_shared(from + k_bytes + i * 512);
			ptx::store_shared(here, make_uint4(halves<0>(x.x), halves<1>(x.x),
							   halves<0>(x.y), halves<1>(x.y)));
			ptx::store_shared(here ^ 16, make_uint4(halves<0>(x.z), halves<1>(x.z),
								halves<0>(x.w), halves<1>(x.w)));
			x = ptx::load_shared(from + i * 512);
			ptx::store_shared((to_k ^ other) + i * step * head_dim, x);
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
