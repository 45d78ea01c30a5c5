/*
 * Single-precision matrix product on one CPU core: C[m][n] = A[m][k] B[k][n], all row-major.
 *
 * The usual three levels. Blocks of TILE_M x TILE_K of A and TILE_K x TILE_N of B are sized for the
 * caches; ORDER says which of the loops over blocks is outermost. Inside, a micro-tile of ROWS x
 * COLS vectors of C stays in registers while it runs through the depth of the block: each step
 * loads COLS vectors of B and broadcasts ROWS elements of A, so more of either means fewer loads
 * for an FMA until the registers run out. PACK copies a block of B into strips that the micro-tile
 * reads from front to back, which pays when the block is used often enough. What is left over at
 * the edges goes element by element; any m, n and k will do.
 */
#include <string.h>

#ifndef TILE_M /* rows of a block of A */
#define TILE_M 64
#endif
#ifndef TILE_N /* columns of a block of B */
#define TILE_N 128
#endif
#ifndef TILE_K /* depth of both */
#define TILE_K 128
#endif
#ifndef VEC /* floats in a vector: 1, 4, 8 or 16 */
#define VEC 8
#endif
#ifndef ROWS /* rows of a micro-tile */
#define ROWS 4
#endif
#ifndef COLS /* vectors in a row of a micro-tile */
#define COLS 2
#endif
#ifndef UNROLL /* steps of depth in one turn of the innermost loop */
#define UNROLL 4
#endif
#ifndef PACK /* 1: copy each block of B into strips first */
#define PACK 1
#endif
#ifndef ORDER /* outermost loop: 0 columns of B, 1 rows of A */
#define ORDER 0
#endif

#define WIDTH (VEC * COLS) /* columns of a micro-tile */

_Static_assert(TILE_M % ROWS == 0 && TILE_N % WIDTH == 0, "blocks hold whole micro-tiles");

#if VEC == 1
typedef float vec;
typedef float loose_vec;
#else
typedef float vec __attribute__((vector_size(VEC * 4)));
/* In memory: rows start anywhere, and they are floats to everybody else. */
typedef float loose_vec __attribute__((vector_size(VEC * 4), aligned(4), may_alias));
#endif

#define PRAGMA(text)	_Pragma(#text)
#define UNROLLED(count) PRAGMA(GCC unroll count)

static int least(int a, int b)
{
	return a < b ? a : b;
}

#if PACK
static float panel[TILE_K * TILE_N] __attribute__((aligned(64)));

/* Strip s holds columns s * WIDTH and on, one row of WIDTH behind the other. A partial strip at the
 * end is left out: the edge reads B itself. */
static void pack(const float *b, int n, int depth, int columns)
{
	float *to = panel;

	for (int j = 0; j + WIDTH <= columns; j += WIDTH)
		for (int p = 0; p < depth; p++, to += WIDTH)
			memcpy(to, b + p * n + j, WIDTH * sizeof *to);
}
#endif

static inline void micro_tile(const float *a, int lda, const float *b, int ldb, float *c, int ldc,
			      int depth)
{
	vec sum[ROWS][COLS];

	UNROLLED(8)
	for (int i = 0; i < ROWS; i++)
		UNROLLED(8)
	for (int j = 0; j < COLS; j++)
		sum[i][j] = *(const loose_vec *)(c + i * ldc + j * VEC);
	UNROLLED(UNROLL)
	for (int p = 0; p < depth; p++) {
		UNROLLED(8)
		for (int i = 0; i < ROWS; i++)
			UNROLLED(8)
		for (int j = 0; j < COLS; j++)
			sum[i][j] += a[i * lda + p] * *(const loose_vec *)(b + p * ldb + j * VEC);
	}
	UNROLLED(8)
	for (int i = 0; i < ROWS; i++)
		UNROLLED(8)
	for (int j = 0; j < COLS; j++)
		*(loose_vec *)(c + i * ldc + j * VEC) = sum[i][j];
}

struct block { /* of the product: where its parts start, and how large it is */
	const float *a, *b;
	float *c;
	int rows, columns, depth;
	int k, n; /* leading dimensions: of A, of B and C */
};

static void edge(const struct block *t, int row, int row_end, int column, int column_end)
{
	for (int i = row; i < row_end; i++) {
		for (int j = column; j < column_end; j++) {
			float sum = t->c[i * t->n + j];

			for (int p = 0; p < t->depth; p++)
				sum += t->a[i * t->k + p] * t->b[p * t->n + j];
			t->c[i * t->n + j] = sum;
		}
	}
}

static void multiply(const struct block *t)
{
	int rows = t->rows - t->rows % ROWS, columns = t->columns - t->columns % WIDTH;

	for (int j = 0; j < columns; j += WIDTH) {
#if PACK
		const float *b = panel + j * t->depth;
		int ldb = WIDTH;
#else
		const float *b = t->b + j;
		int ldb = t->n;
#endif
		for (int i = 0; i < rows; i += ROWS)
			micro_tile(t->a + i * t->k, t->k, b, ldb, t->c + i * t->n + j, t->n,
				   t->depth);
	}
	edge(t, 0, rows, columns, t->columns);
	edge(t, rows, t->rows, 0, t->columns);
}

void sgemm(const float *a, const float *b, float *c, int m, int n, int k)
{
	struct block t = { .k = k, .n = n };

	memset(c, 0, sizeof *c * (size_t)m * (size_t)n);
#if ORDER == 1
	for (int i = 0; i < m; i += TILE_M)
#endif
		for (int j = 0; j < n; j += TILE_N)
			for (int p = 0; p < k; p += TILE_K) {
				t.columns = least(TILE_N, n - j);
				t.depth = least(TILE_K, k - p);
				t.b = b + p * n + j;
#if PACK
				pack(t.b, n, t.depth, t.columns);
#endif
#if ORDER == 0
				for (int i = 0; i < m; i += TILE_M)
#endif
				{
					t.rows = least(TILE_M, m - i);
					t.a = a + i * k + p;
					t.c = c + i * n + j;
					multiply(&t);
				}
			}
}
