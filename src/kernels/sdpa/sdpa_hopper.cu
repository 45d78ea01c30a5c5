/*
 * Scaled-dot-product attention on 8-bit Q, K and V as sdpa_u8.cu has it, same arguments, for
 * compute capability 9.0 alone (sm_90a): wgmma, bulk copies, mbarriers, setmaxnreg.
 *
 * Launch: grid (ceil(S / (64 * ROW_GROUPS)), B * H), 128 * ROW_GROUPS * KEY_GROUPS + 32 * PRODUCERS
 * threads, dynamic shared memory as `shared_bytes` of hopper_layout.cuh works out. Pointers are
 * aligned to 16 bytes.
 *
 * hopper.cuh tells how a block works, hopper_params.cuh what can be tuned, hopper_layout.cuh where
 * things lie in shared memory; hopper_producer.cuh brings keys and values; hopper_consumer.cuh walks
 * over them, hopper_weights.cuh makes weights of scores, hopper_sums.cuh holds what they sum up to;
 * hopper_ptx.cuh holds the instructions.
 *
 * Registers decide what is fast. wgmma wants accumulators and register operands side by side above
 * R24; where they do not fit what a consumer has once producers gave theirs away, the compiler
 * waits after each wgmma. The constraint of configs/sdpa_u8_hopper.json on registers is that sum.
 *
 * README.md beside this says what was predicted and measured.
 */
#include "hopper.cuh"
#include "hopper_params.cuh"

#ifdef EXPECT_SHARED_BYTES
static_assert(hopper::shared_bytes == EXPECT_SHARED_BYTES, "the caller's formula differs");
#endif

extern "C" __global__ void __launch_bounds__(param::threads, param::min_blocks)
	sdpa_hopper(const unsigned char *q, const unsigned char *k, const unsigned char *v,
		    const float *qa, const float *ka, const float *va, __half *o, int, int, int s)
{
	extern __shared__ __align__(1024) unsigned char shared[];

	hopper::attend(hopper::problem{ q, k, v, qa, ka, va, o, s }, shared);
}
