/*
 * Attention the slow and careful way: what sdpa_u8.cu is compared with. Nothing is shared with it.
 *
 *   sdpa_reference_u8    on the bytes, dequantised one by one: (u - 128) / 127 * absmax
 *   sdpa_reference_f32   on floats that were never quantised
 *
 * Launch: grid (S, B * H), a block for each query row; any number of threads that is a multiple of
 * 32 and at most 1024; no dynamic shared memory. Two passes over the keys: the largest score, then
 * weights and sums. Sums over keys are compensated (Kahan, "Further remarks on reducing truncation
 * errors", 1965): a float keeps its accuracy however long the sequence is. No fast-math flags.
 *
 * OUTPUT_F32=1 writes floats instead of halves, for comparing with a reference in double.
 */
#include <cuda_fp16.h>

#ifndef HEAD_DIM
#define HEAD_DIM 64
#endif
#ifndef OUTPUT_F32
#define OUTPUT_F32 0
#endif

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

/* Largest value of all threads; every thread gets it. */
__device__ static float block_max(float x)
{
	__shared__ float of_warp[32];

	for (int mask = 16; mask > 0; mask /= 2)
		x = fmaxf(x, __shfl_xor_sync(0xffffffffu, x, mask));
	__syncthreads();
	if (threadIdx.x % 32 == 0)
		of_warp[threadIdx.x / 32] = x;
	__syncthreads();
	for (unsigned int i = 0; i < blockDim.x / 32; i++)
		x = fmaxf(x, of_warp[i]);
	return x;
}

template <typename VALUES>
__device__ static float score(const float *q_row, const VALUES &k, size_t k_row)
{
	kahan dot = {};

	for (int d = 0; d < HEAD_DIM; d++)
		dot.add(q_row[d] * k[k_row + d]);
	return dot.sum * (1.0f / sqrtf(static_cast<float>(HEAD_DIM)));
}

/* start: of the head, in elements. Threads share keys when scoring and columns when adding up. */
template <typename VALUES>
__device__ static void attend(VALUES q, VALUES k, VALUES v, output *o, size_t start, int s)
{
	enum { CHUNK = 1024 };
	__shared__ float q_row[HEAD_DIM];
	__shared__ float weight[CHUNK];
	const size_t row = start + static_cast<size_t>(blockIdx.x) * HEAD_DIM;
	const int id = static_cast<int>(threadIdx.x), threads = static_cast<int>(blockDim.x);
	float top = __int_as_float(0xff800000);
	kahan sum[HEAD_DIM / 32] = {};
	kahan weights = {};

	for (int d = id; d < HEAD_DIM; d += threads)
		q_row[d] = q[row + d];
	__syncthreads();
	for (int n = id; n < s; n += threads)
		top = fmaxf(top, score(q_row, k, start + static_cast<size_t>(n) * HEAD_DIM));
	top = block_max(top);
	for (int first = 0; first < s; first += CHUNK) {
		int keys = min(s - first, static_cast<int>(CHUNK));
		__syncthreads();
		for (int n = id; n < keys; n += threads)
			weight[n] = expf(
				score(q_row, k, start + static_cast<size_t>(first + n) * HEAD_DIM) -
				top);
		__syncthreads();
		for (int n = 0; n < keys; n++) {
			size_t v_row = start + static_cast<size_t>(first + n) * HEAD_DIM;
			weights.add(weight[n]);
			for (int i = 0, d = id; d < HEAD_DIM; i++, d += threads)
				sum[i].add(weight[n] * v[v_row + d]);
		}
	}
	for (int i = 0, d = id; d < HEAD_DIM; i++, d += threads)
		o[row + d] = static_cast<output>(sum[i].sum / weights.sum);
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

extern "C" __global__ void sdpa_reference_f32(const float *q, const float *k, const float *v,
					      output *o, int, int, int s)
{
	attend(floats{ q }, floats{ k }, floats{ v }, o,
	       static_cast<size_t>(blockIdx.y) * static_cast<size_t>(s) * HEAD_DIM, s);
}
