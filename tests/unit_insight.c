/* What trials say of parameters, alone and together, on responses that are known. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "tuner/search/insight.h"
#include "tuner/search/interaction.h"

enum { PARAMS = 4, VALUES = 4, TRIALS = 80 };

static struct space *grid(void)
{
	struct space *s = space_new();
	struct value v[VALUES];
	char name[16];
	struct err e;

	for (int i = 0; i < VALUES; i++)
		v[i] = value_int((int64_t)1 << i);
	for (int p = 0; p < PARAMS; p++) {
		snprintf(name, sizeof name, "P%d", p);
		assert_int_equal(space_add_param(s, name, v, VALUES, &e), 0);
	}
	return s;
}

struct trials {
	uint16_t config[TRIALS][PARAMS];
	struct observation seen[TRIALS];
};

typedef double response(const uint16_t *config, struct rng *r);

static void observe(struct trials *t, response *f)
{
	struct rng r;

	rng_init(&r, 7, 0);
	for (int i = 0; i < TRIALS; i++) {
		for (int p = 0; p < PARAMS; p++)
			t->config[i][p] = (uint16_t)rng_below(&r, VALUES);
		t->seen[i] = (struct observation){ t->config[i], true, exp(f(t->config[i], &r)) };
	}
}

/* P0 and P1 want to be equal, which neither does by itself; P2 counts alone; P3 does nothing. */
static double matched(const uint16_t *c, struct rng *r)
{
	return fabs((double)c[0] - c[1]) + 0.4 * c[2] + 0.01 * rng_normal(r);
}

static double noise(const uint16_t *c, struct rng *r)
{
	(void)c;
	return rng_normal(r);
}

static void two_parameters_that_must_match_are_found_together(void **state)
{
	struct space *s = grid();
	struct interactions x;
	struct trials t;

	(void)state;
	observe(&t, matched);
	assert_true(interactions_learn(&x, s, t.seen, TRIALS));
	assert_int_equal(x.n, PARAMS * (PARAMS - 1) / 2);
	assert_int_equal(x.pair[0].first, 0);
	assert_int_equal(x.pair[0].second, 1);
	assert_true(x.pair[0].share > 0.2);
	assert_true(x.pair[1].share < 0.1);
	assert_true(x.alone[2] > 0.1 && x.alone[2] > 3 * x.alone[3]);
	assert_true(x.together[0] > x.alone[0] + 0.2);
	assert_true(x.together[3] < 0.1);
	for (int i = 1; i < x.n; i++)
		assert_true(x.pair[i].share <= x.pair[i - 1].share);
	interactions_release(&x);
	space_free(s);
}

static void nothing_is_learnt_where_everything_failed(void **state)
{
	struct space *s = grid();
	struct interactions x;
	struct trials t;

	(void)state;
	observe(&t, matched);
	for (int i = 0; i < TRIALS; i++)
		t.seen[i].ok = false;
	assert_false(interactions_learn(&x, s, t.seen, TRIALS));
	assert_int_equal(x.n, 0);
	interactions_release(&x);
	assert_false(interactions_learn(&x, s, t.seen, 0));
	interactions_release(&x);
	space_free(s);
}

static void equal_times_say_nothing(void **state)
{
	struct space *s = grid();
	struct interactions x;
	struct trials t;

	(void)state;
	observe(&t, matched);
	for (int i = 0; i < TRIALS; i++)
		t.seen[i].score = 5;
	interactions_learn(&x, s, t.seen, TRIALS);
	for (int p = 0; p < PARAMS; p++)
		assert_true(x.alone[p] == 0);
	interactions_release(&x);
	space_free(s);
}

/* The 95 % interval of a mean that is 0 covers 0 in about 95 of 100 values: here 16 of them. */
static void intervals_cover_what_is_not_there(void **state)
{
	struct space *s = grid();
	struct insight x;
	struct trials t;
	int covered = 0;

	(void)state;
	observe(&t, noise);
	insight_init(&x, s);
	insight_learn(&x, t.seen, TRIALS, NULL);
	for (int p = 0; p < PARAMS; p++) {
		assert_true(x.param[p].importance < 0.15);
		for (int v = 0; v < VALUES; v++) {
			const struct insight_value *value = &x.param[p].value[v];

			assert_true(value->error > 0.2 && value->error < 1);
			covered += fabs(value->effect) <= value->error;
		}
	}
	assert_in_range(covered, 13, 16);
	insight_release(&x);
	space_free(s);
}

static void an_effect_that_is_there_stands_outside_its_interval(void **state)
{
	struct space *s = grid();
	struct insight x;
	struct trials t;

	(void)state;
	observe(&t, matched);
	insight_init(&x, s);
	insight_learn(&x, t.seen, TRIALS, NULL);
	assert_int_equal(x.param[2].best, 0);
	assert_true(x.param[2].value[0].effect + x.param[2].value[0].error < 0);
	insight_learn(&x, t.seen, 1, NULL);
	assert_true(isinf(x.param[2].value[0].error));
	insight_release(&x);
	space_free(s);
}

static void a_share_is_adjusted_for_the_number_of_groups(void **state)
{
	const double apart[] = { -4, 4 }, one[] = { 0.0 }, single[] = { -1, 1, -1, 1 };
	const int four[] = { 4, 4 }, eight[] = { 8 }, each[] = { 1, 1, 1, 1 };

	(void)state;
	assert_true(fabs(insight_share(apart, four, 2, 8) - 1) < 1e-12);
	assert_true(insight_share(one, eight, 1, 8) == 0);
	assert_true(insight_share(single, each, 4, 4) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_parameters_that_must_match_are_found_together),
		cmocka_unit_test(nothing_is_learnt_where_everything_failed),
		cmocka_unit_test(equal_times_say_nothing),
		cmocka_unit_test(intervals_cover_what_is_not_there),
		cmocka_unit_test(an_effect_that_is_there_stands_outside_its_interval),
		cmocka_unit_test(a_share_is_adjusted_for_the_number_of_groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
