#include "runtime/stats.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The caller's to free. */
static double *sorted_copy(const double *samples, int n)
{
	double *copy = mem_copy(samples, (size_t)n * sizeof *copy);

	assert(n >= 1 && n <= STATS_SAMPLES_MAX);
	qsort(copy, (size_t)n, sizeof *copy, compare_doubles);
	return copy;
}

/* Between the two nearest ranks, as NumPy's default: position p (n - 1), counted from 0. */
static double percentile(const double *sorted, int n, double p)
{
	double at = p * (n - 1);
	int below = (int)at;

	if (below + 1 >= n)
		return sorted[n - 1];
	return sorted[below] + (at - below) * (sorted[below + 1] - sorted[below]);
}

/*
 * The largest k such that [x(k), x(n + 1 - k)], ranks counted from 1, misses the median with at
 * most this chance: that of the median lying below x(k) is P(B <= k - 1) for B ~ Binomial(n, 1/2),
 * which may be half of it; the other end is symmetric. Logarithms keep 2^-n in range.
 */
static int interval_rank(int n, double miss)
{
	double below = 0;
	int k = 0;

	while (k < n / 2) {
		double log_p =
			lgamma(n + 1.0) - lgamma(k + 1.0) - lgamma(n - k + 1.0) - n * log(2.0);

		below += exp(log_p);
		if (below > miss / 2)
			break;
		k++;
	}
	return k > 0 ? k : 1;
}

static void interval(const double *sorted, int n, double miss, double *ret_low, double *ret_high)
{
	int k = interval_rank(n, miss);

	*ret_low = sorted[k - 1];
	*ret_high = sorted[n - k];
}

void stats_of(const double *samples, int n, struct stats *ret)
{
	double *sorted = sorted_copy(samples, n);
	double sum = 0, squares = 0;

	for (int i = 0; i < n; i++)
		sum += sorted[i];
	ret->mean = sum / n;
	for (int i = 0; i < n; i++)
		squares += (sorted[i] - ret->mean) * (sorted[i] - ret->mean);
	ret->stddev = n > 1 ? sqrt(squares / (n - 1)) : 0;
	ret->median = percentile(sorted, n, 0.5);
	ret->min = sorted[0];
	ret->p90 = percentile(sorted, n, 0.9);
	ret->p99 = percentile(sorted, n, 0.99);
	interval(sorted, n, 0.05, &ret->ci_low, &ret->ci_high);
	free(sorted);
}

void stats_interval(const double *samples, int n, double miss, double *ret_low, double *ret_high)
{
	double *sorted = sorted_copy(samples, n);

	interval(sorted, n, miss, ret_low, ret_high);
	free(sorted);
}

int stats_rounds(double miss)
{
	return (int)ceil(1 - log2(miss));
}

bool stats_settled(const double *samples, int n, int min, int max, double noise)
{
	struct stats s;

	if (n >= max || n < min || n < 1)
		return n >= max;
	stats_of(samples, n, &s);
	return s.ci_high - s.median <= noise * s.median && s.median - s.ci_low <= noise * s.median;
}

bool stats_hopeless(const double *samples, int n, double best_ns, double abort_factor)
{
	struct stats s;

	if (n < 3 || !(best_ns > 0) || !(abort_factor > 0))
		return false;
	stats_of(samples, n, &s);
	return s.ci_low > abort_factor * best_ns;
}

void stats_summarise(struct timing *t)
{
	struct stats s;

	stats_of(t->samples_ns, t->n_samples, &s);
	t->p50_ns = s.median;
	t->mean_ns = s.mean;
	t->stddev_ns = s.stddev;
	t->min_ns = s.min;
	t->p90_ns = s.p90;
	t->p99_ns = s.p99;
	t->ci_low_ns = s.ci_low;
	t->ci_high_ns = s.ci_high;
}
