#include "runtime/paired.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "runtime/stats.h"

const char *paired_verdict_name(enum paired_verdict v)
{
	switch (v) {
	case PAIRED_FASTER:
		return "FASTER";
	case PAIRED_SLOWER:
		return "SLOWER";
	case PAIRED_SAME:
		return "SAME";
	}
	abort();
}

bool paired_a_first(int round)
{
	return round % 2 == 0;
}

void paired_of(const double *a, const double *b, int n, struct paired *ret)
{
	paired_within(a, b, n, 0.05, ret);
}

void paired_within(const double *a, const double *b, int n, double miss, struct paired *ret)
{
	double *ratios = mem_array((size_t)n, sizeof *ratios);
	struct stats s;

	for (int i = 0; i < n; i++) {
		assert(a[i] > 0 && b[i] > 0);
		ratios[i] = a[i] / b[i];
	}
	stats_of(ratios, n, &s);
	*ret = (struct paired){ .ratio = s.median, .rounds = n };
	stats_interval(ratios, n, miss, &ret->ci_low, &ret->ci_high);
	free(ratios);
}

bool paired_settled(const struct paired *p, double precision)
{
	double room = fmax(precision * p->ratio, fabs(p->ratio - 1) / 10);

	return p->rounds >= PAIRED_ROUNDS_MIN && p->ci_high - p->ratio <= room &&
	       p->ratio - p->ci_low <= room;
}

enum paired_verdict paired_judge(const struct paired *p, double threshold)
{
	if ((p->ci_low <= 1 && p->ci_high >= 1) || fabs(p->ratio - 1) < threshold)
		return PAIRED_SAME;
	return p->ratio < 1 ? PAIRED_FASTER : PAIRED_SLOWER;
}

void repeatability_of(const double *samples, int n, struct repeatability *ret)
{
	double max = samples[0];
	struct stats s;

	assert(n >= 2);
	for (int i = 1; i < n; i++)
		max = fmax(max, samples[i]);
	stats_of(samples, n, &s);
	ret->median = s.median;
	ret->spread = (max - s.min) / s.median;
	ret->deviation = s.stddev / s.median;
	ret->limit = 1.959964 * sqrt(2) * ret->deviation;
}
