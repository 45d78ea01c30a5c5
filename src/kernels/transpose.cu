/*
 * Transposes a matrix of floats: the teaching example of README.md's tutorial. Nothing is computed,
 * so that all there is to tune is how memory is walked.
 *
 * STAGED=0 is what one writes first. Neighbouring threads read neighbouring elements of a row,
 * which is as it should be, and write them to different rows of the result, so that each write
 * touches a piece of memory of its own and most of the bandwidth is lost. STAGED=1 carries a tile
 * through shared memory and walks along rows on both sides. Reading the tile by columns then makes
 * lanes of a warp wait for each other at the same bank of shared memory, unless rows are PADded.
 *
 * Block: TILE / VEC * ROWS threads, a tile each; grid: tiles along the columns, along the rows.
 */
#ifndef TILE /* rows and columns of a block's tile */
#define TILE 32
#endif
#ifndef ROWS /* rows of the tile that a block moves at a time */
#define ROWS 8
#endif
#ifndef VEC /* floats a thread loads and stores at once: 1, 2 or 4 (STAGED=1 only) */
#define VEC 1
#endif
#ifndef PAD /* floats added to a row of the tile (STAGED=1 only) */
#define PAD 0
#endif
#ifndef STAGED /* 1: through shared memory */
#define STAGED 0
#endif
#define LANES (TILE / VEC) /* threads beside each other along a row of the tile */

static_assert(TILE % VEC == 0 && TILE % ROWS == 0, "a tile is moved in whole vectors and rows");
static_assert(STAGED || (VEC == 1 && PAD == 0), "both are of the tile in shared memory");

struct alignas(4 * VEC) vector {
	float x[VEC];
};

/* The VEC elements from a column on; what lies right of the matrix is 0. */
static __device__ vector load(const float *row, int column, int columns)
{
	vector v;

	if (columns % VEC == 0 && column < columns) /* rows begin where a vector may */
		return *reinterpret_cast<const vector *>(row + column);
	for (int i = 0; i < VEC; i++)
		v.x[i] = column + i < columns ? row[column + i] : 0.0f;
	return v;
}

static __device__ void store(float *row, int column, int columns, const vector &v)
{
	if (columns % VEC == 0 && column < columns)
		*reinterpret_cast<vector *>(row + column) = v;
	else
		for (int i = 0; i < VEC; i++)
			if (column + i < columns)
				row[column + i] = v.x[i];
}

/* out[c][r] = in[r][c] for an in of rows x columns. */
extern "C" __global__ void __launch_bounds__(LANES *ROWS)
	transpose(const float *in, float *out, int rows, int columns)
{
	const int x = threadIdx.x % LANES * VEC, y = threadIdx.x / LANES;
	const int left = blockIdx.x * TILE, top = blockIdx.y * TILE; /* of the tile in `in` */

#if STAGED
	__shared__ float tile[TILE][TILE + PAD];

#pragma unroll
	for (int r = y; r < TILE; r += ROWS)
		if (top + r < rows) {
			const vector v = load(in + (size_t)(top + r) * columns, left + x, columns);

			for (int i = 0; i < VEC; i++)
				tile[r][x + i] = v.x[i];
		}
	__syncthreads();
#pragma unroll
	for (int c = y; c < TILE; c += ROWS)
		if (left + c < columns) {
			vector v;

			for (int i = 0; i < VEC; i++)
				v.x[i] = tile[x + i][c];
			store(out + (size_t)(left + c) * rows, top + x, rows, v);
		}
#else
#pragma unroll
	for (int r = y; r < TILE; r += ROWS)
		if (top + r < rows && left + x < columns)
			out[(size_t)(left + x) * rows + top + r] =
				in[(size_t)(top + r) * columns + left + x];
#endif
}

/* The plain answer: one element a thread, 256 a block. */
extern "C" __global__ void transpose_reference(const float *in, float *out, int rows, int columns)
{
	const size_t i = (size_t)blockIdx.x * 256 + threadIdx.x;

	if (i < (size_t)rows * columns)
		out[i % columns * rows + i / columns] = in[i];
}
