/*
 * c = a + b: the smallest kernel worth tuning, to be copied. configs/vector_add.json says how it is
 * launched, which values are tried and what a right answer is; for a kernel of your own, copy both
 * files and change them together.
 *
 * What makes a kernel tunable is that macros decide how it works. Each trial compiles this file
 * with one value for each: -DBLOCK=256 -DVEC=4 -DUNROLL=1. The defaults below are for compiling by
 * hand; an exported header, included first, replaces them.
 */
#ifndef BLOCK /* threads of a block */
#define BLOCK 256
#endif
#ifndef VEC /* floats a thread loads at once: 1, 2 or 4 */
#define VEC 1
#endif
#ifndef UNROLL /* such loads of a thread, all on their way before the first is used */
#define UNROLL 1
#endif

/* VEC floats, aligned so that the compiler loads and stores them at once. */
struct alignas(4 * VEC) vector {
	float x[VEC];
};

/*
 * extern "C" keeps the name as the task file spells it. A block takes BLOCK * VEC * UNROLL
 * elements, so the grid is ceil_div(N, BLOCK * VEC * UNROLL). n may be any number: the last few
 * elements, which fill no vector, are added one by one.
 */
extern "C" __global__ void __launch_bounds__(BLOCK)
	vector_add(const float *a, const float *b, float *c, int n)
{
	const int first = blockIdx.x * (BLOCK * UNROLL) + threadIdx.x; /* in vectors */
	const int whole = n / VEC;
	vector x[UNROLL], y[UNROLL];

	/* Neighbouring threads take neighbouring vectors: a warp reads one stretch of memory. */
#pragma unroll
	for (int u = 0; u < UNROLL; u++)
		if (first + u * BLOCK < whole) {
			x[u] = reinterpret_cast<const vector *>(a)[first + u * BLOCK];
			y[u] = reinterpret_cast<const vector *>(b)[first + u * BLOCK];
		}
#pragma unroll
	for (int u = 0; u < UNROLL; u++)
		if (first + u * BLOCK < whole) {
			for (int i = 0; i < VEC; i++)
				x[u].x[i] += y[u].x[i];
			reinterpret_cast<vector *>(c)[first + u * BLOCK] = x[u];
		}
	/* The thread after the last whole vector has the rest. */
	for (int u = 0; u < UNROLL; u++)
		if (first + u * BLOCK == whole)
			for (int i = whole * VEC; i < n; i++)
				c[i] = a[i] + b[i];
}

/* The plain answer that every variant is compared with; one element a thread, 256 a block. */
extern "C" __global__ void vector_add_reference(const float *a, const float *b, float *c, int n)
{
	const int i = blockIdx.x * blockDim.x + threadIdx.x;

	if (i < n)
		c[i] = a[i] + b[i];
}
