#pragma once

#include "hopper_consumer.cuh"
#include "hopper_producer.cuh"

/*
 * A block has PRODUCERS producer warps and ROW_GROUPS * KEY_GROUPS consumer warpgroups.
 *
 * Producers bring key tiles into a ring of STAGES slots. The rows of K and V of one head lie one
 * after the other, so that plain bulk copies (cp.async.bulk, no tensor map) bring them as they are;
 * a producer warp then moves K to where wgmma expects it (swizzled) and turns V into halves. A slot
 * has a barrier for bytes that have arrived (one for each producer warp), one for full and one for
 * empty (all warps of the key group that used it arrive).
 *
 * A consumer warpgroup owns 64 query rows. The scores of Q K^T (signed by unsigned bytes, exact)
 * never leave registers and become the register operand of P V. Key group g takes tiles g,
 * g + KEY_GROUPS, ...; the groups' sums meet once, at the end.
 *
 * ORDER is what a warpgroup does while its wgmma run:
 *   plain    P V, wait, scores, wait: other warpgroups fill the gaps
 *   queue    P V of this tile and the scores of the next are issued together
 *   overlap  the scores of the next tile are issued before P V of this one, so that the next
 *            weights are worked out while P V runs (Shah et al., FlashAttention-3, 2024)
 * In each a warpgroup waits for its next tile while it holds one: hence STAGES > KEY_GROUPS, or
 * the ring stands still.
 *
 * The bytes of K come as u, not u - 128: a score is too large by 128 sum(q - 128), the same for the
 * whole row, which the maximum takes out again.
 *
 * A row's reference maximum is raised only if a score passes it by SLACK binary orders (the idea is
 * FlashAttention-4's); until then weights are up to 2^SLACK, which a half holds as well as 1, and
 * nothing is rescaled. With MAXIMUM=first later maxima are not even looked for: weights stay floats
 * until they are summed, and a sum past 2^15 says that one may not fit a half. For weights to be
 * floats scores must not reach further than 2^120 times the first tile's maximum, which the lengths
 * of queries and keys tell; where they might, every tile's maximum is taken.
 *
 * All that addresses are made of is the same for a warp and comes by ways that the compiler knows
 * to be so: descriptors are then worked out in uniform registers.
 *
 * With DEQUANT=direct a byte u of V is the half u * 2^-24, whose bit pattern is u. The sum over
 * keys is then too large by 128 times the weights, which the epilogue subtracts.
 */
namespace hopper
{
struct problem {
	const u8 *q, *k, *v;
	const float *qa, *ka, *va;
	__half *o;
	int rows; /* of a head */
};

__device__ inline float level(float absmax)
{
	return (absmax > 1e-6f ? absmax : 1.0f) / 127.0f;
}

/* Where a consumer thread is in the block and in the grid. */
struct position {
	int row_group, key_group;
	int row; /* the first of its two */
	u32 head;

	__device__ position()
	{
		int thread = ptx::thread_again();
		/* Uniform, for all that the compiler knows: addresses are then, too. */
		int id = __shfl_sync(0xffffffffu, thread / group, 0);
		row_group = key_groups == 1 ? id : id % row_groups;
		key_group = key_groups == 1 ? 0 : id / row_groups;
		row = static_cast<int>(ptx::block_again()) * param::tile_m + 64 * row_group +
		      thread / 32 % 4 * 16 + thread % 32 / 4;
		head = ptx::block_y_again();
	}
};

__device__ inline size_t head_start(u32 head, int rows)
{
	return static_cast<size_t>(head) * static_cast<size_t>(rows) * head_dim;
}

/* One thread begins all barriers: a thread for each took 0.5 to 0.9 us longer (H200). */
__device__ inline void prepare(const layout &at)
{
	if (threadIdx.x == 0) {
#pragma unroll
		for (int i = 0; i < stages; i++) {
			ptx::barrier_init(at.full(i), param::producers);
			ptx::barrier_init(at.empty(i), 4 * row_groups);
#pragma unroll
			for (int warp = 0; warp < param::producers; warp++)
				ptx::barrier_init(at.arrived(i, warp), 1);
		}
	}
	if (sum_by_mma && threadIdx.x < 16) {
		const u32 one = 0x3c003c00u;
		ptx::store_shared(at.ones() + 16 * threadIdx.x, make_uint4(one, one, one, one));
	}
	ptx::fence_async();
	__syncthreads();
}

__device__ inline void start(consumer &x, const problem &p)
{
	const float log2_e = 1.4426950408889634f;
	position here;
	float qa = p.qa[here.head], ka = p.ka[here.head]; /* on their way beside the queries */
	x.load_queries(p.q + head_start(here.head, p.rows), here.row, p.rows);
	x.c = level(qa) * level(ka) * rsqrtf(static_cast<float>(head_dim)) * log2_e;
	if constexpr (by_sums)
		x.bound_scores();
	if constexpr (!param::q_in_registers)
		x.share_queries(here.row_group + row_groups * here.key_group);
	x.clear();
	x.run(consumer::walk(here.key_group, p.rows));
}

__device__ inline void finish(consumer &x, const problem &p, u8 *shared)
{
	position here;
	float v_scale = level(p.va[here.head]);
	x.finish_sums();
	if constexpr (key_groups > 1)
		x.merge(here.row_group, here.key_group, reinterpret_cast<float *>(shared));
	if (here.key_group == 0)
		x.store(p.o + head_start(here.head, p.rows), v_scale, here.row, p.rows);
}

__device__ inline void produce(const problem &p, const layout &at)
{
	size_t start = head_start(blockIdx.y, p.rows);
	int warp = (ptx::thread_again() - group * consumers) / 32;
	const producer x(at, p.k + start, p.v + start, p.rows, __shfl_sync(0xffffffffu, warp, 0));
	x.run((p.rows + tile_n - 1) / tile_n);
}

__device__ inline void attend(const problem &p, u8 *shared)
{
	const layout at = { ptx::shared_address(shared) };

	prepare(at);
	if (threadIdx.x >= group * consumers) {
		if constexpr (param::move_registers)
			ptx::lower_registers<param::producer_registers>();
		produce(p, at);
	} else {
		if constexpr (param::move_registers)
			ptx::raise_registers<param::consumer_registers>();
		consumer x;
		x.at = at;
		start(x, p);
		finish(x, p, shared);
	}
}
} // namespace hopper
