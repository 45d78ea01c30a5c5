#pragma once

#include "../ptx_wgmma.cuh"
#include "tile.cuh"

/*
 * DESIGN=wgmma, for sm_90a: WARPS_M / 4 warpgroups compute, one above the other in the tile of C,
 * and PRODUCERS warps load.
 *
 * Producers fill a ring of STAGES slots by cp.async, in the order of bytes that wgmma wants. A slot
 * has two barriers: full (every producer thread arrives when its copies are done) and empty (every
 * computing warp arrives). A warpgroup issues the products of a slot, waits for those of the slot
 * before, and gives that one back: the tensor cores always have one slot's products queued.
 *
 * With 4 producer warps and two warpgroups setmaxnreg moves registers from the former to the
 * latter. With PERSISTENT=1 a block takes tiles i, i + grid, ...: producers bring the first slots
 * of the next tile while results are written.
 *
 * Shared memory: STAGES slots of TILE_M rows of A and TILE_N rows of B, TILE_K halves each, then
 * 2 STAGES barriers of 8 bytes. It starts at a multiple of 1024 bytes.
 */
namespace warpgroup
{
using ptx::u32;
using namespace param;

constexpr int warpgroups = warps_m / 4;
constexpr int blocks_m = tile_m / warpgroups / 64; /* of 64 rows, of a warpgroup */

/* Registers of a thread: 168 at entry, of which producers keep 40, and the rest is shared out. */
constexpr bool move_registers = producers == 4 && warpgroups == 2 && min_blocks == 1;

struct ring {
	u32 start;

	__device__ u32 a(int slot) const
	{
		return start + slot * slot_bytes;
	}

	__device__ u32 b(int slot) const
	{
		return a(slot) + a_bytes;
	}

	__device__ u32 full(int slot) const
	{
		return start + stages * slot_bytes + slot * 16;
	}

	__device__ u32 empty(int slot) const
	{
		return full(slot) + 8;
	}
};

/* A slot, and the parity of how often the ring has gone round. */
struct place {
	int slot = 0;
	u32 parity = 0;

	__device__ void advance()
	{
		if (++slot == stages) {
			slot = 0;
			parity ^= 1;
		}
	}
};

/* The tiles of C that are this block's. */
struct items {
	const int step, end;

	__device__ explicit items(const tile::problem &p)
	    : step(static_cast<int>(gridDim.x)), end(p.tiles_m() * p.tiles_n())
	{
	}

	template <typename WORK> __device__ void each(WORK work) const
	{
#pragma unroll 1
		for (int item = static_cast<int>(blockIdx.x); item < end; item += step) {
			work(item);
			if constexpr (!persistent)
				break;
		}
	}
};

__device__ inline void produce(const tile::problem &p, const ring &slots, int thread)
{
	place at;

	items(p).each([&](int item) {
		const tile::corner corner(p, item);
		const tile::loader<tile_m, 32 * producers> a(p.a, corner.row, p.m, p.k, thread);
		const tile::loader<tile_n, 32 * producers> b(p.b, corner.column, p.n, p.k, thread);
#pragma unroll 1
		for (int t = 0; t < p.tiles_k(); t++, at.advance()) {
			ptx::mbarrier_wait(slots.empty(at.slot), at.parity ^ 1);
			a.fetch(slots.a(at.slot), t);
			b.fetch(slots.b(at.slot), t);
			ptx::mbarrier_arrive_after_copies(slots.full(at.slot));
		}
	});
	ptx::wait<0>();
}

/* Issues the products of a slot: sums += A B^T. */
__device__ inline void issue(float (&sums)[blocks_m][tile_n / 2], u32 a, u32 b)
{
	const ptx::descriptor left(a, 16, 8 * row_bytes, row_bytes);
	const ptx::descriptor right(b, 16, 8 * row_bytes, row_bytes);

	ptx::wgmma_fence();
#pragma unroll
	for (int k = 0; k < tile_k / 16; k++)
#pragma unroll
		for (int i = 0; i < blocks_m; i++)
			ptx::wgmma(sums[i], left.moved(i * 64 * row_bytes + k * 32),
				   right.moved(k * 32));
	ptx::wgmma_commit();
}

__device__ inline void consume(const tile::problem &p, const ring &slots, int thread)
{
	const int first = thread / 128 * 64 * blocks_m; /* row of the warpgroup in the tile */
	const int row = first + thread % 128 / 32 * 16;
	const bool speaks = thread % 32 == 0;
	place at;

	items(p).each([&](int item) {
		const tile::corner corner(p, item);
		float sums[blocks_m][tile_n / 2] = {};
		int before = -1;
#pragma unroll 1
		for (int t = 0; t < p.tiles_k(); t++, at.advance()) {
			ptx::mbarrier_wait(slots.full(at.slot), at.parity);
			ptx::fence_async(); /* cp.async wrote as ordinary stores do */
			issue(sums, slots.a(at.slot) + first * row_bytes, slots.b(at.slot));
			ptx::wgmma_wait<1>();
			if (before >= 0 && speaks)
				ptx::mbarrier_arrive(slots.empty(before));
			before = at.slot;
		}
		ptx::wgmma_wait<0>();
		if (speaks)
			ptx::mbarrier_arrive(slots.empty(before));
#pragma unroll
		for (int i = 0; i < blocks_m; i++) {
			ptx::pin(sums[i]);
			tile::store(p, sums[i], corner.row + row + 64 * i, corner.column);
		}
	});
}

__device__ inline void run(const tile::problem &p, unsigned char *shared)
{
	const ring slots{ ptx::shared_address(shared) };
	const int thread = static_cast<int>(threadIdx.x);

	if (thread < stages) {
		ptx::mbarrier_init(slots.full(thread), 32 * producers);
		ptx::mbarrier_init(slots.empty(thread), warps_m);
	}
	__syncthreads();
	if (thread < compute_threads) {
		if constexpr (move_registers)
			ptx::raise_registers<232>();
		consume(p, slots, thread);
	} else {
		if constexpr (move_registers)
			ptx::lower_registers<40>();
		produce(p, slots, thread - compute_threads);
	}
}
} // namespace warpgroup
