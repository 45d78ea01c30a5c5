#pragma once

#include "params.cuh"
#include "ptx.cuh"
#include "quant.cuh"

/*
 * How the register path (fused.cuh) shares a tile among warps and lanes, and how operands of mma
 * come out of shared memory without moving a byte between lanes:
 *
 * - Q K^T contracts over d, so any order of d is right if Q and K agree. A 16-bit ldmatrix of bytes
 *   gives lane 4 g + t four neighbouring d of key g: the whole operand of one 8-bit mma half, or
 *   the two halves of a 16-bit one.
 * - Two neighbouring score accumulators are the A operand of P V.
 * - A transposed 16-bit ldmatrix of V's bytes gives pairs of neighbouring d for two keys. Even d
 *   feed one mma, odd d another; a lane ends with four neighbouring d of the output.
 *
 * Halves are the plain case: 32 bytes of a row are one step of mma, in the manual's own order.
 */
namespace fused
{
using param::head_dim;
using param::tile_m;
using param::tile_n;
using quant::u32;
using quant::u8;

constexpr int row_warps = 16 * param::warps < tile_m ? param::warps : tile_m / 16;
constexpr int key_warps = param::warps / row_warps;
constexpr int m_frags = tile_m / (16 * row_warps); /* 16-row fragments of a warp */
constexpr int span = tile_n / key_warps;	   /* keys of a tile that a warp sees */
constexpr int steps = param::row_bytes / 32;	   /* of ldmatrix along a row */
constexpr bool s8 = param::qk == param::qk_kind::s8;
constexpr bool widened = param::qk == param::qk_kind::f16 && !quant::is_f16; /* bytes to halves */
constexpr bool sum_by_mma = param::rowsum == param::rowsum_kind::mma;

constexpr int pitch = param::row_bytes + 2 * param::pad; /* bytes of a row in shared memory */
constexpr int tile_bytes = tile_n * pitch;
constexpr int q_bytes = param::q_in_registers ? 0 : tile_m * pitch;
constexpr int lane_floats = head_dim / 2 + 4; /* of 16 rows: output, two maxima, two sums */
constexpr int merge_bytes = (key_warps - 1) * row_warps * lane_floats * 32 * 4;
constexpr int loop_bytes = 2 * param::slots * tile_bytes + q_bytes;
constexpr int with_producers =
	loop_bytes + merge_bytes + 16 * param::slots; /* two barriers a slot */
constexpr int shared_bytes = param::producers > 0	? with_producers
			     : loop_bytes > merge_bytes ? loop_bytes
							: merge_bytes;

static_assert(tile_m % (16 * row_warps) == 0 && param::warps % row_warps == 0, "rows per warp");
static_assert(tile_n % (16 * key_warps) == 0, "a warp sees a multiple of 16 keys");
static_assert(!param::swizzle || param::pad == 0, "SWIZZLE replaces PAD");
static_assert(param::exp != param::exp_kind::half2 || sum_by_mma,
	      "half2 weights are summed by mma");
static_assert(!s8 || quant::is_u8, "QK=s8 is for INPUT=u8");
static_assert(param::qk != param::qk_kind::e4m3 || quant::is_e4m3, "QK=e4m3 is for INPUT=e4m3");
static_assert(!quant::direct || quant::is_u8, "DEQUANT=direct is for INPUT=u8");
static_assert(!quant::direct || sum_by_mma, "the same rounding for U and l");
static_assert(param::rowmax == param::rowmax_kind::fp || s8, "other scores may be negative");

/* Where in a tile a byte lies. Eight rows at one column then meet 32 different banks. */
__device__ inline int offset(int row, int byte)
{
	if constexpr (param::swizzle) {
		int twist = param::row_bytes == 64 ? row >> 1 & 3 : row & 7;
		return row * pitch + (byte ^ twist << 4);
	}
	return row * pitch + byte;
}

struct lane {
	int g, t;	  /* lane 4 g + t of its warp */
	int first_row;	  /* of the warp, in the block's tile */
	int key_group;	  /* which part of a key tile */
	int merge_column; /* of the exchange area */

	__device__ lane()
	{
		int id = static_cast<int>(threadIdx.x) & 31;
		int warp = static_cast<int>(threadIdx.x) >> 5;
		g = id >> 2;
		t = id & 3;
		first_row = warp % row_warps * 16 * m_frags;
		key_group = warp / row_warps;
		merge_column = warp % row_warps * lane_floats * 32 + id;
	}
};

/* Addresses for ldmatrix: matrices in the order (rows, bytes) of an A operand: down, then right. */
__device__ inline int down_then_right(int row, int byte)
{
	int id = static_cast<int>(threadIdx.x) & 31;
	return offset(row + (id & 15), byte + (id >> 4) * 16);
}

/* Right, then down: both halves of a B operand for 8 keys, then for the next 8. */
__device__ inline int right_then_down(int row, int byte)
{
	int id = static_cast<int>(threadIdx.x) & 31;
	return offset(row + (id & 7) + (id >> 4) * 8, byte + (id >> 3 & 1) * 16);
}

template <bool FIRST, typename A, typename B> struct pick {
	typedef A type;
};
template <typename A, typename B> struct pick<false, A, B> {
	typedef B type;
};

typedef pick<s8, int, float>::type cell; /* of a score: a whole number or a float */

/* 32 bytes of each of 16 query rows, ready for mma. */
struct q_fragment {
	u32 a[widened ? 2 : 1][4];
};

/* From bytes as ldmatrix gives them: rows g and g + 8 of the first 16 bytes, then of the next. */
__device__ inline q_fragment q_convert(const u32 (&raw)[4])
{
	q_fragment q;
	if constexpr (!widened) {
#pragma unroll
		for (int i = 0; i < 4; i++)
			q.a[0][i] = s8 ? quant::signed_bytes(raw[i]) : raw[i];
	} else {
#pragma unroll
		for (int i = 0; i < 2; i++) {
			q.a[i][0] = quant::pair<0, 1>(raw[2 * i]);
			q.a[i][1] = quant::pair<0, 1>(raw[2 * i + 1]);
			q.a[i][2] = quant::pair<2, 3>(raw[2 * i]);
			q.a[i][3] = quant::pair<2, 3>(raw[2 * i + 1]);
		}
	}
	return q;
}

/* Rows past the end are zero bytes: their outputs are never stored. */
__device__ inline void q_from_global(const u8 *head, int row, int rows, int byte, u32 (&raw)[4])
{
#pragma unroll
	for (int i = 0; i < 4; i++) {
		int r = row + (i & 1) * 8;
		raw[i] = 0;
		if (r < rows)
			raw[i] = *reinterpret_cast<const u32 *>(
				head + static_cast<size_t>(r) * param::row_bytes + byte +
				(i >> 1) * 16);
	}
}

/* The query rows of a warp: in registers, or in shared memory and fetched again for each tile. */
struct queries {
	q_fragment held[param::q_in_registers ? m_frags : 1][param::q_in_registers ? steps : 1];
	cell start[m_frags][4]; /* of accumulators: two of row g, two of g + 8; 0 unless QK=s8 */
	u32 shared;

	__device__ void count(int m, const u32 (&raw)[4])
	{
#pragma unroll
		for (int i = 0; i < 4; i++)
			start[m][i % 2 * 2] = __dp4a(static_cast<int>(quant::signed_bytes(raw[i])),
						     0x01010101, start[m][i % 2 * 2]);
	}

	/* Loads each fragment once, keeps it if it is to stay, and sums rows for QK=s8. */
	__device__ void load(const u8 *head, int row, int rows, const lane &l)
	{
#pragma unroll
		for (int m = 0; m < m_frags; m++) {
			start[m][0] = start[m][1] = start[m][2] = start[m][3] = 0;
#pragma unroll
			for (int k = 0; k < steps; k++) {
				u32 raw[4];
				q_from_global(head, row + l.first_row + 16 * m + l.g, rows,
					      32 * k + 4 * l.t, raw);
				if constexpr (s8)
					count(m, raw);
				if constexpr (param::q_in_registers)
					held[m][k] = q_convert(raw);
			}
			if constexpr (s8)
				finish_start(m);
		}
	}

	__device__ void finish_start(int m)
	{
		const int bits_of_shifter = 0x4b400000; /* 1.5 * 2^23 as a float */
#pragma unroll
		for (int i = 0; i < 4; i += 2) {
			int sum = start[m][i];
			sum += __shfl_xor_sync(0xffffffffu, sum, 1);
			sum += __shfl_xor_sync(0xffffffffu, sum, 2);
			start[m][i] = start[m][i + 1] = bits_of_shifter - 128 * sum;
		}
	}

	__device__ q_fragment fragment(int m, int k, const lane &l) const
	{
		if constexpr (param::q_in_registers)
			return held[m][k];
		u32 raw[4];
		ptx::ldmatrix(raw, shared + down_then_right(l.first_row + 16 * m, 32 * k));
		return q_convert(raw);
	}
};
} // namespace fused
