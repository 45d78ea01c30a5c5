/* Correctness: what is counted, and what passes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "runtime/verify.h"

static const struct gates no_gates = { -1, -1, -1, -1, -1, -1 };
static const struct verify_facts all_well = { true, true, true };

static struct figures compare(const float *got, const float *want, int n, const struct gates *g)
{
	struct figures f;

	verify_compare(DTYPE_F32, got, want, n, verify_poison(DTYPE_F32, 0), g, &f);
	return f;
}

static struct check judge(const struct figures *f, int n, const struct gates *g,
			  struct verify_facts facts)
{
	struct check c = { .shape = 3, .reference = 1, .seed = 7, .first_bad = 99, .passed = true };

	verify_judge(f, n, g, &facts, &c);
	assert_int_equal(c.shape, 3);
	assert_int_equal(c.seed, 7);
	return c;
}

static void figures_are_summed_as_defined(void **state)
{
	static const float got[] = { 1, 2.5f, 3, -4 }, want[] = { 1, 2, 3, -5 };
	struct gates g = no_gates;
	struct figures f;

	(void)state;
	g.atol = 0.1;
	g.rtol = 0.2;
	f = compare(got, want, 4, &g);
	assert_true(f.max_abs == 1 && f.sum_abs == 1.5);
	assert_true(f.sum_sq_diff == 1.25 && f.sum_sq_ref == 1 + 4 + 9 + 25);
	assert_int_equal(f.count, 4);
	assert_int_equal(f.bad, 0); /* 0.5 <= 0.1 + 0.4; 1 <= 0.1 + 1 */
	g.rtol = 0.1;
	f = compare(got, want, 4, &g);
	assert_int_equal(f.bad, 2);
	assert_int_equal(f.first_bad, 1);
}

static void nan_and_infinity_never_pass(void **state)
{
	static const float bad[] = { NAN, INFINITY, -INFINITY };
	struct gates g = { 1e30, 1e30, 1e30, 1, 1e30, 1e30 };

	(void)state;
	for (int i = 0; i < 3; i++) {
		float got[] = { 1, bad[i] }, want[] = { 1, bad[i] };
		struct figures f = compare(got, want, 2, &g);
		struct check c = judge(&f, 1, &g, all_well);

		assert_int_equal(f.nans, 1);
		assert_false(c.passed);
		assert_int_equal(verify_outcome(&c), OUTCOME_WRONG);
		assert_non_null(strstr(c.why, "NaN"));
		assert_int_equal(c.first_bad, 1);
	}
}

/* Poison left in place is seen in one of the two rounds, whatever the expected value is. */
static void an_unwritten_element_is_seen_in_every_type(void **state)
{
	(void)state;
	for (int t = 0; t < DTYPE_COUNT; t++) {
		for (int value = 0; value < 256; value++) {
			uint64_t got, want = 0;
			int64_t seen = 0;

			memset(&want, value, sizeof want);
			for (int round = 0; round < VERIFY_ROUNDS; round++) {
				uint8_t poison = verify_poison((enum dtype)t, round);
				struct figures f;

				memset(&got, poison, sizeof got);
				verify_compare((enum dtype)t, &got, &want, 1, poison, &no_gates,
					       &f);
				seen += f.unwritten;
			}
			assert_true(seen >= 1);
		}
	}
}

static void round_0_poison_of_floats_is_nan(void **state)
{
	static const enum dtype floats[] = { DTYPE_E4M3, DTYPE_F16, DTYPE_BF16, DTYPE_F32,
					     DTYPE_F64 };

	(void)state;
	for (size_t i = 0; i < sizeof floats / sizeof *floats; i++) {
		uint64_t bits;

		memset(&bits, verify_poison(floats[i], 0), sizeof bits);
		assert_true(isnan(dtype_get(floats[i], &bits, 0)));
	}
}

static void an_element_that_rightly_looks_like_poison_is_written(void **state)
{
	uint8_t got[] = { 0xff, 1 }, want[] = { 0xff, 1 };
	struct figures f;

	(void)state;
	verify_compare(DTYPE_U8, got, want, 2, verify_poison(DTYPE_U8, 0), &no_gates, &f);
	assert_int_equal(f.unwritten, 0);
	assert_int_equal(f.bad, 0);
}

static void each_gate_names_its_figure_and_limit(void **state)
{
	static const float got[] = { 1, 3 }, want[] = { 1, 2 };
	static const struct {
		struct gates g;
		const char *why;
	} cases[] = {
		{ { 0.5, -1, -1, -1, -1, -1 }, "max_abs 1 over 0.5" },
		{ { -1, 0.25, -1, -1, -1, -1 }, "mean_abs 0.5 over 0.25" },
		{ { -1, -1, 0.002, -1, -1, -1 }, "rel_l2 0.4472 over 0.002" },
		{ { -1, -1, -1, 0.1, 0.5, 0.1 }, "bad_fraction 0.5 over 0.1" },
		{ { -1, -1, -1, -1, -1, -1 }, "max_abs 1 over 0" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct figures f = compare(got, want, 2, &cases[i].g);
		struct check c = judge(&f, 1, &cases[i].g, all_well);

		assert_false(c.passed);
		assert_string_equal(c.why, cases[i].why);
	}
}

static void a_figure_at_its_limit_passes(void **state)
{
	static const float got[] = { 1, 3 }, want[] = { 1, 2 };
	struct gates g = { 1, 0.5, 0.5, 0.5, 0, 0 };
	struct figures f = compare(got, want, 2, &g);
	struct check c = judge(&f, 1, &g, all_well);

	(void)state;
	assert_true(c.passed);
	assert_string_equal(c.why, "");
	assert_int_equal(verify_outcome(&c), OUTCOME_OK);
}

/* An all-zero small output must not hide behind a large one that is right. */
static void every_output_is_held_to_the_gates_by_itself(void **state)
{
	static const float big[] = { 1e6f, 1e6f }, small[] = { 1e-3f }, zero[] = { 0 };
	struct gates g = { -1, -1, 0.01, -1, -1, -1 };
	struct figures f[2] = { compare(big, big, 2, &g), compare(zero, small, 1, &g) };
	struct check c = judge(f, 2, &g, all_well);

	(void)state;
	assert_false(c.passed);
	assert_true(fabs(c.rel_l2 - 1) < 1e-12);
}

static void an_all_zero_reference_demands_zero(void **state)
{
	static const float got[] = { 1e-30f }, want[] = { 0 };
	struct gates g = { -1, -1, 0.5, -1, -1, -1 };
	struct figures f = compare(got, want, 1, &g);
	struct check c = judge(&f, 1, &g, all_well);

	(void)state;
	assert_false(c.passed);
	f = compare(want, want, 1, &g);
	c = judge(&f, 1, &g, all_well);
	assert_true(c.passed);
}

static void facts_fail_a_check_whose_figures_are_right(void **state)
{
	static const struct {
		struct verify_facts facts;
		enum outcome outcome;
	} cases[] = {
		{ { false, true, true }, OUTCOME_WRONG },
		{ { true, false, true }, OUTCOME_WRONG },
		{ { true, true, false }, OUTCOME_NONDETERMINISTIC },
		{ { false, true, false }, OUTCOME_WRONG },
	};
	static const float x[] = { 1 };
	struct figures f = compare(x, x, 1, &no_gates);

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct check c = judge(&f, 1, &no_gates, cases[i].facts);

		assert_false(c.passed);
		assert_int_equal(verify_outcome(&c), cases[i].outcome);
		assert_true(c.why[0] != '\0');
	}
}

static void all_bytes_looks_at_every_byte(void **state)
{
	char zone[64];

	(void)state;
	for (int i = 0; i < 64; i++) {
		memset(zone, 0x55, sizeof zone);
		assert_true(verify_all_bytes(zone, sizeof zone, 0x55));
		zone[i] = 0x54;
		assert_false(verify_all_bytes(zone, sizeof zone, 0x55));
	}
	assert_true(verify_all_bytes(zone, 0, 1));
}

static struct problem small_problem(struct shape_buffer *buffers, struct problem_shape *shape,
				    struct problem_reference *reference, uint64_t *seeds,
				    int n_seeds)
{
	*buffers = (struct shape_buffer){ 8, { .kind = FILL_UNIFORM, .a = 0, .b = 1, .of = -1 } };
	*shape = (struct problem_shape){ .buffers = buffers };
	*reference = (struct problem_reference){ .name = NULL };
	return (struct problem){ .n_buffers = 1,
				 .shapes = shape,
				 .n_shapes = 1,
				 .references = reference,
				 .n_references = 1,
				 .seeds = seeds,
				 .n_seeds = n_seeds };
}

static void another_seed_is_one_with_other_inputs(void **state)
{
	uint64_t seeds[] = { 5, 5, 9 };
	struct problem_reference reference;
	struct problem_shape shape;
	struct shape_buffer buffer;
	struct problem p = small_problem(&buffer, &shape, &reference, seeds, 3);
	char *file = NULL;

	(void)state;
	assert_int_equal(verify_other_seed(&p, 0, 5), 9);
	assert_int_equal(verify_other_seed(&p, 0, 77), 5);
	p.n_seeds = 2;
	assert_int_not_equal(verify_other_seed(&p, 0, 5), 5);
	reference.files = &file;
	assert_int_equal(verify_other_seed(&p, 0, 5), 5);
	reference.files = NULL;
	buffer.fill = (struct fill){ .kind = FILL_INTEGERS, .a = 3, .b = 3, .of = -1 };
	assert_int_equal(verify_other_seed(&p, 0, 5), 5);
	buffer.fill = (struct fill){ .kind = FILL_SPARSE, .a = 3, .b = 1, .of = -1 };
	assert_int_equal(verify_other_seed(&p, 0, 5), 5);
	buffer.fill.b = 0.5;
	assert_int_not_equal(verify_other_seed(&p, 0, 5), 5);
	buffer.fill = (struct fill){ .kind = FILL_NORMAL, .a = 3, .b = 1, .of = -1 };
	buffer.count = 0;
	assert_int_equal(verify_other_seed(&p, 0, 5), 5);
}

static void a_check_says_that_it_came_after_timing(void **state)
{
	struct check c = { .why = "max_abs 1 over 0" };

	(void)state;
	verify_mark_after_timing(&c);
	assert_string_equal(c.why, "after timing: max_abs 1 over 0");
	assert_int_equal(verify_outcome(&c), OUTCOME_WRONG);
	memset(c.why, 'x', sizeof c.why - 1);
	verify_mark_after_timing(&c);
	assert_true(strlen(c.why) < sizeof c.why);
}

static void other_bits_beside_another_kernel_are_still_only_other_bits(void **state)
{
	struct check c = { .why = "a second launch gave other bits" };

	(void)state;
	verify_mark_crowded(&c);
	assert_string_equal(c.why, "beside another kernel: a second launch gave other bits");
	assert_int_equal(verify_outcome(&c), OUTCOME_NONDETERMINISTIC);
}

static void only_much_longer_launches_on_other_inputs_are_suspect(void **state)
{
	(void)state;
	assert_false(verify_keeps_answers(10000, 10000, 10000));
	assert_false(verify_keeps_answers(14900, 10000, 10000));
	assert_true(verify_keeps_answers(15200, 10000, 10000));
	assert_true(verify_keeps_answers(9000, 5000, 2000)); /* 3 us are the copies' */
	assert_false(verify_keeps_answers(90, 10, 10));	     /* no clock tells that */
	assert_false(verify_keeps_answers(5000, 10000, 10000));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(figures_are_summed_as_defined),
		cmocka_unit_test(nan_and_infinity_never_pass),
		cmocka_unit_test(an_unwritten_element_is_seen_in_every_type),
		cmocka_unit_test(round_0_poison_of_floats_is_nan),
		cmocka_unit_test(an_element_that_rightly_looks_like_poison_is_written),
		cmocka_unit_test(each_gate_names_its_figure_and_limit),
		cmocka_unit_test(a_figure_at_its_limit_passes),
		cmocka_unit_test(every_output_is_held_to_the_gates_by_itself),
		cmocka_unit_test(an_all_zero_reference_demands_zero),
		cmocka_unit_test(facts_fail_a_check_whose_figures_are_right),
		cmocka_unit_test(all_bytes_looks_at_every_byte),
		cmocka_unit_test(another_seed_is_one_with_other_inputs),
		cmocka_unit_test(a_check_says_that_it_came_after_timing),
		cmocka_unit_test(other_bits_beside_another_kernel_are_still_only_other_bits),
		cmocka_unit_test(only_much_longer_launches_on_other_inputs_are_suspect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
