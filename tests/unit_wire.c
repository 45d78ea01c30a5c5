/* The wire: everything comes back as it was sent, and nothing else is let in. Then real workers,
 * for which this program stands in when it is started as `worker ROLE`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/json.h"
#include "base/str.h"
#include "problem_fixture.h"
#include "tuner/worker/call.h"
#include "tuner/worker/serve.h"
#include "tuner/worker/wire.h"
#include "tuner/worker/wire_problem.h"
#include "tuner/worker/wire_result.h"

static struct wire_request ask(char *line)
{
	struct wire_request q;
	struct err e;

	assert_int_equal(line[strlen(line) - 1], '\n');
	if (wire_request_parse(line, strlen(line), &q, &e) < 0)
		fail_msg("%s: %s", line, e.msg);
	free(line);
	return q;
}

static struct wire_reply tell(char *line)
{
	struct wire_reply a;
	struct err e;

	if (wire_reply_parse(line, strlen(line), &a, &e) < 0)
		fail_msg("%s: %s", line, e.msg);
	free(line);
	return a;
}

static void a_compile_job_comes_back_as_it_was(void **state)
{
	static const char *const options[] = { "-DX=1", "-I/a b", "-DNAME=\"q\"" };
	static const char *const types[] = { "float", "int32_t" };
	struct problem_argument arguments[] = { { 0, DTYPE_F32 }, { -1, DTYPE_I32 } };
	struct compile_job job = { LANGUAGE_C, "/s.c",	  "f",	 "sm_90a", options,
				   3,	       arguments, types, 2,	   "/cache" };
	struct wire_request q = ask(wire_ask_compile(7, "host", &job));

	(void)state;
	assert_int_equal(q.id, 7);
	assert_int_equal(q.verb, WIRE_COMPILE);
	assert_ptr_equal(q.runtime, &runtime_host);
	assert_int_equal(q.compile.language, LANGUAGE_C);
	assert_string_equal(q.compile.source, "/s.c");
	assert_string_equal(q.compile.arch, "sm_90a");
	assert_string_equal(q.compile.cache, "/cache");
	assert_int_equal(q.compile.n_options, 3);
	assert_string_equal(q.compile.options[2], "-DNAME=\"q\"");
	assert_int_equal(q.compile.n_arguments, 2);
	assert_string_equal(q.compile.argument_c_types[1], "int32_t");
	assert_int_equal(q.compile.arguments[0].buffer, 0);
	assert_int_equal(q.compile.arguments[1].buffer, -1);
	wire_request_release(&q);
}

/* Reading and writing again gives the same line: no member is lost on either way. */
static void a_problem_comes_back_as_it_was(void **state)
{
	struct problem *p = fixture_problem();
	struct wire_request q;
	char *first, *second;

	(void)state;
	p->nondeterministic = true;
	p->references[0].artifact = mem_strdup("/r.so");
	p->shapes[1].buffers[0].fill.group = INT64_MAX;
	p->shapes[1].buffers[0].fill.a = -INFINITY;
	p->shapes[1].buffers[0].fill.path = mem_strdup("/x.npy");
	p->references[0].files = mem_array(FIXTURE_BUFFERS, sizeof(char *));
	p->references[0].files[FIXTURE_Y] = mem_strdup("/golden.npy");
	first = wire_ask_open(1, "host", 5, p);
	q = ask(mem_strdup(first));
	assert_int_equal(q.ordinal, 5);
	assert_true(q.problem->seeds[1] == UINT64_MAX);
	assert_true(q.problem->shapes[1].buffers[0].fill.group == INT64_MAX);
	assert_true(q.problem->shapes[1].buffers[0].fill.a == -INFINITY);
	assert_string_equal(q.problem->references[0].files[FIXTURE_Y], "/golden.npy");
	assert_null(q.problem->references[0].files[FIXTURE_X]);
	assert_int_equal(q.problem->shapes[1].references[0].n_scalars, 5);
	second = wire_ask_open(1, "host", 5, q.problem);
	assert_string_equal(first, second);
	free(first);
	free(second);
	wire_request_release(&q);
	problem_free(p);
}

static void problems_are_alike_whatever_their_references_compile_to(void **state)
{
	struct problem *p = fixture_problem(), *q = fixture_problem();

	(void)state;
	p->references[0].artifact = mem_strdup("/r.so");
	assert_true(wire_problems_alike(p, q));
	q->shapes[1].buffers[0].fill.a += 1;
	assert_false(wire_problems_alike(p, q));
	assert_string_equal(p->references[0].artifact, "/r.so");
	problem_free(p);
	problem_free(q);
}

static void a_measure_job_comes_back_as_it_was(void **state)
{
	struct launch l = fixture_launch(9, 17);
	struct measure_job job = { "/a.so", "f", &l, 1, true, false, UINT64_MAX, 0.1 };
	struct wire_request q;

	(void)state;
	l.scalars[0] = NAN;
	l.shared_bytes = 4096;
	q = ask(wire_ask_measure(3, &job));
	assert_string_equal(q.measure.artifact, "/a.so");
	assert_true(q.measure.verify && !q.measure.time);
	assert_true(q.measure.fresh_seed == UINT64_MAX && q.measure.best_ns == 0.1);
	assert_int_equal(q.measure.n_launches, 1);
	assert_true(isnan(q.measure.launches[0].scalars[0]));
	assert_int_equal(q.measure.launches[0].shared_bytes, 4096);
	assert_int_equal(q.measure.launches[0].scratch[FIXTURE_SCRATCH], 17);
	wire_request_release(&q);
	launch_release(&l);
}

static void results_come_back_as_they_were(void **state)
{
	struct timing t = { .shape = 1,
			    .mode = TIMING_GRAPH,
			    .p50_ns = 0.1,
			    .stddev_ns = NAN,
			    .launches_per_sample = 3,
			    .aborted = true,
			    .throttled = 2 };
	struct check c = { .shape = 1,
			   .seed = UINT64_MAX,
			   .rel_l2 = INFINITY,
			   .nans = INT64_MAX,
			   .first_bad = -1,
			   .deterministic = true };
	double samples[] = { 1.5, 1 / 3.0, 1e300 };
	struct measurement m = { .outcome = OUTCOME_WRONG,
				 .timings = &t,
				 .n_timings = 1,
				 .checks = &c,
				 .n_checks = 1,
				 .poisoned = true };
	struct wire_reply a;

	(void)state;
	snprintf(m.detail, sizeof m.detail, "line\nwith \"quotes\" \xff and \xc3\xa9");
	m.clocks.throttle = -1;
	t.samples_ns = samples;
	t.n_samples = 3;
	snprintf(c.why, sizeof c.why, "rel_l2 inf");
	a = tell(wire_tell_measurement(11, &m));
	assert_int_equal(a.id, 11);
	assert_int_equal(a.verb, WIRE_MEASURE);
	assert_int_equal(a.measurement.outcome, OUTCOME_WRONG);
	assert_true(a.measurement.poisoned);
	assert_string_equal(a.measurement.detail, "line\nwith \"quotes\" ? and \xc3\xa9");
	assert_int_equal(a.measurement.clocks.throttle, -1);
	assert_memory_equal(a.measurement.timings[0].samples_ns, samples, sizeof samples);
	assert_true(a.measurement.timings[0].p50_ns == 0.1);
	assert_true(isnan(a.measurement.timings[0].stddev_ns));
	assert_true(a.measurement.timings[0].aborted);
	assert_int_equal(a.measurement.timings[0].throttled, 2);
	assert_true(a.measurement.checks[0].seed == UINT64_MAX);
	assert_true(a.measurement.checks[0].nans == INT64_MAX);
	assert_true(a.measurement.checks[0].rel_l2 == INFINITY);
	assert_string_equal(a.measurement.checks[0].why, "rel_l2 inf");
	wire_reply_release(&a);
}

static void a_measurement_of_another_problem_is_a_protocol_error(void **state)
{
	static const struct {
		int timed, checked, reference;
		const char *why; /* NULL: it fits */
	} cases[] = {
		{ 0, 0, 0, NULL },
		{ 1, 1, 2, NULL },
		{ 2, 0, 0, "shape of a timing: expected 0 .. 1, found 2" },
		{ -1, 0, 0, "shape of a timing: expected 0 .. 1, found -1" },
		{ 0, 2, 0, "shape of a check: expected 0 .. 1, found 2" },
		{ 0, -1, 0, "shape of a check: expected 0 .. 1, found -1" },
		{ 0, 0, 3, "reference of a check: expected 0 .. 2, found 3" },
		{ 0, 0, -1, "reference of a check: expected 0 .. 2, found -1" },
	};
	struct problem p = { .n_shapes = 2, .n_references = 3 };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct timing t[2] = { { .shape = 1 }, { .shape = cases[i].timed } };
		struct check c[2] = { { .shape = 1, .reference = 2 },
				      { cases[i].checked, cases[i].reference, .first_bad = -1 } };
		struct measurement m = { .timings = t, .n_timings = 2, .checks = c, .n_checks = 2 };
		struct err e = { .code = ERR_OK };
		int r = wire_measurement_fits(&m, &p, &e);

		assert_int_equal(r, cases[i].why ? ERR_PROTOCOL : 0);
		if (cases[i].why)
			assert_string_equal(e.msg, cases[i].why);
	}
}

static void devices_and_artifacts_come_back_as_they_were(void **state)
{
	struct device d[2] = { { .ordinal = 0 }, { .ordinal = 1, .assumed = true } };
	struct artifact art = { .outcome = OUTCOME_OK, .bytes = 5, .compile_ms = 1.25 };
	struct wire_reply a;

	(void)state;
	snprintf(d[1].name, sizeof d[1].name, "NVIDIA H200");
	for (int i = 0; i < DEVICE_ATTR_COUNT; i++)
		d[1].attr[i] = ((int64_t)1 << 60) + i;
	a = tell(wire_tell_devices(1, d, 2));
	assert_int_equal(a.n_devices, 2);
	assert_memory_equal(&a.devices[1], &d[1], sizeof d[1]);
	wire_reply_release(&a);

	art.path = mem_strdup("/c/x.so");
	art.log = mem_strdup("warning: \xe2\x80\x98x\xe2\x80\x99\n");
	art.ptxas.registers = -1;
	art.ptxas.barriers = 3;
	snprintf(art.lowered, sizeof art.lowered, "_Z3foo");
	a = tell(wire_tell_artifact(2, &art));
	assert_string_equal(a.artifact.log, art.log);
	assert_string_equal(a.artifact.path, art.path);
	assert_string_equal(a.artifact.lowered, "_Z3foo");
	assert_int_equal(a.artifact.ptxas.registers, -1);
	assert_int_equal(a.artifact.ptxas.barriers, 3);
	assert_true(a.artifact.compile_ms == 1.25);
	wire_reply_release(&a);
	artifact_release(&art);
}

static void errors_and_short_answers_come_back_as_they_were(void **state)
{
	struct wire_reply a;
	struct err e;

	(void)state;
	err_set(&e, ERR_FULL, "disk \xff");
	a = tell(wire_tell_error(4, &e));
	assert_true(a.failed);
	assert_int_equal(a.error.code, ERR_FULL);
	assert_string_equal(a.error.msg, "disk ?");
	a = tell(wire_tell_opened(5));
	assert_int_equal(a.verb, WIRE_OPEN);
	a = tell(wire_tell_warm(7));
	assert_int_equal(a.verb, WIRE_WARM);
	a = tell(wire_tell_closed(6));
	assert_int_equal(a.verb, WIRE_CLOSE);
	assert_int_equal(a.id, 6);
}

static void bad_requests_are_refused_with_the_place(void **state)
{
	static const struct {
		const char *line, *complaint;
		int64_t id;
	} bad[] = {
		{ "", "not JSON", 0 },
		{ "[]", "expected an object", 0 },
		{ "{\"id\":-1,\"do\":\"close\"}", "id: expected", 0 },
		{ "{\"id\":3}", "\"do\" is missing", 3 },
		{ "{\"id\":3,\"do\":\"dance\"}", "no request called dance", 3 },
		{ "{\"id\":3,\"do\":\"close\",\"runtime\":\"host\"}", "unknown key", 3 },
		{ "{\"id\":3,\"do\":\"probe\",\"runtime\":\"vulkan\"}", "none called vulkan", 3 },
		{ "{\"id\":3,\"do\":\"open\",\"runtime\":\"host\",\"ordinal\":0,\"problem\":{}}",
		  "problem: \"head\" is missing", 3 },
		{ "{\"id\":3,\"do\":\"measure\",\"job\":{\"artifact\":1}}", "job.artifact", 3 },
		{ "{\"id\":3,\"do\":\"compile\",\"runtime\":\"host\",\"job\":7}", "an object", 3 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct wire_request q;
		struct err e;

		assert_int_equal(wire_request_parse(bad[i].line, strlen(bad[i].line), &q, &e),
				 ERR_INVALID);
		assert_int_equal(q.id, bad[i].id);
		if (!strstr(e.msg, bad[i].complaint))
			fail_msg("%s: got \"%s\", want \"%s\"", bad[i].line, e.msg,
				 bad[i].complaint);
	}
}

/* One change at a time to a good request; each must be refused, none may crash. */
static void a_problem_that_does_not_hold_together_is_refused(void **state)
{
	static const struct {
		const char *from, *to, *complaint;
	} changes[] = {
		{ "[0,\"f32\"]", "[3,\"f32\"]", "there is no buffer 3" },
		{ "[0,\"f32\"]", "[0,\"f33\"]", "13 names" },
		{ "[0,\"f32\"]", "[0]", "type is missing" },
		{ "[0,\"f32\"]", "[0,\"f32\",1]", "too long" },
		{ "[\"18446744073709551615\"]", "[\"18446744073709551616\"]", "below 2^64" },
		{ "[\"18446744073709551615\"]", "[1]", "a string" },
		{ "\"rows\":[[37,\"normal\",0,1,-1,0,null],", "\"rows\":[", "expected 3 buffers" },
		{ "[37,\"normal\",0,1,-1,0,null]", "[37,\"normal\",0,1,0,0,null]",
		  "is not before" },
		{ "[37,\"normal\",0,1,-1,0,null]", "[-37,\"normal\",0,1,-1,0,null]", "[0]" },
		{ "[37,\"normal\",0,1,-1,0,null]", "[37,\"npy\",0,1,-1,0,null]", "no file" },
		{ "\"scalars\":[0,0,0,37,0.5]", "\"scalars\":[0]", "a launch has 1 scalars" },
		{ "\"grid\":[1,1,1]", "\"grid\":[1,1]", "expected 3 numbers, found 2" },
		{ "\"grid\":[1,1,1]", "\"grid\":[1,1,-1]", "negative" },
		{ "\"columns\":[\"seed\"]", "\"columns\":[\"seeds\"]", "expected column seed" },
		{ "\"samples_min\":3", "\"samples_min\":0", "from 1 to" },
		{ "\"artifact\":\"/r.so\"", "\"artifact\":null", "neither files" },
		{ "\"nondeterministic\":false", "\"nondeterministic\":0", "true or false" },
		{ "\"nondeterministic\":false", "\"nondeterministic\":false,\"x\":1",
		  "nobody knows" },
	};
	struct problem *p = fixture_problem();
	char *line;

	(void)state;
	p->references[0].artifact = mem_strdup("/r.so");
	line = wire_ask_open(1, "host", 0, p);
	for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
		char *at = strstr(line, changes[i].from);
		struct str changed = STR_INIT;
		struct wire_request q;
		struct err e;

		if (!at)
			fail_msg("%s is not in %s", changes[i].from, line);
		str_add(&changed, line, (size_t)(at - line));
		str_addz(&changed, changes[i].to);
		str_addz(&changed, at + strlen(changes[i].from));
		assert_int_equal(wire_request_parse(changed.data, changed.len, &q, &e),
				 ERR_INVALID);
		if (!strstr(e.msg, changes[i].complaint))
			fail_msg("%s: got \"%s\", want \"%s\"", changes[i].to, e.msg,
				 changes[i].complaint);
		str_release(&changed);
	}
	free(line);
	problem_free(p);
}

static struct call *new_call(const char *role)
{
	struct call *c;
	struct err e;

	if (call_new(role, NULL, &c, &e) < 0)
		fail_msg("%s", e.msg);
	return c;
}

static struct wire_reply exchange(struct call *c, char *line)
{
	struct wire_reply a;
	enum call_end end;
	struct err e;
	int sig;

	if (call_exchange(c, line, 30000, &end, &sig, &a, &e) < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(end, CALL_REPLIED);
	return a;
}

static void open_noop(struct call *c, const struct problem *p)
{
	struct wire_reply a = exchange(c, wire_ask_open(1, "noop", 0, p));

	if (a.failed)
		fail_msg("%s", a.error.msg);
}

static void a_worker_opens_measures_and_closes(void **state)
{
	struct problem *p = fixture_problem();
	struct launch launches[2] = { fixture_launch(1, 1), fixture_launch(2, 1) };
	struct measure_job job = { "/dev/null", "noop_1500.000", launches, 2, true, true, 0, 0 };
	struct call *c = new_call("measure");
	struct wire_reply a = exchange(c, wire_ask_measure(9, &job));

	(void)state;
	assert_true(a.failed);
	assert_int_equal(a.error.code, ERR_PROTOCOL);
	a = exchange(c, wire_ask_warm(8, "noop", 0, p)); /* its reference is not compiled yet */
	assert_false(a.failed);
	assert_int_equal(a.verb, WIRE_WARM);
	p->references[0].artifact = mem_strdup("-");
	open_noop(c, p);
	a = exchange(c, wire_ask_measure(10, &job));
	assert_false(a.failed);
	assert_int_equal(a.id, 10);
	assert_int_equal(a.measurement.n_timings, 1);
	assert_true(a.measurement.timings[0].p50_ns == 1500);
	assert_int_equal(a.measurement.n_checks, 4);
	wire_reply_release(&a);
	job.n_launches = 1;
	a = exchange(c, wire_ask_measure(11, &job));
	assert_int_equal(a.error.code, ERR_INVALID);
	a = exchange(c, wire_ask_close(12));
	assert_int_equal(a.verb, WIRE_CLOSE);
	call_free(c);
	launch_release(&launches[0]);
	launch_release(&launches[1]);
	problem_free(p);
}

static void ceilings_that_are_no_numbers_are_unknown(void **state)
{
	struct ceilings c = { .dram_bytes_per_s = 4.2e12, .cache_bytes_per_s = INFINITY };
	struct wire_reply a;
	struct err e;
	char *line;

	(void)state;
	c.operations_per_s[UNIT_F32] = 6e13;
	c.operations_per_s[UNIT_S8_TENSOR] = -1;
	c.operations_per_s[UNIT_E4M3_TENSOR] = NAN;
	line = wire_tell_ceilings(7, &c);
	if (wire_reply_parse(line, strlen(line), &a, &e) < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(a.verb, WIRE_CEILINGS);
	assert_true(a.ceilings.dram_bytes_per_s == 4.2e12);
	assert_true(a.ceilings.cache_bytes_per_s == 0);
	assert_true(a.ceilings.operations_per_s[UNIT_F32] == 6e13);
	assert_true(a.ceilings.operations_per_s[UNIT_S8_TENSOR] == 0);
	assert_true(a.ceilings.operations_per_s[UNIT_E4M3_TENSOR] == 0);
	wire_reply_release(&a);
	free(line);
}

static void roles_do_what_is_theirs(void **state)
{
	struct compile_job job = { .source = "x.cu", .entry = "f", .arch = "noop", .cache = "/" };
	struct call *c = new_call("measure");
	struct wire_reply a = exchange(c, wire_ask_compile(1, "noop", &job));

	(void)state;
	assert_int_equal(a.error.code, ERR_PROTOCOL);
	a = exchange(c, wire_ask_ceilings(5, "noop", 0));
	assert_false(a.failed);
	assert_int_equal(a.verb, WIRE_CEILINGS);
	a = exchange(c, wire_ask_probe(2, "host"));
	assert_int_equal(a.n_devices, 1);
	wire_reply_release(&a);
	call_free(c);
	c = new_call("compile");
	a = exchange(c, wire_ask_compile(3, "noop", &job));
	assert_false(a.failed);
	assert_int_equal(a.artifact.outcome, OUTCOME_OK);
	wire_reply_release(&a);
	a = exchange(c, wire_ask_close(4));
	assert_int_equal(a.error.code, ERR_PROTOCOL);
	call_free(c);
}

static void garbage_gets_an_error_and_the_worker_goes_on(void **state)
{
	struct call *c = new_call("measure");
	struct wire_reply a = exchange(c, mem_strdup("garbage\n"));

	(void)state;
	assert_true(a.failed);
	assert_int_equal(a.id, 0);
	a = exchange(c, wire_ask_close(4));
	assert_false(a.failed);
	call_free(c);
}

static void a_late_worker_is_killed(void **state)
{
	struct call *c = new_call("measure");
	struct wire_reply a;
	enum call_end end;
	struct err e;
	int sig;

	(void)state;
	/* A line without an end: the worker waits for the rest. */
	assert_int_equal(call_exchange(c, mem_strdup("{"), 50, &end, &sig, &a, &e), 0);
	assert_int_equal(end, CALL_TIMEOUT);
	assert_int_equal(call_exchange(c, mem_strdup("{}\n"), 50, &end, &sig, &a, &e), 0);
	assert_int_equal(end, CALL_DIED);
	call_free(c);
}

static void what_killed_a_worker_is_told(void **state)
{
	struct call *c = new_call("measure");
	struct wire_reply a;
	enum call_end end;
	struct err e;
	int sig;

	(void)state;
	assert_int_equal(call_exchange(c, mem_strdup("suicide\n"), 30000, &end, &sig, &a, &e), 0);
	assert_int_equal(end, CALL_DIED);
	assert_int_equal(sig, SIGABRT);
	call_free(c);
}

/* One that is asked for suicide first dies by a signal. */
static int act_as_worker(int argc, char **argv)
{
	struct serve_options o = { .role = argv[2], .cpu = -1, .avoid_cpu = -1 };
	char word[8];

	if (argc > 4)
		o.parent = (pid_t)strtol(argv[4], NULL, 10);
	if (recv(STDIN_FILENO, word, 7, MSG_PEEK) == 7 && memcmp(word, "suicide", 7) == 0) {
		signal(SIGABRT, SIG_DFL);
		abort();
	}
	return worker_serve(&o);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_compile_job_comes_back_as_it_was),
		cmocka_unit_test(a_problem_comes_back_as_it_was),
		cmocka_unit_test(problems_are_alike_whatever_their_references_compile_to),
		cmocka_unit_test(a_measure_job_comes_back_as_it_was),
		cmocka_unit_test(results_come_back_as_they_were),
		cmocka_unit_test(a_measurement_of_another_problem_is_a_protocol_error),
		cmocka_unit_test(devices_and_artifacts_come_back_as_they_were),
		cmocka_unit_test(errors_and_short_answers_come_back_as_they_were),
		cmocka_unit_test(bad_requests_are_refused_with_the_place),
		cmocka_unit_test(a_problem_that_does_not_hold_together_is_refused),
		cmocka_unit_test(a_worker_opens_measures_and_closes),
		cmocka_unit_test(ceilings_that_are_no_numbers_are_unknown),
		cmocka_unit_test(roles_do_what_is_theirs),
		cmocka_unit_test(garbage_gets_an_error_and_the_worker_goes_on),
		cmocka_unit_test(a_late_worker_is_killed),
		cmocka_unit_test(what_killed_a_worker_is_told),
	};

	if (argc > 2 && strcmp(argv[1], "worker") == 0)
		return act_as_worker(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
