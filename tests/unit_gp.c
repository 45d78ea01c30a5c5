/* The Gaussian process of a search: what it predicts, learns and finds most promising. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tuner/search/field.h"
#include "tuner/search/kinship.h"

enum { SIDE = 6, CELLS = SIDE * SIDE };

static struct space *square_space(void)
{
	struct space *s = space_new();
	struct value v[SIDE];
	struct err e;

	for (int i = 0; i < SIDE; i++)
		v[i] = value_int((int64_t)1 << i);
	assert_int_equal(space_add_param(s, "A", v, SIDE, &e), 0);
	assert_int_equal(space_add_param(s, "B", v, SIDE, &e), 0);
	return s;
}

static uint16_t cells[CELLS][2];
static const bool all_told[CELLS];

static void fill_cells(void)
{
	for (uint16_t i = 0; i < CELLS; i++) {
		cells[i][0] = i / SIDE;
		cells[i][1] = i % SIDE;
	}
}

/* Only A matters. */
static double slope(const uint16_t *config)
{
	return sin(config[0] * 1.3);
}

static void begin(struct gp *g, struct field *f, const struct space *s)
{
	fill_cells();
	gp_init(g, s, CELLS);
	field_init(f, 2, CELLS);
	for (int i = 0; i < CELLS; i++)
		field_add(f, cells[i]);
}

static void end(struct gp *g, struct field *f, struct space *s)
{
	gp_release(g);
	field_release(f);
	space_free(s);
}

static void what_was_told_is_predicted_and_not_doubted(void **state)
{
	struct space *s = square_space();
	double target[CELLS];
	double whitened[CELLS];
	struct field f;
	struct gp g;

	(void)state;
	begin(&g, &f, s);
	for (int i = 0; i < CELLS; i += 5) {
		target[g.n] = slope(cells[i]);
		gp_add(&g, cells[i]);
	}
	gp_whiten(&g, target, all_told, whitened);
	field_predict(&f, &g, whitened);
	for (int i = 0; i < CELLS; i++) {
		float doubt = 1 - f.square[i];

		assert_true(doubt > -1e-4F && doubt <= 1);
		if (i % 5 == 0) {
			assert_true(fabs((double)f.mean[i] - slope(cells[i])) < 0.02);
			assert_true(doubt < 0.01F);
		} else {
			assert_true(doubt > 0.01F);
		}
	}
	end(&g, &f, s);
}

static void points_added_one_by_one_predict_as_all_at_once(void **state)
{
	struct space *s = square_space();
	double target[CELLS];
	double whitened[CELLS];
	struct field slow;
	struct field fast;
	struct gp g;

	(void)state;
	begin(&g, &slow, s);
	field_init(&fast, 2, CELLS);
	for (int i = 0; i < CELLS; i++)
		field_add(&fast, cells[i]);
	for (int i = 0; i < CELLS; i += 3) {
		target[g.n] = slope(cells[i]);
		gp_add(&g, cells[i]);
		gp_whiten(&g, target, all_told, whitened);
		field_predict(&slow, &g, whitened);
	}
	field_predict(&fast, &g, whitened);
	assert_memory_equal(slow.mean, fast.mean, CELLS * sizeof *slow.mean);
	assert_memory_equal(slow.square, fast.square, CELLS * sizeof *slow.square);
	field_release(&fast);
	end(&g, &slow, s);
}

static void an_expected_point_counts_as_a_little_worse_and_takes_the_doubt(void **state)
{
	const bool expected[] = { false, false, true };
	const double target[] = { -1, 1, 99 };
	struct space *s = square_space();
	double whitened[3];
	struct field f;
	struct gp g;
	double deviation, worse;
	float mean;
	float square;

	(void)state;
	begin(&g, &f, s);
	gp_add(&g, cells[0]);
	gp_add(&g, cells[35]);
	gp_whiten(&g, target, expected, whitened);
	field_predict(&f, &g, whitened);
	mean = f.mean[14];
	square = f.square[14];
	gp_add(&g, cells[14]);
	deviation = sqrt(gp_whiten(&g, target, expected, whitened) * (1 - (double)square));
	field_predict(&f, &g, whitened);
	worse = (double)(f.mean[14] - mean) / deviation;
	assert_true(worse > 0.1 && worse < 0.5);
	assert_true(f.square[14] > square && f.square[14] > 0.99F);
	end(&g, &f, s);
}

static void a_fit_tells_the_parameter_that_matters_from_the_one_that_does_not(void **state)
{
	const uint16_t *point[CELLS];
	struct space *s = square_space();
	double target[CELLS];
	struct field f;
	struct gp g;

	(void)state;
	begin(&g, &f, s);
	for (int i = 0; i < CELLS; i++) {
		point[i] = cells[i];
		target[i] = slope(cells[i]);
	}
	for (int i = 0; i < 4; i++)
		gp_fit(&g, point, target, CELLS);
	assert_true(g.covariance.param[1].length > 3 * g.covariance.param[0].length);
	assert_true(g.covariance.param[1].weight < g.covariance.param[0].weight);
	end(&g, &f, s);
}

static bool is_taken(void *ctx, const uint16_t *config)
{
	const bool *taken = ctx;

	return taken[config[0] * SIDE + config[1]];
}

static void the_choice_is_where_improvement_is_expected_and_not_taken(void **state)
{
	const double target[] = { -1, 1 };
	struct space *s = square_space();
	bool taken[CELLS] = { [0] = true, [35] = true };
	struct field_aim aim = { .best = -1, .greed = 1, .taken = is_taken, .ctx = taken };
	double whitened[2];
	struct field f;
	struct gp g;
	int n = 0;

	(void)state;
	begin(&g, &f, s);
	gp_add(&g, cells[0]);
	gp_add(&g, cells[35]);
	aim.variance = gp_whiten(&g, target, all_told, whitened);
	field_predict(&f, &g, whitened);
	for (int i; (i = field_choose(&f, &aim)) >= 0; n++) {
		assert_false(taken[i]);
		if (n == 0)
			assert_true(cells[i][0] + cells[i][1] < SIDE);
		taken[i] = true;
	}
	assert_int_equal(n, CELLS - 2);
	aim.best = -100;
	memset(taken, 0, sizeof taken);
	assert_int_equal(field_choose(&f, &aim), -1);
	end(&g, &f, s);
}

static void what_is_a_configurations_own_weighs_for_the_best_mean(void **state)
{
	const double target[] = { -1, 1 };
	struct space *s = square_space();
	const bool taken[CELLS] = { [0] = true, [35] = true };
	struct field_aim aim = {
		.best = -1, .greed = 3, .taken = is_taken, .ctx = (void *)(uintptr_t)taken
	};
	double whitened[2];
	struct field f;
	struct gp g;
	int doubtful, good;

	(void)state;
	begin(&g, &f, s);
	gp_add(&g, cells[0]);
	gp_add(&g, cells[35]);
	aim.variance = gp_whiten(&g, target, all_told, whitened);
	field_predict(&f, &g, whitened);
	doubtful = field_choose(&f, &aim);
	aim.nugget = 1e4;
	good = field_choose(&f, &aim);
	assert_true(f.mean[good] < f.mean[doubtful]);
	assert_true(f.square[good] > f.square[doubtful]);
	for (int i = 1; i < CELLS; i++)
		assert_true(taken[i] || f.mean[i] >= f.mean[good]);
	end(&g, &f, s);
}

static void two_values_are_more_alike_at_first_than_the_ends_of_a_long_list(void **state)
{
	struct space *s = square_space();
	const struct value two[] = { value_int(0), value_int(1) };
	const uint16_t a[] = { 0, 0, 0 }, ends[] = { 5, 0, 0 }, switched[] = { 0, 0, 1 };
	struct covariance c;
	struct err e;

	(void)state;
	assert_int_equal(space_add_param(s, "C", two, 2, &e), 0);
	covariance_init(&c, s);
	assert_true(covariance_of(&c, a, ends) < 0.3);
	assert_true(covariance_of(&c, a, switched) > 0.6);
	covariance_release(&c);
	space_free(s);
}

static void kinship_names_the_operator_and_the_parents(void **state)
{
	static const struct {
		uint16_t config[4];
		enum search_op op;
		int parents[2];
	} cases[] = {
		{ { 1, 1, 2, 2 }, SEARCH_OP_CROSSOVER, { 0, 1 } },
		{ { 1, 1, 1, 3 }, SEARCH_OP_NEIGHBOUR, { 0, -1 } },
		{ { 2, 3, 2, 3 }, SEARCH_OP_MUTATE, { 1, -1 } },
		{ { 3, 3, 3, 1 }, SEARCH_OP_IMMIGRANT, { -1, -1 } },
	};
	const uint16_t elites[2][4] = { { 1, 1, 1, 1 }, { 2, 2, 2, 2 } };
	struct space *s = space_new();
	struct archive a;
	struct err e;

	(void)state;
	for (int i = 0; i < 4; i++) {
		const struct value v[] = { value_int(1), value_int(2), value_int(3), value_int(4) };
		const char name[] = { (char)('A' + i), 0 };

		assert_int_equal(space_add_param(s, name, v, 4, &e), 0);
	}
	archive_init(&a, s, 6);
	for (int i = 0; i < 2; i++) {
		archive_ask(&a, elites[i], 0);
		archive_tell(&a, &(struct told){ .ask = i, .ok = true, .score = i + 1 });
	}
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct draft d;

		memcpy(d.config, cases[i].config, sizeof cases[i].config);
		kinship_find(&a, &d);
		assert_int_equal(d.op, cases[i].op);
		assert_int_equal(d.parents[0], cases[i].parents[0]);
		assert_int_equal(d.parents[1], cases[i].parents[1]);
	}
	archive_release(&a);
	space_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_told_is_predicted_and_not_doubted),
		cmocka_unit_test(points_added_one_by_one_predict_as_all_at_once),
		cmocka_unit_test(an_expected_point_counts_as_a_little_worse_and_takes_the_doubt),
		cmocka_unit_test(a_fit_tells_the_parameter_that_matters_from_the_one_that_does_not),
		cmocka_unit_test(the_choice_is_where_improvement_is_expected_and_not_taken),
		cmocka_unit_test(what_is_a_configurations_own_weighs_for_the_best_mean),
		cmocka_unit_test(two_values_are_more_alike_at_first_than_the_ends_of_a_long_list),
		cmocka_unit_test(kinship_names_the_operator_and_the_parents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
