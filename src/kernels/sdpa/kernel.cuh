#pragma once

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

/*
 * What the entries of this family share: which query tiles a block takes.
 *
 * PERSISTENT=0: grid (ceil(S / TILE_M), B * H), a tile a block. PERSISTENT=1: any grid (n); block i
 * takes tiles i, i + n, ... of all heads in order, so that blocks at work together share heads, and
 * with them K and V in the L2 cache.
 */

/* A caller that has worked out the dynamic shared memory may have it checked. */
#ifdef EXPECT_SHARED_BYTES
static_assert(family::shared_bytes == EXPECT_SHARED_BYTES, "the caller's formula differs");
#endif

#if MIN_BLOCKS > 0
#define BOUNDS __launch_bounds__(param::threads, MIN_BLOCKS)
#else
#define BOUNDS __launch_bounds__(param::threads)
#endif

namespace kernel
{
using quant::element;

/* qa, ka, va: the largest magnitude of each head; not looked at where elements need no scale. */
__device__ inline void attend(const element *q, const element *k, const element *v, const float *qa,
			      const float *ka, const float *va, __half *o, int heads, int s,
			      unsigned char *shared)
{
	const int blocks = (s + param::tile_m - 1) / param::tile_m;
	const int step = param::persistent ? static_cast<int>(gridDim.x) : 1;
	const int begin = param::persistent ? static_cast<int>(blockIdx.x) : 0;
	const int end = param::persistent ? heads * blocks : 1;
	family::schedule schedule(shared);

	for (int item = begin; item < end; item += step) {
		const size_t head = param::persistent ? item / blocks : blockIdx.y;
		const size_t start = head * static_cast<size_t>(s) * param::head_dim;
		const int row = (param::persistent ? item % blocks : static_cast<int>(blockIdx.x)) *
				param::tile_m;
		const float c = softmax::factor(quant::scale(qa, head), quant::scale(ka, head));

		family::attend(q + start, k + start, v + start, c, quant::scale(va, head),
			       o + start, row, s, schedule);
	}
}
} // namespace kernel
