#pragma once

#include <cuda_fp16.h>

#include "params.cuh"
#include "ptx.cuh"

/*
 * What the elements of Q, K and V are, and how four bytes of them become operands.
 *
 *   u8    (u - 128) / 127 * absmax, one absmax a head; computed with as the whole number u - 128
 *   e4m3  e / 448 * absmax, likewise; e is OCP FP8 E4M3
 *   f16   the number itself
 *
 * Halves hold each of them exactly; scales are multiplied in once at the end.
 */
namespace quant
{
typedef unsigned char u8;
typedef unsigned int u32;

constexpr bool is_u8 = param::input == param::input_kind::u8;
constexpr bool is_e4m3 = param::input == param::input_kind::e4m3;
constexpr bool is_f16 = param::input == param::input_kind::f16;
constexpr float levels = is_u8 ? 127.0f : 448.0f;

template <bool F16> struct element_of {
	typedef u8 type;
};
template <> struct element_of<true> {
	typedef __half type;
};
typedef element_of<is_f16>::type element;

/* The value of one level. A head that is all zero has no scale of its own: 1 is used. */
__device__ inline float scale(const float *absmax, size_t head)
{
	if constexpr (is_f16)
		return 1.0f;
	return (absmax[head] > 1e-6f ? absmax[head] : 1.0f) / levels;
}

__device__ inline u32 bits(__half2 h)
{
	return *reinterpret_cast<u32 *>(&h);
}

__device__ inline __half2 half2_of(u32 bits)
{
	return *reinterpret_cast<__half2 *>(&bits);
}

/* Elements LOW and HIGH of `four` as two halves in one register; of e4m3 they are neighbours. */
template <int LOW, int HIGH> __device__ inline u32 pair(u32 four)
{
	if constexpr (is_e4m3)
		return ptx::halves_of_e4m3<LOW == 2>(four);
	if constexpr (param::dequant != param::dequant_kind::arith) {
		/* 0x6400 | u is the half 1024 + u; 0x6480 is 1152. */
		u32 h = __byte_perm(four, 0x64646464u, LOW | 0x40 | HIGH << 8 | 0x4000);
		return bits(__hsub2(half2_of(h), half2_of(0x64806480u)));
	}
	float low = static_cast<float>(static_cast<int>(four >> 8 * LOW & 255) - 128);
	float high = static_cast<float>(static_cast<int>(four >> 8 * HIGH & 255) - 128);
	return bits(__floats2half2_rn(low, high));
}

/*
 * DEQUANT=direct: a byte u becomes the half u 2^-24, a subnormal one that is exact and costs a
 * permutation. A product with it is too small by `shrunk` and too large by 128 times the sum of the
 * other factor: for a row of scores a constant, which cancels, and for a row of outputs 128 times
 * the sum of weights, which is summed by the same instruction with the same rounding as the output.
 *
 * The large part cancels, but not all of its rounding; most likely because tensor cores cut each
 * product off at the last bits of the sum that it is added to. At S = 2048 the result is within the
 * gate, at S = 4096 it was measured at a relative L2 of 3.3e-3, past it: tasks allow it up to 2048.
 */
constexpr bool direct = param::dequant == param::dequant_kind::direct;
constexpr float shrunk = direct ? 0x1p-24f : 1.0f;

/* As pair(), for K and V: the factor that may be shrunk and shifted. */
template <int LOW, int HIGH> __device__ inline u32 shifted_pair(u32 four)
{
	if constexpr (direct)
		return __byte_perm(four, 0, LOW | 0x40 | HIGH << 8 | 0x4000);
	return pair<LOW, HIGH>(four);
}

/* As shifted_pair(), elements 0 and 2, and elements 1 and 3. */
__device__ inline void even_and_odd(u32 four, u32 &even, u32 &odd)
{
	if constexpr (is_e4m3)
		four = __byte_perm(four, 0, 0x3120);
	even = is_e4m3 ? pair<0, 1>(four) : shifted_pair<0, 2>(four);
	odd = is_e4m3 ? pair<2, 3>(four) : shifted_pair<1, 3>(four);
}

/* u ^ 128 is u - 128 as a signed byte. */
__device__ inline u32 signed_bytes(u32 four)
{
	return four ^ 0x80808080u;
}
} // namespace quant
