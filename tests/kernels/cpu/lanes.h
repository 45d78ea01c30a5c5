#pragma once

/*
 * Runs a CUDA block on one CPU thread. Each GPU thread is a coroutine with a stack of its own; what
 * needs several of them (a barrier, a shuffle, a matrix instruction) yields until all have come.
 * Nothing else is emulated: the kernel's own arithmetic is compiled C++.
 */
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <functional>

#define __device__
#define __global__
#define __shared__
#define __align__(n) __attribute__((aligned(n)))
#define __launch_bounds__(...)

struct uint2 {
	unsigned int x, y;
};
struct alignas(16) uint4 {
	unsigned int x, y, z, w;
};
struct float2 {
	float x, y;
};
struct alignas(16) float4 {
	float x, y, z, w;
};
struct dim3 {
	unsigned int x, y, z;
};

namespace lanes
{
/*
 * Runs body for each of `threads` threads of a block, until all have returned. A warp runs as far
 * as it can before the next gets a turn, first to last or last to first: where a barrier is missing
 * one of the two reads what is not there yet. False: they wait for one another for ever.
 */
bool run_block(int threads, bool backwards, const std::function<void()> &body);

int self(); /* number of the running thread in its block */

/* All threads of the block have come. */
void block_barrier();

/* So many threads of the block have come to the barrier of this number, under 16. */
void named_barrier(int id, int threads);

/* Gives way to others until something holds that they bring about, and tells those who wait. */
void wait_until(const std::function<bool()> &holds);
void something_happened();

/*
 * All 32 lanes of this thread's warp have come, each with `bytes` of data; returns the data of all,
 * one lane after the other, valid until the next call.
 */
const unsigned char *exchange(const void *mine, size_t bytes);

template <typename T> T const *gather(const T &mine)
{
	return reinterpret_cast<const T *>(exchange(&mine, sizeof mine));
}
} // namespace lanes

struct thread_index {
	struct {
		operator unsigned int() const
		{
			return (unsigned int)lanes::self();
		}
	} x;
};
static const thread_index threadIdx;
extern dim3 blockIdx, gridDim;

inline void __syncthreads()
{
	lanes::block_barrier();
}

inline void __syncwarp()
{
	char none = 0;
	lanes::gather(none);
}

template <typename T> T __shfl_xor_sync(unsigned int, T x, int mask)
{
	return lanes::gather(x)[(lanes::self() & 31) ^ mask];
}

inline bool __any_sync(unsigned int, bool mine)
{
	const bool *of = lanes::gather(mine);
	for (int i = 0; i < 32; i++)
		if (of[i])
			return true;
	return false;
}

inline int __vimax3_s32(int a, int b, int c)
{
	return std::max(a, std::max(b, c));
}

inline int __float_as_int(float f)
{
	int i;
	std::memcpy(&i, &f, 4);
	return i;
}

inline float __int_as_float(int i)
{
	float f;
	std::memcpy(&f, &i, 4);
	return f;
}

inline unsigned int __byte_perm(unsigned int a, unsigned int b, unsigned int selector)
{
	unsigned long long both = (unsigned long long)b << 32 | a;
	unsigned int r = 0;
	for (int i = 0; i < 4; i++)
		r |= (unsigned int)(both >> 8 * (selector >> 4 * i & 7) & 255) << 8 * i;
	return r;
}

inline int __dp4a(int a, int b, int c)
{
	for (int i = 0; i < 4; i++)
		c += (signed char)(a >> 8 * i) * (signed char)(b >> 8 * i);
	return c;
}

inline float rsqrtf(float x)
{
	return 1.0f / std::sqrt(x);
}
