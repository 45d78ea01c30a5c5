#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "tuner/daemon/score.h"

static const struct resource_gate none = { -1, false, 0 };

static struct trial *compiled(void)
{
	struct trial *t = trial_new();

	t->artifact.ptxas = (struct ptxas){ 168, 0, 24, 16, 8192, 400, 1 };
	t->launches = mem_array(2, sizeof *t->launches);
	t->n_launches = 2;
	t->launches[0].shared_bytes = 1000;
	t->launches[1].shared_bytes = 4096;
	return t;
}

static void a_hard_gate_rejects_and_says_by_how_much(void **state)
{
	struct resource_gate gates[GATE_FIGURE_COUNT] = { none, none, none };
	struct trial *t = compiled();

	(void)state;
	gates[GATE_REGISTERS] = (struct resource_gate){ 168, true, 0 };
	assert_true(score_gates(t, gates));
	assert_string_equal(t->gates, "[]");
	gates[GATE_REGISTERS].limit = 167;
	assert_false(score_gates(t, gates));
	assert_int_equal(t->verdict.outcome, OUTCOME_REJECTED);
	assert_string_equal(t->verdict.detail, "registers 168 over 167");
	trial_free(t);
}

static void soft_gates_are_recorded_and_penalised(void **state)
{
	struct resource_gate gates[GATE_FIGURE_COUNT] = { none, none, none };
	struct trial *t = compiled();

	(void)state;
	gates[GATE_SHARED_BYTES] = (struct resource_gate){ 12287, false, 0.5 };
	gates[GATE_SPILL_BYTES] = (struct resource_gate){ 0, false, 0.1 };
	assert_true(score_gates(t, gates));
	assert_string_equal(t->gates, "[\"shared_bytes 12288 over 12287\","
				      "\"spill_bytes 40 over 0\"]");
	assert_true(fabs(t->penalty - 1.65) < 1e-12);
	trial_free(t);
}

static void what_the_compiler_does_not_say_passes(void **state)
{
	struct resource_gate gate = { 0, true, 0 };
	struct resource_gate gates[GATE_FIGURE_COUNT] = { gate, gate, gate };
	struct trial *t = compiled();

	(void)state;
	t->artifact.ptxas = (struct ptxas){ -1, -1, -1, -1, -1, -1, -1 };
	assert_true(score_gates(t, gates));
	trial_free(t);
}

static void time_both(struct trial *t, double a, double b)
{
	struct measurement *m = &t->measurement;

	m->outcome = OUTCOME_OK;
	m->n_timings = 2;
	m->timings = mem_array(2, sizeof *m->timings);
	for (int i = 0; i < 2; i++) {
		double p50 = i ? b : a;

		m->timings[i] = (struct timing){
			.shape = i, .p50_ns = p50, .ci_low_ns = p50 * 0.9, .ci_high_ns = p50 * 1.1
		};
	}
}

static void the_score_is_the_weighted_geometric_mean_times_the_penalty(void **state)
{
	struct problem_shape shapes[2] = { { .weight = 1 }, { .weight = 3 } };
	struct problem p = { .shapes = shapes, .n_shapes = 2 };
	struct trial *t = compiled();

	(void)state;
	t->penalty = 1.5;
	time_both(t, 16, 1);
	score_measured(t, &p);
	assert_int_equal(t->verdict.outcome, OUTCOME_OK);
	assert_true(fabs(t->verdict.p50_ns - 2) < 1e-12); /* (16 * 1 * 1 * 1) ^ (1/4) */
	assert_true(fabs(t->verdict.ci_low_ns - 1.8) < 1e-12);
	assert_true(fabs(t->verdict.ci_high_ns - 2.2) < 1e-12);
	assert_true(fabs(t->verdict.score_ns - 3) < 1e-12);
	trial_free(t);
}

static void a_measurement_without_a_usable_time_is_not_ok(void **state)
{
	struct problem_shape shapes[2] = { { .weight = 1 }, { .weight = 1 } };
	struct problem p = { .shapes = shapes, .n_shapes = 2 };
	static const double bad[] = { 0, -1, NAN, INFINITY };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct trial *t = compiled();

		time_both(t, 5, bad[i]);
		score_measured(t, &p);
		assert_int_equal(t->verdict.outcome, OUTCOME_LOST);
		trial_free(t);
	}
}

static void a_failed_measurement_keeps_its_outcome_and_words(void **state)
{
	struct problem p = { 0 };
	struct trial *t = compiled();

	(void)state;
	t->measurement.outcome = OUTCOME_WRONG;
	strcpy(t->measurement.detail, "max_abs 3 over 1");
	score_measured(t, &p);
	assert_int_equal(t->verdict.outcome, OUTCOME_WRONG);
	assert_string_equal(t->verdict.detail, "max_abs 3 over 1");
	trial_free(t);
}

static void an_equal_binary_with_another_launch_is_another_trial(void **state)
{
	struct trial *a = compiled(), *b = compiled();

	(void)state;
	trial_set_key(a);
	trial_set_key(b);
	assert_string_equal(a->key, b->key);
	b->launches[1].block[0] = 128;
	trial_set_key(b);
	assert_string_not_equal(a->key, b->key);
	trial_free(a);
	trial_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hard_gate_rejects_and_says_by_how_much),
		cmocka_unit_test(soft_gates_are_recorded_and_penalised),
		cmocka_unit_test(what_the_compiler_does_not_say_passes),
		cmocka_unit_test(the_score_is_the_weighted_geometric_mean_times_the_penalty),
		cmocka_unit_test(a_measurement_without_a_usable_time_is_not_ok),
		cmocka_unit_test(a_failed_measurement_keeps_its_outcome_and_words),
		cmocka_unit_test(an_equal_binary_with_another_launch_is_another_trial),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
