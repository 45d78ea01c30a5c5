/* Replays: what is evaluated, when a search ends, and what the virtual clock says. */
#include "recording_fixture.h"

#include <math.h>

#include "tuner/cli/replay.h"
#include "tuner/search/search.h"

static struct replay_options all_of_it(const char *strategy)
{
	return (struct replay_options){
		.strategy = strategy,
		.seed = 3,
		.max_evals = 1000000,
		.max_cost = HUGE_VAL,
	};
}

static struct replay_result replayed(const struct recording *r, const struct replay_options *o)
{
	struct replay_result x = { 0 };
	struct err e = { 0 };

	if (replay_run(r, o, &x, &e) < 0)
		fail_msg("%s", e.msg);
	return x;
}

static void no_less(const char *what, double found, double least)
{
	if (found < least - 1e-9)
		fail_msg("%s: expected at least %.9g, found %.9g", what, least, found);
}

static double total(const struct recording *r, bool compile, bool measure)
{
	double s = 0;

	for (size_t i = 0; i < r->n; i++)
		s += (compile ? r->entry[i].compile_s : 0) + (measure ? r->entry[i].measure_s : 0);
	return s;
}

static void every_strategy_ends_with_every_configuration_seen_once(void **state)
{
	struct recording *r = a_recording("kt.json");

	(void)state;
	for (int s = 0; search_strategy_name(s); s++)
		for (int jobs = 0; jobs < 5; jobs++) {
			struct replay_options o = all_of_it(search_strategy_name(s));
			bool seen[64] = { false };
			struct replay_result x;

			o.jobs = jobs;
			x = replayed(r, &o);
			if (x.n != r->n)
				fail_msg("%s, %d jobs: expected %zu evaluations, found %zu",
					 o.strategy, jobs, r->n, x.n);
			for (size_t i = 0; i < x.n; i++) {
				assert_false(seen[x.order[i]]);
				seen[x.order[i]] = true;
			}
			assert_int_equal(x.n_failed, 4);
			assert_int_equal(x.best, recording_best(r));
			replay_result_release(&x);
		}
	recording_free(r);
}

static void one_at_a_time_takes_the_sum_of_all_times(void **state)
{
	struct recording *r = a_recording("kt.json");
	struct replay_options o = all_of_it("random");
	struct replay_result x = replayed(r, &o);

	(void)state;
	no_less("virtual time", x.virtual_s, total(r, true, true));
	no_less("sum of times", total(r, true, true), x.virtual_s);
	replay_result_release(&x);
	recording_free(r);
}

/* Work that overlaps cannot be done before its longest part, nor later than one by one. */
static void workers_overlap_but_do_not_work_faster(void **state)
{
	struct recording *r = a_recording("kt.json");
	double before = total(r, true, true);

	(void)state;
	for (int jobs = 1; jobs <= 8; jobs *= 2) {
		struct replay_options o = all_of_it("random");
		struct replay_result x;

		o.jobs = jobs;
		x = replayed(r, &o);
		no_less("virtual time beside all measuring", x.virtual_s, total(r, false, true));
		no_less("virtual time beside all compiling", x.virtual_s,
			total(r, true, false) / jobs);
		if (x.virtual_s >= before)
			fail_msg("%d jobs: expected less than %.9g s, found %.9g", jobs, before,
				 x.virtual_s);
		before = x.virtual_s;
		replay_result_release(&x);
	}
	recording_free(r);
}

static void a_seed_gives_one_sequence_and_another_seed_another(void **state)
{
	struct recording *r = a_recording("kt.json");

	(void)state;
	for (int jobs = 0; jobs < 4; jobs += 3) {
		struct replay_options o = all_of_it("full");
		struct replay_result a, b, c;

		o.jobs = jobs;
		a = replayed(r, &o);
		b = replayed(r, &o);
		o.seed++;
		c = replayed(r, &o);
		assert_memory_equal(a.order, b.order, a.n * sizeof *a.order);
		assert_memory_not_equal(a.order, c.order, a.n * sizeof *a.order);
		replay_result_release(&a);
		replay_result_release(&b);
		replay_result_release(&c);
	}
	recording_free(r);
}

static void a_budget_of_evaluations_is_kept(void **state)
{
	struct recording *r = a_recording("kt.json");

	(void)state;
	for (int64_t n = 1; n <= (int64_t)r->n; n++) {
		struct replay_options o = all_of_it("random");
		struct replay_result x;

		o.max_evals = n;
		o.jobs = 3;
		x = replayed(r, &o);
		assert_int_equal(x.n, n);
		replay_result_release(&x);
	}
	recording_free(r);
}

static void a_budget_of_cost_ends_after_the_evaluation_that_passes_it(void **state)
{
	struct recording *r = a_recording("bench.json");
	struct replay_options o = all_of_it("random");

	(void)state;
	for (o.max_cost = 0; o.max_cost < 40; o.max_cost += 2.5) {
		for (o.min_evals = 0; o.min_evals <= (int64_t)r->n; o.min_evals += 7) {
			struct replay_result x = replayed(r, &o);
			double cost = 0;
			size_t n = 0;

			while (n < x.n && !(cost > o.max_cost && (int64_t)n >= o.min_evals))
				cost += r->entry[x.order[n++]].measure_s;
			if (n != x.n || (n < r->n && cost <= o.max_cost))
				fail_msg("cost %.9g, at least %lld: expected %zu evaluations, "
					 "found %zu",
					 o.max_cost, (long long)o.min_evals, n, x.n);
			replay_result_release(&x);
		}
	}
	recording_free(r);
}

static void an_unknown_strategy_is_refused(void **state)
{
	struct recording *r = a_recording("kt.json");
	struct replay_options o = all_of_it("luck");
	struct replay_result x = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(replay_run(r, &o, &x, &e), ERR_INVALID);
	assert_non_null(strstr(e.msg, "luck"));
	recording_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_strategy_ends_with_every_configuration_seen_once),
		cmocka_unit_test(one_at_a_time_takes_the_sum_of_all_times),
		cmocka_unit_test(workers_overlap_but_do_not_work_faster),
		cmocka_unit_test(a_seed_gives_one_sequence_and_another_seed_another),
		cmocka_unit_test(a_budget_of_evaluations_is_kept),
		cmocka_unit_test(a_budget_of_cost_ends_after_the_evaluation_that_passes_it),
		cmocka_unit_test(an_unknown_strategy_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
