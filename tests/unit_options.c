/* Options of commands: tables in, values or a complaint that helps out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/near.h"
#include "tuner/cli/options.h"

struct values {
	bool flag;
	int64_t count;
	double ratio;
	const char *text, *choice;
	struct option_list list;
	struct option_seed seed;
	struct option_amount amount;
};

static const struct option_spec specs[] = {
	{ .name = "flag",
	  .letter = 'f',
	  .kind = OPTION_FLAG,
	  .offset = offsetof(struct values, flag) },
	{ .name = "count",
	  .letter = 'n',
	  .kind = OPTION_INT,
	  .value = "N",
	  .help = "how many",
	  .offset = offsetof(struct values, count),
	  .min = 1,
	  .max = 1e9 },
	{ .name = "ratio",
	  .kind = OPTION_REAL,
	  .value = "X",
	  .offset = offsetof(struct values, ratio),
	  .max = 10 },
	{ .name = "text",
	  .kind = OPTION_TEXT,
	  .value = "T",
	  .offset = offsetof(struct values, text) },
	{ .name = "format",
	  .kind = OPTION_CHOICE,
	  .value = "header|json|csv",
	  .offset = offsetof(struct values, choice) },
	{ .name = "set",
	  .kind = OPTION_LIST,
	  .value = "A=B",
	  .offset = offsetof(struct values, list) },
	{ .name = "seed",
	  .kind = OPTION_SEED,
	  .value = "N",
	  .offset = offsetof(struct values, seed) },
	{ .name = "amount",
	  .kind = OPTION_AMOUNT,
	  .value = "US|%",
	  .offset = offsetof(struct values, amount),
	  .max = 100 },
	{ 0 },
};

enum { WORDS = 12 };

struct parsed {
	struct values v;
	struct option_set set;
	char *argv[WORDS + 2];
	int argc, operands;
	struct err e;
};

/* The words of a command line, separated by single blanks. */
static int parse(struct parsed *p, const char *line)
{
	static char text[400];
	char *rest = text;

	memset(p, 0, sizeof *p);
	p->v.count = 128;
	p->set = (struct option_set){ specs, &p->v };
	snprintf(text, sizeof text, "command %s", line);
	while ((p->argv[p->argc] = strsep(&rest, " ")))
		p->argc++;
	return options_parse(&p->set, 1, p->argc, p->argv, &p->operands, &p->e);
}

static void release(struct parsed *p)
{
	options_release(&p->set, 1);
}

static void values_go_where_the_table_says(void **state)
{
	struct parsed p;

	(void)state;
	assert_int_equal(parse(&p, "-f --count 7 --ratio=2.5 --text x --format csv --seed "
				   "18446744073709551615 a b"),
			 0);
	assert_true(p.v.flag);
	assert_int_equal(p.v.count, 7);
	assert_float_equal(p.v.ratio, 2.5, 0);
	assert_string_equal(p.v.text, "x");
	assert_string_equal(p.v.choice, "csv");
	assert_true(p.v.seed.given && p.v.seed.value == UINT64_MAX);
	assert_string_equal(p.argv[p.operands], "a");
	assert_string_equal(p.argv[p.operands + 1], "b");
	assert_null(p.argv[p.operands + 2]);
	release(&p);
}

static void an_amount_is_a_number_or_a_share(void **state)
{
	struct parsed p;

	(void)state;
	assert_int_equal(parse(&p, "--amount 12.5"), 0);
	assert_true(p.v.amount.value == 12.5 && !p.v.amount.percent);
	assert_int_equal(parse(&p, "--amount 80%"), 0);
	assert_true(p.v.amount.value == 80 && p.v.amount.percent);
}

static void what_is_not_given_keeps_its_default(void **state)
{
	struct parsed p;

	(void)state;
	assert_int_equal(parse(&p, "operand"), 0);
	assert_int_equal(p.v.count, 128);
	assert_null(p.v.text);
	assert_false(p.v.seed.given);
	release(&p);
}

static void operands_may_stand_between_options_and_lists_grow(void **state)
{
	struct parsed p;

	(void)state;
	assert_int_equal(parse(&p, "--set A=1,2 one --set B=x -n 3 -- --set"), 0);
	assert_int_equal(p.v.list.n, 2);
	assert_string_equal(p.v.list.items[0], "A=1,2");
	assert_string_equal(p.v.list.items[1], "B=x");
	assert_string_equal(p.argv[p.operands], "one");
	assert_string_equal(p.argv[p.operands + 1], "--set");
	release(&p);
	assert_int_equal(p.v.list.n, 0);
}

static void bad_words_get_a_complaint_that_helps(void **state)
{
	static const struct {
		const char *line, *complaint;
	} bad[] = {
		{ "--count 0",
		  "--count: expected a whole number from 1 to 1000000000, found \"0\"" },
		{ "--count 1000000001", "from 1 to 1000000000" },
		{ "--count 12x", "found \"12x\"" },
		{ "--count 99999999999999999999", "expected a whole number" },
		{ "--count=", "expected a whole number" },
		{ "--count", "--count expects a value: N" },
		{ "-n", "--count expects a value: N" },
		{ "--ratio nan", "expected a number from 0 to 10" },
		{ "--ratio 10.5", "expected a number from 0 to 10" },
		{ "--ratio 1e", "found \"1e\"" },
		{ "--amount %", "expected a number from 0 to 100, with a % behind it or without" },
		{ "--amount 5%%", "found \"5%%\"" },
		{ "--amount 101%", "found \"101%\"" },
		{ "--amount=", "found \"\"" },
		{ "--text=", "found an empty text" },
		{ "--format xml", "--format: expected header|json|csv, found \"xml\"" },
		{ "--format head", "found \"head\"" },
		{ "--seed -1", "--seed: expected" },
		{ "--seed 18446744073709551616", "--seed: expected" },
		{ "--flag=yes", "--flag takes no value" },
		{ "--conut 3", "unknown option --conut; did you mean --count?" },
		{ "--zzzzzz", "unknown option --zzzzzz; --help lists them" },
		{ "-q", "unknown option -q" },
	};
	struct parsed p;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(parse(&p, bad[i].line), ERR_INVALID);
		if (!strstr(p.e.msg, bad[i].complaint))
			fail_msg("%s: said \"%s\", not \"%s\"", bad[i].line, p.e.msg,
				 bad[i].complaint);
		release(&p);
	}
}

static void help_has_a_line_for_every_option(void **state)
{
	struct values v = { 0 };
	struct option_set set = { specs, &v };
	struct str s = STR_INIT;

	(void)state;
	options_help(&set, 1, &s);
	assert_non_null(strstr(s.data, "  -n, --count N"));
	assert_non_null(strstr(s.data, "how many\n"));
	for (const struct option_spec *o = specs; o->name; o++)
		if (!strstr(s.data, o->name))
			fail_msg("help lacks %s: %s", o->name, s.data);
	str_release(&s);
}

static void the_nearest_name_is_suggested_and_none_that_is_far(void **state)
{
	static const char *const names[] = { "start", "status", "stop", "top", "runs" };

	(void)state;
	assert_string_equal(near_name("stauts", names, 5), "status");
	assert_string_equal(near_name("strat", names, 5), "start");
	assert_string_equal(near_name("run", names, 5), "runs");
	assert_null(near_name("compile", names, 5));
	assert_null(near_name("", names, 5));
	assert_null(near_name("an-overlong-word-of-more-than-forty-characters-in-all", names, 5));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_go_where_the_table_says),
		cmocka_unit_test(an_amount_is_a_number_or_a_share),
		cmocka_unit_test(what_is_not_given_keeps_its_default),
		cmocka_unit_test(operands_may_stand_between_options_and_lists_grow),
		cmocka_unit_test(bad_words_get_a_complaint_that_helps),
		cmocka_unit_test(help_has_a_line_for_every_option),
		cmocka_unit_test(the_nearest_name_is_suggested_and_none_that_is_far),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
