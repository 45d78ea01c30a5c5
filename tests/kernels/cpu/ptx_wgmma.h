#ifndef PTX_WGMMA_CUH
#define PTX_WGMMA_CUH

/*
 * src/kernels/ptx_wgmma.cuh in C++. Operands are read from shared memory by the rules of the PTX
 * ISA for rows along K ("Asynchronous Warpgroup Level Matrix Shared Memory Layout"), no sooner than
 * a wait demands it: a slot that was given back too early shows as other bytes.
 */
#include "ptx.h"

namespace ptx
{
typedef unsigned long long u64;

inline void fence_async()
{
}

template <int COUNT> void raise_registers()
{
}

template <int COUNT> void lower_registers()
{
}

inline void wgmma_fence()
{
}

template <int N> void pin(float (&)[N])
{
}

struct descriptor {
	u32 address, stride, swizzle;

	/* The leading stride means nothing to rows as long as the swizzle. */
	descriptor(u32 address, u32, u32 stride, int swizzle)
	    : address(address), stride(stride), swizzle((u32)swizzle)
	{
	}

	/* Bytes fit in 18 bits, a stride of at most 1024 and the swizzle in the rest. */
	u64 moved(u32 bytes) const
	{
		return address + bytes | (u64)stride << 20 | (u64)swizzle << 40;
	}
};

/* Half k of a row; a swizzle of 2^n bytes flips address bits 4 to n - 1 by those from 7 on. */
inline float operand(u64 from, int row, int k)
{
	const u32 start = (u32)from & 0xfffff, stride = (u32)(from >> 20) & 0xfffff;
	const u32 swizzle = (u32)(from >> 40);
	u32 at = start + (u32)row / 8 * stride + (u32)row % 8 * swizzle + 2 * (u32)k;
	unsigned short bits;

	at ^= (at >> 7 & (swizzle / 16 - 1)) << 4;
	std::memcpy(&bits, shared + at, 2);
	return __half2float({ bits });
}

struct product {
	float *sums;
	int count;
	u64 a, b;

	/* Lane 4 g + t of warp w has rows 16 w + g, 16 w + g + 8; columns 8 j + 2 t and the next.
	 */
	void make() const
	{
		const int lane = lanes::self() % 32, row = lanes::self() % 128 / 32 * 16 + lane / 4;

		for (int i = 0; i < count; i++)
			for (int k = 0; k < 16; k++)
				sums[i] += operand(a, row + i / 2 % 2 * 8, k) *
					   operand(b, i / 4 * 8 + lane % 4 * 2 + i % 2, k);
	}
};

/* Products of each thread: groups that were committed, and the one that is open. */
struct products {
	std::deque<std::vector<product>> groups;
	std::vector<product> open;
};

inline products &my_products()
{
	static std::vector<products> all(1024);
	return all[(size_t)lanes::self()];
}

template <int N> void wgmma(float (&c)[N], u64 a, u64 b)
{
	my_products().open.push_back({ c, N, a, b });
}

inline void wgmma_commit()
{
	my_products().groups.push_back(my_products().open);
	my_products().open.clear();
}

/* A thread waits for all of its warpgroup's, since others read what it gives back. */
template <int PENDING> void wgmma_wait()
{
	while (my_products().groups.size() > PENDING) {
		for (const product &p : my_products().groups.front())
			p.make();
		my_products().groups.pop_front();
	}
	__syncwarp();
}
} // namespace ptx

#endif
