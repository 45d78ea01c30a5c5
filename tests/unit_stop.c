/* The rules that end a run early, and how they are changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "tuner/daemon/stop.h"

static void expect(const struct run_record *r, const struct run_summary *s, double active_s,
		   const char *reason)
{
	char *why = stop_reason(r, s, active_s);

	if (reason)
		assert_string_equal(why ? why : "nothing", reason);
	else
		assert_null(why);
	free(why);
}

static void no_rule_ends_nothing(void **state)
{
	const struct run_record r = { .budget = 10 };

	(void)state;
	expect(&r, &(struct run_summary){ .trials = 1000, .found = 1, .found_p50_ns = 1e-3 }, 1e12,
	       NULL);
}

static void trials_without_gain_are_counted_from_the_best_one(void **state)
{
	const struct run_record r = { .no_gain = 40 };

	(void)state;
	expect(&r, &(struct run_summary){ .trials = 52, .found = 13 }, 0, NULL);
	expect(&r, &(struct run_summary){ .trials = 53, .found = 13 }, 0, "no gain in 40 trials");
	expect(&r, &(struct run_summary){ .trials = 39 }, 0, NULL);
	expect(&r, &(struct run_summary){ .trials = 40 }, 0, "no gain in 40 trials");
}

static void a_target_is_reached_by_the_best_median(void **state)
{
	const struct run_record r = { .target_ns = 5500 };

	(void)state;
	expect(&r, &(struct run_summary){ .trials = 3 }, 0, NULL);
	expect(&r, &(struct run_summary){ .trials = 3, .found = 2, .found_p50_ns = 5501 }, 0, NULL);
	expect(&r, &(struct run_summary){ .trials = 3, .found = 2, .found_p50_ns = 5500 }, 0,
	       "target of 5.5 us reached: trial 2 takes 5.5 us");
}

static void a_share_of_the_roofline_is_reached_by_the_best_once_it_is_known(void **state)
{
	struct run_record r = { .target_share = 0.8 };
	const struct run_summary s = { .trials = 3, .found = 2, .found_p50_ns = 5500 };

	(void)state;
	expect(&r, &s, 0, NULL);
	r.found_share = 0.799;
	expect(&r, &s, 0, NULL);
	r.found_share = 0.8;
	expect(&r, &s, 0, "target of 80 % of the roofline reached: trial 2 takes 5.5 us, 80.0 %");
}

static int check_share(const char *runtime, const char *task, struct err *e)
{
	struct run_record r = { .task_name = mem_strdup("adding"),
				.task_text = mem_strdup(task),
				.runtime = mem_strdup(runtime),
				.target_share = 0.8 };
	int code = stop_check(&r, e);

	run_record_release(&r);
	return code;
}

static void a_share_needs_a_task_that_tells_its_work(void **state)
{
	static const char works[] = "{\"work\": {\"bytes\": \"N\"}}";
	const struct run_record none = { .target_ns = 1 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(check_share("cuda", works, &e), 0);
	assert_int_equal(check_share("noop", works, &e), ERR_INVALID);
	assert_non_null(strstr(e.msg, "runtime noop measures nothing"));
	assert_int_equal(check_share("host", "{\"name\": \"work\"}", &e), ERR_INVALID);
	assert_non_null(strstr(e.msg, "task adding does not say"));
	assert_int_equal(stop_check(&none, &e), 0);
}

static void the_time_limit_is_of_running_time(void **state)
{
	const struct run_record r = { .time_limit_s = 1.5 };

	(void)state;
	expect(&r, &(struct run_summary){ 0 }, 1.4, NULL);
	expect(&r, &(struct run_summary){ 0 }, 1.5, "time limit of 1.5 s reached");
}

static int read_text(const char *text, struct stop_change *ret, struct err *e)
{
	struct json_node root;
	cJSON *json;
	int r;

	assert_int_equal(json_parse(text, strlen(text), &json, e), 0);
	root = json_root(json);
	r = stop_read(&root, ret, e);
	cJSON_Delete(json);
	return r;
}

static void what_is_not_named_stays_and_0_lifts_a_rule(void **state)
{
	struct run_record r = { .budget = 7, .time_limit_s = 2, .no_gain = 3, .target_ns = 4000 };
	struct stop_change c;
	struct err e;

	(void)state;
	assert_int_equal(read_text("{}", &c, &e), 0);
	stop_apply(&c, &r);
	assert_int_equal(r.budget, 7);
	assert_true(r.time_limit_s == 2);
	assert_int_equal(r.no_gain, 3);
	assert_true(r.target_ns == 4000);
	assert_int_equal(read_text("{\"budget\": 9, \"stop_after_no_gain\": 0, \"target_us\": 0.5, "
				   "\"time_limit_s\": 0}",
				   &c, &e),
			 0);
	stop_apply(&c, &r);
	assert_int_equal(r.budget, 9);
	assert_true(r.time_limit_s == 0);
	assert_int_equal(r.no_gain, 0);
	assert_true(r.target_ns == 500);
}

static void one_target_takes_the_others_place(void **state)
{
	struct run_record r = { .target_ns = 4000 };
	struct stop_change c;
	struct err e;

	(void)state;
	assert_int_equal(read_text("{\"target_percent\": 75}", &c, &e), 0);
	stop_apply(&c, &r);
	assert_true(r.target_ns == 0);
	assert_true(r.target_share == 0.75);
	assert_int_equal(read_text("{}", &c, &e), 0);
	stop_apply(&c, &r);
	assert_true(r.target_share == 0.75);
	assert_int_equal(read_text("{\"target_us\": 0}", &c, &e), 0);
	stop_apply(&c, &r);
	assert_true(r.target_ns == 0);
	assert_true(r.target_share == 0);
}

static void rules_out_of_range_are_refused_by_name(void **state)
{
	static const char *const bad[][2] = {
		{ "{\"budget\": 0}", "budget" },
		{ "{\"stop_after_no_gain\": -1}", "stop_after_no_gain" },
		{ "{\"target_us\": \"fast\"}", "target_us" },
		{ "{\"target_percent\": 1001}", "target_percent" },
		{ "{\"target_us\": 5, \"target_percent\": 80}", "target_us and target_percent" },
		{ "{\"time_limit_s\": 1e10}", "time_limit_s" },
	};
	struct stop_change c;
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(read_text(bad[i][0], &c, &e), ERR_INVALID);
		assert_memory_equal(e.msg, bad[i][1], strlen(bad[i][1]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_rule_ends_nothing),
		cmocka_unit_test(trials_without_gain_are_counted_from_the_best_one),
		cmocka_unit_test(a_target_is_reached_by_the_best_median),
		cmocka_unit_test(a_share_of_the_roofline_is_reached_by_the_best_once_it_is_known),
		cmocka_unit_test(a_share_needs_a_task_that_tells_its_work),
		cmocka_unit_test(the_time_limit_is_of_running_time),
		cmocka_unit_test(what_is_not_named_stays_and_0_lifts_a_rule),
		cmocka_unit_test(one_target_takes_the_others_place),
		cmocka_unit_test(rules_out_of_range_are_refused_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
