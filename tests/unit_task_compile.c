/* What a compiler gets: the sources below a root, and the options of a job. */
#include "task_fixture.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "tuner/task/task_source.h"

static void assert_options(const struct task_compile *c, const char *text)
{
	struct str s = STR_INIT;

	for (int i = 0; i < c->job.n_options; i++)
		str_addf(&s, "%s%s", i ? " " : "", c->job.options[i]);
	assert_string_equal(s.data, text);
	str_release(&s);
}

static void a_job_has_parameters_defines_folders_and_flags_as_options(void **state)
{
	struct task_compile c;
	uint16_t config[5];
	struct bound b;

	(void)state;
	open_task(&b, TASKS "good/everything.json");
	assert_ok(bind_task(&b), &b.e);
	assert_true(task_preset(b.bound, "wide", config));
	assert_ok(task_compile_job(b.bound, config, "/root", &c, &b.e), &b.e);
	assert_options(&c, "-DBLOCK=128 -DVEC=4 -DMODE=wmma -DFAST=1 -DSCALE=1.0 -DDEBUG=0 -DWIDTH=3 "
			   "-DKIND=half -I/root/src/inc -lineinfo -std=c++20 "
			   "--gpu-architecture=sm_90a");
	assert_string_equal(c.job.source, "/root/src/add.cu");
	assert_string_equal(c.job.entry, "add");
	assert_string_equal(c.job.arch, "sm_90a");
	assert_null(c.job.cache);
	task_compile_release(&c);
	close_task(&b);
}

static void cuda_gets_a_standard_and_an_architecture_unless_it_says_so(void **state)
{
	struct task_compile c;
	struct bound b;
	int n;

	(void)state;
	open_task(&b, TASKS "good/smallest_cuda.json");
	assert_ok(bind_task(&b), &b.e);
	assert_ok(task_compile_job(b.bound, task_first(b.bound, &n), "/root", &c, &b.e), &b.e);
	assert_options(&c, "-DBLOCK=64 -DVEC=1 -I/root/src/inc --gpu-architecture=sm_90a "
			   "-std=c++17");
	task_compile_release(&c);
	close_task(&b);
}

static void c_is_optimised_for_this_machine_unless_flags_are_given(void **state)
{
	struct task_compile c;
	struct bound b;
	int n;

	(void)state;
	open_task(&b, TASKS "good/smallest_c.json");
	assert_ok(bind_task(&b), &b.e);
	assert_ok(task_compile_job(b.bound, task_first(b.bound, &n), "/root", &c, &b.e), &b.e);
	assert_options(&c, "-DSTEP=1 -O3 -march=native");
	assert_int_equal(c.job.language, LANGUAGE_C);
	assert_int_equal(c.job.n_arguments, 3);
	assert_int_equal(c.job.arguments[1].buffer, 1);
	assert_int_equal(c.job.arguments[2].buffer, -1);
	assert_string_equal(c.job.argument_c_types[0], "float");
	assert_string_equal(c.job.argument_c_types[2], "int32_t");
	task_compile_release(&c);
	close_task(&b);
}

static void a_reference_gets_its_own_options_and_no_parameters(void **state)
{
	struct task_compile c;
	struct bound b;

	(void)state;
	open_task(&b, TASKS "good/everything.json");
	assert_ok(bind_task(&b), &b.e);
	assert_ok(task_reference_job(b.bound, 0, "/root", &c, &b.e), &b.e);
	assert_options(&c, "-DBLOCK=64 -DVEC=1 -I/root/src/inc -lineinfo -std=c++20 "
			   "--gpu-architecture=sm_90a");
	task_compile_release(&c);
	assert_ok(task_reference_job(b.bound, 1, "/root", &c, &b.e), &b.e);
	assert_options(&c, "-I/root/src/inc -O0");
	assert_string_equal(c.job.source, "/root/src/add.c");
	assert_string_equal(c.job.entry, "add_reference");
	assert_string_equal(c.job.argument_c_types[0], "uint16_t");
	task_compile_release(&c);
	close_task(&b);
}

static void golden_files_have_nothing_to_compile(void **state)
{
	struct task_compile c;
	struct bound b;

	(void)state;
	open_task(&b, TASKS "good/golden_file.json");
	assert_ok(bind_task(&b), &b.e);
	assert_int_equal(task_reference_job(b.bound, 0, "/root", &c, &b.e), ERR_MISSING);
	close_task(&b);
}

static void paths_are_normalised_by_text(void **state)
{
	static const char *const cases[][2] = {
		{ "a.cu", "a.cu" },
		{ "./a//b/./c.cu", "a/b/c.cu" },
		{ "a/../b.cu", "b.cu" },
		{ "../../a.cu", "../../a.cu" },
		{ "a/../../b.cu", "../b.cu" },
		{ "../a/../../b", "../../b" },
		{ "a/..", "." },
		{ "", "." },
		{ "/a/../../b.cu", "/b.cu" },
		{ "..a/...", "..a/..." },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *path = source_normalise(cases[i][0]);

		assert_string_equal(path, cases[i][1]);
		free(path);
	}
}

/* Places of sources, for a task some of whose sources lie far above it. */
static void places_stay_below_the_root_and_keep_relative_ways(void **state)
{
	static const char *const cases[][2] = {
		{ "beside.cu", "_1/_2/beside.cu" },
		{ "../up.cu", "_1/up.cu" },
		{ "../../top.cu", "top.cu" },
		{ "in/side.cu", "_1/_2/in/side.cu" },
		{ "/usr/far.cu", "_root/usr/far.cu" },
		{ "..", "_1" },
		{ "../..", "." },
	};
	struct task_source sources[5] = { { 0 } };
	char *folders[] = { mem_strdup("..") };
	struct task t = { .sources = sources, .n_sources = 5, .include = folders, .n_include = 1 };

	(void)state;
	for (int i = 0; i < 5; i++)
		sources[i].path = mem_strdup(cases[i][0]);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *place = source_place(&t, cases[i][0]);

		assert_string_equal(place, cases[i][1]);
		free(place);
	}
	for (int i = 0; i < 5; i++)
		free(sources[i].path);
	free(folders[0]);
}

static int make_folder(void **state)
{
	char *dir = mem_strdup("/tmp/evo-tuned-test.XXXXXX");

	*state = dir;
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_folder(void **state)
{
	struct err e;
	int r = file_remove_tree(*state, &e);

	free(*state);
	return r;
}

static void assert_same_text(const char *root, const char *place, const char *original)
{
	char *path = file_join(root, place), *copy = NULL, *text = NULL;
	struct err e = { 0 };

	assert_ok(file_read(path, 1 << 20, &copy, NULL, &e), &e);
	assert_ok(file_read(original, 1 << 20, &text, NULL, &e), &e);
	assert_string_equal(copy, text);
	free(copy);
	free(text);
	free(path);
}

static void materialised_sources_lie_as_they_lay(void **state)
{
	char *root = file_join(*state, "new/root");
	struct bound b;

	open_task(&b, TASKS "good/everything.json");
	assert_ok(task_materialise(b.task, root, &b.e), &b.e);
	assert_same_text(root, "src/add.cu", TASKS "src/add.cu");
	assert_same_text(root, "src/add.cuh", TASKS "src/add.cuh");
	assert_same_text(root, "src/add.c", TASKS "src/add.c");
	assert_same_text(root, "src/inc/one.cuh", TASKS "src/inc/one.cuh");
	assert_same_text(root, "src/inc/lib.cuh", TASKS "src/inc/lib.cuh");
	close_task(&b);
	free(root);
}

static ino_t inode_of(const char *root, const char *place)
{
	char *path = file_join(root, place);
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	free(path);
	return st.st_ino;
}

static void materialising_again_mends_what_differs_and_keeps_the_rest(void **state)
{
	char *changed = file_join(*state, "src/add.c");
	struct bound b;
	ino_t kept;

	open_task(&b, TASKS "good/everything.json");
	assert_ok(task_materialise(b.task, *state, &b.e), &b.e);
	kept = inode_of(*state, "src/add.cu");
	assert_ok(file_write(changed, "int spoilt;\n", 12, &b.e), &b.e);
	assert_ok(task_materialise(b.task, *state, &b.e), &b.e);
	assert_same_text(*state, "src/add.c", TASKS "src/add.c");
	assert_true(inode_of(*state, "src/add.cu") == kept);
	close_task(&b);
	free(changed);
}

static void a_root_that_cannot_be_made_is_named(void **state)
{
	char *file = file_join(*state, "file"), *root = file_join(file, "root");
	struct bound b;

	open_task(&b, TASKS "good/smallest_c.json");
	assert_ok(file_write(file, "", 0, &b.e), &b.e);
	assert_true(task_materialise(b.task, root, &b.e) < 0);
	assert_says(&b.e, root);
	close_task(&b);
	free(root);
	free(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_job_has_parameters_defines_folders_and_flags_as_options),
		cmocka_unit_test(cuda_gets_a_standard_and_an_architecture_unless_it_says_so),
		cmocka_unit_test(c_is_optimised_for_this_machine_unless_flags_are_given),
		cmocka_unit_test(a_reference_gets_its_own_options_and_no_parameters),
		cmocka_unit_test(golden_files_have_nothing_to_compile),
		cmocka_unit_test(paths_are_normalised_by_text),
		cmocka_unit_test(places_stay_below_the_root_and_keep_relative_ways),
		cmocka_unit_test_setup_teardown(materialised_sources_lie_as_they_lay, make_folder,
						remove_folder),
		cmocka_unit_test_setup_teardown(
			materialising_again_mends_what_differs_and_keeps_the_rest, make_folder,
			remove_folder),
		cmocka_unit_test_setup_teardown(a_root_that_cannot_be_made_is_named, make_folder,
						remove_folder),
	};

	return cmocka_run_group_tests_name("task_compile", tests, NULL, NULL);
}
