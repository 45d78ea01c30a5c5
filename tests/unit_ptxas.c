/* Figures of ptxas from the logs of several CUDA versions, under tests/corpus/ptxas. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/file.h"
#include "runtime/ptxas.h"

static char *read_log(const char *name)
{
	char *path = file_join("tests/corpus/ptxas", name), *text;
	struct err e;

	if (file_read(path, 1 << 20, &text, NULL, &e) < 0)
		fail_msg("%s", e.msg);
	free(path);
	return text;
}

static void expect(const char *log, const char *entry, const struct ptxas *want)
{
	char *text = read_log(log);
	struct ptxas got;

	assert_true(ptxas_parse(text, entry, &got));
#define X(field)                                                                                   \
	if (got.field != want->field)                                                              \
		fail_msg("%s, %s: " #field " is %lld, not %lld", log, entry, (long long)got.field, \
			 (long long)want->field);
	PTXAS_MAP(X)
#undef X
	free(text);
}

static void each_version_of_the_text_gives_its_figures(void **state)
{
	static const struct {
		const char *log, *entry;
		struct ptxas want;
	} cases[] = {
		{ "cuda13-sm_90a.txt", "vector_add", { 10, 0, 0, 0, 0, 0, 0 } },
		{ "cuda13-sm_90a.txt", "vector_add_reference", { 12, 0, 0, 0, 0, 0, 0 } },
		{ "cuda13-sm_75-spills.txt", "spills", { 64, 1520, 1208, 1212, 8192, 364, 1 } },
		{ "cuda13-sm_75-spills.txt", "spill", { 8, 0, 0, 0, 0, 360, 0 } },
		{ "cuda13-too-much-shared.txt", "selftest", { 14, 0, 0, 0, 262144, 0, 1 } },
		{ "cuda12-sm_89.txt", "attend", { 84, 16, 8, 12, 37120, 412, 0 } },
		{ "cuda12-sm_89.txt", "attend_reference", { 255, 0, 0, 0, 0, 400, 1 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		expect(cases[i].log, cases[i].entry, &cases[i].want);
}

static void an_entry_that_is_not_there_has_no_figures(void **state)
{
	char *text = read_log("cuda12-sm_89.txt");
	struct ptxas got;

	(void)state;
	assert_false(ptxas_parse(text, "attend_ref", &got));
	assert_int_equal(got.registers, -1);
	assert_int_equal(got.spill_load_bytes, -1);
	assert_false(ptxas_parse("", "attend", &got));
	assert_false(ptxas_parse(text, "", &got));
	free(text);
}

static void a_log_may_be_cut_anywhere(void **state)
{
	char *text = read_log("cuda13-sm_75-spills.txt");
	size_t len = strlen(text);
	struct ptxas got;

	(void)state;
	for (size_t cut = len; cut > 0; cut--) {
		text[cut - 1] = '\0';
		if (ptxas_parse(text, "spills", &got))
			assert_true(got.stack_bytes == -1 || got.stack_bytes <= 1520);
	}
	free(text);
}

static void too_much_shared_memory_is_told_from_other_errors(void **state)
{
	char *text = read_log("cuda13-too-much-shared.txt");

	(void)state;
	assert_true(ptxas_too_big(text));
	assert_false(ptxas_too_big("vector_add.cu(3): error: identifier \"x\" is undefined"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_version_of_the_text_gives_its_figures),
		cmocka_unit_test(an_entry_that_is_not_there_has_no_figures),
		cmocka_unit_test(a_log_may_be_cut_anywhere),
		cmocka_unit_test(too_much_shared_memory_is_told_from_other_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
