/*
 * C = A B^T in halves, with float sums: a linear layer as transformers have it, whose weights B are
 * stored one row for each output.
 *
 *   a   halves [M, K], row by row
 *   b   halves [N, K], row by row
 *   c   halves [M, N], row by row
 *
 * N and K are multiples of 8, so that every row starts at a multiple of 16 bytes; M is any number.
 *
 * Launch: grid (tiles), tiles = ceil(M / TILE_M) * ceil(N / TILE_N), or with PERSISTENT=1 any
 * number of blocks; block 32 * (WARPS_M * WARPS_N + PRODUCERS); dynamic shared memory
 * STAGES * (TILE_M + TILE_N) * TILE_K * 2 bytes, with DESIGN=wgmma 16 * STAGES more.
 *
 *   params.cuh      the parameters
 *   tile.cuh        tiles: which, and their way to shared memory and back
 *   multistage.cuh  DESIGN=mma, from sm_80 on
 *   warpgroup.cuh   DESIGN=wgmma, sm_90a
 *
 * Measured at: not measured yet.
 */
#include "params.cuh"

#if PARAM_WARPGROUPS
#include "warpgroup.cuh"
namespace design = warpgroup;
#else
#include "multistage.cuh"
namespace design = multistage;
#endif

extern "C" __global__ void __launch_bounds__(param::threads, param::min_blocks)
	gemm_f16(const __half *a, const __half *b, __half *c, int m, int n, int k)
{
	extern __shared__ __align__(1024) unsigned char shared[];

	design::run(tile::problem{ a, b, c, m, n, k }, shared);
}
