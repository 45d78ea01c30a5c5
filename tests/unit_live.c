/* The line that shows a run, and which parameters are said to do nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tuner/cli/inert.h"
#include "tuner/cli/live.h"

static bool tell(struct live *l, const char *json)
{
	struct err e;
	cJSON *event;
	bool ours;

	if (json_parse(json, strlen(json), &event, &e) < 0)
		fail_msg("%s", e.msg);
	ours = live_event(l, event);
	cJSON_Delete(event);
	return ours;
}

static void expect_line(const struct live *l, const char *expected)
{
	struct str s = STR_INIT;

	live_line(l, &s);
	assert_string_equal(s.data, expected);
	str_release(&s);
}

static void the_line_follows_the_events(void **state)
{
	struct live l;

	(void)state;
	live_init(&l, 3, 128);
	expect_line(&l, "run 3  0/128  queued");
	assert_true(tell(&l, "{\"no\":1,\"run\":3,\"kind\":\"run\",\"body\":{\"state\":\"running\","
			     "\"reason\":null,\"done\":0,\"budget\":128,\"best_us\":null}}"));
	expect_line(&l, "run 3  0/128");
	assert_true(tell(&l,
			 "{\"no\":2,\"run\":3,\"kind\":\"trial\",\"body\":{\"no\":32,\"done\":32,"
			 "\"budget\":128,\"best_us\":5.984,\"best_no\":7,\"speedup\":2.4,"
			 "\"rate_per_s\":8,\"failures\":{\"wrong\":2,\"hang\":1}}}"));
	expect_line(&l, "run 3  32/128  8.0/s  best 5.984 us (2.40x)  1 hang, 2 wrong  12 s left");
	assert_false(live_ended(&l));
	assert_true(tell(&l, "{\"run\":3,\"kind\":\"run\",\"body\":{\"state\":\"done\",\"reason\":"
			     "\"budget reached\",\"done\":128}}"));
	assert_true(live_ended(&l));
	expect_line(&l, "run 3  128/128  done  best 5.984 us (2.40x)  1 hang, 2 wrong  "
			"(budget reached)");
}

static void events_of_others_and_strange_members_change_nothing(void **state)
{
	struct live l;

	(void)state;
	live_init(&l, 3, 10);
	assert_false(tell(&l, "{\"run\":4,\"kind\":\"run\",\"body\":{\"state\":\"failed\"}}"));
	assert_false(tell(&l, "{\"kind\":\"daemon\",\"run\":0,\"body\":{\"state\":\"stopping\"}}"));
	assert_true(tell(&l,
			 "{\"run\":3,\"kind\":\"trial\",\"body\":{\"done\":\"x\",\"best_us\":-4,"
			 "\"failures\":[1],\"later\":{}}}"));
	expect_line(&l, "run 3  0/10  queued");
}

static void a_parameter_is_inert_when_no_pair_tells_it(void **state)
{
	static const char *const rows[][3] = {
		{ "1", "a", "x" }, { "1", "b", "x" }, { "2", "a", "x" }, { "2", "b", "y" }
	};
	static const char *const binaries[] = { "A", "A", "B", "B" };
	struct inert *x = inert_new(3);

	(void)state;
	assert_false(inert_is(x, 0));
	for (int i = 0; i < 4; i++)
		inert_add(x, rows[i], binaries[i]);
	assert_false(inert_is(x, 0)); /* (1,a,x) and (2,a,x) differ */
	assert_true(inert_is(x, 1));  /* (1,a,x) and (1,b,x) agree */
	assert_false(inert_is(x, 2)); /* no two rows differ in it alone */
	inert_free(x);
}

static void one_pair_that_differs_is_enough(void **state)
{
	static const char *const rows[][2] = { { "1", "a" }, { "1", "b" }, { "1", "c" } };
	static const char *const binaries[] = { "A", "A", "C" };
	struct inert *x = inert_new(2);

	(void)state;
	for (int i = 0; i < 3; i++)
		inert_add(x, rows[i], binaries[i]);
	assert_false(inert_is(x, 1));
	inert_free(x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_line_follows_the_events),
		cmocka_unit_test(events_of_others_and_strange_members_change_nothing),
		cmocka_unit_test(a_parameter_is_inert_when_no_pair_tells_it),
		cmocka_unit_test(one_pair_that_differs_is_enough),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
