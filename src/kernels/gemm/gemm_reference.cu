/*
 * C = A B^T the slow and plain way: what gemm_f16.cu is compared with. Nothing is shared with it.
 *
 * Launch: grid (ceil(N / 32), ceil(M / 32)), block (32, 8), no dynamic shared memory. A block works
 * out 32 x 32 results, a thread four of one column; float sums, in order of k.
 */
#include <cuda_fp16.h>

enum { SIDE = 32, ROWS = 4, STEP = SIDE / ROWS };

extern "C" __global__ void __launch_bounds__(SIDE *STEP)
	gemm_reference(const __half *a, const __half *b, __half *c, int m, int n, int k)
{
	__shared__ float left[SIDE][SIDE + 1], right[SIDE][SIDE + 1];
	const int x = static_cast<int>(threadIdx.x), y = static_cast<int>(threadIdx.y);
	const int row = static_cast<int>(blockIdx.y) * SIDE;
	const int column = static_cast<int>(blockIdx.x) * SIDE;
	float sum[ROWS] = {};

	for (int first = 0; first < k; first += SIDE) {
		for (int i = y; i < SIDE; i += STEP) {
			const bool in_a = row + i < m && first + x < k;
			const bool in_b = column + i < n && first + x < k;
			left[i][x] =
				in_a ? __half2float(a[static_cast<size_t>(row + i) * k + first + x])
				     : 0.0f;
			right[i][x] =
				in_b ? __half2float(
					       b[static_cast<size_t>(column + i) * k + first + x])
				     : 0.0f;
		}
		__syncthreads();
		for (int i = 0; i < SIDE; i++)
			for (int r = 0; r < ROWS; r++)
				sum[r] = fmaf(left[y + r * STEP][i], right[x][i], sum[r]);
		__syncthreads();
	}
	for (int r = 0; r < ROWS; r++)
		if (row + y + r * STEP < m && column + x < n)
			c[static_cast<size_t>(row + y + r * STEP) * n + column + x] =
				__float2half_rn(sum[r]);
}
