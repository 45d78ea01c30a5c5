#pragma once

#include "finish.cuh"
#include "fragments.cuh"
#include "softmax.cuh"
#include "tile.cuh"

/*
 * PV=mma: scores, weights and output stay in registers; shared memory holds nothing but K and V as
 * they came, and a byte becomes a half in the register that feeds the tensor core (fragments.cuh).
 *
 * A warp owns 16 query rows (32 where WARPS is too few for the tile). Where there are more warps
 * than rows, KEY_WARPS of them share the rows and split each key tile; they meet once, at the end
 * (finish.cuh).
 *
 * With QK=s8 the product is (q - 128) k, which is too large by 128 sum(q - 128) in the whole row.
 * The accumulator starts with minus that, and with the bit pattern of 1.5 * 2^23, so that the
 * finished whole number read as a float is 1.5 * 2^23 + score: no conversion. The constant cancels
 * against the row's maximum. Weights overflow a half only if absmax_q * absmax_k passes 10^6.
 *
 * Shared memory: for each slot of the ring K's tile, then V's; with Q_IN_REGISTERS=0 the query
 * tile; with producers the area where sums are handed over, which otherwise lies over the ring, and
 * two barriers a slot.
 */
namespace fused
{
/* Scores of a warp's rows against its keys: 8 keys a step, laid out as accumulators. */
typedef cell scores[m_frags][span / 8][4];

__device__ inline float value(int bits)
{
	return __int_as_float(bits);
}

__device__ inline float value(float x)
{
	return x;
}

__device__ inline void set(int &x, float value)
{
	x = __float_as_int(value);
}

__device__ inline void set(float &x, float value)
{
	x = value;
}

/* d = a b + c for 32 bytes of 16 query rows and of 8 keys; b0 and b1 as ldmatrix gave them. */
__device__ inline void multiply(int (&d)[4], const q_fragment &a, u32 b0, u32 b1, const int (&c)[4])
{
	ptx::mma_s8u8(d, a.a[0], b0, b1, c);
}

__device__ inline void multiply(float (&d)[4], const q_fragment &a, u32 b0, u32 b1,
				const float (&c)[4])
{
#pragma unroll
	for (int i = 0; i < 4; i++)
		d[i] = c[i];
	if constexpr (widened) {
		ptx::mma_f16(d, a.a[0], quant::shifted_pair<0, 1>(b0),
			     quant::shifted_pair<2, 3>(b0));
		ptx::mma_f16(d, a.a[1], quant::shifted_pair<0, 1>(b1),
			     quant::shifted_pair<2, 3>(b1));
	} else if constexpr (quant::is_e4m3) {
		ptx::mma_e4m3(d, a.a[0], b0, b1);
	} else {
		ptx::mma_f16(d, a.a[0], b0, b1);
	}
}

__device__ inline void score_16_keys(scores &x, int j, const queries &q, const lane &l, u32 keys)
{
#pragma unroll
	for (int k = 0; k < steps; k++) {
		u32 b[4];
		ptx::ldmatrix(b, keys + right_then_down(16 * j, 32 * k));
#pragma unroll
		for (int m = 0; m < m_frags; m++) {
			q_fragment a = q.fragment(m, k, l);
#pragma unroll
			for (int i = 0; i < 2; i++) {
				const cell(&sum)[4] = x[m][2 * j + i];
				multiply(x[m][2 * j + i], a, b[2 * i], b[2 * i + 1],
					 k == 0 ? q.start[m] : sum);
			}
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
					set(x[m][n][i], softmax::minus_infinity());
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
		top = larger(top, value(x[m][n][2 * half]), value(x[m][n][2 * half + 1]));
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

/* Adds weights of 16 keys times 8 columns of V. */
__device__ inline void add_product(sums &s, int d, const u32 (&p)[m_frags][4], u32 b0, u32 b1)
{
#pragma unroll
	for (int m = 0; m < m_frags; m++)
		ptx::mma_f16(s.out[m][d], p[m], b0, b1);
}

/* Adds 16 keys' weights times V. */
__device__ inline void add_16_keys(sums &s, const u32 (&p)[m_frags][4], u32 values)
{
#pragma unroll
	for (int k = 0; k < 2 * steps; k += 2) {
		u32 b[4];
		ptx::ldmatrix_transposed(b, values + down_then_right(0, 16 * k));
#pragma unroll
		for (int i = 0; i < 2; i++) {
			if constexpr (quant::is_f16) {
				add_product(s, k + i, p, b[2 * i], b[2 * i + 1]);
				continue;
			}
			u32 even[2], odd[2];
			quant::even_and_odd(b[2 * i], even[0], odd[0]);
			quant::even_and_odd(b[2 * i + 1], even[1], odd[1]);
			add_product(s, 2 * (k + i), p, even[0], even[1]);
			add_product(s, 2 * (k + i) + 1, p, odd[0], odd[1]);
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
	for (int j = 0; j < span / 16; j++)
		score_16_keys(x, j, q, l, keys);
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
				p[m][i] = two_weights(value(x[m][2 * j + i / 2][i % 2 * 2]),
						      value(x[m][2 * j + i / 2][i % 2 * 2 + 1]), c,
						      s.max_c[m][i % 2], s.weight[m][i % 2 * 2],
						      i == 3);
			if constexpr (sum_by_mma)
				ptx::mma_f16(s.weight[m], p[m], ones, ones);
		}
		add_16_keys(s, p, values + 16 * j * pitch);
	}
}

/* Places in one tile. */
struct places {
	u8 *base;

	__device__ u8 *operator()(int row, int byte) const
	{
		return base + offset(row, byte);
	}
};

/* Where the ring lies, and whose keys go through it. */
struct key_tiles {
	const u8 *k_head, *v_head;
	int rows;
	u8 *ring;

	__device__ u8 *k_tile(int slot) const
	{
		return ring + 2 * slot * tile_bytes;
	}

	__device__ u8 *v_tile(int slot) const
	{
		return ring + (2 * slot + 1) * tile_bytes;
	}

	__device__ void load(int t, int slot) const
	{
		tile::load<tile_n>(k_head, t * tile_n, rows, places{ k_tile(slot) });
		tile::load<tile_n>(v_head, t * tile_n, rows, places{ v_tile(slot) });
	}

	__device__ void load_async(int t, int slot) const
	{
		tile::load_async<tile_n>(k_head, t * tile_n, rows, places{ k_tile(slot) });
		tile::load_async<tile_n>(v_head, t * tile_n, rows, places{ v_tile(slot) });
	}
};

/* What outlives a query tile: the block's memory, and with producers the state of the ring. */
struct schedule {
	u8 *shared;
	tile::handover ring;

	__device__ explicit schedule(u8 *shared)
	    : shared(shared), ring(ptx::shared_address(shared + loop_bytes + merge_bytes))
	{
	}

	__device__ float *merge_area() const
	{
		return reinterpret_cast<float *>(shared + (param::producers > 0 ? loop_bytes : 0));
	}
};

/* Tile t is in the slot that is returned, for every thread that asks. */
__device__ inline int next_tile(int t, int tiles, const key_tiles &keys, schedule &at)
{
	auto load_async = [&](int ahead, int slot) { keys.load_async(ahead, slot); };

	if constexpr (param::producers > 0)
		return at.ring.take();
	if constexpr (param::stages > 0) {
		tile::ring_next(t, tiles, load_async);
	} else {
		__syncthreads();
		keys.load(t, 0);
		__syncthreads();
	}
	return t % param::slots;
}

/* The block's query rows from `row` on, of one head of `rows` rows. */
__device__ inline void attend(const quant::element *q, const quant::element *k,
			      const quant::element *v, float c, float v_scale, __half *o_head,
			      int row, int rows, schedule &at)
{
	const lane l;
	const int tiles = (rows + tile_n - 1) / tile_n;
	const u8 *q_head = reinterpret_cast<const u8 *>(q);
	const key_tiles keys = { reinterpret_cast<const u8 *>(k), reinterpret_cast<const u8 *>(v),
				 rows, at.shared };
	auto load_async = [&](int t, int slot) { keys.load_async(t, slot); };
	u8 *q_tile = at.shared + 2 * param::slots * tile_bytes;

	if constexpr (param::producers > 0) {
		if (static_cast<int>(threadIdx.x) >= 32 * param::warps) {
			at.ring.produce(tiles, load_async);
			return;
		}
	} else {
		if constexpr (param::persistent)
			__syncthreads(); /* the last query tile's use of the ring is over */
		if constexpr (param::stages > 0)
			tile::ring_begin(tiles, load_async);
		if constexpr (!param::q_in_registers)
			tile::load<tile_m>(q_head, row, rows, places{ q_tile });
	}
	queries queried;
	queried.shared = ptx::shared_address(q_tile);
	queried.load(q_head, row, rows, l);
	sums s;
#pragma unroll 1
	for (int t = 0; t < tiles; t++) {
		int slot = next_tile(t, tiles, keys, at);
		int from = l.key_group * span;
		if (t * tile_n + from < rows) /* else a group without a key in the last tile */
			step(s, queried, l, c,
			     ptx::shared_address(keys.k_tile(slot)) + from * pitch,
			     ptx::shared_address(keys.v_tile(slot)) + from * pitch,
			     t * tile_n + from, rows);
		if constexpr (param::producers > 0)
			at.ring.give_back();
	}
	if constexpr (!sum_by_mma)
		finish_weights(s);
	if constexpr (key_warps > 1)
		merge(s, l, at.merge_area());
	if (l.key_group == 0)
		store(s, l, v_scale, o_head, row, rows);
}
} // namespace fused
