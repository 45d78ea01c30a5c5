/*
 * Scaled-dot-product attention on e4m3 Q, K and V: as sdpa_u8.cu, whose description holds, but for
 *
 *   q, k, v     bytes [B, H, S, D], OCP FP8 E4M3; the value is e / 448 * absmax of its head
 *
 * and PV=mma alone. P V is done in halves, which hold every e4m3 number; weights in e4m3 would have
 * three bits.
 */
#define INPUT e4m3
#ifndef QK
#define QK f16
#endif
#include "kernel.cuh"

extern "C" __global__ void BOUNDS sdpa_e4m3(const unsigned char *q, const unsigned char *k,
					    const unsigned char *v, const float *qa,
					    const float *ka, const float *va, __half *o, int b,
					    int h, int s)
{
	extern __shared__ __align__(128) unsigned char shared[];

	kernel::attend(q, k, v, qa, ka, va, o, b * h, s, shared);
}
