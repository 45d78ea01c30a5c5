/*
 * The plain answers that every variant is compared with: a warp a row, one element a lane and step,
 * sums in double. Grid: a block of 32 threads for each row.
 */
#include <cuda_fp16.h>

#ifndef EPSILON /* of rmsnorm */
#define EPSILON 1e-5
#endif

static __device__ double sum_of_warp(double x)
{
	for (int mask = 16; mask > 0; mask /= 2)
		x += __shfl_xor_sync(~0u, x, mask);
	return x;
}

extern "C" __global__ void softmax_reference(const __half *in, __half *out, int columns)
{
	const size_t first = (size_t)blockIdx.x * columns;
	float most = __int_as_float(0xff800000); /* minus infinity */
	double sum = 0;

	for (int c = threadIdx.x; c < columns; c += 32)
		most = fmaxf(most, __half2float(in[first + c]));
	for (int mask = 16; mask > 0; mask /= 2)
		most = fmaxf(most, __shfl_xor_sync(~0u, most, mask));
	for (int c = threadIdx.x; c < columns; c += 32)
		sum += expf(__half2float(in[first + c]) - most);
	sum = sum_of_warp(sum);
	for (int c = threadIdx.x; c < columns; c += 32)
		out[first + c] =
			__float2half_rn((float)(expf(__half2float(in[first + c]) - most) / sum));
}

extern "C" __global__ void rmsnorm_reference(const __half *in, const __half *weight, __half *out,
					     int columns)
{
	const size_t first = (size_t)blockIdx.x * columns;
	double square = 0;

	for (int c = threadIdx.x; c < columns; c += 32) {
		const double x = __half2float(in[first + c]);

		square += x * x;
	}
	const double scale = 1 / sqrt(sum_of_warp(square) / columns + EPSILON);
	for (int c = threadIdx.x; c < columns; c += 32)
		out[first + c] = __float2half_rn(
			(float)(__half2float(in[first + c]) * scale * __half2float(weight[c])));
}
