/*
 * Scaled-dot-product attention on halves: what libraries compute, for comparing like with like. As
 * sdpa_u8.cu, whose description holds, but for
 *
 *   q, k, v     halves [B, H, S, D]
 *
 * no scales, and PV=mma alone.
 */
#define INPUT f16
#define QK    f16
#include "kernel.cuh"

extern "C" __global__ void BOUNDS sdpa_f16(const __half *q, const __half *k, const __half *v,
					   __half *o, int b, int h, int s)
{
	extern __shared__ __align__(128) unsigned char shared[];

	kernel::attend(q, k, v, nullptr, nullptr, nullptr, o, b * h, s, shared);
}
