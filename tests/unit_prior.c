/* What an earlier search lets expect: its shape is taken over, as far as own results bear it out.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "tuner/search/prior.h"
#include "tuner/search/search.h"

enum { VALUES = 12, CELLS = VALUES * VALUES, TOLD = 64, BUDGET = 24 };

static uint16_t cells[CELLS][2];

/* Two parameters of twelve powers of two each. */
static struct space *a_space(void)
{
	struct space *s = space_new();
	struct value v[VALUES];
	struct err e;

	for (int k = 0; k < VALUES; k++)
		v[k] = value_int((int64_t)1 << k);
	assert_int_equal(space_add_param(s, "A", v, VALUES, &e), 0);
	assert_int_equal(space_add_param(s, "B", v, VALUES, &e), 0);
	for (int i = 0; i < CELLS; i++) {
		cells[i][0] = (uint16_t)(i % VALUES);
		cells[i][1] = (uint16_t)(i / VALUES);
	}
	return s;
}

/* A bowl whose bottom is at (9, 2), steep enough that few draws find it. */
static double bowl(const uint16_t *c)
{
	return 1 + 0.1 * ((c[0] - 9) * (c[0] - 9) + (c[1] - 2) * (c[1] - 2));
}

/* Each second cell, on a device that takes `factor` as long; or where the slow are fast. */
static void observe(struct observation *ret, double factor, bool inverted)
{
	for (int i = 0; i < TOLD; i++) {
		const uint16_t *c = cells[2 * i + i / 6 % 2];
		double score = inverted ? 1 / bowl(c) : bowl(c);

		ret[i] = (struct observation){ c, true, factor * score };
	}
}

static void its_mean_has_the_shape_of_the_earlier_results(void **state)
{
	struct observation past[TOLD];
	struct space *s = a_space();
	struct prior *p;

	(void)state;
	observe(past, 17, false);
	p = prior_new(s, past, TOLD, 0.7);
	assert_non_null(p);
	for (int i = 0; i < CELLS; i++)
		for (int k = 0; k < CELLS; k++)
			if (bowl(cells[i]) < 0.5 * bowl(cells[k]) && bowl(cells[i]) < 2 &&
			    cells[i][1] < 10 && cells[k][1] < 10 &&
			    prior_mean(p, cells[i]) >= prior_mean(p, cells[k]))
				fail_msg("(%d, %d): expected less than %.3f of (%d, %d), found "
					 "%.3f",
					 cells[i][0], cells[i][1], prior_mean(p, cells[k]),
					 cells[k][0], cells[k][1], prior_mean(p, cells[i]));
	prior_free(p);
	space_free(s);
}

static void too_little_to_go_by_gives_none(void **state)
{
	struct observation past[TOLD];
	struct space *s = a_space();

	(void)state;
	observe(past, 1, false);
	assert_null(prior_new(s, past, 3, 0.7));
	assert_null(prior_new(s, past, TOLD, 0));
	for (int i = 0; i < TOLD; i++)
		past[i].ok = i < 3;
	assert_null(prior_new(s, past, TOLD, 0.7));
	prior_free(NULL);
	space_free(s);
}

static void it_is_trusted_as_far_as_results_bear_it_out(void **state)
{
	const double expected[] = { 2, 1, -1, -2, 1, -1 };
	const double as_expected[] = { 1.2, 0.6, -0.6, -1.2, 0.6, -0.6 };
	const double against[] = { -1.2, -0.6, 0.6, 1.2, -0.6, 0.6 };
	struct observation past[TOLD];
	struct space *s = a_space();
	struct prior *p;

	(void)state;
	observe(past, 1, false);
	p = prior_new(s, past, TOLD, 0.7);
	assert_float_equal(prior_slope(p, expected, as_expected, 0).slope, 0.7, 1e-12);
	/* (4 * 0.7 + 12 * 0.6) / (4 + 12) */
	assert_float_equal(prior_slope(p, expected, as_expected, 6).slope, 0.625, 1e-12);
	assert_float_equal(prior_slope(p, expected, as_expected, 6).middle, 0, 1e-12);
	assert_true(prior_slope(p, expected, against, 6).slope == 0);
	prior_free(p);
	space_free(s);
}

/* Sums the score of the best over the evaluations of a search: the less, the sooner it was found.
 */
static double regret(const struct space *s, const struct observation *past, int n, uint64_t seed)
{
	const struct search_options o = {
		.seed = seed, .outstanding = 1, .past = past, .n_past = n
	};
	double best = HUGE_VAL, sum = 0;
	struct search *x;
	struct err e;

	assert_int_equal(search_new(s, &o, &x, &e), 0);
	for (int i = 0; i < BUDGET; i++) {
		struct proposal p;

		assert_true(search_ask(x, &p));
		best = fmin(best, bowl(p.config));
		sum += best;
		search_tell(x, &(struct told){ p.ask, NULL, true, bowl(p.config) });
	}
	search_free(x);
	return sum;
}

static void a_search_gains_by_one_that_was_alike_and_loses_little_by_one_that_misleads(void **state)
{
	struct observation alike[TOLD], inverted[TOLD];
	double cold = 0, guided = 0, misled = 0;
	struct space *s = a_space();

	(void)state;
	observe(alike, 100, false);
	observe(inverted, 1, true);
	for (uint64_t seed = 1; seed <= 10; seed++) {
		cold += regret(s, NULL, 0, seed);
		guided += regret(s, alike, TOLD, seed);
		misled += regret(s, inverted, TOLD, seed);
	}
	if (!(guided < cold) || !(misled < 1.25 * cold))
		fail_msg("sums of the best: %.1f cold, %.1f guided, %.1f misled", cold, guided,
			 misled);
	space_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_mean_has_the_shape_of_the_earlier_results),
		cmocka_unit_test(too_little_to_go_by_gives_none),
		cmocka_unit_test(it_is_trusted_as_far_as_results_bear_it_out),
		cmocka_unit_test(
			a_search_gains_by_one_that_was_alike_and_loses_little_by_one_that_misleads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
