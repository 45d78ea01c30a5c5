/*
 * Attention on dequantised bytes in double: the golden answer that proves the GPU reference of
 * src/kernels/sdpa. Scores of a row are kept, so that the largest is known before the first
 * exponential; S is at most ROWS_MAX.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#ifndef HEAD_DIM
#define HEAD_DIM 64
#endif

enum { ROWS_MAX = 16384 };

static double value(uint8_t u, float absmax)
{
	return (u - 128) / 127.0 * (absmax > 1e-6f ? absmax : 1.0);
}

/* Turns scores into weights that add up to 1. */
static void soften(double *x, int n)
{
	double max = x[0], sum = 0;

	for (int i = 1; i < n; i++)
		max = fmax(max, x[i]);
	for (int i = 0; i < n; i++)
		sum += x[i] = exp(x[i] - max);
	for (int i = 0; i < n; i++)
		x[i] /= sum;
}

struct head {
	const double *q, *k, *v;
	float *o;
};

static void attend_row(const struct head *h, int row, int s)
{
	static double weights[ROWS_MAX];
	const double *q = h->q + (long)row * HEAD_DIM;

	for (int n = 0; n < s; n++) {
		double dot = 0;

		for (int d = 0; d < HEAD_DIM; d++)
			dot += q[d] * h->k[(long)n * HEAD_DIM + d];
		weights[n] = dot / sqrt(HEAD_DIM);
	}
	soften(weights, s);
	for (int d = 0; d < HEAD_DIM; d++) {
		double sum = 0;

		for (int n = 0; n < s; n++)
			sum += weights[n] * h->v[(long)n * HEAD_DIM + d];
		h->o[(long)row * HEAD_DIM + d] = (float)sum;
	}
}

void sdpa_golden_values(const double *q, const double *k, const double *v, float *o, int b, int h,
			int s);
void sdpa_golden(const uint8_t *q, const uint8_t *k, const uint8_t *v, const float *qa,
		 const float *ka, const float *va, float *o, int b, int h, int s);

/* The same on values of any origin. */
void sdpa_golden_values(const double *q, const double *k, const double *v, float *o, int b, int h,
			int s)
{
	if (s > ROWS_MAX)
		return; /* the output stays unwritten, which fails every gate */
	for (int i = 0; i < b * h; i++) {
		long at = (long)i * s * HEAD_DIM;
		struct head head = { .q = q + at, .k = k + at, .v = v + at, .o = o + at };

		for (int row = 0; row < s; row++)
			attend_row(&head, row, s);
	}
}

/* Values of all heads. */
static double *dequantise(const uint8_t *u, const float *absmax, int heads, long each)
{
	double *x = malloc((size_t)heads * (size_t)each * sizeof *x);

	for (long i = 0; x && i < heads * each; i++)
		x[i] = value(u[i], absmax[i / each]);
	return x;
}

void sdpa_golden(const uint8_t *q, const uint8_t *k, const uint8_t *v, const float *qa,
		 const float *ka, const float *va, float *o, int b, int h, int s)
{
	long each = (long)s * HEAD_DIM;
	double *x = dequantise(q, qa, b * h, each), *y = dequantise(k, ka, b * h, each);
	double *z = dequantise(v, va, b * h, each);

	if (x && y && z)
		sdpa_golden_values(x, y, z, o, b, h, s);
	free(x);
	free(y);
	free(z);
}
