#pragma once

/*
 * What can be tuned, with a default for each macro, and what follows from them. Every other file of
 * this folder includes this one, and none but this one looks at the macros.
 *
 * The defaults are the preset stage3; configs/sdpa_u8.json lists the values that are searched and
 * the constraints between them, which the static_asserts below repeat.
 */

#ifndef INPUT /* u8, e4m3 or f16: set by the source that has the entry, not searched */
#define INPUT u8
#endif
#ifndef HEAD_DIM /* D, elements of a head: 64 or 128 */
#define HEAD_DIM 64
#endif
#ifndef TILE_M /* query rows of a block */
#define TILE_M 64
#endif
#ifndef TILE_N /* keys in shared memory at a time */
#define TILE_N 64
#endif
#ifndef WARPS /* warps of a block */
#define WARPS 4
#endif
#ifndef STAGES /* key tiles in flight by cp.async; 0: plain loads, no overlap */
#define STAGES 2
#endif
#ifndef PV /* scalar: FMA; wmma: tensor cores, P in shared memory; mma: P stays in registers */
#define PV mma
#endif
#ifndef QK /* f16: half tensor cores; s8: 8-bit ones, exact and of twice the rate (PV=mma,      \
	    * INPUT=u8); e4m3: 8-bit ones where there are any (INPUT=e4m3), which sm_90 has not \
	    * for mma.sync */
#define QK s8
#endif
#ifndef DEQUANT /* bytes to halves by arith (convert, subtract), magic (permute, subtract) or \
		 * direct (permute; what is too much is subtracted at the end; PV=mma only) */
#define DEQUANT magic
#endif
#ifndef EXP /* expf: the library's; ex2: the special function unit; poly: FMA only; mix: a quarter \
	     * of the weights by poly; half2: packed (mix and half2 with PV=mma only) */
#define EXP ex2
#endif
#ifndef RESCALE /* each: sums follow each new maximum; lazy: one larger than 2^8 (PV=mma only) */
#define RESCALE each
#endif
#ifndef ROWMAX /* fp: by floats; dpx: by whole numbers, two at a time (QK=s8 only) */
#define ROWMAX fp
#endif
#ifndef ROWSUM /* the sum of weights by add, or by a column of ones through mma (PV=mma only) */
#define ROWSUM mma
#endif
#ifndef PAD /* halves added to a row in shared memory, against bank conflicts */
#define PAD 8
#endif
#ifndef SWIZZLE /* 1: permute 16-byte chunks instead of padding (PV=mma and PAD=0 only) */
#define SWIZZLE 0
#endif
#ifndef Q_IN_REGISTERS /* 1: the query tile is loaded once; 0: again from shared memory each tile \
			*/
#define Q_IN_REGISTERS 1
#endif
#ifndef VEC /* bytes a thread loads at once: 4 or 16 */
#define VEC 16
#endif
#ifndef PRODUCERS /* warps that do nothing but load key tiles (PV=mma, Q_IN_REGISTERS=1); 0: all \
		     do */
#define PRODUCERS 0
#endif
#ifndef PERSISTENT /* 1: a block takes one query tile after another (PV=mma only) */
#define PERSISTENT 0
#endif
#ifndef MIN_BLOCKS /* blocks an SM shall hold, by limiting registers; 0: as the compiler likes */
#define MIN_BLOCKS 0
#endif

/* The preprocessor's view of PV, which decides what is included. */
#define PARAM_JOIN_(a, b)     a##b
#define PARAM_JOIN(a, b)      PARAM_JOIN_(a, b)
#define PARAM_PV_scalar	      0
#define PARAM_PV_wmma	      1
#define PARAM_PV_mma	      2
#define PARAM_PV_IN_REGISTERS (PARAM_JOIN(PARAM_PV_, PV) == PARAM_PV_mma)

namespace param
{
enum class input_kind { u8, e4m3, f16 };
enum class pv_kind { scalar, wmma, mma };
enum class qk_kind { f16, s8, e4m3 };
enum class dequant_kind { arith, magic, direct };
enum class exp_kind { expf, ex2, poly, mix, half2 };
enum class rowsum_kind { add, mma };
enum class rescale_kind { each, lazy };
enum class rowmax_kind { fp, dpx };

/* A value that is none of these names is a compile error here. */
constexpr input_kind input = input_kind::INPUT;
constexpr pv_kind pv = pv_kind::PV;
constexpr qk_kind qk = qk_kind::QK;
constexpr dequant_kind dequant = dequant_kind::DEQUANT;
constexpr exp_kind exp = exp_kind::EXP;
constexpr rowsum_kind rowsum = rowsum_kind::ROWSUM;
constexpr rescale_kind rescale = rescale_kind::RESCALE;
constexpr rowmax_kind rowmax = rowmax_kind::ROWMAX;

constexpr int head_dim = HEAD_DIM;
constexpr int tile_m = TILE_M;
constexpr int tile_n = TILE_N;
constexpr int row_bytes = HEAD_DIM * (input == input_kind::f16 ? 2 : 1); /* of Q, K or V */
constexpr int warps = WARPS;						 /* that compute */
constexpr int producers = PRODUCERS;
constexpr int threads = 32 * (warps + producers);
constexpr bool persistent = PERSISTENT != 0;
constexpr int stages = STAGES;
constexpr int slots = stages == 0 ? 1 : stages; /* key tiles that shared memory holds */
constexpr int pad = PAD;
constexpr int vec = VEC;
constexpr bool swizzle = SWIZZLE != 0;
constexpr bool q_in_registers = Q_IN_REGISTERS != 0;
} // namespace param

static_assert(HEAD_DIM == 64 || HEAD_DIM == 128, "HEAD_DIM is 64 or 128");
static_assert(TILE_M % 16 == 0 && TILE_N % 16 == 0, "tiles are multiples of 16");
static_assert(PRODUCERS == 0 || (STAGES > 0 && Q_IN_REGISTERS),
	      "producers fill a ring of key tiles");
static_assert(STAGES == 0 || STAGES >= 2, "a ring needs two stages");
static_assert(PAD % 8 == 0, "rows stay aligned to 16 bytes");
static_assert(VEC == 4 || VEC == 16, "cp.async copies 4 or 16 bytes");
