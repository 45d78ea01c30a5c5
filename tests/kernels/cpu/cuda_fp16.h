#pragma once

/* The part of cuda_fp16.h that the kernels use, on a CPU. */
#include "lanes.h"

struct __half {
	unsigned short bits;
};

struct __half2 {
	__half x, y;
};

inline float __half2float(__half h)
{
	int exponent = h.bits >> 10 & 31, fraction = h.bits & 1023;
	float f = exponent == 31 ? (fraction ? NAN : INFINITY)
		  : exponent	 ? std::ldexp(1024.0f + fraction, exponent - 25)
				 : std::ldexp(float(fraction), -24);
	return h.bits >> 15 ? -f : f;
}

/* To the nearest, ties to even. */
inline __half __float2half_rn(float f)
{
	unsigned short sign = std::signbit(f) ? 0x8000 : 0;
	float a = std::fabs(f);
	if (std::isnan(f))
		return { 0x7fff };
	if (a >= 65520.0f)
		return { (unsigned short)(sign | 0x7c00) };
	int e;
	std::frexp(a, &e);
	if (a < 6.103515625e-5f) /* below the smallest normal half */
		return { (unsigned short)(sign | (int)std::nearbyint(std::ldexp(a, 24))) };
	/* A fraction that rounds up to 2048 carries into the exponent by itself. */
	int fraction = (int)std::nearbyint(std::ldexp(a, 11 - e));
	return { (unsigned short)(sign | (((e + 14 - 1) << 10) + fraction)) };
}

inline __half2 __floats2half2_rn(float low, float high)
{
	return { __float2half_rn(low), __float2half_rn(high) };
}

inline float2 __half22float2(__half2 h)
{
	return { __half2float(h.x), __half2float(h.y) };
}

inline __half2 __hsub2(__half2 a, __half2 b)
{
	return __floats2half2_rn(__half2float(a.x) - __half2float(b.x),
				 __half2float(a.y) - __half2float(b.y));
}
