/* The host runtime end to end: real cc, real shared objects, kernels that misbehave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "problem_fixture.h"
#include "runtime/runtime.h"

/* What the kernel does is chosen by -DMODE; 0 is right. */
static const char source[] =
	"enum { FINE, WRONG, PARTIAL, BEFORE, BEHIND, INPUT, OTHER, CRASH, SCRATCH, DIRTY,\n"
	"       FAR, TIRED, LAZY, KEEPING };\n"
	"static int calls;\n"
	"static volatile int turns;\n"
	"static float kept_for;\n"
	"void scale(const float *x, float *y, float *scratch, int n, float bias)\n"
	"{\n"
	"	if (MODE == TIRED && calls > 10)\n"
	"		return;\n"
	"	if (MODE == LAZY && y[0] > -100 && y[0] < 100)\n"
	"		return;\n"
	"	if (MODE == KEEPING && x[0] != kept_for)\n"
	"		for (turns = 0; turns < 100000; turns++)\n"
	"			;\n"
	"	kept_for = x[0];\n"
	"	if (MODE == FAR)\n"
	"		((char *)(y + n))[3500] = 0;\n"
	"	for (int i = 0; i < n - (MODE == PARTIAL); i++)\n"
	"		y[i] = 2 * x[i] + bias;\n"
	"	if (MODE == WRONG)\n"
	"		y[n / 2] += 1;\n"
	"	if (MODE == BEFORE)\n"
	"		y[-1] = 0;\n"
	"	if (MODE == BEHIND)\n"
	"		y[n + 1] = 0;\n"
	"	if (MODE == INPUT)\n"
	"		((float *)x)[1] = 0;\n"
	"	if (MODE == OTHER)\n"
	"		((unsigned *)y)[0] ^= calls % 2;\n"
	"	if (MODE == CRASH)\n"
	"		*(volatile int *)8 = 1;\n"
	"	if (MODE == SCRATCH)\n"
	"		for (int i = 0; i < SIZE; i++)\n"
	"			scratch[i] = 1;\n"
	"	if (MODE == DIRTY)\n"
	"		y[0] += scratch[0] == scratch[0] ? 1 : 0;\n"
	"	calls++;\n"
	"}\n";

enum mode {
	FINE,
	WRONG,
	PARTIAL,
	BEFORE,
	BEHIND,
	INPUT,
	OTHER,
	CRASH,
	SCRATCH,
	DIRTY,
	FAR,
	TIRED,
	LAZY,
	KEEPING,
};

static char folder[] = "/tmp/evo-host-XXXXXX";
static char *source_path, *cache_path;

static int set_up(void **state)
{
	struct err e;

	(void)state;
	if (!mkdtemp(folder))
		return -1;
	source_path = file_join(folder, "scale.c");
	cache_path = file_join(folder, "cache");
	return file_write(source_path, source, sizeof source - 1, &e);
}

static int tear_down(void **state)
{
	struct err e;

	(void)state;
	free(source_path);
	free(cache_path);
	return file_remove_tree(folder, &e);
}

static int compile(const char *const *options, int n, struct artifact *a, struct err *e)
{
	static const char *const c_types[] = { "float", "float", "float", "int32_t", "float" };
	int n_arguments;
	struct problem_argument *arguments = fixture_arguments(&n_arguments);
	struct compile_job job = { .language = LANGUAGE_C,
				   .source = source_path,
				   .entry = "scale",
				   .options = options,
				   .n_options = n,
				   .arguments = arguments,
				   .argument_c_types = c_types,
				   .n_arguments = n_arguments,
				   .cache = cache_path };
	int r = runtime_host.compile(&job, a, e);

	free(arguments);
	return r;
}

static char *compile_mode(enum mode mode)
{
	char text[32];
	const char *options[] = { "-O1", text, "-DSIZE=100" };
	struct artifact a;
	struct err e;
	char *path;

	snprintf(text, sizeof text, "-DMODE=%d", (int)mode);
	if (compile(options, 3, &a, &e) < 0)
		fail_msg("%s", e.msg);
	if (a.outcome != OUTCOME_OK)
		fail_msg("%s", a.log);
	path = mem_strdup(a.path);
	artifact_release(&a);
	return path;
}

static struct session *open_session(struct problem *p)
{
	struct session *s;
	struct err e;

	free(p->references[0].artifact);
	p->references[0].artifact = compile_mode(FINE);
	if (runtime_host.open(0, p, &s, &e) < 0)
		fail_msg("%s", e.msg);
	return s;
}

static struct measurement measure_path(struct session *s, const struct problem *p, const char *path,
				       bool time, uint64_t fresh_seed)
{
	struct launch launches[2] = { fixture_launch(p->shapes[0].buffers[0].count, 100),
				      fixture_launch(p->shapes[1].buffers[0].count, 100) };
	struct measure_job job = { .artifact = path,
				   .entry = "scale",
				   .launches = launches,
				   .n_launches = 2,
				   .verify = true,
				   .time = time,
				   .fresh_seed = fresh_seed };
	struct measurement m;
	struct err e;

	if (runtime_host.measure(s, &job, &m, &e) < 0)
		fail_msg("%s", e.msg);
	launch_release(&launches[0]);
	launch_release(&launches[1]);
	return m;
}

static struct measurement measure_mode(struct session *s, const struct problem *p, enum mode mode)
{
	char *path = compile_mode(mode);
	struct measurement m = measure_path(s, p, path, true, 0);

	free(path);
	return m;
}

static void a_probe_describes_this_machine(void **state)
{
	struct device *d;
	struct err e;
	int n;

	(void)state;
	if (runtime_host.probe(&d, &n, &e) < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(n, 1);
	assert_true(d->name[0] && d->compiler[0] && d->driver[0] && d->arch[0]);
	assert_int_equal(strncmp(d->uuid, "host-", 5), 0);
	assert_in_range(d->attr[DEVICE_SM_COUNT], 1, 1 << 20);
	assert_true(d->attr[DEVICE_MEMORY_BYTES] > 1 << 20);
	free(d);
}

static void equal_options_give_one_binary_and_others_another(void **state)
{
	char *a = compile_mode(FINE), *b = compile_mode(FINE), *c = compile_mode(WRONG);

	(void)state;
	assert_string_equal(a, b);
	assert_string_not_equal(a, c);
	free(a);
	free(b);
	free(c);
}

static void what_does_not_compile_is_an_outcome_with_a_log(void **state)
{
	static const char *const options[] = { "-DSIZE=100" }; /* MODE is missing */
	struct artifact a;
	struct err e;

	(void)state;
	assert_int_equal(compile(options, 1, &a, &e), 0);
	assert_int_equal(a.outcome, OUTCOME_COMPILE_ERROR);
	assert_non_null(strstr(a.log, "MODE"));
	assert_null(a.path);
	artifact_release(&a);
}

static void a_long_log_keeps_its_head_and_tail(void **state)
{
	static const char text[] = "#error first line\n#include __FILE__\n";
	char *kept = source_path;
	struct artifact a;
	struct err e;

	(void)state;
	source_path = file_join(folder, "endless.c");
	assert_int_equal(file_write(source_path, text, sizeof text - 1, &e), 0);
	assert_int_equal(compile(NULL, 0, &a, &e), 0);
	assert_int_equal(a.outcome, OUTCOME_COMPILE_ERROR);
	assert_true(strlen(a.log) <= LOG_BYTES_MAX);
	assert_non_null(strstr(a.log, "first line"));
	assert_non_null(strstr(a.log, "bytes left out]"));
	artifact_release(&a);
	free(source_path);
	source_path = kept;
}

static void a_missing_source_is_an_error_that_names_it(void **state)
{
	char *kept = source_path;
	struct artifact a;
	struct err e;

	(void)state;
	source_path = file_join(folder, "nowhere.c");
	assert_int_equal(compile(NULL, 0, &a, &e), ERR_MISSING);
	assert_non_null(strstr(e.msg, "nowhere.c"));
	free(source_path);
	source_path = kept;
}

static void arguments_of_another_type_do_not_compile(void **state)
{
	static const char text[] =
		"void scale(const double *x, float *y, float *s, int n, float b)\n"
		"{ y[0] = (float)x[0] + n + b + s[0]; }\n";
	char *kept = source_path;
	struct artifact a;
	struct err e;

	(void)state;
	source_path = file_join(folder, "double.c");
	assert_int_equal(file_write(source_path, text, sizeof text - 1, &e), 0);
	assert_int_equal(compile(NULL, 0, &a, &e), 0);
	assert_int_equal(a.outcome, OUTCOME_COMPILE_ERROR);
	assert_non_null(strstr(a.log, "incompatible"));
	artifact_release(&a);
	free(source_path);
	source_path = kept;
}

static void a_right_kernel_is_ok_and_timed(void **state)
{
	struct problem *p = fixture_problem();
	struct session *s = open_session(p);
	struct measurement m = measure_mode(s, p, FINE);

	(void)state;
	if (m.outcome != OUTCOME_OK)
		fail_msg("%s: %s", outcome_name(m.outcome), m.detail);
	assert_int_equal(m.n_checks, 4); /* two shapes, two seeds */
	for (int i = 0; i < 4; i++)
		assert_true(m.checks[i].passed && m.checks[i].max_abs == 0);
	assert_true(m.checks[1].seed == UINT64_MAX);
	assert_int_equal(m.n_timings, 1);
	assert_int_equal(m.timings[0].shape, 1);
	assert_int_equal(m.timings[0].mode, TIMING_CPU);
	assert_in_range(m.timings[0].n_samples, 3, 9);
	assert_true(m.timings[0].p50_ns > 0 && m.timings[0].ci_low_ns <= m.timings[0].p50_ns);
	assert_in_range(m.timings[0].launches_per_sample, 1, 1 << 20); /* 1 on a busy machine */
	measurement_release(&m);
	runtime_host.close(s);
	problem_free(p);
}

static void every_misbehaviour_is_caught(void **state)
{
	static const struct {
		enum mode mode;
		enum outcome outcome;
		const char *why;
	} cases[] = {
		{ WRONG, OUTCOME_WRONG, "max_abs 1 over 1e-06" },
		{ PARTIAL, OUTCOME_WRONG, "elements not written" },
		{ BEFORE, OUTCOME_WRONG, "wrote outside a buffer" },
		{ BEHIND, OUTCOME_WRONG, "wrote outside a buffer" },
		{ INPUT, OUTCOME_WRONG, "wrote to an input" },
		{ OTHER, OUTCOME_NONDETERMINISTIC, "a second launch gave other bits" },
		{ DIRTY, OUTCOME_WRONG,
		  "max_abs 1 over 1e-06" }, /* reads scratch: seen in round 1 */
		{ FAR, OUTCOME_WRONG, "wrote outside a buffer" },
		{ TIRED, OUTCOME_WRONG, "reference exact: after timing: max_abs" },
		{ LAZY, OUTCOME_WRONG,
		  "shape large, seed 18446744073709551615, reference exact: "
		  "after timing: max_abs" },
		{ KEEPING, OUTCOME_WRONG, "shape large: it keeps answers: a launch takes" },
		{ SCRATCH, OUTCOME_OK, "" },
		{ FINE, OUTCOME_OK, "" },
	};
	struct problem *p = fixture_problem();
	struct session *s = open_session(p);

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct measurement m = measure_mode(s, p, cases[i].mode);

		if (m.outcome != cases[i].outcome || !strstr(m.detail, cases[i].why))
			fail_msg("mode %d: got %s, \"%s\"; want %s, \"%s\"", (int)cases[i].mode,
				 outcome_name(m.outcome), m.detail, outcome_name(cases[i].outcome),
				 cases[i].why);
		assert_int_equal(m.n_timings, m.outcome == OUTCOME_OK);
		measurement_release(&m);
	}
	runtime_host.close(s);
	problem_free(p);
}

/* Then the seed is the same, and the outputs are cleared; and nothing can be said of answers that
 * are kept. */
static void inputs_that_never_change_do_not_hide_idleness(void **state)
{
	static const enum mode modes[] = { FINE, LAZY, TIRED, KEEPING };

	(void)state;
	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
		enum outcome want =
			modes[i] == LAZY || modes[i] == TIRED ? OUTCOME_WRONG : OUTCOME_OK;
		struct problem *p = fixture_problem();
		struct measurement m;
		struct session *s;

		p->shapes[1].buffers[FIXTURE_X].fill =
			(struct fill){ .kind = FILL_CONSTANT, .a = 1, .of = -1 };
		s = open_session(p);
		m = measure_mode(s, p, modes[i]);
		if (m.outcome != want)
			fail_msg("mode %d: got %s, \"%s\"; want %s", (int)modes[i],
				 outcome_name(m.outcome), m.detail, outcome_name(want));
		assert_int_equal(m.n_checks, 4);
		measurement_release(&m);
		runtime_host.close(s);
		problem_free(p);
	}
}

static void a_crash_ends_the_process_and_no_other(void **state)
{
	struct problem *p = fixture_problem();
	struct session *s = open_session(p);
	char *path = compile_mode(CRASH);
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		signal(SIGSEGV, SIG_DFL); /* as in a worker: no handler of a test framework */
		measure_path(s, p, path, false, 0);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSEGV);
	free(path);
	runtime_host.close(s);
	problem_free(p);
}

static void a_fresh_seed_checks_other_inputs(void **state)
{
	struct problem *p = fixture_problem();
	struct session *s = open_session(p);
	char *path = compile_mode(FINE);
	struct measurement m = measure_path(s, p, path, false, 12345);

	(void)state;
	assert_int_equal(m.outcome, OUTCOME_OK);
	assert_int_equal(m.n_checks, 2);
	assert_int_equal(m.checks[0].seed, 12345);
	measurement_release(&m);
	free(path);
	runtime_host.close(s);
	problem_free(p);
}

static void scratch_beyond_memory_is_too_big_and_the_next_trial_works(void **state)
{
	struct problem *p = fixture_problem();
	struct session *s = open_session(p);
	char *path = compile_mode(FINE);
	struct launch launches[2] = { fixture_launch(37, (int64_t)1 << 60),
				      fixture_launch(4096, 1) };
	struct measure_job job = { .artifact = path,
				   .entry = "scale",
				   .launches = launches,
				   .n_launches = 2,
				   .verify = true };
	struct measurement m;
	struct err e;

	(void)state;
	assert_int_equal(runtime_host.measure(s, &job, &m, &e), 0);
	assert_int_equal(m.outcome, OUTCOME_TOO_BIG);
	measurement_release(&m);
	launch_release(&launches[0]);
	launch_release(&launches[1]);
	m = measure_path(s, p, path, true, 0);
	assert_int_equal(m.outcome, OUTCOME_OK);
	measurement_release(&m);
	free(path);
	runtime_host.close(s);
	problem_free(p);
}

static void a_reference_that_fails_is_named(void **state)
{
	static const enum mode bad[] = { PARTIAL, BEHIND, INPUT };
	struct problem *p = fixture_problem();
	struct session *s;
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		free(p->references[0].artifact);
		p->references[0].artifact = compile_mode(bad[i]);
		assert_int_equal(runtime_host.open(0, p, &s, &e), ERR_FAILED);
		assert_non_null(strstr(e.msg, "reference exact, shape odd, seed 0"));
	}
	free(p->references[0].artifact);
	p->references[0].artifact = mem_strdup("/nowhere/x.so");
	assert_int_equal(runtime_host.open(0, p, &s, &e), ERR_MISSING);
	assert_int_equal(runtime_host.open(1, p, &s, &e), ERR_MISSING);
	problem_free(p);
}

static void cold_caches_are_timed_a_few_launches_a_sample(void **state)
{
	struct problem *p = fixture_problem();
	struct session *s;
	struct measurement m;

	(void)state;
	p->timing.l2 = TIMING_L2_COLD;
	s = open_session(p);
	m = measure_mode(s, p, FINE);
	assert_int_equal(m.outcome, OUTCOME_OK);
	assert_int_equal(m.timings[0].l2, TIMING_L2_COLD);
	assert_in_range(m.timings[0].launches_per_sample, 1, 4);
	measurement_release(&m);
	runtime_host.close(s);
	problem_free(p);
}

static void a_score_to_beat_ends_sampling_early(void **state)
{
	struct problem *p = fixture_problem();
	struct session *s;
	char *path = compile_mode(FINE);
	struct launch launches[2] = { fixture_launch(37, 1), fixture_launch(4096, 1) };
	struct measure_job job = { .artifact = path,
				   .entry = "scale",
				   .launches = launches,
				   .n_launches = 2,
				   .time = true,
				   .best_ns = 1e-3 };
	struct measurement m;
	struct err e;

	(void)state;
	p->timing.samples_min = 9;
	p->timing.abort_factor = 1.5;
	s = open_session(p);
	assert_int_equal(runtime_host.measure(s, &job, &m, &e), 0);
	assert_true(m.timings[0].aborted);
	assert_int_equal(m.timings[0].n_samples, 3);
	measurement_release(&m);
	launch_release(&launches[0]);
	launch_release(&launches[1]);
	free(path);
	runtime_host.close(s);
	problem_free(p);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_probe_describes_this_machine),
		cmocka_unit_test(equal_options_give_one_binary_and_others_another),
		cmocka_unit_test(what_does_not_compile_is_an_outcome_with_a_log),
		cmocka_unit_test(a_long_log_keeps_its_head_and_tail),
		cmocka_unit_test(a_missing_source_is_an_error_that_names_it),
		cmocka_unit_test(arguments_of_another_type_do_not_compile),
		cmocka_unit_test(a_right_kernel_is_ok_and_timed),
		cmocka_unit_test(every_misbehaviour_is_caught),
		cmocka_unit_test(inputs_that_never_change_do_not_hide_idleness),
		cmocka_unit_test(a_crash_ends_the_process_and_no_other),
		cmocka_unit_test(a_fresh_seed_checks_other_inputs),
		cmocka_unit_test(scratch_beyond_memory_is_too_big_and_the_next_trial_works),
		cmocka_unit_test(a_reference_that_fails_is_named),
		cmocka_unit_test(cold_caches_are_timed_a_few_launches_a_sample),
		cmocka_unit_test(a_score_to_beat_ends_sampling_early),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
