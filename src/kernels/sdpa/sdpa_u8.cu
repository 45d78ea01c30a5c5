/*
 * Scaled-dot-product attention on 8-bit Q, K and V: O = softmax(Q K^T / sqrt(D)) V, not causal.
 *
 *   q, k, v     unsigned bytes [B, H, S, D]; the value is (u - 128) / 127 * absmax of its head
 *   qa, ka, va  floats [B, H]: those absmax
 *   o           halves [B, H, S, D]
 *
 * Launch: the grid of kernel.cuh, 32 * (WARPS + PRODUCERS) threads, dynamic shared memory as
 * `shared_bytes` of staged.cuh or fragments.cuh works out. Pointers are aligned to 16 bytes. A
 * block takes TILE_M query rows of one head at a time and walks the keys in tiles of TILE_N, with
 * the online softmax of Milakov and Gimelshein ("Online normalizer calculation for softmax", 2018),
 * in the order of FlashAttention (Dao et al., 2022).
 *
 * The versions, each a setting of the macros in params.cuh:
 *   stage0  STAGES=0 PV=scalar  tiles by plain loads, P V on the FMA units     staged.cuh
 *   stage1  STAGES=2 PV=scalar  the next tile arrives by cp.async meanwhile    staged.cuh, tile.cuh
 *   stage2  STAGES=2 PV=wmma    P V on tensor cores, P through shared memory   staged.cuh
 *   stage3  STAGES=2 PV=mma     everything between K and O in registers        fused.cuh
 *   stage4  STAGES=3 DEQUANT=direct RESCALE=lazy ROWMAX=dpx SWIZZLE=1: the same with less to do
 *           beside the tensor cores
 *   stage5_p1, stage5_p2  PRODUCERS=1 or 2: warps of their own load the ring    tile.cuh
 *   stage6  PRODUCERS=1 PERSISTENT=1: blocks stay, and loading runs ahead     kernel.cuh
 *
 * README.md of this folder has what each was predicted and measured at. quant.cuh holds the element
 * formats, softmax.cuh the exponentials, ptx.cuh the instructions.
 */
#define INPUT u8
#include "kernel.cuh"

extern "C" __global__ void BOUNDS sdpa_u8(const unsigned char *q, const unsigned char *k,
					  const unsigned char *v, const float *qa, const float *ka,
					  const float *va, __half *o, int b, int h, int s)
{
	extern __shared__ __align__(128) unsigned char shared[];

	kernel::attend(q, k, v, qa, ka, va, o, b * h, s, shared);
}
