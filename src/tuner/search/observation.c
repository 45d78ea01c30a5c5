#include "tuner/search/observation.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

/* Of how much slower than the knee a score is, so much counts. */
static const double slow_slope = 0.2;

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

/* At the 0.6 quantile and a quarter of its distance from the best. */
static double find_knee(const struct observation *o, int n)
{
	double *sorted = mem_array((size_t)n, sizeof *sorted);
	double knee = 0;
	int k = 0;

	for (int i = 0; i < n; i++)
		if (o[i].ok)
			sorted[k++] = log(o[i].score);
	qsort(sorted, (size_t)k, sizeof *sorted, ascending);
	if (k > 0) {
		double upper = sorted[(int)(0.6 * (k - 1) + 0.5)];

		knee = fmin(upper + 0.25 * (upper - sorted[0]), sorted[k - 1]);
	}
	free(sorted);
	return knee;
}

static double bend(double x, double knee)
{
	return x < knee ? x : knee + slow_slope * (x - knee);
}

void observation_targets(const struct observation *o, int n, double *ret)
{
	double knee = find_knee(o, n);
	double mean = 0;
	double square = 0;
	double scale;

	for (int i = 0; i < n; i++) {
		ret[i] = o[i].ok ? bend(log(o[i].score), knee) : knee;
		mean += ret[i] / n;
	}
	for (int i = 0; i < n; i++)
		square += (ret[i] - mean) * (ret[i] - mean) / n;
	scale = square > 1e-18 ? 1 / sqrt(square) : 0;
	for (int i = 0; i < n; i++)
		ret[i] = (ret[i] - mean) * scale;
}

/* The score that is number k from the best, infinite when fewer are ok. */
static double score_of_rank(const struct observation *o, int n, int k)
{
	double *best = mem_array((size_t)k + 1, sizeof *best);
	double ret;
	int have = 0;

	for (int i = 0; i < n; i++) {
		int at = have;

		if (!o[i].ok || (have == k && o[i].score >= best[k - 1]))
			continue;
		for (; at > 0 && o[i].score < best[at - 1]; at--)
			best[at] = best[at - 1];
		best[at] = o[i].score;
		have += have < k;
	}
	ret = have == k ? best[k - 1] : INFINITY;
	free(best);
	return ret;
}

int observation_thin(struct observation *o, int n, int limit)
{
	int half = limit / 2;
	int others = n - half;
	int sampled = 0;
	int seen = 0;
	int kept = 0;
	double level;

	if (n <= limit || half < 1)
		return n;
	level = score_of_rank(o, n, half);
	for (int i = 0; i < n; i++) {
		if (o[i].ok && o[i].score <= level && half > 0) {
			o[kept++] = o[i];
			half--;
			continue;
		}
		if ((int64_t)++seen * (limit - limit / 2) >= (int64_t)(sampled + 1) * others) {
			o[kept++] = o[i];
			sampled++;
		}
	}
	return kept;
}
