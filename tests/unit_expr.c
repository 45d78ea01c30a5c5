/* Expressions of task files: what they mean, and what they say when they mean nothing. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "tuner/search/expr.h"

enum { A, B, MODE, REAL, SLOTS };
static const char *const slot_names[SLOTS] = { "A", "B", "MODE", "REAL" };

static int lookup(void *ctx, const char *name, int *ret_slot, struct value *ret_constant)
{
	(void)ctx;
	if (strcmp(name, "device.sm_count") == 0) {
		*ret_slot = -1;
		*ret_constant = value_int(132);
		return 0;
	}
	for (int i = 0; i < SLOTS; i++)
		if (strcmp(name, slot_names[i]) == 0) {
			*ret_slot = i;
			return 0;
		}
	return -1;
}

/* The value as it prints, or the message. */
static const char *answer(const char *text)
{
	static char said[ERR_MSG_MAX];
	const struct value slots[SLOTS] = { value_int(6), value_int(4), value_text("mma"),
					    value_real(2.5) };
	struct expr *x = NULL;
	struct err e = { 0 };
	struct value v;

	if (expr_compile(text, lookup, NULL, &x, &e) || expr_eval(x, slots, &v, &e))
		snprintf(said, sizeof said, "%s", e.msg);
	else
		value_print(&v, said, sizeof said);
	expr_free(x);
	return said;
}

/* As C where A and MODE are known and B and REAL are not, or the message. */
static const char *as_c(const char *text)
{
	static char said[ERR_MSG_MAX];
	static const char *const names[SLOTS] = { NULL, "b", NULL, "r" };
	const struct value slots[SLOTS] = { value_int(6), { 0 }, value_text("mma"), { 0 } };
	struct expr_c how = { slots, names, "t" };
	struct str c = STR_INIT;
	struct expr *x = NULL;
	struct err e = { 0 };

	if (expr_compile(text, lookup, NULL, &x, &e) || expr_as_c(x, &how, &c, &e))
		snprintf(said, sizeof said, "%s", e.msg);
	else
		snprintf(said, sizeof said, "%s", c.data);
	expr_free(x);
	str_release(&c);
	return said;
}

struct example {
	const char *text, *answer;
};

static void check(const struct example *example, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_string_equal(answer(example[i].text), example[i].answer);
}
#define CHECK(examples) check(examples, sizeof examples / sizeof *examples)

static void operators_bind_as_in_c(void **state)
{
	static const struct example examples[] = {
		{ "1 + 2 * 3", "7" },
		{ "10 - 4 - 3", "3" },
		{ "100 / 5 / 2 * 3 % 7", "2" },
		{ "-7 / 2", "-3" },
		{ "-7 % 3", "-1" },
		{ "- - 5", "5" },
		{ "!0 == 1", "1" },
		{ "2 < 3 == 1", "1" },
		{ "1 == 1 && 2 == 2 || 0", "1" },
		{ "1 || 0 && 0", "1" },
		{ "(1 || 0) && 0", "0" },
		{ "0 ? 1 : 0 ? 2 : 3", "3" },
		{ "1 ? 0 ? 1 : 2 : 3", "2" },
		{ "1 + (A > B ? A : B) * 2", "13" },
		{ "A%B==2&&B<=4", "1" },
		{ "0x20 + true - false", "33" },
		{ "device.sm_count * 2", "264" },
	};

	(void)state;
	CHECK(examples);
}

static void functions_and_text_mean_what_the_manual_says(void **state)
{
	static const struct example examples[] = {
		{ "min(A, B)", "4" },
		{ "max(1, A, B, 5)", "6" },
		{ "min(2, 2.5)", "2.0" },
		{ "ceil_div(7, 2)", "4" },
		{ "ceil_div(8, 2)", "4" },
		{ "ceil_div(9223372036854775807, 2)", "4611686018427387904" },
		{ "pow2(10)", "1024" },
		{ "log2(1024)", "10" },
		{ "log2(1023)", "9" },
		{ "log2(1)", "0" },
		{ "MODE == \"mma\"", "1" },
		{ "MODE != 'mma'", "0" },
		{ "MODE == 3", "0" },
		{ "REAL * 2", "5.0" },
		{ "REAL > 2 && REAL < 3", "1" },
		{ "2 == 2.0", "1" },
		{ "1e3 + .5", "1000.5" },
	};

	(void)state;
	CHECK(examples);
}

static void what_a_short_circuit_skips_cannot_fail(void **state)
{
	static const struct example examples[] = {
		{ "0 && 1 / 0", "0" },	  { "1 || 1 / 0", "1" }, { "1 ? 5 : 1 / 0", "5" },
		{ "0 ? 1 / 0 : 6", "6" }, { "1 && 7", "1" },	 { "0 || 7", "1" },
	};

	(void)state;
	CHECK(examples);
}

static void a_calculation_that_has_no_result_says_why(void **state)
{
	static const struct example examples[] = {
		{ "1 / 0", "`1 / 0`: division by zero" },
		{ "1 % 0", "`1 % 0`: division by zero" },
		{ "1.0 / 0", "`1.0 / 0`: division by zero" },
		{ "ceil_div(1, 0)", "`ceil_div(1, 0)`: division by zero" },
		{ "ceil_div(-1, 2)", "`ceil_div(-1, 2)`: ceil_div of a negative number" },
		{ "9223372036854775807 + 1", "`9223372036854775807 + 1`: overflow" },
		{ "-9223372036854775807 - 2", "`-9223372036854775807 - 2`: overflow" },
		{ "(-9223372036854775807 - 1) / -1",
		  "`(-9223372036854775807 - 1) / -1`: overflow" },
		{ "-(-9223372036854775807 - 1)", "`-(-9223372036854775807 - 1)`: overflow" },
		{ "(-9223372036854775807 - 1) % -1", "0" },
		{ "3037000500 * 3037000500", "`3037000500 * 3037000500`: overflow" },
		{ "pow2(62)", "4611686018427387904" },
		{ "pow2(63)", "`pow2(63)`: overflow" },
		{ "pow2(-1)", "`pow2(-1)`: pow2 of a negative integer" },
		{ "log2(0)", "`log2(0)`: log2 of a number that is not positive" },
		{ "1e308 * 10", "`1e308 * 10`: overflow" },
		{ "REAL % 2", "`REAL % 2`: % of a number that is not an integer" },
		{ "MODE + 1", "`MODE + 1`: text where a number is expected" },
		{ "!MODE", "`!MODE`: text where a number is expected" },
		{ "MODE && 1", "`MODE && 1`: text where a number is expected" },
		{ "MODE < 'n'", "`MODE < 'n'`: text where a number is expected" },
	};

	(void)state;
	CHECK(examples);
}

static void a_mistake_is_pointed_at(void **state)
{
	static const struct example examples[] = {
		{ "TILE_X * 2", "`TILE_X * 2`: unknown name \"TILE_X\" at 1" },
		{ "A * tile", "`A * tile`: unknown name \"tile\" at 5" },
		{ "", "``: expected a value, found the end at 1" },
		{ "A +", "`A +`: expected a value, found the end at 4" },
		{ "(A", "`(A`: expected ), found the end at 3" },
		{ "A B", "`A B`: expected an operator or the end at 3" },
		{ "A = B", "`A = B`: expected an operator or the end at 3" },
		{ "A & B", "`A & B`: expected an operator or the end at 3" },
		{ "A ? B", "`A ? B`: expected :, found the end at 6" },
		{ "foo(1)", "`foo(1)`: unknown function at 1" },
		{ "min(1)", "`min(1)`: too few arguments at 1" },
		{ "ceil_div(1, 2, 3)", "`ceil_div(1, 2, 3)`: too many arguments at 1" },
		{ "log2(1, 2)", "`log2(1, 2)`: expected ) at 7" },
		{ "'open", "`'open`: text without a closing quote at 1" },
		{ "12ab", "`12ab`: malformed number at 1" },
		{ "1.2.3", "`1.2.3`: malformed number at 1" },
		{ "1e", "`1e`: malformed number at 1" },
		{ "0x", "`0x`: malformed number at 1" },
		{ "9223372036854775808", "`9223372036854775808`: number out of range at 1" },
		{ "1e999", "`1e999`: number out of range at 1" },
	};

	(void)state;
	CHECK(examples);
}

static char *repeated(const char *piece, int times)
{
	char *text = mem_alloc(strlen(piece) * (size_t)times + 2);

	for (int i = 0; i < times; i++)
		memcpy(text + strlen(piece) * (size_t)i, piece, strlen(piece));
	return text;
}

static void nesting_and_length_have_limits_but_long_sums_have_none(void **state)
{
	static const char *const deep[] = { "(", "-", "!", "1?", "min(1,", "1+(" };
	char *text;

	(void)state;
	for (size_t i = 0; i < sizeof deep / sizeof *deep; i++) {
		text = repeated(deep[i], 600);
		assert_non_null(strstr(answer(text), "too deeply nested"));
		free(text);
	}
	text = repeated("1+", 2000);
	text[3999] = '\0';
	assert_string_equal(answer(text), "2000");
	free(text);
	text = repeated("1+", 3000);
	assert_non_null(strstr(answer(text), "longer than 4096 characters"));
	free(text);
}

static void a_whole_number_is_insisted_on(void **state)
{
	static const struct {
		const char *text;
		int64_t min, max, value;
		const char *message;
	} examples[] = {
		{ "6 * 7", 0, 100, 42, NULL },
		{ "2.0 * 3", 0, 6, 6, NULL },
		{ "1 - 2", 0, 100, 0, "`1 - 2`: expected a whole number from 0 to 100, found -1" },
		{ "7 / 2.0", 0, 9, 0, "`7 / 2.0`: expected a whole number from 0 to 9, found 3.5" },
		{ "'x'", 0, 9, 0, "`'x'`: expected a whole number from 0 to 9, found x" },
		{ "1e30", 0, INT64_MAX, 0,
		  "`1e30`: expected a whole number from 0 to 9223372036854775807, found 1e+30" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
		struct err e = { 0 };
		struct expr *x;
		int64_t n = 0;

		assert_int_equal(expr_compile(examples[i].text, NULL, NULL, &x, &e), 0);
		if (expr_eval_int(x, NULL, examples[i].min, examples[i].max, &n, &e))
			assert_string_equal(e.msg, examples[i].message);
		else
			assert_null(examples[i].message);
		assert_int_equal(n, examples[i].value);
		expr_free(x);
	}
}

static void it_knows_its_variables_and_its_terms(void **state)
{
	static const struct {
		const char *text;
		int max_slot;
		const char *terms[4];
	} examples[] = {
		{ "A < 1 && B < 2&&(A && B)", B, { "A < 1 ", " B < 2", "(A && B)" } },
		{ "A && B || MODE == 'x'", MODE, { "A && B || MODE == 'x'" } },
		{ "A && B ? 1 : 0", B, { "A && B ? 1 : 0" } },
		{ "max(A && B, 1) && A", B, { "max(A && B, 1) ", " A" } },
		{ "1 + 1", -1, { "1 + 1" } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
		struct err e = { 0 };
		struct expr *x;

		assert_int_equal(expr_compile(examples[i].text, lookup, NULL, &x, &e), 0);
		assert_int_equal(expr_max_slot(x), examples[i].max_slot);
		assert_string_equal(expr_text(x), examples[i].text);
		for (int term = 0; term < 4; term++) {
			char *text = expr_term(x, term);

			if (examples[i].terms[term])
				assert_string_equal(text, examples[i].terms[term]);
			else
				assert_null(text);
			free(text);
			if (!examples[i].terms[term])
				break;
		}
		expr_free(x);
	}
}

static void uses_tells_which_variables_are_read(void **state)
{
	struct err e = { 0 };
	struct expr *x;

	(void)state;
	assert_int_equal(expr_compile("A + (0 && REAL)", lookup, NULL, &x, &e), 0);
	assert_true(expr_uses(x, A));
	assert_false(expr_uses(x, B));
	assert_true(expr_uses(x, REAL));
	expr_free(x);
}

static void values_print_as_the_compiler_takes_them(void **state)
{
	static const struct {
		struct value v;
		const char *text;
	} examples[] = {
		{ { .kind = VALUE_INT, .i = INT64_MIN }, "-9223372036854775808" },
		{ { .kind = VALUE_REAL, .d = 0.1 }, "0.1" },
		{ { .kind = VALUE_REAL, .d = 2 }, "2.0" },
		{ { .kind = VALUE_REAL, .d = 1e100 }, "1e+100" },
		{ { .kind = VALUE_REAL, .d = 1.0 / 3 }, "0.3333333333333333" },
		{ { .kind = VALUE_TEXT, .s = "mma" }, "mma" },
	};
	char text[40];
	char tight[4];

	(void)state;
	for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
		value_print(&examples[i].v, text, sizeof text);
		assert_string_equal(text, examples[i].text);
	}
	value_print(&examples[0].v, tight, sizeof tight);
	assert_string_equal(tight, "-92");
}

static void as_c_what_is_known_is_worked_out_and_the_rest_stands(void **state)
{
	static const struct example all[] = {
		{ "A * 7 + 1", "43" },
		{ "B", "b" },
		{ "ceil_div(B, A * 2) * max(B, 3, REAL)", "t_ceil_div(b, 12) * t_max(t_max(b, 3), r)" },
		{ "B - (REAL - 1) - 2", "b - (r - 1) - 2" },
		{ "B - (0 - A)", "b - (-6)" },
		{ "-B * 2 / (B * 3)", "-b * 2 / (b * 3)" },
		{ "(B + 1) % 4 == 0 && MODE == 'mma'", "(b + 1) % 4 == 0" },
		{ "B && A", "b != 0" },
		{ "B < 4 || A > 5", "1" },
		{ "A > 7 || B < 4", "b < 4" },
		{ "B > 1 && REAL > 1 || B == 7", "(b > 1 && r > 1) || b == 7" },
		{ "!(B || REAL)", "!(b || r != 0)" },
		{ "(B < 2) == (REAL < 2)", "(b < 2) == (r < 2)" },
		{ "MODE == 'mma' ? B / 2 : B / 0", "b / 2" },
		{ "B > 2 ? A : REAL + 1", "b > 2 ? 6 : r + 1" },
		{ "(B ? 1 : 2) * pow2(B) + log2(A)", "(b ? 1 : 2) * t_pow2(b) + 2" },
		{ "B > 1 ? (REAL ? 1 : B) : A", "b > 1 ? (r ? 1 : b) : 6" },
		{ "B == 'x'", "`B == 'x'` as C: text beside what is not known yet" },
		{ "B * 0.5", "`B * 0.5` as C: a real number beside what is not known yet" },
		{ "B + A / 0", "`B + A / 0` as C: division by zero" },
		{ "B ? A / 0 : 1", "`B ? A / 0 : 1` as C: division by zero" },
		{ "B && A / 0", "`B && A / 0` as C: division by zero" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		assert_string_equal(as_c(all[i].text), all[i].answer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(operators_bind_as_in_c),
		cmocka_unit_test(functions_and_text_mean_what_the_manual_says),
		cmocka_unit_test(what_a_short_circuit_skips_cannot_fail),
		cmocka_unit_test(a_calculation_that_has_no_result_says_why),
		cmocka_unit_test(a_mistake_is_pointed_at),
		cmocka_unit_test(nesting_and_length_have_limits_but_long_sums_have_none),
		cmocka_unit_test(a_whole_number_is_insisted_on),
		cmocka_unit_test(it_knows_its_variables_and_its_terms),
		cmocka_unit_test(uses_tells_which_variables_are_read),
		cmocka_unit_test(values_print_as_the_compiler_takes_them),
		cmocka_unit_test(as_c_what_is_known_is_worked_out_and_the_rest_stands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
