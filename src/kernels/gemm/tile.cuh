#pragma once

#include <cuda_fp16.h>

#include "../sdpa/ptx.cuh"
#include "params.cuh"

/*
 * What both designs share: which tile of C is whose, how rows lie in shared memory, how they get
 * there and how results leave registers.
 */
namespace tile
{
using ptx::u32;

struct problem {
	const __half *a, *b;
	__half *c;
	int m, n, k;

	__device__ int tiles_m() const
	{
		return (m + param::tile_m - 1) / param::tile_m;
	}

	__device__ int tiles_n() const
	{
		return (n + param::tile_n - 1) / param::tile_n;
	}

	__device__ int tiles_k() const
	{
		return (k + param::tile_k - 1) / param::tile_k;
	}
};

/*
 * The first row and column of tile number `item`. Tiles are numbered down GROUP tile rows, then one
 * column on: blocks at work together share rows of A and of B in the L2 cache.
 */
struct corner {
	int row, column;

	__device__ corner(const problem &p, int item)
	{
		const int band = param::group * p.tiles_n();
		const int first = item / band * param::group;
		const int height = min(param::group, p.tiles_m() - first);
		row = (first + item % band % height) * param::tile_m;
		column = item % band / height * param::tile_n;
	}
};

constexpr int chunks = param::row_bytes / 16; /* of a row */

/*
 * Where the 16-byte chunk of a row lies in a matrix in shared memory. Chunks are permuted so that
 * eight rows' chunks of one number lie in different banks; it is the swizzle of 128 (TILE_K=64) or
 * 64 bytes that wgmma knows (PTX ISA, "Asynchronous Warpgroup Level Matrix Shared Memory Layout").
 */
__device__ inline u32 offset(int row, int chunk)
{
	const int twist = chunks == 8 ? row & 7 : row >> 1 & 3;

	return static_cast<u32>(row * param::row_bytes + ((chunk ^ twist) << 4));
}

/*
 * Brings TILE_K columns of ROWS rows of a row-major matrix at a time into shared memory, by THREADS
 * threads. What lies outside the matrix becomes zero.
 */
template <int ROWS, int THREADS> class loader
{
	static constexpr int step = THREADS / chunks; /* rows between two chunks of a thread */
	static constexpr int pieces = (ROWS + step - 1) / step;

	const __half *const matrix;
	const int row, chunk; /* of the thread's first chunk, in the tile */
	const int rows, k;    /* rows that exist from there on; columns of the matrix */
	const __half *const from;

      public:
	__device__ loader(const __half *matrix, int first, int rows, int k, int thread)
	    : matrix(matrix), row(thread / chunks), chunk(thread % chunks),
	      rows(rows - first - row), k(k),
	      from(matrix + static_cast<size_t>(first + row) * static_cast<size_t>(k) + chunk * 8)
	{
	}

	/* Starts the copies of tile t along K. */
	__device__ void fetch(u32 to, int t) const
	{
		const int column = t * param::tile_k;
		const bool inside = column + chunk * 8 < k;
#pragma unroll
		for (int i = 0; i < pieces; i++) {
			const int r = i * step;
			const bool valid = inside && r < rows;
			const __half *at =
				from + static_cast<size_t>(r) * static_cast<size_t>(k) + column;
			if (ROWS % step == 0 || row + r < ROWS)
				ptx::copy_async_16(to + offset(row + r, chunk), valid ? at : matrix,
						   valid);
		}
	}
};

/* Swaps words among lanes whose numbers differ in BIT, where index and lane differ in it. */
template <int BIT> __device__ inline void swap_words(u32 (&w)[4])
{
	const bool upper = (threadIdx.x & BIT) != 0;
#pragma unroll
	for (int i = 0; i < 4; i++) {
		if (i & BIT)
			continue;
		const u32 got = __shfl_xor_sync(~0u, upper ? w[i] : w[i | BIT], BIT);
		w[i] = upper ? got : w[i];
		w[i | BIT] = upper ? w[i | BIT] : got;
	}
}

__device__ inline u32 halves(float x, float y)
{
	const __half2 both = __floats2half2_rn(x, y);

	return *reinterpret_cast<const u32 *>(&both);
}

/*
 * Writes a warp's 16 rows of COUNT / 4 * 8 columns, as mma and wgmma leave them: lane 4 g + t has
 * rows g and g + 8. Four lanes first swap words, so that each writes 16 bytes and together 64.
 */
template <int COUNT>
__device__ inline void store(const problem &p, const float (&sums)[COUNT], int row, int column)
{
	const int lane = static_cast<int>(threadIdx.x) % 32;

	static_assert(COUNT % 16 == 0, "columns in 32s");
#pragma unroll
	for (int half = 0; half < 2; half++) {
		const int r = row + lane / 4 + 8 * half;
#pragma unroll
		for (int i = 0; i < COUNT; i += 16) {
			const float *x = sums + i + 2 * half;
			const int c = column + i * 2 + lane % 4 * 8;
			u32 w[4] = { halves(x[0], x[1]), halves(x[4], x[5]), halves(x[8], x[9]),
				     halves(x[12], x[13]) };
			swap_words<1>(w);
			swap_words<2>(w);
			const uint4 all = { w[0], w[1], w[2], w[3] };
			if (r < p.m && c < p.n)
				*reinterpret_cast<uint4 *>(
					p.c + static_cast<size_t>(r) * static_cast<size_t>(p.n) +
					c) = all;
		}
	}
}
} // namespace tile
