#pragma once

/*
 * What can be tuned, with a default for each macro, and what follows from them. No other file of
 * this folder looks at the macros. configs/gemm_f16.json lists the values that are searched and the
 * constraints between them, which the static_asserts below repeat.
 */

#ifndef DESIGN /* mma: all warps load and compute; wgmma: warpgroups compute, others load (sm_90a) \
		*/
#define DESIGN mma
#endif
#ifndef TILE_M /* rows of C that a block works out at a time */
#define TILE_M 128
#endif
#ifndef TILE_N /* columns of C */
#define TILE_N 128
#endif
#ifndef TILE_K /* elements of a row of A or B in a slot: 32 or 64 */
#define TILE_K 64
#endif
#ifndef WARPS_M /* warps along M that compute; wgmma: 4 for each warpgroup */
#define WARPS_M 2
#endif
#ifndef WARPS_N /* warps along N; wgmma: 1 */
#define WARPS_N 2
#endif
#ifndef STAGES /* slots of the ring in shared memory */
#define STAGES 3
#endif
#ifndef PRODUCERS /* warps that only load; mma: 0 */
#define PRODUCERS 0
#endif
#ifndef PERSISTENT /* 1: a block stays and takes one tile after another (wgmma only) */
#define PERSISTENT 0
#endif
#ifndef GROUP /* tile rows that blocks go through together, for the L2 cache */
#define GROUP 8
#endif
#ifndef MIN_BLOCKS /* blocks an SM shall hold, by limiting registers */
#define MIN_BLOCKS 1
#endif

/* The preprocessor's view of DESIGN, which decides what is included. */
#define PARAM_JOIN_(a, b)  a##b
#define PARAM_JOIN(a, b)   PARAM_JOIN_(a, b)
#define PARAM_DESIGN_mma   0
#define PARAM_DESIGN_wgmma 1
#define PARAM_WARPGROUPS   (PARAM_JOIN(PARAM_DESIGN_, DESIGN) == PARAM_DESIGN_wgmma)

namespace param
{
enum class design_kind { mma, wgmma };

/* A value that is none of these names is a compile error here. */
constexpr design_kind design = design_kind::DESIGN;

constexpr int tile_m = TILE_M;
constexpr int tile_n = TILE_N;
constexpr int tile_k = TILE_K;
constexpr int warps_m = WARPS_M;
constexpr int warps_n = WARPS_N;
constexpr int stages = STAGES;
constexpr int producers = PRODUCERS;
constexpr int group = GROUP;
constexpr bool persistent = PERSISTENT != 0;
constexpr int min_blocks = MIN_BLOCKS;

constexpr int compute_threads = 32 * warps_m * warps_n;
constexpr int threads = compute_threads + 32 * producers;

constexpr int row_bytes = 2 * tile_k;
constexpr int a_bytes = tile_m * row_bytes;
constexpr int slot_bytes = (tile_m + tile_n) * row_bytes;
constexpr int shared_bytes = stages * slot_bytes + (design == design_kind::wgmma ? 16 * stages : 0);
} // namespace param

static_assert(TILE_K == 32 || TILE_K == 64, "a row in shared memory is 64 or 128 bytes");
static_assert(TILE_M % (16 * WARPS_M) == 0, "a warp has rows in sixteens");
static_assert(TILE_N % (32 * WARPS_N) == 0, "a warp has columns in 32s");
static_assert(STAGES >= 2, "a slot is filled while another is used");
static_assert(PARAM_WARPGROUPS == (PRODUCERS > 0), "producers belong to wgmma");
static_assert(!PARAM_WARPGROUPS || (WARPS_M % 4 == 0 && WARPS_N == 1 && STAGES >= 3),
	      "warpgroups lie along M, and hold two slots");
static_assert(PARAM_WARPGROUPS || PERSISTENT == 0, "only producers load ahead to the next tile");

/* A caller that has worked out the dynamic shared memory may have it checked. */
#ifdef EXPECT_SHARED_BYTES
static_assert(param::shared_bytes == EXPECT_SHARED_BYTES, "the caller's formula differs");
#endif
