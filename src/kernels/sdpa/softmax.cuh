#pragma once

#include "params.cuh"
#include "ptx.cuh"
#include "quant.cuh"

/*
 * The exponential of the online softmax. Scores come as raw whole numbers x and are never scaled on
 * their own: a weight is 2^(x c - m c), one FMA and one exponential, where m is the row's largest
 * score so far and c holds both quantisation scales, 1/sqrt(D) and log2(e).
 *
 * The product m c is rounded once and used for the whole row, for the rescaling of what was summed
 * before, too. Its rounding error multiplies weights and their sum alike and cancels in O = U / l.
 */
namespace softmax
{
constexpr float log2_e = 1.4426950408889634f;

/* c for one head: exp() is to see natural units, the others powers of two. */
__device__ inline float factor(float q_scale, float k_scale)
{
	float base = param::exp == param::exp_kind::expf ? 1.0f : log2_e;
	float shrunk = param::qk == param::qk_kind::f16 ? quant::shrunk : 1.0f;
	return q_scale * k_scale * rsqrtf(static_cast<float>(param::head_dim)) * base / shrunk;
}

/*
 * 2^x for x <= 0 (a little above is fine) on the FMA units. x = n + f with |f| <= 1/2; 2^f by a
 * polynomial of degree 3, n added to the exponent. Under 2^-126 a weight is no longer a normal
 * number, so the argument stops there.
 *
 * Whole numbers come out exact, 2^0 = 1 above all: what was summed before is multiplied by it for
 * each key tile that does not raise the maximum, and 1 + e would make that (1 + e)^tiles, against
 * keys that came early. So the constant term is 1 and the others are the minimax choice under that
 * condition (Remez with the weight |f| / 2^f): relative error 1.02e-4, as evaluated in floats. The
 * rounding of a weight to half may cost 4.9e-4.
 */
__device__ inline float exp2_poly(float x)
{
	const float shifter = 12582912.0f; /* 1.5 * 2^23: leaves the whole part in the low bits */
	x = fmaxf(x, -126.0f);
	float shifted = x + shifter;
	float f = x - (shifted - shifter);
	float y = fmaf(0x1.c2a218p-5f, f, 0x1.f00c4cp-3f);
	y = fmaf(y, f, 0x1.62f5fap-1f);
	y = fmaf(y, f, 1.0f);
	return __int_as_float(__float_as_int(y) + (__float_as_int(shifted) << 23));
}

/* `poly` is a constant to the compiler: whether this one is of EXP=mix's quarter. */
__device__ inline float exponential(float x, bool poly = false)
{
	if constexpr (param::exp == param::exp_kind::expf)
		return expf(x);
	else if constexpr (param::exp == param::exp_kind::poly)
		return exp2_poly(x);
	else if (param::exp == param::exp_kind::mix && poly)
		return exp2_poly(x);
	return ptx::exp2(x);
}

/* Both at once; arguments are rounded to half first, which costs 2^-11 of x in the weight. */
__device__ inline unsigned int exponential_half2(float low, float high)
{
	return ptx::exp2_half2(quant::bits(__floats2half2_rn(low, high)));
}

__device__ inline float minus_infinity()
{
	return __int_as_float(0xff800000);
}
} // namespace softmax
