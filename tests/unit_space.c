/* Spaces: what is legal, how it is walked and counted, and random members of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "tuner/search/space.h"

static void add_range(struct space *s, const char *name, int from, int to)
{
	struct value *v = mem_array((size_t)(to - from) + 1, sizeof *v);
	struct err e;

	for (int i = from; i <= to; i++)
		v[i - from] = value_int(i);
	assert_int_equal(space_add_param(s, name, v, to - from + 1, &e), 0);
	free(v);
}

static void add_constraint(struct space *s, const char *text)
{
	struct err e;

	assert_int_equal(space_add_constraint(s, text, NULL, NULL, &e), 0);
}

/* A, B, C, D from 1 to 8 with constraints of every kind: tabled, joint, failing ones. */
static struct space *small_space(void)
{
	struct space *s = space_new();

	add_range(s, "A", 1, 8);
	add_range(s, "B", 1, 8);
	add_range(s, "C", 0, 7);
	add_range(s, "D", 1, 8);
	add_constraint(s, "A * B <= 24 && B >= 2");
	add_constraint(s, "A % C == 0");
	add_constraint(s, "C < D || D == 1");
	return s;
}

/* The same, said in C. */
static bool small_legal(int a, int b, int c, int d)
{
	return a * b <= 24 && b >= 2 && c != 0 && a % c == 0 && (c < d || d == 1);
}

struct seen {
	const struct space *s;
	int n;
	uint16_t last[SPACE_PARAMS_MAX];
	int stop_at;
};

static bool see(void *ctx, const uint16_t *config)
{
	struct seen *seen = ctx;
	int params = space_params(seen->s);
	int order = 0;

	assert_true(space_legal(seen->s, config));
	assert_null(space_violated(seen->s, config));
	for (int i = 0; i < params && order == 0; i++)
		order = config[i] - seen->last[i];
	assert_true(seen->n == 0 || order > 0);
	memcpy(seen->last, config, (size_t)params * sizeof *config);
	return ++seen->n != seen->stop_at;
}

static int count_by_hand(void)
{
	int n = 0;

	for (int a = 1; a <= 8; a++)
		for (int b = 1; b <= 8; b++)
			for (int c = 0; c < 8; c++)
				for (int d = 1; d <= 8; d++)
					n += small_legal(a, b, c, d);
	return n;
}

static void a_walk_visits_each_legal_configuration_once_in_order(void **state)
{
	struct space *s = small_space();
	struct seen seen = { .s = s };
	uint64_t listed = 0;
	uint16_t *list;
	bool exact = false;

	(void)state;
	assert_true(space_walk(s, 0, see, &seen));
	assert_int_equal(seen.n, count_by_hand());
	assert_true(space_count(s, 0, &exact) == seen.n);
	assert_true(exact);
	list = space_list(s, (uint64_t)seen.n, &listed);
	assert_non_null(list);
	assert_int_equal(listed, seen.n);
	assert_memory_equal(list + (listed - 1) * 4, seen.last, 4 * sizeof *list);
	free(list);
	assert_null(space_list(s, (uint64_t)seen.n - 1, &listed));
	space_free(s);
}

static void legal_agrees_with_the_constraints_everywhere(void **state)
{
	struct space *s = small_space();

	(void)state;
	for (int i = 0; i < 8 * 8 * 8 * 8; i++) {
		const uint16_t config[4] = { (uint16_t)(i >> 9 & 7), (uint16_t)(i >> 6 & 7),
					     (uint16_t)(i >> 3 & 7), (uint16_t)(i & 7) };
		bool legal = small_legal(config[0] + 1, config[1] + 1, config[2], config[3] + 1);

		assert_int_equal(space_legal(s, config), legal);
		assert_int_equal(space_violated(s, config) == NULL, legal);
	}
	assert_false(space_legal(s, (const uint16_t[]){ 0, 1, 1, 8 }));
	assert_string_equal(space_violated(s, (const uint16_t[]){ 7, 7, 1, 1 }),
			    "A * B <= 24 && B >= 2");
	assert_string_equal(space_violated(s, (const uint16_t[]){ 0, 1, 0, 1 }), "A % C == 0");
	space_free(s);
}

static void a_walk_stops_when_it_is_told_to_or_out_of_steps(void **state)
{
	struct space *s = small_space();
	struct seen seen = { .s = s, .stop_at = 5 };
	struct seen unhindered = { .s = s };

	(void)state;
	assert_false(space_walk(s, 0, see, &seen));
	assert_int_equal(seen.n, 5);
	assert_false(space_walk(s, 30, see, &unhindered));
	assert_in_range(unhindered.n, 1, 29);
	space_free(s);
}

/* With A > 0 unmet nothing below A may be tried: a walk of the rest would never end. */
static void a_constraint_is_tested_once_its_last_parameter_is_bound(void **state)
{
	struct space *s = space_new();
	struct seen seen = { .s = s };
	char name[16];

	(void)state;
	add_range(s, "A", 0, 3);
	add_range(s, "B", 0, 3);
	for (int i = 0; i < 30; i++) {
		snprintf(name, sizeof name, "P%d", i);
		add_range(s, name, 0, 9);
	}
	add_constraint(s, "A * B > 8 && P0 == P0");
	add_constraint(s, "A + B < 6");
	assert_true(space_walk(s, 100, see, &seen));
	assert_int_equal(seen.n, 0);
	space_free(s);
}

static struct space *large_space(void)
{
	struct space *s = space_new();
	char name[16];
	char text[80];

	for (int i = 0; i < 15; i++) {
		snprintf(name, sizeof name, "P%d", i);
		add_range(s, name, 1, 10);
	}
	for (int i = 0; i < 14; i++) {
		snprintf(text, sizeof text, "P%d * P%d <= 50", i, i + 1);
		add_constraint(s, text);
	}
	return s;
}

/* Chains of neighbours are counted by hand with a table of the last parameter's value. */
static double large_count(void)
{
	double ways[11] = { 0 };

	for (int v = 1; v <= 10; v++)
		ways[v] = 1;
	for (int i = 1; i < 15; i++) {
		double next[11] = { 0 };

		for (int u = 1; u <= 10; u++)
			for (int v = 1; v <= 10; v++)
				if (u * v <= 50)
					next[v] += ways[u];
		memcpy(ways, next, sizeof ways);
	}
	for (int v = 1; v <= 10; v++)
		ways[0] += ways[v];
	return ways[0];
}

static void a_space_of_10_to_the_15_is_counted_exactly_where_constraints_are_local(void **state)
{
	struct space *s = large_space();
	bool exact = false;

	(void)state;
	assert_true(space_cartesian(s) == 1e15);
	assert_true(space_count(s, 100000, &exact) == large_count());
	assert_true(exact);
	space_free(s);
}

static void an_estimate_is_near_the_count_and_says_that_it_is_one(void **state)
{
	struct space *s = large_space();
	bool exact = true;
	double ratio = space_count(s, 50, &exact) / large_count();

	(void)state;
	assert_false(exact);
	assert_true(ratio > 0.8 && ratio < 1.25);
	space_free(s);
}

static int differing(const uint16_t *a, const uint16_t *b, int n)
{
	int count = 0;

	for (int i = 0; i < n; i++)
		count += a[i] != b[i];
	return count;
}

static void check_random_members(const struct space *s)
{
	uint16_t config[SPACE_PARAMS_MAX];
	uint16_t other[SPACE_PARAMS_MAX];
	int n = space_params(s);
	struct rng r;

	rng_init(&r, 7, 0);
	for (int i = 0; i < 300; i++) {
		int distance = 1 + i % 3;

		assert_true(space_sample(s, &r, config));
		assert_true(space_legal(s, config));
		if (space_neighbour(s, &r, config, distance, other)) {
			assert_true(space_legal(s, other));
			assert_in_range(differing(config, other, n), 1, distance);
		}
		for (int k = 0; k < n; k++)
			other[k] = (uint16_t)rng_below(&r, (uint64_t)space_values(s, k));
		assert_true(space_repair(s, &r, other));
		assert_true(space_legal(s, other));
	}
}

static void random_members_are_legal_in_small_large_and_listed_spaces(void **state)
{
	struct space *small = small_space();
	struct space *large = large_space();
	struct space *listed = small_space();
	uint64_t n = 0;
	uint16_t *rows = space_list(small, 10000, &n);
	struct err e;

	(void)state;
	check_random_members(small);
	check_random_members(large);
	assert_int_equal(space_restrict(listed, rows, (size_t)n / 3, &e), 0);
	check_random_members(listed);
	free(rows);
	space_free(small);
	space_free(large);
	space_free(listed);
}

/* X, Y and Z are tied, so that no single change is legal: two or three are needed. */
static void neighbours_and_repairs_cross_ties_between_parameters(void **state)
{
	const uint16_t from[4] = { 3, 3, 5, 2 };
	struct space *s = space_new();
	uint16_t other[4];
	struct rng r;

	(void)state;
	add_range(s, "X", 0, 63);
	add_range(s, "Y", 0, 63);
	add_range(s, "Z", 0, 63);
	add_range(s, "W", 2, 63);
	add_constraint(s, "X == Y");
	add_constraint(s, "Z == Y + 2");
	add_constraint(s, "W == Z - 1");
	assert_true(space_legal(s, from));
	rng_init(&r, 1, 0);
	assert_false(space_neighbour(s, &r, from, 1, other));
	assert_true(space_neighbour(s, &r, from, 4, other));
	assert_true(space_legal(s, other));
	assert_int_equal(differing(from, other, 4), 4);
	memcpy(other, from, sizeof other);
	other[3] = 9;
	assert_true(space_repair(s, &r, other));
	assert_memory_equal(other, from, sizeof other);
	space_free(s);
}

static void the_same_seed_draws_the_same_members(void **state)
{
	struct space *s = large_space();
	uint16_t a[SPACE_PARAMS_MAX];
	uint16_t b[SPACE_PARAMS_MAX];
	struct rng r1, r2;

	(void)state;
	rng_init(&r1, 3, 5);
	rng_init(&r2, 3, 5);
	for (int i = 0; i < 50; i++) {
		assert_true(space_sample(s, &r1, a) && space_sample(s, &r2, b));
		assert_memory_equal(a, b, 15 * sizeof *a);
	}
	assert_true(space_hash(s, a) == space_hash(s, b));
	a[14] ^= 1;
	assert_true(space_hash(s, a) != space_hash(s, b));
	space_free(s);
}

static void a_listed_space_holds_its_rows_and_nothing_else(void **state)
{
	const uint16_t rows[] = { 3, 1, 0, 2, 1, 1, 3, 1, 0, 0, 0, 2 };
	const uint16_t sorted[] = { 0, 0, 2, 2, 1, 1, 3, 1, 0 };
	struct space *s = space_new();
	struct seen seen = { .s = s };
	uint64_t n = 0;
	uint16_t *list;
	struct err e;
	bool exact;

	(void)state;
	add_range(s, "A", 0, 3);
	add_range(s, "B", 0, 1);
	add_range(s, "C", 0, 2);
	assert_int_equal(space_restrict(s, rows, 4, &e), 0);
	assert_true(space_walk(s, 0, see, &seen));
	assert_int_equal(seen.n, 3);
	assert_true(space_count(s, 1, &exact) == 3);
	assert_true(exact);
	list = space_list(s, 10, &n);
	assert_int_equal(n, 3);
	assert_memory_equal(list, sorted, sizeof sorted);
	assert_string_equal(space_violated(s, (const uint16_t[]){ 1, 1, 1 }),
			    "not one of the listed configurations");
	assert_int_equal(space_add_constraint(s, "A > 0", NULL, NULL, &e), ERR_INVALID);
	assert_int_equal(space_restrict(s, rows, 1, &e), ERR_INVALID);
	free(list);
	space_free(s);
}

static void rows_that_cannot_be_legal_are_refused(void **state)
{
	const uint16_t rows[] = { 7, 1, 1, 7, 7, 7, 1, 7 };
	const uint16_t past[] = { 7, 1, 1, 8 };
	struct space *s = small_space();
	struct err e;

	(void)state;
	assert_int_equal(space_restrict(s, rows, 2, &e), ERR_INVALID);
	assert_non_null(strstr(e.msg, "listed configuration 1"));
	assert_int_equal(space_restrict(s, past, 1, &e), ERR_INVALID);
	assert_int_equal(space_restrict(s, rows, 0, &e), ERR_INVALID);
	assert_int_equal(space_restrict(s, rows, 1, &e), 0);
	space_free(s);
}

static void a_space_without_members_says_so_everywhere(void **state)
{
	struct space *s = space_new();
	uint16_t config[2] = { 0, 0 };
	uint64_t n = 1;
	uint16_t *list;
	struct rng r;
	bool exact;

	(void)state;
	assert_true(space_cartesian(s) == 0);
	assert_true(space_count(s, 0, &exact) == 0);
	add_range(s, "A", 1, 9);
	add_range(s, "B", 1, 9);
	add_constraint(s, "A * B == 83");
	rng_init(&r, 0, 0);
	assert_true(space_count(s, 0, &exact) == 0);
	assert_false(space_sample(s, &r, config));
	assert_false(space_repair(s, &r, config));
	list = space_list(s, 10, &n);
	assert_non_null(list);
	assert_int_equal(n, 0);
	free(list);
	space_free(s);
}

static void declarations_are_checked(void **state)
{
	const struct value twice[] = { value_int(2), value_int(3), value_real(2.0) };
	const struct value texts[] = { value_text("on"), value_text("off") };
	struct value many[SPACE_VALUES_MAX + 1];
	struct space *s = space_new();
	struct value off = value_text("off");
	char name[16];
	struct err e;

	(void)state;
	for (int i = 0; i <= SPACE_VALUES_MAX; i++)
		many[i] = value_int(i);
	assert_int_equal(space_add_constraint(s, "1", NULL, NULL, &e), ERR_INVALID);
	assert_int_equal(space_add_param(s, "M", texts, 2, &e), 0);
	assert_int_equal(space_add_param(s, "M", texts, 2, &e), ERR_INVALID);
	assert_string_equal(e.msg, "parameter M: declared twice");
	assert_int_equal(space_add_param(s, "N", twice, 3, &e), ERR_INVALID);
	assert_string_equal(e.msg, "parameter N: value 2.0 twice");
	assert_int_equal(space_add_param(s, "N", twice, 0, &e), ERR_INVALID);
	assert_int_equal(space_add_param(s, "N", many, SPACE_VALUES_MAX + 1, &e), ERR_INVALID);
	assert_int_equal(space_add_constraint(s, "M == 'on' && X", NULL, NULL, &e), ERR_INVALID);
	assert_non_null(strstr(e.msg, "unknown name \"X\" at 14"));
	assert_int_equal(space_position(s, 0, &off), 1);
	assert_int_equal(space_find(s, "N"), -1);
	for (int i = 1; i < SPACE_PARAMS_MAX; i++) {
		snprintf(name, sizeof name, "P%d", i);
		assert_int_equal(space_add_param(s, name, texts, 2, &e), 0);
	}
	assert_int_equal(space_add_param(s, "Q", texts, 2, &e), ERR_INVALID);
	space_free(s);
}

static void sixty_four_parameters_can_be_sampled_and_counted(void **state)
{
	struct space *s = space_new();
	uint16_t config[SPACE_PARAMS_MAX];
	char name[16];
	struct rng r;
	bool exact;

	(void)state;
	for (int i = 0; i < SPACE_PARAMS_MAX; i++) {
		snprintf(name, sizeof name, "P%d", i);
		add_range(s, name, 0, 1);
	}
	add_constraint(s, "P0 != P63");
	rng_init(&r, 0, 0);
	assert_true(space_sample(s, &r, config));
	assert_true(config[0] != config[63]);
	assert_true(space_count(s, 1000, &exact) == 0x1p63);
	assert_true(exact);
	space_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_walk_visits_each_legal_configuration_once_in_order),
		cmocka_unit_test(legal_agrees_with_the_constraints_everywhere),
		cmocka_unit_test(a_walk_stops_when_it_is_told_to_or_out_of_steps),
		cmocka_unit_test(a_constraint_is_tested_once_its_last_parameter_is_bound),
		cmocka_unit_test(
			a_space_of_10_to_the_15_is_counted_exactly_where_constraints_are_local),
		cmocka_unit_test(an_estimate_is_near_the_count_and_says_that_it_is_one),
		cmocka_unit_test(random_members_are_legal_in_small_large_and_listed_spaces),
		cmocka_unit_test(neighbours_and_repairs_cross_ties_between_parameters),
		cmocka_unit_test(the_same_seed_draws_the_same_members),
		cmocka_unit_test(a_listed_space_holds_its_rows_and_nothing_else),
		cmocka_unit_test(rows_that_cannot_be_legal_are_refused),
		cmocka_unit_test(a_space_without_members_says_so_everywhere),
		cmocka_unit_test(declarations_are_checked),
		cmocka_unit_test(sixty_four_parameters_can_be_sampled_and_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
