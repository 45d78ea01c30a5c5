/* Which of two is faster, and how far a figure repeats. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "base/rng.h"
#include "runtime/paired.h"

static void close_to(double got, double want)
{
	if (fabs(got - want) > 1e-9 * fmax(1, fabs(want)))
		fail_msg("got %.17g, want %.17g", got, want);
}

static void is_verdict(enum paired_verdict got, enum paired_verdict want)
{
	if (got != want)
		fail_msg("got %s, want %s", paired_verdict_name(got), paired_verdict_name(want));
}

static void a_drift_of_both_cancels_in_their_ratio(void **state)
{
	enum { N = 20 };
	double a[N], b[N];
	struct paired p;

	(void)state;
	for (int i = 0; i < N; i++) {
		b[i] = 100 * (1 + 0.5 * i);
		a[i] = 0.9 * b[i];
	}
	paired_of(a, b, N, &p);
	assert_int_equal(p.rounds, N);
	close_to(p.ratio, 0.9);
	close_to(p.ci_low, 0.9);
	close_to(p.ci_high, 0.9);
}

static void the_interval_runs_between_order_statistics_of_the_ratios(void **state)
{
	double a[10], b[10];
	struct paired p;

	(void)state;
	for (int i = 0; i < 10; i++) {
		a[i] = 2.0 * ((i * 7) % 10 + 1);
		b[i] = 2;
	}
	paired_of(a, b, 10, &p);
	close_to(p.ratio, 5.5);
	close_to(p.ci_low, 2); /* ranks 2 and 9 of 10 */
	close_to(p.ci_high, 9);
}

/* Times that grow by a step from each measurement to the next: were A always first, it would look
 * faster. */
static void alternating_rounds_cancel_a_drift_within_them(void **state)
{
	enum { N = 40 };
	double a[N], b[N], now = 1000;
	struct paired p;

	(void)state;
	for (int i = 0; i < N; i++) {
		double first = now, second = now + 10;

		now += 20;
		a[i] = paired_a_first(i) ? first : second;
		b[i] = paired_a_first(i) ? second : first;
	}
	paired_of(a, b, N, &p);
	assert_true(p.ci_low < 1 && p.ci_high > 1);
	is_verdict(paired_judge(&p, 0), PAIRED_SAME);
}

static void a_verdict_needs_both_the_interval_and_the_threshold(void **state)
{
	static const struct {
		struct paired p;
		double threshold;
		enum paired_verdict want;
	} table[] = {
		{ { 0.90, 0.89, 0.91, 20 }, 0.005, PAIRED_FASTER },
		{ { 1.10, 1.09, 1.11, 20 }, 0.005, PAIRED_SLOWER },
		{ { 0.90, 0.70, 1.01, 20 }, 0.005, PAIRED_SAME },
		{ { 1.10, 0.99, 1.30, 20 }, 0.005, PAIRED_SAME },
		{ { 1.004, 1.003, 1.006, 20 }, 0.005, PAIRED_SAME },
		{ { 1.004, 1.003, 1.006, 20 }, 0.001, PAIRED_SLOWER },
		{ { 0.996, 0.995, 0.997, 20 }, 0.005, PAIRED_SAME },
		{ { 0.996, 0.995, 0.997, 20 }, 0.001, PAIRED_FASTER },
		{ { 1, 1, 1, 20 }, 0, PAIRED_SAME },
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		is_verdict(paired_judge(&table[i].p, table[i].threshold), table[i].want);
}

static void rounds_go_on_until_the_interval_is_tight_for_what_it_shows(void **state)
{
	static const struct paired tight = { 1.001, 0.999, 1.003, PAIRED_ROUNDS_MIN };
	static const struct paired few = { 1.001, 0.999, 1.003, PAIRED_ROUNDS_MIN - 1 };
	static const struct paired low = { 1.001, 0.990, 1.003, 50 };
	static const struct paired high = { 1.001, 0.999, 1.010, 50 };
	static const struct paired far = { 10, 9.2, 10.8, PAIRED_ROUNDS_MIN };

	(void)state;
	assert_true(paired_settled(&tight, 0.0025));
	assert_false(paired_settled(&few, 0.0025));
	assert_false(paired_settled(&low, 0.0025));
	assert_false(paired_settled(&high, 0.0025));
	assert_true(paired_settled(&far, 0.0025));
}

/* A is as fast as B: how often is a difference seen that is not there? */
static void equals_are_rarely_told_apart(void **state)
{
	enum { REPEATS = 2000, N = 20 };
	struct rng r;
	int wrong = 0;

	(void)state;
	rng_init(&r, 3, 0);
	for (int i = 0; i < REPEATS; i++) {
		double a[N], b[N];
		struct paired p;

		for (int k = 0; k < N; k++) {
			a[k] = 100 * exp(0.02 * rng_normal(&r));
			b[k] = 100 * exp(0.02 * rng_normal(&r));
		}
		paired_of(a, b, N, &p);
		wrong += paired_judge(&p, 0) != PAIRED_SAME;
	}
	/* At most 4.2 % for n = 20; three deviations above are 5.5 %. */
	assert_in_range(wrong, 1, (int)(0.055 * REPEATS));
}

static void repeatability_of_known_samples(void **state)
{
	static const double x[] = { 99, 100, 101, 100 };
	struct repeatability r;

	(void)state;
	repeatability_of(x, 4, &r);
	close_to(r.median, 100);
	close_to(r.spread, 0.02);
	close_to(r.deviation, sqrt(2.0 / 3) / 100);
	if (fabs(r.limit / r.deviation - 2.7718) > 1e-4)
		fail_msg("limit over deviation: got %g, want 2.7718", r.limit / r.deviation);
}

/* Two of a normal distribution differ by more than the limit in 5 % of cases. */
static void one_pair_in_twenty_differs_by_more_than_the_limit(void **state)
{
	enum { N = 4000 };
	static double x[N];
	struct repeatability r;
	struct rng g;
	int beyond = 0;

	(void)state;
	rng_init(&g, 5, 0);
	for (int i = 0; i < N; i++)
		x[i] = 1000 + rng_normal(&g);
	repeatability_of(x, N, &r);
	for (int i = 0; i < N; i += 2)
		beyond += fabs(x[i] - x[i + 1]) > r.limit * r.median;
	assert_in_range(beyond, 70, 130); /* of 2000: 100, three deviations are 29 */
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_drift_of_both_cancels_in_their_ratio),
		cmocka_unit_test(the_interval_runs_between_order_statistics_of_the_ratios),
		cmocka_unit_test(alternating_rounds_cancel_a_drift_within_them),
		cmocka_unit_test(a_verdict_needs_both_the_interval_and_the_threshold),
		cmocka_unit_test(rounds_go_on_until_the_interval_is_tight_for_what_it_shows),
		cmocka_unit_test(equals_are_rarely_told_apart),
		cmocka_unit_test(repeatability_of_known_samples),
		cmocka_unit_test(one_pair_in_twenty_differs_by_more_than_the_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
