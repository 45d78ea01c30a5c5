/*
 * Attention the slow and careful way: what sdpa_u8.cu is compared with. Nothing is shared with it.
 *
 *   sdpa_reference_u8    on the bytes, dequantised one by one: (u - 128) / 127 * absmax
 *   sdpa_reference_e4m3  likewise: e / 448 * absmax
 *   sdpa_reference_f16   on halves
 *   sdpa_reference_f32   on floats that were never quantised
 *
 * Launch: grid ((S + ROWS - 1) / ROWS, B * H), a block for ROWS query rows, 8 threads a row: ROWS
 * (a multiple of 8, by default 16) times 8 in all; no dynamic shared memory. HEAD_DIM: a multiple
 * of 64, at most 128. Two passes over the keys: the largest scores, then weights and sums. Sums are
 * compensated (Kahan, "Further remarks on reducing truncation errors", 1965): a float keeps its
 * accuracy however long the sequence is. No fast-math flags.
 *
 * OUTPUT_F32=1 writes floats instead of halves, for comparing with a reference in double.
 */
#include <cuda_fp16.h>

#ifndef HEAD_DIM
#define HEAD_DIM 64
#endif
#ifndef ROWS
#define ROWS 16
#endif
#ifndef OUTPUT_F32
#define OUTPUT_F32 0
#endif

enum {
	KEYS = 64,	      /* in a tile */
	TEAM = 64,	      /* threads that share TEAM_ROWS rows, one key or column each */
	TEAM_ROWS = 8,	      /* of which every thread has its own sums */
	PITCH = HEAD_DIM + 1, /* of a tile, against bank conflicts */
	COLUMNS = HEAD_DIM / TEAM,
};
static_assert(HEAD_DIM % TEAM == 0 && ROWS % TEAM_ROWS == 0, "see above");

#if OUTPUT_F32
typedef float output;
#else
typedef __half output;
#endif

struct bytes {
	const unsigned char *data;
	float absmax;

	__device__ float operator[](size_t i) const
	{
		return static_cast<float>(static_cast<int>(data[i]) - 128) / 127.0f * absmax;
	}
};

/* OCP FP8 E4M3: a sign, four bits of exponent about 7, three of fraction; no infinity. */
struct e4m3s {
	const unsigned char *data;
	float absmax;

	__device__ float operator[](size_t i) const
	{
		const int bits = data[i], exponent = bits >> 3 & 15, fraction = bits & 7;
		float e = exponent ? ldexpf(static_cast<float>(8 + fraction), exponent - 10)
				   : ldexpf(static_cast<float>(fraction), -9);
		if ((bits & 127) == 127)
			e = __int_as_float(0x7fffffff);
		return (bits & 128 ? -e : e) / 448.0f * absmax;
	}
};

struct halves {
	const __half *data;

	__device__ float operator[](size_t i) const
	{
		return __half2float(data[i]);
	}
};

struct floats {
	const float *data;

	__device__ float operator[](size_t i) const
	{
		return data[i];
	}
};

struct kahan {
	float sum, lost;

	__device__ void add(float x)
	{
		float y = x - lost;
		float t = sum + y;
		lost = (t - sum) - y;
		sum = t;
	}
};

struct tiles {
	float q[ROWS][HEAD_DIM];
	float kv[KEYS][PITCH]; /* of K or of V */
	float weight[ROWS][KEYS];
};

/* Rows from first on of a head, as floats; those past the end are zero. */
template <typename VALUES>
__device__ static void load(float *tile, int rows, int pitch, VALUES from, size_t start, int first,
			    int s)
{
	__syncthreads();
#pragma unroll 1
	for (int i = static_cast<int>(threadIdx.x); i < rows * HEAD_DIM; i += ROWS * TEAM_ROWS) {
		int row = i / HEAD_DIM, d = i % HEAD_DIM;
		size_t at = start + static_cast<size_t>(first + row) * HEAD_DIM + d;
		tile[row * pitch + d] = first + row < s ? from[at] : 0.0f;
	}
	__syncthreads();
}

/* This thread's key of the tile against its team's rows. */
__device__ static void score(const tiles &t, float out[TEAM_ROWS])
{
	const int key = static_cast<int>(threadIdx.x) % TEAM;
	const int first = static_cast<int>(threadIdx.x) / TEAM * TEAM_ROWS;
	kahan dot[TEAM_ROWS] = {};

#pragma unroll 2 /* it is compiled before anything else can begin */
	for (int d = 0; d < HEAD_DIM; d++)
		for (int r = 0; r < TEAM_ROWS; r++)
			dot[r].add(t.q[first + r][d] * t.kv[key][d]);
	for (int r = 0; r < TEAM_ROWS; r++)
		out[r] = dot[r].sum * (1.0f / sqrtf(static_cast<float>(HEAD_DIM)));
}

/* The largest scores of the team's rows; every thread gets them. */
template <typename VALUES>
__device__ static void find_tops(tiles &t, VALUES k, size_t start, int s, float top[TEAM_ROWS])
{
	const int key = static_cast<int>(threadIdx.x) % TEAM;
	const int first = static_cast<int>(threadIdx.x) / TEAM * TEAM_ROWS;

	for (int r = 0; r < TEAM_ROWS; r++)
		top[r] = __int_as_float(0xff800000);
	for (int n = 0; n < s; n += KEYS) {
		float scores[TEAM_ROWS];
		load(&t.kv[0][0], KEYS, PITCH, k, start, n, s);
		score(t, scores);
		for (int r = 0; r < TEAM_ROWS && n + key < s; r++)
			top[r] = fmaxf(top[r], scores[r]);
	}
	for (int r = 0; r < TEAM_ROWS; r++)
		t.weight[first + r][key] = top[r];
	__syncthreads();
	for (int r = 0; r < TEAM_ROWS; r++)
#pragma unroll 1
		for (int i = 0; i < KEYS; i++)
			top[r] = fmaxf(top[r], t.weight[first + r][i]);
}

/* start: of the head, in elements. A thread scores a key, then adds up columns. */
template <typename VALUES>
__device__ static void attend(VALUES q, VALUES k, VALUES v, output *o, size_t start, int s)
{
	__shared__ tiles t;
	const int q_first = static_cast<int>(blockIdx.x) * ROWS;
	const int lane = static_cast<int>(threadIdx.x) % TEAM;
	const int first = static_cast<int>(threadIdx.x) / TEAM * TEAM_ROWS;
	float top[TEAM_ROWS];
	kahan sum[TEAM_ROWS][COLUMNS] = {};
	kahan weights[TEAM_ROWS] = {};

	load(&t.q[0][0], ROWS, HEAD_DIM, q, start, q_first, s);
	find_tops(t, k, start, s, top);
	for (int n = 0; n < s; n += KEYS) {
		float scores[TEAM_ROWS];
		load(&t.kv[0][0], KEYS, PITCH, k, start, n, s);
		score(t, scores);
		for (int r = 0; r < TEAM_ROWS; r++)
			t.weight[first + r][lane] = n + lane < s ? expf(scores[r] - top[r]) : 0.0f;
		load(&t.kv[0][0], KEYS, PITCH, v, start, n, s);
#pragma unroll 2
		for (int i = 0; i < KEYS; i++) {
			for (int r = 0; r < TEAM_ROWS; r++) {
				float w = t.weight[first + r][i];
				weights[r].add(w);
				for (int c = 0; c < COLUMNS; c++)
					sum[r][c].add(w * t.kv[i][lane + c * TEAM]);
			}
		}
	}
	for (int r = 0; r < TEAM_ROWS && q_first + first + r < s; r++) {
		size_t row = start + static_cast<size_t>(q_first + first + r) * HEAD_DIM;
		for (int c = 0; c < COLUMNS; c++)
			o[row + lane + c * TEAM] =
				static_cast<output>(sum[r][c].sum / weights[r].sum);
	}
}

/* As sdpa_u8 has it: a head without any value has scale 1. */
__device__ static float scale_of(float absmax)
{
	return absmax > 1e-6f ? absmax : 1.0f;
}

extern "C" __global__ void sdpa_reference_u8(const unsigned char *q, const unsigned char *k,
					     const unsigned char *v, const float *qa,
					     const float *ka, const float *va, output *o, int, int,
					     int s)
{
	const unsigned int head = blockIdx.y;

	attend(bytes{ q, scale_of(qa[head]) }, bytes{ k, scale_of(ka[head]) },
	       bytes{ v, scale_of(va[head]) }, o,
	       static_cast<size_t>(head) * static_cast<size_t>(s) * HEAD_DIM, s);
}

extern "C" __global__ void sdpa_reference_e4m3(const unsigned char *q, const unsigned char *k,
					       const unsigned char *v, const float *qa,
					       const float *ka, const float *va, output *o, int,
					       int, int s)
{
	const unsigned int head = blockIdx.y;

	attend(e4m3s{ q, scale_of(qa[head]) }, e4m3s{ k, scale_of(ka[head]) },
	       e4m3s{ v, scale_of(va[head]) }, o,
	       static_cast<size_t>(head) * static_cast<size_t>(s) * HEAD_DIM, s);
}

extern "C" __global__ void sdpa_reference_f16(const __half *q, const __half *k, const __half *v,
					      output *o, int, int, int s)
{
	attend(halves{ q }, halves{ k }, halves{ v }, o,
	       static_cast<size_t>(blockIdx.y) * static_cast<size_t>(s) * HEAD_DIM, s);
}

extern "C" __global__ void sdpa_reference_f32(const float *q, const float *k, const float *v,
					      output *o, int, int, int s)
{
	attend(floats{ q }, floats{ k }, floats{ v }, o,
	       static_cast<size_t>(blockIdx.y) * static_cast<size_t>(s) * HEAD_DIM, s);
}
