/* The table of settings: found by strategy and name, checked, stored and read back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tuner/daemon/settings_json.h"
#include "tuner/search/search.h"

static void every_row_is_of_a_strategy_and_its_default_in_range(void **state)
{
	(void)state;
	for (int i = 0; i < SETTING_COUNT; i++) {
		const struct setting *s = &setting_table[i];
		int strategies = 0;

		for (int k = 0; search_strategy_name(k); k++)
			strategies += setting_is_of((enum setting_id)i, search_strategy_name(k));
		assert_in_range(strategies, 1, 100);
		assert_true(s->least <= s->initial && s->initial <= s->most);
	}
}

static void a_name_stands_for_one_setting_of_a_strategy(void **state)
{
	(void)state;
	for (int k = 0; search_strategy_name(k); k++)
		for (int a = 0; a < SETTING_COUNT; a++)
			for (int b = 0; b < a; b++)
				if (setting_is_of((enum setting_id)a, search_strategy_name(k)) &&
				    setting_is_of((enum setting_id)b, search_strategy_name(k)))
					assert_string_not_equal(setting_table[a].name,
								setting_table[b].name);
}

static void assignments_are_checked(void **state)
{
	static const char *const bad[][3] = {
		{ "full", "pool", "setting: expected NAME=VALUE, found \"pool\"" },
		{ "full", "=3", "setting: expected NAME=VALUE, found \"=3\"" },
		{ "full", "pool=", "setting pool: expected a number, found \"\"" },
		{ "full", "pool=3x", "setting pool: expected a number, found \"3x\"" },
		{ "full", "pool=2.5",
		  "setting pool: expected a whole number from 1 to 100000, found 2.5" },
		{ "full", "pool=0",
		  "setting pool: expected a whole number from 1 to 100000, found 0" },
		{ "full", "cross=nan", "setting cross: expected a number from 0 to 1, found nan" },
		{ "full", "pol=3",
		  "setting pol: strategy full has none of this name, did you mean pool?; "
		  "`evo-tuned start --help` lists them" },
		{ "random", "pool=3", "setting pool: strategy random has none" },
	};
	struct settings s;
	struct err e;

	(void)state;
	settings_init(&s);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(settings_set_text(&s, bad[i][0], bad[i][1], &e), ERR_INVALID);
		assert_string_equal(e.msg, bad[i][2]);
	}
	assert_int_equal(settings_set_text(&s, "full", "pool=64", &e), 0);
	assert_true(s.value[SETTING_FULL_POOL] == 64);
}

static void settings_read_back_as_they_were_stored(void **state)
{
	struct settings s, got;
	struct err e;

	(void)state;
	for (int k = 0; search_strategy_name(k); k++) {
		const char *strategy = search_strategy_name(k);
		char *text;

		settings_init(&s);
		for (int i = 0; i < SETTING_COUNT; i++)
			if (setting_is_of((enum setting_id)i, strategy))
				s.value[i] = setting_table[i].whole ? setting_table[i].most
								    : setting_table[i].most / 3;
		text = settings_render(&s, strategy);
		assert_int_equal(settings_parse(text, strategy, &got, &e), 0);
		assert_memory_equal(&got, &s, sizeof s);
		free(text);
	}
	assert_int_equal(settings_parse("{\"bogus\":1}", "full", &got, &e), ERR_INVALID);
	assert_int_equal(settings_parse("[]", "full", &got, &e), ERR_INVALID);
	assert_int_equal(settings_parse("{", "full", &got, &e), ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_of_a_strategy_and_its_default_in_range),
		cmocka_unit_test(a_name_stands_for_one_setting_of_a_strategy),
		cmocka_unit_test(assignments_are_checked),
		cmocka_unit_test(settings_read_back_as_they_were_stored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
