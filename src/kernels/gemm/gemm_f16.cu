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
 * Measured at (H200, CUDA graph, us; cuBLAS beside it):
 *
 *   M x N x K               4096^3            4096 x 4096 x 1024   16 x 4096 x 4096   64 x 4096 x
 * 4096 cuBLAS                  190.6 (721 TF/s)  51.7                 9.1                8.2
 *   persistent              189.9 (724)       52.8
 *   persistent, GROUP=8     191.6             52.5
 *   wgmma                   215.5             59.6
 *   persistent, 1 producer  332.0             88.9
 *   mma                     316.5             84.6
 *   mma_wide                328.7             90.6
 *   narrow                                                         14.5               15.7
 *
 * One producer warp cannot copy as fast as two warpgroups multiply; two can. Few rows leave the
 * device to as many blocks as there are tiles along N: splitting K is what is missing there.
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
