#pragma once

/*
 * What can be tuned in sdpa_hopper.cu, with a default for each macro, and what follows from them.
 * No other file of the Hopper path looks at the macros. configs/sdpa_u8_hopper.json lists the
 * values that are searched and the constraints between them.
 */

#ifndef HEAD_DIM /* D, elements of a head: 64 or 128 */
#define HEAD_DIM 64
#endif
#ifndef ROW_GROUPS /* consumer warpgroups with query rows of their own, 64 each */
#define ROW_GROUPS 2
#endif
#ifndef KEY_GROUPS /* consumer warpgroups that share the same rows and take turns at key tiles */
#define KEY_GROUPS 1
#endif
#ifndef TILE_N /* keys of a tile: 64 or 128 */
#define TILE_N 64
#endif
#ifndef STAGES /* key tiles in shared memory */
#define STAGES 4
#endif
#ifndef ORDER /* how a warpgroup overlaps its own work: see hopper.cuh */
#define ORDER plain
#endif
#ifndef SLACK /* a weight may grow to 2^SLACK before the row's maximum is raised */
#define SLACK 8
#endif
#ifndef MAXIMUM /* each: of every tile; first: of the first, then sums tell when it is passed */
#define MAXIMUM each
#endif
#ifndef POLY /* of 16 weights, how many are exponentiated on the FMA units */
#define POLY 0
#endif
#ifndef ROWSUM /* the sum of weights by add, or by a matrix of ones through wgmma */
#define ROWSUM add
#endif
#ifndef DEQUANT /* V as u - 128 (magic), or as the half with the bit pattern u (direct) */
#define DEQUANT magic
#endif
#ifndef PRODUCERS /* warps that bring and convert key tiles: 1, 2 or 4 */
#define PRODUCERS 4
#endif
#ifndef Q_IN_REGISTERS /* the query operand in registers (1) or in shared memory (0) */
#define Q_IN_REGISTERS 1
#endif
#ifndef MIN_BLOCKS /* blocks an SM shall hold */
#define MIN_BLOCKS 1
#endif

namespace param
{
enum class order_kind { plain, queue, overlap };
enum class rowsum_kind { add, mma };
enum class maximum_kind { each, first };
enum class dequant_kind { magic, direct };

/* A value that is none of these names is a compile error here. */
constexpr order_kind order = order_kind::ORDER;
constexpr rowsum_kind rowsum = rowsum_kind::ROWSUM;
constexpr maximum_kind maximum = maximum_kind::MAXIMUM;
constexpr dequant_kind dequant = dequant_kind::DEQUANT;

constexpr int head_dim = HEAD_DIM;
constexpr int row_groups = ROW_GROUPS;
constexpr int key_groups = KEY_GROUPS;
constexpr int consumers = row_groups * key_groups; /* warpgroups */
constexpr int producers = PRODUCERS;		   /* warps */
constexpr int threads = 128 * consumers + 32 * producers;
constexpr int tile_m = 64 * row_groups;
constexpr int tile_n = TILE_N;
constexpr int stages = STAGES;
constexpr int poly = POLY;
constexpr float slack = SLACK;
constexpr bool q_in_registers = Q_IN_REGISTERS != 0;
constexpr int min_blocks = MIN_BLOCKS;

/*
 * A thread starts with the registers that the launch bounds leave it, a multiple of 8. A whole
 * warpgroup of producers then keeps 56, or 32 if that is what four consumers of an SM need, and the
 * consumers share the rest.
 */
constexpr int limit = 65536 / (min_blocks * threads) / 8 * 8;
constexpr int start_registers = limit < 232 ? limit : 232;
constexpr bool move_registers = producers == 4;
constexpr int producer_registers = consumers * min_blocks < 4 ? 56 : 32;
constexpr int spare_registers =
	(start_registers * (consumers + 1) - producer_registers) / consumers / 8 * 8;
constexpr int consumer_registers = spare_registers < 240 ? spare_registers : 240;
} // namespace param

static_assert(HEAD_DIM == 64 || HEAD_DIM == 128, "HEAD_DIM is 64 or 128");
static_assert(TILE_N == 64 || TILE_N == 128, "TILE_N is 64 or 128");
static_assert(STAGES > KEY_GROUPS, "a key group waits for its next tile while it holds one");
static_assert(param::maximum == param::maximum_kind::each ||
		      param::rowsum == param::rowsum_kind::add,
	      "sums that tell when a maximum is passed are floats");
static_assert(PRODUCERS == 1 || PRODUCERS == 2 || PRODUCERS == 4, "producer warps");
