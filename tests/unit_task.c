/* Task files as they are read: the corpus of good and bad ones, and what a good one says. */
#include "task_fixture.h"

#include <dirent.h>

#include "base/file.h"
#include "base/str.h"

/* Loading and binding, as `check` does; 0 or the error of the first that fails. */
static int load_and_bind(const char *path, struct err *e)
{
	struct device d = a_device();
	struct task_options o = { .device = &d };
	struct task *t = NULL;
	struct task_bound *b = NULL;
	int r = task_load(path, &t, e);

	if (r == 0)
		r = task_bind(t, &o, &b, e);
	task_bound_free(b);
	task_free(t);
	return r;
}

static void check_refusal(const char *path)
{
	char *expect_path = mem_strndup(path, strlen(path) - strlen("json")), *expect = NULL;
	struct str name = STR_INIT;
	struct err e = { 0 };

	str_addf(&name, "%sexpect", expect_path);
	assert_ok(file_read(name.data, 4096, &expect, NULL, &e), &e);
	expect[strcspn(expect, "\n")] = '\0';
	if (load_and_bind(path, &e) == 0)
		fail_msg("%s was accepted, expected: %s", path, expect);
	assert_int_equal(e.code, strstr(expect, "No such file") ? ERR_MISSING : ERR_INVALID);
	assert_says(&e, path);
	assert_says(&e, expect);
	free(expect);
	free(expect_path);
	str_release(&name);
}

static void check_acceptance(const char *path)
{
	struct err e = { 0 };

	assert_ok(load_and_bind(path, &e), &e);
}

static int each_task(const char *folder, void (*check)(const char *path))
{
	struct dirent *d;
	DIR *dir = opendir(folder);
	int n = 0;

	assert_non_null(dir);
	while ((d = readdir(dir))) {
		char *path;

		if (!strstr(d->d_name, ".json"))
			continue;
		path = file_join(folder, d->d_name);
		check(path);
		free(path);
		n++;
	}
	closedir(dir);
	return n;
}

static void each_bad_form_is_refused_with_its_message(void **state)
{
	(void)state;
	assert_true(each_task(TASKS "bad/form", check_refusal) >= 70);
}

static void each_task_that_makes_no_sense_is_refused_with_its_message(void **state)
{
	(void)state;
	assert_true(each_task(TASKS "bad/sense", check_refusal) >= 60);
}

static void each_text_that_is_not_strict_json_is_refused_with_its_message(void **state)
{
	(void)state;
	assert_true(each_task(TASKS "bad/text", check_refusal) >= 7);
}

static void good_tasks_are_accepted(void **state)
{
	(void)state;
	assert_true(each_task(TASKS "good", check_acceptance) >= 4);
}

static void a_missing_task_is_named(void **state)
{
	struct task *t;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(task_load(TASKS "nowhere.json", &t, &e), ERR_MISSING);
	assert_says(&e, TASKS "nowhere.json");
}

static void the_shipped_example_has_44_configurations(void **state)
{
	struct bound b;
	bool exact;

	(void)state;
	open_task(&b, "configs/vector_add.json");
	assert_ok(bind_task(&b), &b.e);
	assert_int_equal(space_cartesian(task_space(b.bound)), 45);
	assert_int_equal(space_count(task_space(b.bound), 1000, &exact), 44);
	assert_true(exact);
	close_task(&b);
}

static void a_task_says_what_it_is(void **state)
{
	struct bound b;
	const struct resource_gate *g;

	(void)state;
	open_task(&b, TASKS "good/everything.json");
	assert_string_equal(task_name(b.task), "add");
	assert_string_equal(task_description(b.task), "every member there is");
	assert_string_equal(task_runtime(b.task), "cuda");
	assert_int_equal(task_language(b.task), LANGUAGE_CUDA);
	assert_string_equal(task_entry(b.task), "add");
	assert_float_equal(task_compile_timeout_s(b.task), 9, 0);
	assert_float_equal(task_measure_timeout_s(b.task), 2.5, 0);
	assert_int_equal(task_shapes(b.task), 2);
	assert_string_equal(task_shape_name(b.task, 1), "large");
	assert_int_equal(task_find_shape(b.task, "large"), 1);
	assert_int_equal(task_find_shape(b.task, "larger"), -1);
	assert_true(task_shape_checked(b.task, 0));
	assert_false(task_shape_timed(b.task, 0));
	assert_int_equal(task_presets(b.task), 2);
	assert_string_equal(task_preset_name(b.task, 1), "wide");
	assert_null(task_preset_name(b.task, 2));
	g = task_gate(b.task, GATE_REGISTERS);
	assert_true(g->limit == 128 && !g->hard && g->penalty == 0.01);
	g = task_gate(b.task, GATE_SHARED_BYTES);
	assert_true(g->limit == 65536 && g->hard && g->penalty == 0);
	g = task_gate(b.task, GATE_SPILL_BYTES);
	assert_true(g->limit == 0 && !g->hard && g->penalty == 0.5);
	close_task(&b);
}

static void what_is_left_out_has_its_default(void **state)
{
	struct bound b;

	(void)state;
	open_task(&b, TASKS "good/smallest_c.json");
	assert_string_equal(task_description(b.task), "");
	assert_string_equal(task_runtime(b.task), "host");
	assert_float_equal(task_compile_timeout_s(b.task), 120, 0);
	assert_float_equal(task_measure_timeout_s(b.task), 20, 0);
	assert_true(task_shape_checked(b.task, 0) && task_shape_timed(b.task, 0));
	for (int g = 0; g < GATE_FIGURE_COUNT; g++)
		assert_int_equal(task_gate(b.task, (enum gate_figure)g)->limit, -1);
	close_task(&b);
}

/* The text of a good task with `from` replaced, where it stands first. */
static char *altered(const char *path, const char *from, const char *to)
{
	struct str s = STR_INIT;
	struct err e = { 0 };
	char *text = NULL, *at;

	assert_ok(file_read(path, 1 << 20, &text, NULL, &e), &e);
	at = strstr(text, from);
	assert_non_null(at);
	str_add(&s, text, (size_t)(at - text));
	str_addz(&s, to);
	str_addz(&s, at + strlen(from));
	free(text);
	return str_detach(&s);
}

static void hash_of(const char *text, char ret[HASH_HEX])
{
	struct task *t = NULL;
	struct err e = { 0 };

	assert_ok(task_parse(TASKS "good/x.json", text, strlen(text), NULL, NULL, &t, &e), &e);
	memcpy(ret, task_hash(t), HASH_HEX);
	task_free(t);
}

static void the_hash_of_a_task_counts_white_space_in_strings_only(void **state)
{
	static const char path[] = TASKS "good/everything.json";
	char *plain = altered(path, "every", "every"), *spaced = altered(path, "{", " {\t\n\n "),
	     *said = altered(path, "every member", "every  member"),
	     *quoted = altered(path, "every member", "every \\\" { } member");
	char hashes[4][HASH_HEX];

	(void)state;
	hash_of(plain, hashes[0]);
	hash_of(spaced, hashes[1]);
	hash_of(said, hashes[2]);
	hash_of(quoted, hashes[3]);
	assert_string_equal(hashes[0], hashes[1]);
	assert_string_not_equal(hashes[0], hashes[2]);
	assert_string_not_equal(hashes[0], hashes[3]);
	free(plain);
	free(spaced);
	free(said);
	free(quoted);
}

struct library {
	int asked;
	int fail_at; /* the n-th question is not answered; 0: all are */
};

/* Sources of smallest_cuda.json, from memory. */
static const char *from_library(void *ctx, const char *path, size_t *ret_len)
{
	static const char *const files[][2] = {
		{ "../src/add.cu",
		  "#include \"add.cuh\"\n#include <lib.cuh>\n#include <math.h>\n" },
		{ "../src/add.cuh", "#include \"inc/one.cuh\"" },
		{ "../src/inc/one.cuh", "#define ONE 1\n#include \"../add.cuh\"\n" },
		{ "../src/inc/lib.cuh", "// #include \"not closed\n#include\"\"\n" },
	};
	struct library *l = ctx;

	if (++l->asked == l->fail_at)
		return NULL;
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		if (strcmp(files[i][0], path) == 0) {
			*ret_len = strlen(files[i][1]);
			return files[i][1];
		}
	}
	return NULL;
}

static int parse_from(struct library *l, struct task **ret, struct err *e)
{
	char *text = altered(TASKS "good/smallest_cuda.json", "", "");
	int r = task_parse("stored", text, strlen(text), from_library, l, ret, e);

	free(text);
	return r;
}

static void a_stored_task_asks_its_reader_for_sources(void **state)
{
	static const char *const want[] = { "../src/add.cu", "../src/add.cuh", "../src/inc/lib.cuh",
					    "../src/inc/one.cuh" };
	const struct task_source *sources;
	struct library l = { 0 };
	struct task *t = NULL;
	struct err e = { 0 };

	(void)state;
	assert_ok(parse_from(&l, &t, &e), &e);
	assert_int_equal(task_sources(t, &sources), 4);
	for (int i = 0; i < 4; i++)
		assert_string_equal(sources[i].path, want[i]);
	task_free(t);
}

/* Sources without which nothing can be compiled are errors; an include may be the compiler's. */
static void a_reader_that_fails_at_any_question_leaves_no_half_task(void **state)
{
	char whole[HASH_HEX];
	struct library l = { 0 };
	struct task *t = NULL;
	struct err e = { 0 };
	int questions;

	(void)state;
	assert_ok(parse_from(&l, &t, &e), &e);
	memcpy(whole, task_source_hash(t), HASH_HEX);
	task_free(t);
	questions = l.asked;
	for (int n = 1; n <= questions; n++) {
		l = (struct library){ .fail_at = n };
		t = NULL;
		if (n == 1) {
			assert_int_equal(parse_from(&l, &t, &e), ERR_MISSING);
			assert_says(&e, "stored: kernel.source: ../src/add.cu: no such source");
			assert_null(t);
			continue;
		}
		assert_ok(parse_from(&l, &t, &e), &e);
		task_free(t);
	}
}

static void a_task_cut_short_at_any_byte_is_refused(void **state)
{
	char *text = altered(TASKS "good/everything.json", "", "");
	size_t len = strlen(text);
	struct task *t = NULL;
	struct err e = { 0 };

	(void)state;
	while (len > 0 && text[len - 1] == '\n')
		len--;
	for (size_t n = 0; n < len; n++) {
		if (task_parse(TASKS "good/x.json", text, n, NULL, NULL, &t, &e) == 0)
			fail_msg("%zu of %zu bytes were accepted", n, len);
	}
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_bad_form_is_refused_with_its_message),
		cmocka_unit_test(each_task_that_makes_no_sense_is_refused_with_its_message),
		cmocka_unit_test(each_text_that_is_not_strict_json_is_refused_with_its_message),
		cmocka_unit_test(good_tasks_are_accepted),
		cmocka_unit_test(a_missing_task_is_named),
		cmocka_unit_test(the_shipped_example_has_44_configurations),
		cmocka_unit_test(a_task_says_what_it_is),
		cmocka_unit_test(what_is_left_out_has_its_default),
		cmocka_unit_test(the_hash_of_a_task_counts_white_space_in_strings_only),
		cmocka_unit_test(a_stored_task_asks_its_reader_for_sources),
		cmocka_unit_test(a_reader_that_fails_at_any_question_leaves_no_half_task),
		cmocka_unit_test(a_task_cut_short_at_any_byte_is_refused),
	};

	return cmocka_run_group_tests_name("task", tests, NULL, NULL);
}
