#pragma once

#include "tile.cuh"

/*
 * DESIGN=mma: a block of WARPS_M x WARPS_N warps, each of which loads a share of every tile and
 * owns TILE_M / WARPS_M rows by TILE_N / WARPS_N columns of C.
 *
 * A ring of STAGES slots is filled by cp.async, STAGES - 1 tiles ahead; one __syncthreads a tile
 * says both that the tile has come and that the slot before it is free. Operands come from the slot
 * by ldmatrix, four 8 x 8 matrices at a time and without bank conflicts; sums stay in registers.
 *
 * Shared memory: STAGES slots of TILE_M rows of A and TILE_N rows of B, TILE_K halves each.
 */
namespace multistage
{
using ptx::u32;
using namespace param;

constexpr int blocks_m = tile_m / warps_m / 16; /* of 16 rows */
constexpr int pairs_n = tile_n / warps_n / 16;	/* of two times 8 columns */

/* The warp's share of one slot: sums += A B^T. */
__device__ inline void multiply(float (&sums)[blocks_m][8 * pairs_n], u32 slot, int row, int column)
{
	const int lane = static_cast<int>(threadIdx.x) % 32;
	const int a_row = row + lane % 16, a_chunk = lane / 16;
	const int b_row = column + lane / 16 * 8 + lane % 8, b_chunk = lane / 8 % 2;

#pragma unroll
	for (int k = 0; k < tile_k / 16; k++) {
		u32 a[blocks_m][4], b[pairs_n][4];
#pragma unroll
		for (int i = 0; i < blocks_m; i++)
			ptx::ldmatrix(a[i], slot + tile::offset(a_row + 16 * i, a_chunk + 2 * k));
#pragma unroll
		for (int j = 0; j < pairs_n; j++)
			ptx::ldmatrix(b[j], slot + a_bytes +
						    tile::offset(b_row + 16 * j, b_chunk + 2 * k));
#pragma unroll
		for (int i = 0; i < blocks_m; i++)
#pragma unroll
			for (int j = 0; j < 2 * pairs_n; j++)
				ptx::mma_f16(reinterpret_cast<float(&)[4]>(sums[i][4 * j]), a[i],
					     b[j / 2][j % 2 * 2], b[j / 2][j % 2 * 2 + 1]);
	}
}

__device__ inline void run(const tile::problem &p, unsigned char *shared)
{
	const u32 ring = ptx::shared_address(shared);
	const int thread = static_cast<int>(threadIdx.x), warp = thread / 32;
	const tile::corner at(p, static_cast<int>(blockIdx.x));
	const tile::loader<tile_m, threads> a(p.a, at.row, p.m, p.k, thread);
	const tile::loader<tile_n, threads> b(p.b, at.column, p.n, p.k, thread);
	const int row = warp / warps_n * 16 * blocks_m, column = warp % warps_n * 16 * pairs_n;
	const int tiles = p.tiles_k();
	float sums[blocks_m][8 * pairs_n] = {};

	/* A group is committed even if it is empty, so that as many are always on their way. */
	auto fetch = [&](int t, int slot) {
		if (t < tiles) {
			a.fetch(ring + slot * slot_bytes, t);
			b.fetch(ring + slot * slot_bytes + a_bytes, t);
		}
		ptx::commit();
	};
	for (int t = 0; t < stages - 1; t++)
		fetch(t, t);
	int slot = 0, before = stages - 1;
#pragma unroll 1
	for (int t = 0; t < tiles; t++) {
		ptx::wait<stages - 2>();
		__syncthreads();
		fetch(t + stages - 1, before);
		multiply(sums, ring + slot * slot_bytes, row, column);
		before = slot;
		slot = slot + 1 == stages ? 0 : slot + 1;
	}
#pragma unroll
	for (int i = 0; i < blocks_m; i++)
		tile::store(p, sums[i], at.row + row + 16 * i, at.column + column);
}
} // namespace multistage
