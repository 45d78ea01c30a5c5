/* Recordings: every format, whole, open, cut, packed and wrong. */
#include "recording_fixture.h"

#include "tuner/task/recording_mend.h"

enum { LEGAL = 22, OK = 18 };

static const struct recorded *entry_of(const struct recording *r, const char *key)
{
	for (size_t i = 0; i < r->n; i++)
		if (strcmp(r->entry[i].key, key) == 0)
			return &r->entry[i];
	fail_msg("expected an entry %s, found none among %zu", key, r->n);
	return NULL;
}

static bool near(double a, double b)
{
	return a - b < 1e-9 && b - a < 1e-9;
}

static void same_number(const char *what, double found, double expected)
{
	if (!near(found, expected))
		fail_msg("%s: expected %.12g, found %.12g", what, expected, found);
}

static void same_recording(const struct recording *found, const struct recording *expected)
{
	int width = space_params(expected->space);

	assert_int_equal(found->n, expected->n);
	assert_int_equal(space_params(found->space), width);
	for (size_t i = 0; i < expected->n; i++) {
		const struct recorded *x = &expected->entry[i], *y = &found->entry[i];

		assert_string_equal(y->key, x->key);
		assert_int_equal(y->ok, x->ok);
		assert_int_equal(recorded_compiled(y), recorded_compiled(x));
		same_number(x->key, y->value, x->value);
		same_number(x->key, y->compile_s, x->compile_s);
		same_number(x->key, y->measure_s, x->measure_s);
	}
}

static void a_cache_is_read_as_the_space_that_was_measured(void **state)
{
	struct recording *r = a_recording("kt.json");
	const struct recorded *x = entry_of(r, "16,1,False,b c");
	size_t ok = 0;

	(void)state;
	for (size_t i = 0; i < r->n; i++)
		ok += r->entry[i].ok;
	assert_int_equal(r->n, LEGAL);
	assert_int_equal(ok, OK);
	assert_string_equal(r->kernel, "nine");
	assert_string_equal(r->device, "Test GPU");
	assert_string_equal(space_name(r->space, 3), "mode");
	same_number("value", x->value, 1 + 0.25 + 0.25 + 0.0625);
	same_number("compile_s", x->compile_s, 1.002);
	same_number("measure_s", x->measure_s, 0.5);
	assert_string_equal(r->entry[recording_best(r)].key, "32,2,False,a");
	recording_free(r);
}

static void a_failure_is_an_entry_and_an_illegal_configuration_is_none(void **state)
{
	struct recording *r = a_recording("kt.json");
	uint16_t illegal[] = { 2, 1, 1, 0 }, fails[] = { 0, 0, 1, 0 };

	(void)state;
	assert_false(space_legal(r->space, illegal));
	assert_int_equal(recording_find(r, illegal), r->n);
	assert_true(space_legal(r->space, fails));
	assert_int_equal(entry_of(r, "16,1,True,a")->outcome, OUTCOME_COMPILE_ERROR);
	assert_false(entry_of(r, "16,1,True,a")->ok);
	assert_int_equal(entry_of(r, "64,1,False,b c")->outcome, OUTCOME_FAULT);
	assert_false(entry_of(r, "64,1,False,b c")->ok);
	recording_free(r);
}

static void every_entry_is_found_by_its_configuration(void **state)
{
	struct recording *r = a_recording("kt.json");
	size_t width = (size_t)space_params(r->space);

	(void)state;
	for (size_t i = 0; i < r->n; i++)
		assert_int_equal(recording_find(r, r->config + i * width), i);
	recording_free(r);
}

static void all_forms_of_one_recording_are_the_same(void **state)
{
	static const char *const names[] = { "kt_old_errors.json", "kt_open.json",
					     "kt_cut.json",	   "kt.json.gz",
					     "kt.json.xz",	   "nine-GPU_T4.json" };
	struct recording *expected = a_recording("kt.json");

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct recording *r = a_recording(names[i]);

		same_recording(r, expected);
		recording_free(r);
	}
	recording_free(expected);
}

/* --- files made on the spot --- */

static int load_bytes(const char *bytes, size_t len, const char *t1, struct recording **ret,
		      struct err *e)
{
	char path[] = "/tmp/evo-recordingXXXXXX";
	int fd = mkstemp(path), status;
	FILE *f = fdopen(fd, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
	status = recording_load(path, t1, ret, e);
	unlink(path);
	return status;
}

static char *corpus(const char *name, size_t *ret_len)
{
	char *path = file_join(RECORDINGS, name), *bytes = NULL;
	struct err e = { 0 };

	if (file_read(path, 1 << 20, &bytes, ret_len, &e) < 0)
		fail_msg("%s", e.msg);
	free(path);
	return bytes;
}

/* How many whole records of legal configurations a cut file has; each stands on its own line. */
static size_t whole_records(const char *text, size_t len)
{
	const char *cache = strstr(text, "\"cache\""), *line = strchr(cache, '\n');
	size_t n = 0;

	while (line && (size_t)(line + 1 - text) < len) {
		const char *end = strstr(line, "\"}");

		if (!end || (size_t)(end + 2 - text) > len)
			break;
		n += !memmem(line, (size_t)(end - line), "InvalidConfig", 13);
		line = strchr(end, '\n');
	}
	return n;
}

static void a_file_cut_anywhere_loses_only_the_record_that_was_cut(void **state)
{
	size_t len = 0;
	char *text = corpus("kt_open.json", &len);

	(void)state;
	for (size_t cut = 0; cut <= len; cut++) {
		size_t expected = whole_records(text, cut);
		struct recording *r = NULL;
		struct err e = { 0 };
		int status = load_bytes(text, cut, NULL, &r, &e);

		if ((status == 0) != (expected > 0))
			fail_msg("cut at %zu: expected %zu records, status %d: %s", cut, expected,
				 status, e.msg);
		if (status == 0 && r->n != expected)
			fail_msg("cut at %zu: expected %zu records, found %zu", cut, expected,
				 r->n);
		recording_free(r);
	}
	free(text);
}

static void packed_files_cut_anywhere_are_refused(void **state)
{
	static const char *const names[] = { "kt.json.gz", "kt.json.xz" };

	(void)state;
	for (int i = 0; i < 2; i++) {
		size_t len = 0;
		char *bytes = corpus(names[i], &len);

		for (size_t cut = 0; cut < len; cut++) {
			struct recording *r = NULL;
			struct err e = { 0 };

			if (load_bytes(bytes, cut, NULL, &r, &e) != ERR_INVALID)
				fail_msg("%s cut at %zu: expected an error, found none", names[i],
					 cut);
		}
		free(bytes);
	}
}

static void streams_behind_one_another_are_one_file(void **state)
{
	size_t len = 0;
	char *bytes = corpus("kt.json.gz", &len), *twice = mem_array(2, len);
	struct recording *r = NULL;
	struct err e = { 0 };

	(void)state;
	memcpy(twice, bytes, len);
	memcpy(twice + len, bytes, len);
	/* Two documents in a row are no JSON: the complaint shows that both were unpacked. */
	assert_int_equal(load_bytes(twice, 2 * len, NULL, &r, &e), ERR_INVALID);
	assert_non_null(strstr(e.msg, "not JSON"));
	free(twice);
	free(bytes);
}

#define KT_HEAD	     "{\"tune_params_keys\": [\"a\"], \"tune_params\": {\"a\": [1, 2]}, "
#define T4_ONE(more) "{\"results\": [{\"configuration\": {\"a\": 1}, \"times\": {}, " more "}]}"
#define BENCH_HEAD                                                                             \
	"{\"format\": \"searchbench-task-1\", \"params\": [{\"name\": \"a\", \"values\": [1, " \
	"2]}], "

static void what_is_wrong_is_named(void **state)
{
	static const struct {
		const char *text, *part;
	} cases[] = {
		{ "", "not JSON" },
		{ "Dear reader", "not JSON" },
		{ "[]", "expected a Kernel Tuner cache" },
		{ "{\"ConfigurationSpace\": {}}", "--t1" },
		{ "{\"cache\": {}}", "tune_params_keys" },
		{ KT_HEAD "\"cache\": []}", "cache: expected an object" },
		{ KT_HEAD "\"cache\": {}}", "no configuration is recorded" },
		{ KT_HEAD "\"cache\": {\"1\": {\"time\": 2}}}", "cache.1" },
		{ KT_HEAD "\"cache\": {\"3\": {\"a\": 3, \"time\": 2}}}", "values of parameter a" },
		{ KT_HEAD "\"cache\": {\"1\": {\"a\": 1}}}", "time" },
		{ KT_HEAD "\"cache\": {\"1\": {\"a\": 1, \"time\": \"fast\"}}}",
		  "the name of an error" },
		{ KT_HEAD "\"cache\": {\"1\": {\"a\": 1, \"time\": -1}}}", "cache.1.time" },
		{ KT_HEAD "\"cache\": {\"1\": {\"a\": 1, \"time\": 0}}}", "a positive number" },
		{ "{\"tune_params_keys\": [\"b\"], \"tune_params\": {\"a\": [1]}, \"cache\": {}}",
		  "tune_params" },
		{ "{\"tune_params_keys\": [\"a\"], \"tune_params\": {\"a\": [1, 1]}, \"cache\": "
		  "{}}",
		  "twice" },
		{ T4_ONE("\"correctness\": 1"), "invalidity" },
		{ T4_ONE("\"invalidity\": \"correct\""), "measurements" },
		{ T4_ONE("\"invalidity\": \"correct\", \"measurements\": []"), "not measured" },
		{ "{\"metadata\": {\"timeunit\": \"fortnights\"}, \"results\": []}", "timeunit" },
		{ "{\"results\": []}", "no results" },
		{ "{\"format\": \"other\", \"configs\": []}", "searchbench-task-1" },
		{ BENCH_HEAD "\"configs\": [[0]], \"values\": [1]}", "costs" },
		{ BENCH_HEAD "\"configs\": [[0]], \"values\": [], \"costs\": [1]}", "values" },
		{ BENCH_HEAD "\"configs\": [[2]], \"values\": [1], \"costs\": [1]}",
		  "configs[0][0]" },
		{ BENCH_HEAD "\"configs\": [[0, 0]], \"values\": [1], \"costs\": [1]}",
		  "configs[0]" },
		{ BENCH_HEAD "\"configs\": [[0]], \"values\": [1], \"costs\": [-1]}", "costs[0]" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct recording *r = NULL;
		struct err e = { 0 };
		int status = load_bytes(cases[i].text, strlen(cases[i].text), NULL, &r, &e);

		if (status != ERR_INVALID || !strstr(e.msg, cases[i].part) ||
		    !strstr(e.msg, "evo-recording"))
			fail_msg("%s: expected a complaint with \"%s\", found status %d: %s",
				 cases[i].text, cases[i].part, status, e.msg);
	}
}

static void what_python_calls_not_a_number_is_a_failure(void **state)
{
	static const char *const numbers[] = { "NaN", "Infinity", "-Infinity", "null" };

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct recording *r = NULL;
		struct str s = STR_INIT;
		struct err e = { 0 };

		str_addf(&s, KT_HEAD "\"cache\": {\"1\": {\"a\": 1, \"time\": %s}}}", numbers[i]);
		if (load_bytes(s.data, s.len, NULL, &r, &e) < 0)
			fail_msg("%s: %s", numbers[i], e.msg);
		assert_int_equal(r->n, 1);
		assert_false(r->entry[0].ok);
		recording_free(r);
		str_release(&s);
	}
}

static void text_that_looks_like_no_number_is_left_alone(void **state)
{
	struct str s = STR_INIT;

	(void)state;
	str_addz(&s, "{\"NaN\": \"-Infinity \\\" NaN\", \"x\": -1}");
	assert_int_equal(recording_mend(&s), 0);
	assert_string_equal(s.data, "{\"NaN\": \"-Infinity \\\" NaN\", \"x\": -1}");
	str_release(&s);
}

static void of_a_rate_more_is_better(void **state)
{
	static const char text[] = KT_HEAD
		"\"objective\": \"GFLOP/s\", \"cache\": {\"1\": {\"a\": 1, \"GFLOP/s\": 5}, "
		"\"2\": {\"a\": 2, \"GFLOP/s\": 7}}}";
	struct recording *r = NULL;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(load_bytes(text, sizeof text - 1, NULL, &r, &e), 0);
	assert_string_equal(r->entry[recording_best(r)].key, "2");
	recording_free(r);
}

static void a_description_gives_results_their_parameters(void **state)
{
	size_t len = 0;
	char *text = corpus("nine-GPU_T4.json", &len);
	struct recording *with = NULL, *without = NULL;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(load_bytes(text, len, NULL, &without, &e), 0);
	assert_int_equal(load_bytes(text, len, RECORDINGS "nine-T1.json", &with, &e), 0);
	same_recording(without, with);
	recording_free(with);
	recording_free(without);
	assert_int_equal(load_bytes(text, len, RECORDINGS "kt.json", &with, &e), ERR_INVALID);
	assert_non_null(strstr(e.msg, "ConfigurationSpace"));
	free(text);
}

static void a_description_with_an_expression_is_refused(void **state)
{
	static const char t1[] = "{\"ConfigurationSpace\": {\"TuningParameters\": [{\"Name\": "
				 "\"a\", \"Values\": \"[2**i for i in range(4)]\"}]}}";
	char path[] = "/tmp/evo-t1XXXXXX";
	struct recording *r = NULL;
	struct err e = { 0 };
	int fd = mkstemp(path);

	(void)state;
	assert_int_equal(write(fd, t1, sizeof t1 - 1), sizeof t1 - 1);
	close(fd);
	assert_int_equal(recording_load(RECORDINGS "nine-GPU_T4.json", path, &r, &e), ERR_INVALID);
	assert_non_null(strstr(e.msg, "a Python list of literals"));
	unlink(path);
}

static void a_task_brings_its_budget_and_seed(void **state)
{
	struct recording *r = a_recording("bench.json");

	(void)state;
	assert_true(r->has_budget);
	assert_int_equal(r->min_evals, 3);
	assert_int_equal(r->max_evals, 22);
	same_number("max_cost", r->max_cost, 6);
	assert_int_equal(r->seed, 7);
	assert_string_equal(r->entry[recording_best(r)].key, "32,2,False,a");
	recording_free(r);
}

static void a_file_that_is_not_there_is_missing(void **state)
{
	struct recording *r = NULL;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(recording_load(RECORDINGS "none.json", NULL, &r, &e), ERR_MISSING);
	assert_non_null(strstr(e.msg, "none.json"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cache_is_read_as_the_space_that_was_measured),
		cmocka_unit_test(a_failure_is_an_entry_and_an_illegal_configuration_is_none),
		cmocka_unit_test(every_entry_is_found_by_its_configuration),
		cmocka_unit_test(all_forms_of_one_recording_are_the_same),
		cmocka_unit_test(a_file_cut_anywhere_loses_only_the_record_that_was_cut),
		cmocka_unit_test(packed_files_cut_anywhere_are_refused),
		cmocka_unit_test(streams_behind_one_another_are_one_file),
		cmocka_unit_test(what_is_wrong_is_named),
		cmocka_unit_test(what_python_calls_not_a_number_is_a_failure),
		cmocka_unit_test(text_that_looks_like_no_number_is_left_alone),
		cmocka_unit_test(of_a_rate_more_is_better),
		cmocka_unit_test(a_description_gives_results_their_parameters),
		cmocka_unit_test(a_description_with_an_expression_is_refused),
		cmocka_unit_test(a_task_brings_its_budget_and_seed),
		cmocka_unit_test(a_file_that_is_not_there_is_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
