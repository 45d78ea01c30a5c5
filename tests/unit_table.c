/* How figures and tables look. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tuner/cli/config.h"
#include "tuner/cli/figure.h"
#include "tuner/cli/table.h"

static void times_have_four_figures_and_a_unit_that_fits(void **state)
{
	char s[FIGURE_MAX];

	(void)state;
	assert_string_equal(figure_time(5984, s), "5.984 us");
	assert_string_equal(figure_time(12.34, s), "12.34 ns");
	assert_string_equal(figure_time(1234567, s), "1.235 ms");
	assert_string_equal(figure_time(999960, s), "1.000 ms");
	assert_string_equal(figure_time(2.5e10, s), "25.00 s");
	assert_string_equal(figure_time(0, s), "-");
	assert_string_equal(figure_us(9.99996e6, s), "10000");
	assert_string_equal(figure_us(99996, s), "100.0");
	assert_string_equal(figure_us(-1, s), "-");
}

static void unknown_figures_are_a_dash_and_others_are_short(void **state)
{
	char s[FIGURE_MAX];

	(void)state;
	assert_string_equal(figure_ratio(2.414, s), "2.41x");
	assert_string_equal(figure_ratio(123.4, s), "123x");
	assert_string_equal(figure_ratio(0, s), "-");
	assert_string_equal(figure_bytes(-1, s), "-");
	assert_string_equal(figure_bytes(0, s), "0 B");
	assert_string_equal(figure_bytes(65536, s), "64.0 KiB");
	assert_string_equal(figure_count(-1, s), "-");
	assert_string_equal(figure_large(999, s), "999");
	assert_string_equal(figure_large(10368000, s), "10,368,000");
	assert_string_equal(figure_large(999999999999., s), "999,999,999,999");
	assert_string_equal(figure_large(1.04e15, s), "1.04e+15");
	assert_string_equal(figure_seconds(4.24, s), "4.2 s");
	assert_string_equal(figure_seconds(9.97, s), "10 s");
	assert_string_equal(figure_seconds(185, s), "3 m 05 s");
	assert_string_equal(figure_seconds(7800, s), "2 h 10 m");
	assert_string_equal(figure_seconds(1e300, s), "-");
}

static void print_to(const struct table *t, char **ret)
{
	size_t len;
	FILE *f = open_memstream(ret, &len);

	assert_non_null(f);
	table_print(t, f);
	fclose(f);
}

static void columns_align_by_what_a_terminal_shows(void **state)
{
	struct table *t = table_new();
	char *text;

	(void)state;
	table_column(t, ">n");
	table_column(t, "name");
	table_column(t, ">us");
	table_cell(t, "1");
	table_cell(t, "\xc3\xa4\xe6\x97\xa5"); /* an umlaut and a wide character: 3 columns */
	table_cell(t, "5.98");
	table_cell(t, "10");
	table_cell(t, "plain");
	table_cell(t, "12.3");
	assert_int_equal(table_rows(t), 2);
	print_to(t, &text);
	assert_string_equal(text, " n  name     us\n"
				  " 1  \xc3\xa4\xe6\x97\xa5    5.98\n"
				  "10  plain  12.3\n");
	free(text);
	table_free(t);
}

static void text_from_files_cannot_speak_to_the_terminal(void **state)
{
	struct table *t = table_new();
	char *text;

	(void)state;
	table_column(t, "");
	table_cell(t, "a\033[2Jb\nc");
	table_cell(t, NULL);
	table_cell(t, "\xff\xfe");
	print_to(t, &text);
	assert_string_equal(text, "a?[2Jb?c\n\n\xff\xfe\n");
	free(text);
	table_free(t);
}

static void a_configuration_is_cut_into_the_texts_of_its_values(void **state)
{
	char json[] = "{\"A\":16,\"B,\":\"x\\\",}\",\"C\":true,\"D\":0.5}";
	const char *values[4];

	(void)state;
	assert_int_equal(config_split(json, values, 4), 4);
	assert_string_equal(values[0], "16");
	assert_string_equal(values[1], "\"x\\\",}\"");
	assert_string_equal(values[2], "true");
	assert_string_equal(values[3], "0.5");
}

static void what_is_no_canonical_configuration_is_not_cut(void **state)
{
	static const char *const bad[] = {
		"",	      "{",	    "{}",	  "{\"A\"",
		"{\"A\":1",   "{\"A\":1}x", "{\"A\":\"1", "{A:1}",
		"{\"A\":1,}", "[1]",	    "{\"A\\",	  "{\"A\":1,\"B\":2,\"C\":3}",
	};
	const char *values[2];

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		char *copy = strdup(bad[i]);

		if (config_split(copy, values, 2) != -1)
			fail_msg("%s: cut", bad[i]);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_have_four_figures_and_a_unit_that_fits),
		cmocka_unit_test(unknown_figures_are_a_dash_and_others_are_short),
		cmocka_unit_test(columns_align_by_what_a_terminal_shows),
		cmocka_unit_test(text_from_files_cannot_speak_to_the_terminal),
		cmocka_unit_test(a_configuration_is_cut_into_the_texts_of_its_values),
		cmocka_unit_test(what_is_no_canonical_configuration_is_not_cut),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
