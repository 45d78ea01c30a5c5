#pragma once

#include "params.cuh"
#include "ptx.cuh"
#include "quant.cuh"

/*
 * Moving rows of bytes from global to shared memory by all threads of a block, and the ring that
 * keeps several key tiles in flight.
 *
 * Rows past the end of a head are zero bytes in shared memory: they are finite, and their weights
 * are masked.
 */
namespace tile
{
using param::head_dim;
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

/* Calls visit(row, byte) for each piece of ROWS rows that falls to this thread. */
template <int ROWS, typename VISIT> __device__ inline void for_pieces(VISIT visit)
{
	constexpr int a_row = head_dim / param::vec;
	constexpr int all = ROWS * a_row;
	constexpr int rounds = (all + param::threads - 1) / param::threads;
#pragma unroll(rounds < 8 ? rounds : 8)
	for (int round = 0; round < rounds; round++) {
		int i = round * param::threads + static_cast<int>(threadIdx.x);
		if (all % param::threads == 0 || i < all)
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
				head + static_cast<size_t>(first + row) * head_dim + byte);
		*reinterpret_cast<vector *>(place(row, byte)) = v;
	});
}

/* The same by cp.async; the caller commits. An invalid piece points at the head's start. */
template <int ROWS, typename PLACE>
__device__ inline void load_async(const u8 *head, int first, int rows, PLACE place)
{
	for_pieces<ROWS>([&](int row, int byte) {
		bool valid = first + row < rows;
		size_t at = valid ? static_cast<size_t>(first + row) * head_dim + byte : 0;
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
} // namespace tile
