/* A source for tests of task files: it has to exist, and is never launched. */
#include <cuda_fp16.h>
#include <lib.cuh>
#include "add.cuh"
#include "not_here.h"

extern "C" __global__ void add(const float *a, float *c, int n)
{
	const int i = blockIdx.x * BLOCK + threadIdx.x;

	if (i < n)
		c[i] = ONE + plus(a[i], VEC);
}
