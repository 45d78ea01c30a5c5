#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "tuner/daemon/lines.h"

static void lines_come_out_however_the_bytes_come_in(void **state)
{
	static const char text[] = "one\n\nthree and a half\nx\nlast one without end";
	static const char *const expected[] = { "one", "", "three and a half", "x" };
	struct rng rng;

	(void)state;
	rng_init(&rng, 1, 0);
	for (int round = 0; round < 500; round++) {
		struct lines l;
		size_t at = 0, len;
		int n = 0;
		char *line;

		lines_init(&l, 100);
		while (at < strlen(text)) {
			size_t piece = 1 + (size_t)rng_below(&rng, 9);

			piece = piece < strlen(text) - at ? piece : strlen(text) - at;
			lines_add(&l, text + at, piece);
			at += piece;
			while (lines_take(&l, &line, &len)) {
				assert_string_equal(line, expected[n++]);
				assert_int_equal(len, strlen(line));
			}
		}
		assert_int_equal(n, 4);
		assert_false(lines_over(&l));
		lines_release(&l);
	}
}

static void a_line_may_have_exactly_the_limit_and_not_one_byte_more(void **state)
{
	struct lines l;
	char *line;
	size_t len;

	(void)state;
	lines_init(&l, 4);
	lines_add(&l, "abcd\n", 5);
	assert_true(lines_take(&l, &line, &len));
	assert_string_equal(line, "abcd");
	lines_add(&l, "abcde\n", 6);
	assert_false(lines_take(&l, &line, &len));
	assert_true(lines_over(&l));
	lines_release(&l);
}

static void a_line_that_is_too_long_is_seen_before_it_ends(void **state)
{
	struct lines l;
	char *line;
	size_t len;

	(void)state;
	lines_init(&l, 4);
	lines_add(&l, "abcd", 4);
	assert_false(lines_take(&l, &line, &len));
	assert_false(lines_over(&l));
	lines_add(&l, "e", 1);
	assert_false(lines_take(&l, &line, &len));
	assert_true(lines_over(&l));
	lines_release(&l);
}

static void nul_bytes_are_counted(void **state)
{
	struct lines l;
	char *line;
	size_t len;

	(void)state;
	lines_init(&l, 10);
	lines_add(&l, "a\0b\n", 4);
	assert_true(lines_take(&l, &line, &len));
	assert_int_equal(len, 3);
	lines_release(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_come_out_however_the_bytes_come_in),
		cmocka_unit_test(a_line_may_have_exactly_the_limit_and_not_one_byte_more),
		cmocka_unit_test(a_line_that_is_too_long_is_seen_before_it_ends),
		cmocka_unit_test(nul_bytes_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
