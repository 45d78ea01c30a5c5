/* Medians, their intervals, and the rules for stopping. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "base/rng.h"
#include "runtime/stats.h"

static void close_to(double got, double want)
{
	if (fabs(got - want) > 1e-12 * fmax(1, fabs(want)))
		fail_msg("got %.17g, want %.17g", got, want);
}

static void figures_of_a_known_sample(void **state)
{
	static const double x[] = { 9, 1, 8, 2, 7, 3, 6, 4, 5, 10 };
	struct stats s;

	(void)state;
	stats_of(x, 10, &s);
	close_to(s.median, 5.5);
	close_to(s.mean, 5.5);
	close_to(s.stddev, sqrt(82.5 / 9));
	close_to(s.min, 1);
	close_to(s.p90, 9.1);
	close_to(s.p99, 9.91);
	/* n = 10: ranks 2 and 9 (Conover's table A3; coverage 97.85 %). */
	close_to(s.ci_low, 2);
	close_to(s.ci_high, 9);
}

/* Ranks from tables of the binomial distribution: n, lower rank at 95 %. */
static void interval_ranks_agree_with_the_tables(void **state)
{
	static const int table[][2] = { { 1, 1 },   { 5, 1 },	{ 6, 1 },   { 8, 1 },  { 9, 2 },
					{ 11, 2 },  { 12, 3 },	{ 15, 4 },  { 20, 6 }, { 25, 8 },
					{ 30, 10 }, { 50, 18 }, { 100, 40 } };
	double x[100];
	struct stats s;

	(void)state;
	for (int i = 0; i < 100; i++)
		x[i] = i + 1;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		stats_of(x, table[i][0], &s);
		close_to(s.ci_low, table[i][1]);
		close_to(s.ci_high, table[i][0] + 1 - table[i][1]);
	}
}

static void the_interval_covers_the_median_as_often_as_promised(void **state)
{
	enum { ROUNDS = 4000, N = 15 };
	struct rng r;
	int covered = 0;

	(void)state;
	rng_init(&r, 1, 0);
	for (int i = 0; i < ROUNDS; i++) {
		double x[N];
		struct stats s;

		for (int k = 0; k < N; k++)
			x[k] = exp(rng_normal(&r)); /* skewed; its median is 1 */
		stats_of(x, N, &s);
		covered += s.ci_low <= 1 && 1 <= s.ci_high;
	}
	/* Exactly 96.5 % for n = 15; three deviations below are 95.6 %. */
	assert_in_range(covered, (int)(0.956 * ROUNDS), ROUNDS);
}

static void one_sample_is_its_own_figure(void **state)
{
	double x = 3;
	struct stats s;

	(void)state;
	stats_of(&x, 1, &s);
	close_to(s.median, 3);
	close_to(s.stddev, 0);
	close_to(s.p99, 3);
	close_to(s.ci_low, 3);
	close_to(s.ci_high, 3);
}

static void the_largest_number_of_samples_is_taken(void **state)
{
	static double x[STATS_SAMPLES_MAX];
	struct stats s;

	(void)state;
	for (int i = 0; i < STATS_SAMPLES_MAX; i++)
		x[i] = (i * 2749) % STATS_SAMPLES_MAX;
	stats_of(x, STATS_SAMPLES_MAX, &s);
	close_to(s.median, (STATS_SAMPLES_MAX - 1) / 2.0);
	assert_true(s.ci_low > s.median - 70 && s.ci_low < s.median - 50);
}

static void sampling_stops_when_tight_and_at_its_limit(void **state)
{
	static const double quiet[] = { 100, 100.1, 99.9, 100, 100.2, 99.8, 100, 100 };
	static const double noisy[] = { 100, 150, 80, 120, 90, 110, 70, 130 };

	(void)state;
	assert_true(stats_settled(quiet, 8, 5, 50, 0.005));
	assert_false(stats_settled(quiet, 4, 5, 50, 0.005));
	assert_false(stats_settled(noisy, 8, 5, 50, 0.005));
	assert_true(stats_settled(noisy, 8, 5, 8, 0.005));
	assert_false(stats_settled(noisy, 0, 5, 8, 0.005));
}

static void only_the_clearly_slower_are_hopeless(void **state)
{
	static const double slow[] = { 200, 201, 199 };
	static const double mixed[] = { 200, 120, 199 };

	(void)state;
	assert_true(stats_hopeless(slow, 3, 100, 1.5));
	assert_false(stats_hopeless(slow, 2, 100, 1.5));
	assert_false(stats_hopeless(mixed, 3, 100, 1.5));
	assert_false(stats_hopeless(slow, 3, 100, 2));
	assert_false(stats_hopeless(slow, 3, 0, 1.5));
	assert_false(stats_hopeless(slow, 3, 100, 0));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(figures_of_a_known_sample),
		cmocka_unit_test(interval_ranks_agree_with_the_tables),
		cmocka_unit_test(the_interval_covers_the_median_as_often_as_promised),
		cmocka_unit_test(one_sample_is_its_own_figure),
		cmocka_unit_test(the_largest_number_of_samples_is_taken),
		cmocka_unit_test(sampling_stops_when_tight_and_at_its_limit),
		cmocka_unit_test(only_the_clearly_slower_are_hopeless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
