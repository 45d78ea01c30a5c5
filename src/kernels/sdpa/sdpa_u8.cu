/*
 * Scaled-dot-product attention on 8-bit Q, K and V: O = softmax(Q K^T / sqrt(D)) V, not causal.
 *
 *   q, k, v     unsigned bytes [B, H, S, D]; the value is (u - 128) / 127 * absmax of its head
 *   qa, ka, va  floats [B, H]: those absmax
 *   o           halves [B, H, S, D]
 *
 * Launch: grid (ceil(S / TILE_M), B * H), 32 * WARPS threads, dynamic shared memory as
 * `shared_bytes` of staged.cuh or fused.cuh works out. Pointers are aligned to 16 bytes. A block
 * takes TILE_M query rows of one head and walks the keys in tiles of TILE_N, with the online
 * softmax of Milakov and Gimelshein ("Online normalizer calculation for softmax", 2018), in the
 * order of FlashAttention (Dao et al., 2022).
 *
 * The versions, each a setting of the macros in params.cuh:
 *   stage0  STAGES=0 PV=scalar  tiles by plain loads, P V on the FMA units     staged.cuh
 *   stage1  STAGES=2 PV=scalar  the next tile arrives by cp.async meanwhile    staged.cuh, tile.cuh
 *   stage2  STAGES=2 PV=wmma    P V on tensor cores, P through shared memory   staged.cuh
 *   stage3  STAGES=2 PV=mma     everything between K and O in registers        fused.cuh
 *
 * Microseconds a launch on one H200, 2026-11-21, median over CUDA graphs of many launches:
 *   (2,8,512,64)    stage0 59.5, stage1 66.4, stage2 54.5, stage3 8.19; TILE_N=128 on top 7.78
 *   (2,8,2048,64)   stage3 65.2; best of a sample 53.2, with TILE_M=128 and STAGES=3
 *   (4,16,1024,64)  best of a sample 54.4
 * So at S=512 the ring of stage1 does not pay for itself while P V is what takes the time.
 *
 * quant.cuh holds the byte format, softmax.cuh the exponentials, ptx.cuh the instructions.
 */
#include "params.cuh"
#include "quant.cuh"
#include "softmax.cuh"

#if PARAM_PV_IN_REGISTERS
#include "fused.cuh"
namespace family = fused;
#else
#include "staged.cuh"
namespace family = staged;
#endif

/* A caller that has worked out the dynamic shared memory may have it checked. */
#ifdef EXPECT_SHARED_BYTES
static_assert(family::shared_bytes == EXPECT_SHARED_BYTES, "the caller's formula differs");
#endif

#if MIN_BLOCKS > 0
#define BOUNDS __launch_bounds__(param::threads, MIN_BLOCKS)
#else
#define BOUNDS __launch_bounds__(param::threads)
#endif

extern "C" __global__ void BOUNDS sdpa_u8(const unsigned char *q, const unsigned char *k,
					  const unsigned char *v, const float *qa, const float *ka,
					  const float *va, __half *o, int, int, int s)
{
	extern __shared__ __align__(128) unsigned char shared[];
	const size_t head = blockIdx.y;
	const size_t start = head * static_cast<size_t>(s) * param::head_dim;
	const int row = static_cast<int>(blockIdx.x) * param::tile_m;
	const float c = softmax::factor(quant::scale(qa[head]), quant::scale(ka[head]));

	family::attend(q + start, k + start, v + start, c, quant::scale(va[head]), o + start, row,
		       s, shared);
}
