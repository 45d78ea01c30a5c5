#pragma once

#include "params.cuh"
#include "ptx.cuh"
#include "quant.cuh"

/*
 * Moving rows of bytes from global to shared memory, and the two rings that keep several key tiles
 * in flight: by all threads of a block, and by warps that do nothing else.
 *
 * Rows past the end of a head are zero bytes in shared memory: they are finite, and their weights
 * are masked.
 */
namespace tile
{
using param::row_bytes;
using quant::u32;
using quant::u8;

/* One piece of VEC bytes. */
template <int BYTES> struct piece;
template <> struct piece<4> {
	typedef u32 type;
};
template <> struct piece<16> {
	typedef uint4 type;
};
typedef piece<param::vec>::type vector;

__device__ inline vector zero_vector()
{
	return vector{};
}

__device__ inline void copy_async(u8 *to, const u8 *from, bool valid)
{
	if constexpr (param::vec == 16)
		ptx::copy_async_16(ptx::shared_address(to), from, valid);
	else
		ptx::copy_async_4(ptx::shared_address(to), from, valid);
}

/* The threads that load: all of the block, or its last warps. */
constexpr int loaders = param::producers > 0 ? 32 * param::producers : param::threads;

__device__ inline int loader()
{
	return static_cast<int>(threadIdx.x) - (param::threads - loaders);
}

/* Calls visit(row, byte) for each piece of ROWS rows that falls to this thread. */
template <int ROWS, typename VISIT> __device__ inline void for_pieces(VISIT visit)
{
	constexpr int a_row = row_bytes / param::vec;
	constexpr int all = ROWS * a_row;
	constexpr int rounds = (all + loaders - 1) / loaders;
#pragma unroll(rounds < 8 ? rounds : 8)
	for (int round = 0; round < rounds; round++) {
		int i = round * loaders + loader();
		if (all % loaders == 0 || i < all)
			visit(i / a_row, i % a_row * param::vec);
	}
}

/* Rows `first` and on of a head of `rows` rows; place(row, byte) is where in shared memory. */
template <int ROWS, typename PLACE>
__device__ inline void load(const u8 *head, int first, int rows, PLACE place)
{
	for_pieces<ROWS>([&](int row, int byte) {
		vector v = zero_vector();
		if (first + row < rows)
			v = *reinterpret_cast<const vector *>(
				head + static_cast<size_t>(first + row) * row_bytes + byte);
		*reinterpret_cast<vector *>(place(row, byte)) = v;
	});
}

/* The same by cp.async; the caller commits. An invalid piece points at the head's start. */
template <int ROWS, typename PLACE>
__device__ inline void load_async(const u8 *head, int first, int rows, PLACE place)
{
	for_pieces<ROWS>([&](int row, int byte) {
		bool valid = first + row < rows;
		size_t at = valid ? static_cast<size_t>(first + row) * row_bytes + byte : 0;
		copy_async(place(row, byte), head + at, valid);
	});
}

/*
 * The ring: begin once, then next(t) for t = 0, 1, ... with load(t, slot) starting the copy of tile
 * t. When next(t) returns, tile t lies in slot t % slots for every thread, and tile t + STAGES - 1
 * is on its way into the slot that tile t - 1 has left. A group is committed even when there is
 * nothing left to load, so that the wait count stays true for the last tiles.
 */
template <typename LOAD> __device__ inline void ring_begin(int tiles, LOAD load)
{
#pragma unroll
	for (int t = 0; t < param::stages - 1; t++) {
		if (t < tiles)
			load(t, t);
		ptx::commit();
	}
}

template <typename LOAD> __device__ inline void ring_next(int t, int tiles, LOAD load)
{
	ptx::wait<param::stages - 2>();
	__syncthreads();
	int ahead = t + param::stages - 1;
	if (ahead < tiles)
		load(ahead, ahead % param::slots);
	ptx::commit();
}

/*
 * The ring with producers: a tile is handed over by a barrier, and so is its slot when the warps
 * that compute have left it. Every such warp arrives, even one that had no key in the tile, so that
 * phases stay in step. Both sides visit tiles in one order and count slots on their own; the count
 * goes on from one query tile to the next.
 */
struct handover {
	u32 barriers;
	int slot;
	u32 parity;

	/* Address of two barriers a slot. All threads of the block are to come. */
	__device__ explicit handover(u32 barriers) : barriers(barriers), slot(0), parity(0)
	{
		if constexpr (param::producers > 0) {
			if (threadIdx.x == 0)
				for (int i = 0; i < param::slots; i++) {
					ptx::mbarrier_init(barriers + 16 * i,
							   32 * param::producers);
					ptx::mbarrier_init(barriers + 16 * i + 8, param::warps);
				}
			__syncthreads();
		}
	}

	__device__ u32 full() const
	{
		return barriers + 16 * slot;
	}

	__device__ u32 empty() const
	{
		return full() + 8;
	}

	__device__ void advance()
	{
		if (++slot == param::slots) {
			slot = 0;
			parity ^= 1;
		}
	}

	template <typename LOAD> __device__ void produce(int tiles, LOAD load)
	{
#pragma unroll 1
		for (int t = 0; t < tiles; t++) {
			ptx::mbarrier_wait(empty(), parity ^ 1);
			load(t, slot);
			ptx::mbarrier_arrive_after_copies(full());
			advance();
		}
		ptx::commit();
		ptx::wait<0>(); /* a thread does not end before its copies */
	}

	/* The slot of the next tile, which stays until it is given back. */
	__device__ int take() const
	{
		ptx::mbarrier_wait(full(), parity);
		return slot;
	}

	__device__ void give_back()
	{
		__syncwarp();
		if (threadIdx.x % 32 == 0)
			ptx::mbarrier_arrive(empty());
		advance();
	}
};
} // namespace tile
