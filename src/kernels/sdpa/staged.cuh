#pragma once

#include <mma.h>

#include "params.cuh"
#include "quant.cuh"
#include "softmax.cuh"
#include "tile.cuh"

/*
 * PV=scalar and PV=wmma: the plain way. Each step of a key tile writes its result to shared memory,
 * where the next finds it behind a barrier:
 *
 *   bytes -> halves | Q K^T by WMMA -> scores | online softmax -> weights | weights times V
 *
 * With scalar, weights are floats that replace the scores, and each warp adds up its own rows in
 * registers. With wmma they are halves, and the output lies in shared memory as well, because how
 * a WMMA fragment spreads rows over lanes is not told.
 *
 * Warp w owns rows w, w + WARPS, ... in every step that works by rows.
 */
namespace staged
{
using param::head_dim;
using param::tile_m;
using param::tile_n;
using quant::u8;

constexpr bool by_wmma = param::pv == param::pv_kind::wmma;
constexpr int rows_per_warp = tile_m / param::warps;
constexpr int columns = head_dim / 64; /* pairs of d a lane owns in the scalar path */

/* Elements of a row, padded: 16 more bytes for each 8 of PAD move rows to other banks. */
constexpr int half_pitch = head_dim + param::pad;
constexpr int score_pitch = tile_n + param::pad / 2;
constexpr int weight_pitch = tile_n + param::pad;
constexpr int out_pitch = head_dim + param::pad / 2;

/* The block's shared memory, region after region, in bytes. All begin at multiples of 32. */
constexpr int q_at = 0;
constexpr int k_at = q_at + 2 * tile_m * half_pitch;
constexpr int v_at = k_at + 2 * tile_n * half_pitch;
constexpr int ring_at = v_at + 2 * tile_n * half_pitch;
constexpr int scores_at = ring_at + param::stages * 2 * tile_n * head_dim;
constexpr int stats_at = scores_at + 4 * tile_m * score_pitch;
constexpr int weights_at = stats_at + 3 * 4 * tile_m;
constexpr int out_at = weights_at + (by_wmma ? 2 * tile_m * weight_pitch : 0);
constexpr int shared_bytes = out_at + (by_wmma ? 4 * tile_m * out_pitch : 0);

static_assert(param::qk == param::qk_kind::f16, "QK=s8 needs PV=mma");
static_assert(param::exp != param::exp_kind::half2 && param::exp != param::exp_kind::mix,
	      "EXP=half2 and EXP=mix need PV=mma");
static_assert(quant::is_u8, "INPUT other than u8 needs PV=mma");
static_assert(!param::persistent && param::producers == 0, "these need PV=mma");
static_assert(!quant::direct, "DEQUANT=direct needs PV=mma");
static_assert(param::rescale == param::rescale_kind::each, "RESCALE=lazy needs PV=mma");
static_assert(param::rowmax == param::rowmax_kind::fp, "ROWMAX=dpx needs PV=mma");
static_assert(param::rowsum == param::rowsum_kind::add, "ROWSUM=mma needs PV=mma");
static_assert(!param::swizzle && !param::q_in_registers, "these need PV=mma");
static_assert((tile_m / 16) * (tile_n / 16) % param::warps == 0, "score tiles per warp");
static_assert(!by_wmma || (tile_m / 16) * (head_dim / 16) % param::warps == 0, "output tiles");
static_assert(by_wmma || rows_per_warp * columns <= 32, "outputs a lane can hold");

struct block {
	__half *q, *k, *v;
	u8 *ring;
	float *scores; /* with PV=scalar the weights, too */
	float *max, *sum, *rescale;
	__half *weights; /* PV=wmma */
	float *out;	 /* PV=wmma */
	int warp, lane;

	__device__ explicit block(u8 *shared)
	{
		q = reinterpret_cast<__half *>(shared + q_at);
		k = reinterpret_cast<__half *>(shared + k_at);
		v = reinterpret_cast<__half *>(shared + v_at);
		ring = shared + ring_at;
		scores = reinterpret_cast<float *>(shared + scores_at);
		max = reinterpret_cast<float *>(shared + stats_at);
		sum = max + tile_m;
		rescale = sum + tile_m;
		weights = reinterpret_cast<__half *>(shared + weights_at);
		out = reinterpret_cast<float *>(shared + out_at);
		warp = static_cast<int>(threadIdx.x) >> 5;
		lane = static_cast<int>(threadIdx.x) & 31;
	}
};

__device__ inline void word_to_halves(__half *to, quant::u32 four)
{
	uint2 halves;
	halves.x = quant::pair<0, 1>(four);
	halves.y = quant::pair<2, 3>(four);
	*reinterpret_cast<uint2 *>(to) = halves;
}

__device__ inline void to_halves(__half *to, quant::u32 four)
{
	word_to_halves(to, four);
}

__device__ inline void to_halves(__half *to, uint4 sixteen)
{
	word_to_halves(to, sixteen.x);
	word_to_halves(to + 4, sixteen.y);
	word_to_halves(to + 8, sixteen.z);
	word_to_halves(to + 12, sixteen.w);
}

/* Rows of a head straight from global memory to halves. */
template <int ROWS>
__device__ inline void load_halves(__half *to, const u8 *head, int first, int rows)
{
	tile::for_pieces<ROWS>([&](int row, int byte) {
		tile::vector v = tile::zero_vector();
		if (first + row < rows)
			v = *reinterpret_cast<const tile::vector *>(
				head + static_cast<size_t>(first + row) * head_dim + byte);
		to_halves(to + row * half_pitch + byte, v);
	});
}

/* A tile of bytes in shared memory to halves. */
__device__ inline void dequantise(__half *to, const u8 *bytes)
{
	tile::for_pieces<tile_n>([&](int row, int byte) {
		to_halves(to + row * half_pitch + byte,
			  *reinterpret_cast<const tile::vector *>(bytes + row * head_dim + byte));
	});
}

__device__ inline void begin_rows(const block &b)
{
	for (int i = static_cast<int>(threadIdx.x); i < tile_m; i += param::threads) {
		b.max[i] = softmax::minus_infinity();
		b.sum[i] = 0;
	}
	if constexpr (by_wmma)
		for (int i = static_cast<int>(threadIdx.x); i < tile_m * out_pitch;
		     i += param::threads)
			b.out[i] = 0;
}

/* scores = Q K^T in whole numbers, 16 x 16 at a time. */
__device__ inline void multiply_qk(const block &b)
{
	using namespace nvcuda;
	constexpr int across = tile_n / 16;
#pragma unroll
	for (int i = 0; i < tile_m / 16 * across / param::warps; i++) {
		int tile = i * param::warps + b.warp;
		int m = tile / across * 16, n = tile % across * 16;
		wmma::fragment<wmma::accumulator, 16, 16, 16, float> c;
		wmma::fill_fragment(c, 0.0f);
#pragma unroll
		for (int d = 0; d < head_dim; d += 16) {
			wmma::fragment<wmma::matrix_a, 16, 16, 16, __half, wmma::row_major> q;
			wmma::fragment<wmma::matrix_b, 16, 16, 16, __half, wmma::col_major> k;
			wmma::load_matrix_sync(q, b.q + m * half_pitch + d, half_pitch);
			wmma::load_matrix_sync(k, b.k + n * half_pitch + d, half_pitch);
			wmma::mma_sync(c, q, k, c);
		}
		wmma::store_matrix_sync(b.scores + m * score_pitch + n, c, score_pitch,
					wmma::mem_row_major);
	}
}

__device__ inline float warp_max(float x)
{
#pragma unroll
	for (int mask = 16; mask > 0; mask /= 2)
		x = fmaxf(x, __shfl_xor_sync(0xffffffffu, x, mask));
	return x;
}

__device__ inline float warp_sum(float x)
{
#pragma unroll
	for (int mask = 16; mask > 0; mask /= 2)
		x += __shfl_xor_sync(0xffffffffu, x, mask);
	return x;
}

/* Weights of one row of the tile, its keys shared by the lanes; returns this lane's sum of them. */
__device__ inline float weigh(const block &b, int row, float c, float top_c, int keys)
{
	float sum = 0;
#pragma unroll
	for (int n = b.lane; n < tile_n; n += 32) {
		float &x = b.scores[row * score_pitch + n];
		float p = n < keys ? softmax::exponential(fmaf(x, c, -top_c)) : 0.0f;
		if constexpr (by_wmma) {
			__half rounded = __float2half_rn(p);
			b.weights[row * weight_pitch + n] = rounded;
			sum += __half2float(rounded);
		} else {
			x = p;
			sum += p;
		}
	}
	return sum;
}

/* The online softmax over this tile's first `keys` columns. */
__device__ inline void soften(const block &b, float c, int keys)
{
#pragma unroll 1
	for (int row = b.warp; row < tile_m; row += param::warps) {
		float top = softmax::minus_infinity();
#pragma unroll
		for (int n = b.lane; n < tile_n; n += 32)
			if (n < keys)
				top = fmaxf(top, b.scores[row * score_pitch + n]);
		float before = b.max[row];
		top = fmaxf(before, warp_max(top));
		float factor = softmax::exponential(before * c - top * c);
		float sum = warp_sum(weigh(b, row, c, top * c, keys));
		if constexpr (by_wmma)
			for (int d = b.lane; d < head_dim; d += 32)
				b.out[row * out_pitch + d] *= factor;
		__syncwarp();
		if (b.lane == 0) {
			b.max[row] = top;
			b.sum[row] = b.sum[row] * factor + sum;
			b.rescale[row] = factor;
		}
	}
}

/* Output of a lane with PV=scalar: rows of its warp, `columns` pairs of neighbouring d. */
struct outputs {
	float2 row[rows_per_warp][columns];
};

/* One pair of columns: four keys a step, their weights in one load that all lanes share. */
__device__ inline void add_pv_scalar(const block &b, outputs &out, int column)
{
	int d = 2 * (b.lane + 32 * column);
#pragma unroll
	for (int i = 0; i < rows_per_warp; i++) {
		float factor = b.rescale[b.warp + i * param::warps];
		out.row[i][column].x *= factor;
		out.row[i][column].y *= factor;
	}
#pragma unroll 1
	for (int n = 0; n < tile_n; n += 4) {
		float2 v[4];
#pragma unroll
		for (int k = 0; k < 4; k++)
			v[k] = __half22float2(
				*reinterpret_cast<const __half2 *>(b.v + (n + k) * half_pitch + d));
#pragma unroll
		for (int i = 0; i < rows_per_warp; i++) {
			int row = b.warp + i * param::warps;
			float4 p =
				*reinterpret_cast<const float4 *>(b.scores + row * score_pitch + n);
			float2 &o = out.row[i][column];
			o.x = fmaf(p.x, v[0].x, fmaf(p.y, v[1].x, o.x));
			o.x = fmaf(p.z, v[2].x, fmaf(p.w, v[3].x, o.x));
			o.y = fmaf(p.x, v[0].y, fmaf(p.y, v[1].y, o.y));
			o.y = fmaf(p.z, v[2].y, fmaf(p.w, v[3].y, o.y));
		}
	}
}

__device__ inline void add_pv_wmma(const block &b)
{
	using namespace nvcuda;
	constexpr int across = head_dim / 16;
#pragma unroll
	for (int i = 0; i < tile_m / 16 * across / param::warps; i++) {
		int tile = i * param::warps + b.warp;
		int m = tile / across * 16, d = tile % across * 16;
		float *out = b.out + m * out_pitch + d;
		wmma::fragment<wmma::accumulator, 16, 16, 16, float> c;
		wmma::load_matrix_sync(c, out, out_pitch, wmma::mem_row_major);
#pragma unroll
		for (int n = 0; n < tile_n; n += 16) {
			wmma::fragment<wmma::matrix_a, 16, 16, 16, __half, wmma::row_major> p;
			wmma::fragment<wmma::matrix_b, 16, 16, 16, __half, wmma::row_major> v;
			wmma::load_matrix_sync(p, b.weights + m * weight_pitch + n, weight_pitch);
			wmma::load_matrix_sync(v, b.v + n * half_pitch + d, half_pitch);
			wmma::mma_sync(c, p, v, c);
		}
		wmma::store_matrix_sync(out, c, out_pitch, wmma::mem_row_major);
	}
}

/* O = U / l, a pair of neighbouring d a lane. */
__device__ inline void store(const block &b, const outputs &out, float v_scale, __half *o,
			     int first, int rows)
{
#pragma unroll
	for (int i = 0; i < rows_per_warp; i++) {
		int row = b.warp + i * param::warps;
		float factor = v_scale / b.sum[row];
		if (first + row >= rows)
			continue;
#pragma unroll
		for (int column = 0; column < columns; column++) {
			int d = 2 * (b.lane + 32 * column);
			float2 u = out.row[i][column];
			if constexpr (by_wmma)
				u = *reinterpret_cast<const float2 *>(b.out + row * out_pitch + d);
			*reinterpret_cast<__half2 *>(
				o + static_cast<size_t>(first + row) * head_dim + d) =
				__floats2half2_rn(u.x * factor, u.y * factor);
		}
	}
}

/* What outlives a query tile: nothing but the block's memory. */
struct schedule {
	u8 *shared;

	__device__ explicit schedule(u8 *shared) : shared(shared)
	{
	}
};

/* The block's query rows from `row` on, of one head of `rows` rows. */
__device__ inline void attend(const u8 *q_head, const u8 *k_head, const u8 *v_head, float c,
			      float v_scale, __half *o_head, int row, int rows, schedule &at)
{
	constexpr int tile_bytes = tile_n * head_dim;
	const block b(at.shared);
	const int tiles = (rows + tile_n - 1) / tile_n;
	outputs out = {};
	auto load_async = [&](int t, int slot) {
		u8 *to = b.ring + 2 * slot * tile_bytes;
		auto k_place = [&](int r, int byte) { return to + r * head_dim + byte; };
		auto v_place = [&](int r, int byte) { return k_place(r, byte) + tile_bytes; };
		tile::load_async<tile_n>(k_head, t * tile_n, rows, k_place);
		tile::load_async<tile_n>(v_head, t * tile_n, rows, v_place);
	};

	if constexpr (param::stages > 0)
		tile::ring_begin(tiles, load_async);
	load_halves<tile_m>(b.q, q_head, row, rows);
	begin_rows(b);
#pragma unroll 1
	for (int t = 0; t < tiles; t++) {
		if constexpr (param::stages > 0) {
			tile::ring_next(t, tiles, load_async);
			const u8 *bytes = b.ring + 2 * (t % param::slots) * tile_bytes;
			dequantise(b.k, bytes);
			dequantise(b.v, bytes + tile_bytes);
		} else {
			__syncthreads(); /* the tile before this has been used */
			load_halves<tile_n>(b.k, k_head, t * tile_n, rows);
			load_halves<tile_n>(b.v, v_head, t * tile_n, rows);
		}
		__syncthreads();
		multiply_qk(b);
		__syncthreads();
		soften(b, c, rows - t * tile_n);
		__syncthreads();
		if constexpr (by_wmma)
			add_pv_wmma(b);
		else
			for (int column = 0; column < columns; column++)
				add_pv_scalar(b, out, column);
	}
	__syncthreads();
	store(b, out, v_scale, o_head, row, rows);
}
} // namespace staged
