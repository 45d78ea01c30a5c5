#include "tuner/search/observation.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Scores are cut at their 0.6 quantile and half of its distance from the best. */
static double clip_level(const struct observation *o, int n)
{
	double *sorted = mem_array((size_t)n, sizeof *sorted);
	double level = 0;
	int k = 0;

	for (int i = 0; i < n; i++)
		if (o[i].ok)
			sorted[k++] = log(o[i].score);
	qsort(sorted, (size_t)k, sizeof *sorted, ascending);
	if (k > 0) {
		double upper = sorted[(int)(0.6 * (k - 1) + 0.5)];

		level = fmin(upper + 0.5 * (upper - sorted[0]), sorted[k - 1]);
	}
	free(sorted);
	return level;
}

void observation_targets(const struct observation *o, int n, double *ret)
{
	double level = clip_level(o, n);
	double mean = 0;
	double square = 0;
	double scale;

	for (int i = 0; i < n; i++) {
		ret[i] = o[i].ok ? fmin(log(o[i].score), level) : level;
		mean += ret[i] / n;
	}
	for (int i = 0; i < n; i++)
		square += (ret[i] - mean) * (ret[i] - mean) / n;
	scale = square > 1e-18 ? 1 / sqrt(square) : 0;
	for (int i = 0; i < n; i++)
		ret[i] = (ret[i] - mean) * scale;
}
