#ifndef ROWS_PTX_CUH
#define ROWS_PTX_CUH

/*
 * src/kernels/rows/ptx.cuh in C++. Caches do not change an answer, so that all ways to load and to
 * store are one; an address that is no multiple of the access's size ends the program.
 */
#include <cfloat>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "cuda_fp16.h"
#include "lanes.h"

#define __restrict__
#undef __shared__
#define __shared__ static

inline __half __ushort_as_half(unsigned short bits)
{
	return { bits };
}

inline unsigned short __half_as_ushort(__half h)
{
	return h.bits;
}

namespace ptx
{
typedef unsigned short u16;
typedef unsigned int u32;

enum class load_kind { nc, cs, no_allocate };
enum class store_kind { plain, cs };

template <typename T> void must_be_aligned(const T *p)
{
	if (reinterpret_cast<std::uintptr_t>(p) % sizeof(T) == 0)
		return;
	std::printf("an access of %zu bytes at an address that is no multiple of it\n", sizeof(T));
	std::exit(1);
}

template <load_kind, typename T> T load(const T *p)
{
	must_be_aligned(p);
	return *p;
}

template <store_kind, typename T> void store(T *p, T v)
{
	must_be_aligned(p);
	*p = v;
}

template <typename T> void make_opaque(T &)
{
}

/* As the instruction has it: what is below the smallest normal number is 0. */
inline float exp2(float x)
{
	float y = std::exp2(x);

	return y < FLT_MIN ? 0 : y;
}

inline float2 exp2_half2(float low, float high)
{
	const __half2 x = __floats2half2_rn(low, high);

	return __half22float2(
		__floats2half2_rn(std::exp2(__half2float(x.x)), std::exp2(__half2float(x.y))));
}
} // namespace ptx

#endif
