#pragma once

/*
 * What kernels that work on each row of a matrix of halves share: who has which elements, how they
 * come and go, and sums over a row. The arithmetic is in floats.
 *
 * TEAM warps share a row, BLOCK / 32 / TEAM rows a block. Vector i of a row (VEC halves) belongs to
 * thread i % (32 TEAM) of its team. Of its vectors a thread keeps the first KEEP in registers, as
 * they came (HOLD=packed) or as floats (HOLD=f32); the rest of a longer row is read anew on each
 * pass, UNROLL vectors at a time. With 32 TEAM VEC KEEP >= columns memory is read once, which is
 * all that a memory-bound kernel can wish for, as long as the registers leave enough warps an SM.
 *
 * Rows whose length is no multiple of VEC do not begin where a vector may: they are walked one half
 * at a time, and nothing is kept.
 *
 * A grid has ceil_div(rows, rows of a block) blocks of BLOCK threads; shared memory is static.
 */
#include "ptx.cuh"

#ifndef BLOCK /* threads of a block */
#define BLOCK 256
#endif
#ifndef TEAM /* warps that share a row */
#define TEAM 8
#endif
#ifndef VEC /* halves of a load or a store: 1, 2, 4 or 8 */
#define VEC 8
#endif
#ifndef KEEP /* vectors of a row that a thread keeps in registers */
#define KEEP 2
#endif
#ifndef HOLD /* packed: kept as halves; f32: as floats */
#define HOLD packed
#endif
#ifndef UNROLL /* vectors on their way at once of those that are not kept */
#define UNROLL 1
#endif
#ifndef LOAD /* nc, cs or no_allocate: see ptx.cuh */
#define LOAD nc
#endif
#ifndef STORE /* plain or cs */
#define STORE plain
#endif
#ifndef RESIDENT /* threads an SM shall hold, by limiting registers; 0: as many as fit */
#define RESIDENT 0
#endif

namespace row
{
enum class hold_kind { packed, f32 };

constexpr hold_kind hold = hold_kind::HOLD;
constexpr int warps = BLOCK / 32;
constexpr int lanes = 32 * TEAM; /* threads that share a row */
constexpr int a_block = warps / TEAM;
constexpr int min_blocks = RESIDENT / BLOCK;

static_assert(BLOCK % (32 * TEAM) == 0, "teams share a block evenly");
static_assert(KEEP > 0 || hold == hold_kind::packed, "nothing is kept that could be floats");
static_assert(RESIDENT % BLOCK == 0, "an SM holds whole blocks");

template <int N> struct raw;
template <> struct raw<1> {
	typedef ptx::u16 type;
};
template <> struct raw<2> {
	typedef ptx::u32 type;
};
template <> struct raw<4> {
	typedef uint2 type;
};
template <> struct raw<8> {
	typedef uint4 type;
};

static __device__ ptx::u32 word(ptx::u16 bits, int)
{
	return bits;
}

static __device__ ptx::u32 word(ptx::u32 bits, int)
{
	return bits;
}

static __device__ ptx::u32 word(const uint2 &bits, int i)
{
	return i == 0 ? bits.x : bits.y;
}

static __device__ ptx::u32 word(const uint4 &bits, int i)
{
	return i == 0 ? bits.x : i == 1 ? bits.y : i == 2 ? bits.z : bits.w;
}

/* N halves, as they lie in memory. */
template <int N> struct pack {
	typename raw<N>::type bits;
};

template <int N> __device__ void unpack(const pack<N> &p, float (&ret)[N])
{
#pragma unroll
	for (int i = 0; i < N; i++)
		ret[i] = __half2float(
			__ushort_as_half((ptx::u16)(word(p.bits, i / 2) >> 16 * (i % 2))));
}

/* Vector i of a row; its address must be a multiple of its size. */
template <int N, ptx::load_kind KIND> __device__ pack<N> load(const ptx::u16 *row, int i)
{
	return { ptx::load<KIND>(reinterpret_cast<const typename raw<N>::type *>(row) + i) };
}

static __device__ ptx::u32 packed_pair(float low, float high)
{
	const __half2 both = __floats2half2_rn(low, high);

	return *reinterpret_cast<const ptx::u32 *>(&both);
}

template <int N> __device__ typename raw<N>::type packed(const float (&x)[N])
{
	if constexpr (N == 1)
		return __half_as_ushort(__float2half_rn(x[0]));
	else if constexpr (N == 2)
		return packed_pair(x[0], x[1]);
	else if constexpr (N == 4)
		return { packed_pair(x[0], x[1]), packed_pair(x[2], x[3]) };
	else
		return { packed_pair(x[0], x[1]), packed_pair(x[2], x[3]), packed_pair(x[4], x[5]),
			 packed_pair(x[6], x[7]) };
}

template <int N> __device__ void store(ptx::u16 *row, int i, const float (&x)[N])
{
	ptx::store<ptx::store_kind::STORE>(reinterpret_cast<typename raw<N>::type *>(row) + i,
					   packed(x));
}

/* The row of the calling thread's team, and its place there. */
static __device__ int number()
{
	return (int)(blockIdx.x * a_block + threadIdx.x / lanes);
}

static __device__ int lane()
{
	return (int)(threadIdx.x % lanes);
}

/* The part of a row that a thread has: KEPT vectors in registers and the rest in memory. */
template <int N, int KEPT> class part
{
	const ptx::u16 *const row;
	const int vectors; /* of the row */
	pack<N> halves[KEPT ? KEPT : 1];
	float floats[KEPT ? KEPT : 1][N];

	static constexpr bool in_floats = KEPT > 0 && hold == hold_kind::f32;

	template <typename F> __device__ void visit_rest(F f)
	{
#pragma unroll 1
		for (int first = lane() + KEPT * lanes; first < vectors; first += UNROLL * lanes) {
			pack<N> p[UNROLL];

#pragma unroll
			for (int u = 0; u < UNROLL; u++)
				if (first + u * lanes < vectors)
					p[u] = load<N, ptx::load_kind::LOAD>(row,
									     first + u * lanes);
#pragma unroll
			for (int u = 0; u < UNROLL; u++)
				if (first + u * lanes < vectors) {
					float x[N];

					unpack(p[u], x);
					f(x, first + u * lanes, -1);
				}
		}
	}

      public:
	static __device__ constexpr bool stays(int k)
	{
		return in_floats && k >= 0;
	}

	__device__ part(const ptx::u16 *row, int columns) : row(row), vectors(columns / N)
	{
#pragma unroll
		for (int k = 0; k < KEPT; k++)
			if (lane() + k * lanes < vectors)
				halves[k] = load<N, ptx::load_kind::LOAD>(row, lane() + k * lanes);
		if constexpr (in_floats)
#pragma unroll
			for (int k = 0; k < KEPT; k++)
				unpack(halves[k], floats[k]);
	}

	/*
	 * f(x, i, k) for each vector i, x being its elements and k counting those that are kept; -1
	 * for others. What f makes of x is there on the next visit if stays(k), else forgotten.
	 */
	template <typename F> __device__ void visit(F f)
	{
#pragma unroll
		for (int k = 0; k < KEPT; k++) {
			if (lane() + k * lanes >= vectors)
				continue;
			if constexpr (in_floats) {
				f(floats[k], lane() + k * lanes, k);
			} else {
				float x[N];

				/* Else the compiler keeps the floats. */
				ptx::make_opaque(halves[k].bits);
				unpack(halves[k], x);
				f(x, lane() + k * lanes, k);
			}
		}
		visit_rest(f);
	}
};

/*
 * x of all threads of a team, combined. Each USE in a kernel needs a number of its own, so that the
 * shared memory of one is not written while another is read.
 */
template <int USE, typename F> __device__ float combine(float x, F f)
{
#pragma unroll
	for (int mask = 16; mask > 0; mask /= 2)
		x = f(x, __shfl_xor_sync(~0u, x, mask));
	if constexpr (TEAM > 1) {
		__shared__ float of_warp[warps];

		if (threadIdx.x % 32 == 0)
			of_warp[threadIdx.x / 32] = x;
		__syncthreads();
		x = of_warp[threadIdx.x / lanes * TEAM + threadIdx.x % TEAM];
#pragma unroll
		for (int mask = TEAM / 2; mask > 0; mask /= 2)
			x = f(x, __shfl_xor_sync(~0u, x, mask));
	}
	return x;
}

template <int USE> __device__ float sum(float x)
{
	return combine<USE>(x, [](float a, float b) { return a + b; });
}

template <int USE> __device__ float largest(float x)
{
	return combine<USE>(x, [](float a, float b) { return fmaxf(a, b); });
}
} // namespace row
