#ifndef ROWS_PTX_CUH
#define ROWS_PTX_CUH

/*
 * The instructions behind the kernels of this folder, under names that a CPU can answer to as well:
 * tests/kernels/cpu/rows.h has them in C++.
 */
#include <cuda_fp16.h>

namespace ptx
{
typedef unsigned short u16;
typedef unsigned int u32;

/*
 * What LOAD names. All go through the path for data that no kernel writes; cs and no_allocate tell
 * the caches that there is no second look: cs is first to be evicted everywhere, no_allocate does
 * not enter the first-level cache.
 */
enum class load_kind { nc, cs, no_allocate };
enum class store_kind { plain, cs };

static __device__ u16 load_no_allocate(const u16 *p)
{
	u16 v;

	asm("ld.global.nc.L1::no_allocate.u16 %0, [%1];" : "=h"(v) : "l"(p));
	return v;
}

static __device__ u32 load_no_allocate(const u32 *p)
{
	u32 v;

	asm("ld.global.nc.L1::no_allocate.u32 %0, [%1];" : "=r"(v) : "l"(p));
	return v;
}

static __device__ uint2 load_no_allocate(const uint2 *p)
{
	uint2 v;

	asm("ld.global.nc.L1::no_allocate.v2.u32 {%0, %1}, [%2];" : "=r"(v.x), "=r"(v.y) : "l"(p));
	return v;
}

static __device__ uint4 load_no_allocate(const uint4 *p)
{
	uint4 v;

	asm("ld.global.nc.L1::no_allocate.v4.u32 {%0, %1, %2, %3}, [%4];"
	    : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w)
	    : "l"(p));
	return v;
}

template <load_kind KIND, typename T> __device__ T load(const T *p)
{
	if constexpr (KIND == load_kind::nc)
		return __ldg(p);
	else if constexpr (KIND == load_kind::cs)
		return __ldcs(p);
	else
		return load_no_allocate(p);
}

template <store_kind KIND, typename T> __device__ void store(T *p, T v)
{
	if constexpr (KIND == store_kind::cs)
		__stcs(p, v);
	else
		*p = v;
}

/* The compiler may not use what it knows of the value: neither its origin nor what was made of it.
 */
static __device__ void make_opaque(u16 &v)
{
	asm volatile("" : "+h"(v));
}

static __device__ void make_opaque(u32 &v)
{
	asm volatile("" : "+r"(v));
}

static __device__ void make_opaque(uint2 &v)
{
	asm volatile("" : "+r"(v.x), "+r"(v.y));
}

static __device__ void make_opaque(uint4 &v)
{
	asm volatile("" : "+r"(v.x), "+r"(v.y), "+r"(v.z), "+r"(v.w));
}

/* 2^x by the special function unit, to 2 ulp. */
static __device__ float exp2(float x)
{
	float y;

	asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
	return y;
}

/* 2^x of two halves at once, each rounded to a half before and after. */
static __device__ float2 exp2_half2(float low, float high)
{
	const __half2 x = __floats2half2_rn(low, high);
	u32 y = *reinterpret_cast<const u32 *>(&x);

	asm("ex2.approx.f16x2 %0, %0;" : "+r"(y));
	return __half22float2(*reinterpret_cast<const __half2 *>(&y));
}
} // namespace ptx

#endif
