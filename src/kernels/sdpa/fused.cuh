#pragma once

#include "params.cuh"
#include "ptx.cuh"
#include "quant.cuh"
#include "softmax.cuh"
#include "tile.cuh"

/*
 * PV=mma: scores, weights and output stay in registers; shared memory holds nothing but the bytes
 * of K and V as they came, and a byte becomes a half in the register that feeds the tensor core.
 *
 * A warp owns 16 query rows (32 where WARPS is too few for the tile). Where there are more warps
 * than rows, KEY_WARPS of them share the rows and split each key tile; they meet once, at the end.
 *
 * Three layouts make this work without moving a byte between lanes:
 * - Q K^T contracts over d, so any order of d is right if Q and K agree. A 16-bit ldmatrix of bytes
 *   gives lane 4 g + t four neighbouring d of key g: the whole operand of one 8-bit mma half, or
 *   the two halves of a 16-bit one.
 * - Two neighbouring score accumulators are the A operand of P V.
 * - A transposed 16-bit ldmatrix of V gives pairs of neighbouring d for two keys. Even d feed one
 *   mma, odd d another; a lane ends with four neighbouring d of the output.
 *
 * With QK=s8 the product is (q - 128) k, which is too large by 128 sum(q - 128) in the whole row.
 * The accumulator starts with minus that, and with the bit pattern of 1.5 * 2^23, so that the
 * finished whole number read as a float is 1.5 * 2^23 + score: no conversion. The constant cancels
 * against the row's maximum. Weights overflow a half only if absmax_q * absmax_k passes 10^6.
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
constexpr int d32 = head_dim / 32;
constexpr int d16 = head_dim / 16;
constexpr bool s8 = param::qk == param::qk_kind::s8;
constexpr bool sum_by_mma = param::rowsum == param::rowsum_kind::mma;

constexpr int pitch = head_dim + 2 * param::pad; /* bytes of a row */
constexpr int tile_bytes = tile_n * pitch;
constexpr int q_bytes = param::q_in_registers ? 0 : tile_m * pitch;
constexpr int lane_floats = head_dim / 2 + 4; /* of 16 rows: output, two maxima, two sums */
constexpr int merge_bytes = (key_warps - 1) * row_warps * lane_floats * 32 * 4;
constexpr int loop_bytes = 2 * param::slots * tile_bytes + q_bytes;
constexpr int shared_bytes = loop_bytes > merge_bytes ? loop_bytes : merge_bytes;

static_assert(tile_m % (16 * row_warps) == 0 && param::warps % row_warps == 0, "rows per warp");
static_assert(tile_n % (16 * key_warps) == 0, "a warp sees a multiple of 16 keys");
static_assert(!param::swizzle || param::pad == 0, "SWIZZLE replaces PAD");
static_assert(param::exp != param::exp_kind::half2 || sum_by_mma,
	      "half2 weights are summed by mma");
static_assert(!quant::direct || sum_by_mma, "the same rounding for U and l");
static_assert(param::rowmax == param::rowmax_kind::fp || s8, "other scores may be negative");

/* Where in a tile a byte lies. Eight rows at one column then meet 32 different banks. */
__device__ inline int offset(int row, int byte)
{
	if constexpr (param::swizzle) {
		int twist = head_dim == 64 ? row >> 1 & 3 : row & 7;
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

/* 32 columns of d of 16 query rows, ready for mma. */
struct q_fragment {
	u32 a[s8 ? 1 : 2][4];
};

/* From bytes as ldmatrix gives them: rows g and g + 8 of the first 16 d, then of the next. */
__device__ inline q_fragment q_convert(const u32 (&raw)[4])
{
	q_fragment q;
	if constexpr (s8) {
#pragma unroll
		for (int i = 0; i < 4; i++)
			q.a[0][i] = quant::signed_bytes(raw[i]);
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

/* Rows past the end are u = 0: their outputs are never stored. */
__device__ inline void q_from_global(const u8 *head, int row, int rows, int byte, u32 (&raw)[4])
{
#pragma unroll
	for (int i = 0; i < 4; i++) {
		int r = row + (i & 1) * 8;
		raw[i] = 0;
		if (r < rows)
			raw[i] = *reinterpret_cast<const u32 *>(
				head + static_cast<size_t>(r) * head_dim + byte + (i >> 1) * 16);
	}
}

/* The query rows of a warp: in registers, or in shared memory and fetched again for each tile. */
struct queries {
	q_fragment held[param::q_in_registers ? m_frags : 1][param::q_in_registers ? d32 : 1];
	int start[m_frags][4]; /* accumulators' start with QK=s8: two of row g, two of g + 8 */
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
			start[m][0] = start[m][2] = 0;
#pragma unroll
			for (int k = 0; k < d32; k++) {
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

/* What a warp has summed so far for its rows. */
struct sums {
	float max[m_frags][2];	  /* raw score */
	float max_c[m_frags][2];  /* max * c, rounded */
	float weight[m_frags][4]; /* [0] rows g, [2] rows g + 8: as an accumulator has them */
	float even[m_frags][d16][4];
	float odd[m_frags][d16][4];

	__device__ sums()
	{
#pragma unroll
		for (int m = 0; m < m_frags; m++) {
			max[m][0] = max[m][1] = softmax::minus_infinity();
			max_c[m][0] = max_c[m][1] = softmax::minus_infinity();
#pragma unroll
			for (int i = 0; i < 4; i++) {
				weight[m][i] = 0;
#pragma unroll
				for (int d = 0; d < d16; d++)
					even[m][d][i] = odd[m][d][i] = 0;
			}
		}
	}

	__device__ void scale(int m, int half, float factor)
	{
		weight[m][2 * half] *= factor;
		weight[m][2 * half + 1] *= factor;
#pragma unroll
		for (int d = 0; d < d16; d++) {
			even[m][d][2 * half] *= factor;
			even[m][d][2 * half + 1] *= factor;
			odd[m][d][2 * half] *= factor;
			odd[m][d][2 * half + 1] *= factor;
		}
	}
};

/* Scores of a warp's rows against its keys: 8 keys a step, laid out as accumulators. */
typedef float scores[m_frags][span / 8][4];

__device__ inline void score_16_keys_s8(scores &x, int j, const queries &q, const lane &l, u32 keys)
{
	int acc[m_frags][2][4];
#pragma unroll
	for (int k = 0; k < d32; k++) {
		u32 b[4];
		ptx::ldmatrix(b, keys + right_then_down(16 * j, 32 * k));
#pragma unroll
		for (int m = 0; m < m_frags; m++) {
			q_fragment a = q.fragment(m, k, l);
#pragma unroll
			for (int i = 0; i < 2; i++) {
				const int(&sum)[4] = acc[m][i];
				ptx::mma_s8u8(acc[m][i], a.a[0], b[2 * i], b[2 * i + 1],
					      k == 0 ? q.start[m] : sum);
			}
		}
	}
#pragma unroll
	for (int m = 0; m < m_frags; m++)
#pragma unroll
		for (int i = 0; i < 8; i++)
			x[m][2 * j + i / 4][i % 4] = __int_as_float(acc[m][i / 4][i % 4]);
}

__device__ inline void score_16_keys_f16(scores &x, int j, const queries &q, const lane &l,
					 u32 keys)
{
#pragma unroll
	for (int m = 0; m < m_frags; m++)
#pragma unroll
		for (int i = 0; i < 8; i++)
			x[m][2 * j + i / 4][i % 4] = 0;
#pragma unroll
	for (int k = 0; k < d32; k++) {
		u32 b[4];
		ptx::ldmatrix(b, keys + right_then_down(16 * j, 32 * k));
#pragma unroll
		for (int m = 0; m < m_frags; m++) {
			q_fragment a = q.fragment(m, k, l);
#pragma unroll
			for (int i = 0; i < 4; i++)
				ptx::mma_f16(x[m][2 * j + i / 2], a.a[s8 ? 0 : i % 2],
					     quant::shifted_pair<0, 1>(b[i]),
					     quant::shifted_pair<2, 3>(b[i]));
		}
	}
}

/* `first` is the number of the warp's first key; keys from `rows` on do not exist. */
__device__ inline void mask(scores &x, int first, int rows, const lane &l)
{
#pragma unroll
	for (int n = 0; n < span / 8; n++)
#pragma unroll
		for (int i = 0; i < 4; i++)
			if (first + 8 * n + 2 * l.t + i % 2 >= rows)
#pragma unroll
				for (int m = 0; m < m_frags; m++)
					x[m][n][i] = softmax::minus_infinity();
}

/* Scores of QK=s8 are not negative, nor are maxima but for the first: their bits have their order.
 */
__device__ inline float larger(float top, float a, float b)
{
	if constexpr (param::rowmax == param::rowmax_kind::dpx)
		return __int_as_float(
			__vimax3_s32(__float_as_int(top), __float_as_int(a), __float_as_int(b)));
	return fmaxf(top, fmaxf(a, b));
}

/* The largest score of row g, or g + 8, so far. */
__device__ inline float row_top(const scores &x, int m, int half, float top)
{
#pragma unroll
	for (int n = 0; n < span / 8; n++)
		top = larger(top, x[m][n][2 * half], x[m][n][2 * half + 1]);
	top = fmaxf(top, __shfl_xor_sync(0xffffffffu, top, 1));
	top = fmaxf(top, __shfl_xor_sync(0xffffffffu, top, 2));
	return top;
}

/*
 * Raises the maxima of 16 rows to this tile's and scales what was summed before to match. With
 * RESCALE=lazy only if some weight would pass 2^8: that is far from a half's end, and no less exact
 * than 1 (the idea is FlashAttention-4's).
 */
__device__ inline void raise_max(const scores &x, int m, float c, sums &s)
{
	const float slack = param::exp == param::exp_kind::expf ? 5.5f : 8.0f;
	float top[2], top_c[2];
	bool above = false;

#pragma unroll
	for (int half = 0; half < 2; half++) {
		top[half] = row_top(x, m, half, s.max[m][half]);
		top_c[half] = top[half] * c;
		above = above || top_c[half] - s.max_c[m][half] > slack;
	}
	if (param::rescale == param::rescale_kind::lazy && !__any_sync(0xffffffffu, above))
		return;
#pragma unroll
	for (int half = 0; half < 2; half++) {
		s.scale(m, half, softmax::exponential(s.max_c[m][half] - top_c[half]));
		s.max[m][half] = top[half];
		s.max_c[m][half] = top_c[half];
	}
}

/* Two weights of one row as two halves; adds them to the row's sum unless mma will. */
__device__ inline u32 two_weights(float low, float high, float c, float max_c, float &sum,
				  bool poly)
{
	float a = fmaf(low, c, -max_c);
	float b = fmaf(high, c, -max_c);
	if constexpr (param::exp == param::exp_kind::half2)
		return softmax::exponential_half2(a, b);
	a = softmax::exponential(a, poly);
	b = softmax::exponential(b, poly);
	if constexpr (!sum_by_mma)
		sum += a + b;
	return quant::bits(__floats2half2_rn(a, b));
}

/* Adds 16 keys' weights times V. */
__device__ inline void add_16_keys(sums &s, const u32 (&p)[m_frags][4], u32 values)
{
#pragma unroll
	for (int d = 0; d < d16; d += 2) {
		u32 b[4];
		ptx::ldmatrix_transposed(b, values + down_then_right(0, 16 * d));
#pragma unroll
		for (int i = 0; i < 2; i++) {
			u32 even0 = quant::shifted_pair<0, 2>(b[2 * i]);
			u32 even1 = quant::shifted_pair<0, 2>(b[2 * i + 1]);
			u32 odd0 = quant::shifted_pair<1, 3>(b[2 * i]);
			u32 odd1 = quant::shifted_pair<1, 3>(b[2 * i + 1]);
#pragma unroll
			for (int m = 0; m < m_frags; m++) {
				ptx::mma_f16(s.even[m][d + i], p[m], even0, even1);
				ptx::mma_f16(s.odd[m][d + i], p[m], odd0, odd1);
			}
		}
	}
}

/* One key tile; `first` is the number of the warp's first key in it. */
__device__ inline void step(sums &s, const queries &q, const lane &l, float c, u32 keys, u32 values,
			    int first, int rows)
{
	const u32 ones = quant::direct ? 0x00800080u : 0x3c003c00u; /* 128 2^-24, or 1 */
	scores x;
#pragma unroll
	for (int j = 0; j < span / 16; j++) {
		if constexpr (s8)
			score_16_keys_s8(x, j, q, l, keys);
		else
			score_16_keys_f16(x, j, q, l, keys);
	}
	if (first + span > rows)
		mask(x, first, rows, l);
#pragma unroll
	for (int m = 0; m < m_frags; m++)
		raise_max(x, m, c, s);
#pragma unroll
	for (int j = 0; j < span / 16; j++) {
		u32 p[m_frags][4];
#pragma unroll
		for (int m = 0; m < m_frags; m++) {
#pragma unroll
			for (int i = 0; i < 4; i++)
				p[m][i] = two_weights(x[m][2 * j + i / 2][i % 2 * 2],
						      x[m][2 * j + i / 2][i % 2 * 2 + 1], c,
						      s.max_c[m][i % 2], s.weight[m][i % 2 * 2],
						      i == 3);
			if constexpr (sum_by_mma)
				ptx::mma_f16(s.weight[m], p[m], ones, ones);
		}
		add_16_keys(s, p, values + 16 * j * pitch);
	}
}

/* Weights summed by add are partial: each lane of a row has its own keys. */
__device__ inline void finish_weights(sums &s)
{
#pragma unroll
	for (int m = 0; m < m_frags; m++)
#pragma unroll
		for (int i = 0; i < 4; i += 2) {
			s.weight[m][i] += __shfl_xor_sync(0xffffffffu, s.weight[m][i], 1);
			s.weight[m][i] += __shfl_xor_sync(0xffffffffu, s.weight[m][i], 2);
		}
}

/* Hands the sums of all key groups to group 0, lane by lane, through shared memory. */
__device__ inline void merge(sums &s, const lane &l, float *area)
{
	constexpr int group = row_warps * lane_floats * 32;
	__syncthreads();
	if (l.key_group > 0) {
		float *to = area + (l.key_group - 1) * group + l.merge_column;
#pragma unroll
		for (int i = 0; i < 2; i++) {
			to[32 * i] = s.max_c[0][i];
			to[32 * (2 + i)] = s.weight[0][2 * i];
		}
#pragma unroll
		for (int i = 0; i < 4 * d16; i++) {
			to[32 * (4 + 2 * i)] = s.even[0][i / 4][i % 4];
			to[32 * (5 + 2 * i)] = s.odd[0][i / 4][i % 4];
		}
	}
	__syncthreads();
	if (l.key_group > 0)
		return;
#pragma unroll 1
	for (int other = 0; other < key_warps - 1; other++) {
		const float *from = area + other * group + l.merge_column;
		float factor[2];
#pragma unroll
		for (int i = 0; i < 2; i++) {
			float top_c = fmaxf(s.max_c[0][i], from[32 * i]);
			s.scale(0, i, softmax::exponential(s.max_c[0][i] - top_c));
			factor[i] = softmax::exponential(from[32 * i] - top_c);
			s.max_c[0][i] = top_c;
			s.weight[0][2 * i] += factor[i] * from[32 * (2 + i)];
		}
#pragma unroll
		for (int i = 0; i < 4 * d16; i++) {
			s.even[0][i / 4][i % 4] += factor[i % 4 / 2] * from[32 * (4 + 2 * i)];
			s.odd[0][i / 4][i % 4] += factor[i % 4 / 2] * from[32 * (5 + 2 * i)];
		}
	}
}

/* O = U / l, four neighbouring d a store. With DEQUANT=direct U and l are both 128 l too large. */
__device__ inline void store(const sums &s, const lane &l, float v_scale, __half *o, int row,
			     int rows)
{
#pragma unroll
	for (int m = 0; m < m_frags; m++)
#pragma unroll
		for (int half = 0; half < 2; half++) {
			int r = row + l.first_row + 16 * m + 8 * half + l.g;
			float shift = quant::direct ? s.weight[m][2 * half] : 0.0f;
			float factor =
				v_scale * (quant::direct ? 128.0f : 1.0f) / s.weight[m][2 * half];
			if (r >= rows)
				continue;
			__half *to = o + static_cast<size_t>(r) * head_dim + 4 * l.t;
#pragma unroll
			for (int d = 0; d < d16; d++) {
				uint2 four;
				four.x = quant::bits(__floats2half2_rn(
					(s.even[m][d][2 * half] - shift) * factor,
					(s.odd[m][d][2 * half] - shift) * factor));
				four.y = quant::bits(__floats2half2_rn(
					(s.even[m][d][2 * half + 1] - shift) * factor,
					(s.odd[m][d][2 * half + 1] - shift) * factor));
				*reinterpret_cast<uint2 *>(to + 16 * d) = four;
			}
		}
}

/* The block's query rows from `row` on, of one head of `rows` rows. */
__device__ inline void attend(const u8 *q_head, const u8 *k_head, const u8 *v_head, float c,
			      float v_scale, __half *o_head, int row, int rows, u8 *shared)
{
	const lane l;
	const int tiles = (rows + tile_n - 1) / tile_n;
	u8 *q_tile = shared + 2 * param::slots * tile_bytes;
	auto k_tile = [&](int slot) { return shared + 2 * slot * tile_bytes; };
	auto v_tile = [&](int slot) { return shared + (2 * slot + 1) * tile_bytes; };
	auto into = [](u8 *base) {
		return [base](int r, int byte) { return base + offset(r, byte); };
	};
	auto load_async = [&](int t, int slot) {
		tile::load_async<tile_n>(k_head, t * tile_n, rows, into(k_tile(slot)));
		tile::load_async<tile_n>(v_head, t * tile_n, rows, into(v_tile(slot)));
	};

	if constexpr (param::stages > 0)
		tile::ring_begin(tiles, load_async);
	if constexpr (!param::q_in_registers)
		tile::load<tile_m>(q_head, row, rows, into(q_tile));
	queries q;
	q.shared = ptx::shared_address(q_tile);
	q.load(q_head, row, rows, l);
	sums s;
#pragma unroll 1
	for (int t = 0; t < tiles; t++) {
		if constexpr (param::stages > 0) {
			tile::ring_next(t, tiles, load_async);
		} else {
			__syncthreads();
			tile::load<tile_n>(k_head, t * tile_n, rows, into(k_tile(0)));
			tile::load<tile_n>(v_head, t * tile_n, rows, into(v_tile(0)));
			__syncthreads();
		}
		int slot = t % param::slots;
		int from = l.key_group * span;
		if (t * tile_n + from < rows) /* else a group without a key in the last tile */
			step(s, q, l, c, ptx::shared_address(k_tile(slot)) + from * pitch,
			     ptx::shared_address(v_tile(slot)) + from * pitch, t * tile_n + from,
			     rows);
	}
	if constexpr (!sum_by_mma)
		finish_weights(s);
	if constexpr (key_warps > 1)
		merge(s, l, reinterpret_cast<float *>(shared));
	if (l.key_group == 0)
		store(s, l, v_scale, o_head, row, rows);
}
} // namespace fused
