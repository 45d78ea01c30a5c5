/* The cuda runtime against the stand-in for the driver, with the real NVRTC where there is one. */
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "cuda_fixture.h"
#include "runtime/cuda.h"
#include "runtime/cuda_crowd.h"
#include "runtime/cuda_cubin.h"
#include "runtime/cuda_driver.h"
#include "runtime/cuda_turns.h"
#include "runtime/nvrtc.h"
#include "runtime/runtime.h"

static struct {
	void (*reset)(void);
	long (*calls)(const char *symbol);
	bool nvrtc;
} fixture;

/* Loaded by path first, the stand-in is what later loads of libcuda.so.1 find. */
static int set_up(void **state)
{
	char exe[4096];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
	struct str path = STR_INIT;
	const struct nvrtc *nvrtc;
	struct err e;
	void *library;
	char *folder;

	(void)state;
	assert_true(n > 0);
	exe[n] = '\0';
	folder = file_dirname(exe);
	str_addf(&path, "%s/fakecuda/libcuda.so.1", folder);
	library = dlopen(path.data, RTLD_NOW);
	if (!library)
		fail_msg("%s", dlerror());
	*(void **)&fixture.reset = dlsym(library, "fakecuda_reset");
	*(void **)&fixture.calls = dlsym(library, "fakecuda_calls");
	assert_non_null(fixture.reset);
	assert_non_null(fixture.calls);
	str_release(&path);
	free(folder);
	bench_folder_make();
	fixture.nvrtc = nvrtc_load(&nvrtc, &e) == 0;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	bench_folder_remove();
	return 0;
}

static void need_nvrtc(void)
{
	if (!fixture.nvrtc)
		skip();
}

static void plan(const char *failures)
{
	fixture.reset();
	if (failures)
		setenv("FAKECUDA_FAIL", failures, 1);
	else
		unsetenv("FAKECUDA_FAIL");
}

static struct measurement measure(const struct bench *b)
{
	struct measurement m;
	struct err e;

	plan(NULL);
	if (try_measure(b, &m, &e) < 0)
		fail_msg("%s", e.msg);
	return m;
}

static void expect_outcome(const struct measurement *m, enum outcome want, const char *detail)
{
	if (m->outcome != want)
		fail_msg("%s instead of %s: %s", outcome_name(m->outcome), outcome_name(want),
			 m->detail);
	if (!strstr(m->detail, detail))
		fail_msg("\"%s\" is not in \"%s\"", detail, m->detail);
}

static void the_stand_in_has_every_symbol_of_the_list(void **state)
{
	struct cuda_driver cu;
	struct err e;

	(void)state;
	if (cuda_driver_load(&cu, &e) < 0)
		fail_msg("%s", e.msg);
	assert_non_null(cuda_symbol_name(0));
	assert_null(cuda_symbol_name(-1));
}

static void a_probe_tells_every_device(void **state)
{
	struct device *d;
	struct err e;
	int n;

	(void)state;
	plan(NULL);
	setenv("FAKECUDA_DEVICES", "2", 1);
	assert_int_equal(runtime_cuda.probe(&d, &n, &e), 0);
	assert_int_equal(n, 2);
	assert_int_equal(d[1].ordinal, 1);
	assert_string_equal(d[1].name, "Stand-in GPU");
	assert_string_equal(d[1].uuid, "GPU-fafafafa-fafa-fafa-fafa-fafafafafa01");
	assert_string_equal(d[1].arch, fixture.nvrtc ? "sm_90a" : "sm_90");
	assert_int_equal(d[1].attr[DEVICE_MAX_SHARED_BYTES], 227 << 10);
	assert_int_equal(d[1].attr[DEVICE_COMPUTE_MAJOR], 9);
	assert_false(d[1].assumed);
	free(d);
	setenv("FAKECUDA_DEVICES", "0", 1);
	assert_int_equal(runtime_cuda.probe(&d, &n, &e), ERR_MISSING);
	assert_non_null(strstr(e.msg, "no device"));
	unsetenv("FAKECUDA_DEVICES");
}

static void an_architecture_is_the_closest_that_the_compiler_knows(void **state)
{
	static const struct {
		int major, minor;
		const char *want; /* NULL: none */
	} cases[] = {
		{ 9, 0, "sm_90a" },   { 8, 9, "sm_89" },   { 8, 8, "sm_87" }, { 12, 0, "sm_120a" },
		{ 10, 3, "sm_103a" }, { 12, 9, "sm_120" }, { 7, 0, NULL },    { 11, 0, NULL },
	};
	static const int supported[] = { 75, 80, 86, 87, 89, 90, 100, 103, 120 };
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char arch[32] = "";
		int r = cuda_arch_pick(cases[i].major, cases[i].minor, supported, 9, arch, &e);

		assert_int_equal(r, cases[i].want ? 0 : ERR_MISSING);
		assert_string_equal(arch, cases[i].want ? cases[i].want : "");
	}
}

static void an_assumed_device_has_the_published_limits(void **state)
{
	struct device d;
	struct err e;

	(void)state;
	assert_int_equal(cuda_assumed_device("sm_90a", &d, &e), 0);
	assert_true(d.assumed);
	assert_int_equal(d.attr[DEVICE_MAX_SHARED_BYTES], 232448);
	assert_int_equal(d.attr[DEVICE_COMPUTE_MAJOR], 9);
	assert_int_equal(cuda_assumed_device("sm_120", &d, &e), 0);
	assert_int_equal(d.attr[DEVICE_COMPUTE_MAJOR], 12);
	assert_int_equal(cuda_assumed_device("sm_13", &d, &e), ERR_INVALID);
	assert_int_equal(cuda_assumed_device("sm_90x", &d, &e), ERR_INVALID);
	assert_int_equal(cuda_assumed_device("x86_64", &d, &e), ERR_INVALID);
}

static void a_compile_gives_figures_and_the_same_bytes_twice(void **state)
{
	struct artifact a, b, c;

	(void)state;
	need_nvrtc();
	a = compile(vector_add, "vector_add", "-DVEC=4");
	b = compile(vector_add, "vector_add", "-DVEC=4");
	c = compile(vector_add, "vector_add", "-DVEC=1");
	assert_int_equal(a.outcome, OUTCOME_OK);
	assert_true(a.ptxas.registers > 0);
	assert_int_equal(a.ptxas.spill_store_bytes, 0);
	assert_int_equal(access(a.path, R_OK), 0);
	assert_string_equal(a.hash, b.hash);
	assert_string_not_equal(a.hash, c.hash);
	artifact_release(&a);
	artifact_release(&b);
	artifact_release(&c);
}

static void a_source_that_is_refused_is_an_outcome_with_a_log(void **state)
{
	static const struct {
		const char *option;
		enum outcome want;
		const char *log;
	} cases[] = {
		{ "-DMODE=nocompile", OUTCOME_COMPILE_ERROR, "this is not a program" },
		{ "-DMODE=too_much_shared", OUTCOME_TOO_BIG, "too much shared data" },
		{ "--no-such-option", OUTCOME_COMPILE_ERROR, "no-such-option" },
	};

	(void)state;
	need_nvrtc();
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct artifact a = compile(selftest, "selftest", cases[i].option);

		assert_int_equal(a.outcome, cases[i].want);
		assert_null(a.path);
		if (!strstr(a.log, cases[i].log))
			fail_msg("\"%s\" is not in \"%s\"", cases[i].log, a.log);
		artifact_release(&a);
	}
}

static void a_cpp_entry_is_found_by_its_lowered_name(void **state)
{
	static const char text[] = "template <int N> __global__ void fill(int *p) { *p = N; }\n"
				   "__global__ void plain(int *p) { *p = 1; }\n"
				   "#include \"cuda_fp16.h\"\n";
	struct str path = STR_INIT;
	struct artifact a;
	struct err e;

	(void)state;
	need_nvrtc();
	str_addf(&path, "%s/named.cu", bench_folder);
	assert_int_equal(file_write(path.data, text, sizeof text - 1, &e), 0);
	a = compile(path.data, "fill<7>", NULL);
	assert_string_equal(a.lowered, "_Z4fillILi7EEvPi");
	assert_true(a.ptxas.registers > 0);
	artifact_release(&a);
	a = compile(path.data, "plain", NULL);
	assert_string_equal(a.lowered, "_Z5plainPi");
	artifact_release(&a);
	a = compile(path.data, "absent", NULL);
	assert_int_equal(a.outcome, OUTCOME_COMPILE_ERROR);
	assert_non_null(strstr(a.log, "absent"));
	artifact_release(&a);
	str_release(&path);
}

static void bytes_that_are_no_cubin_have_no_entries(void **state)
{
	struct artifact a;
	struct err e;
	char *bytes;
	size_t len;

	(void)state;
	assert_false(cubin_has_entry("", 0, "f"));
	need_nvrtc();
	a = compile(vector_add, "vector_add", NULL);
	assert_int_equal(file_read(a.path, 1 << 20, &bytes, &len, &e), 0);
	assert_true(cubin_has_entry(bytes, len, "vector_add"));
	assert_false(cubin_has_entry(bytes, len, "vector"));
	assert_false(cubin_has_entry(bytes, len, ""));
	assert_int_equal(cubin_state_bytes(bytes, len), 0);
	for (size_t cut = 0; cut < len; cut += 13) {
		char *part = mem_copy(bytes, cut + 1);

		assert_false(cubin_has_entry(part, cut, "no such entry"));
		assert_int_equal(cubin_state_bytes(part, cut), 0);
		free(part);
	}
	for (size_t i = 0; i < 64; i++) {
		bytes[i] ^= 0x55;
		assert_false(cubin_has_entry(bytes, len, "no such entry"));
		bytes[i] ^= 0x55;
	}
	free(bytes);
	artifact_release(&a);
}

static void variables_that_outlast_a_launch_are_told(void **state)
{
	struct artifact plain, marked;

	(void)state;
	need_nvrtc();
	plain = compile(vector_add, "vector_add", NULL);
	marked = compile(selftest, "selftest", "-DMODE=fine");
	assert_null(strstr(plain.log, "can keep"));
	assert_non_null(strstr(marked.log, "note: global variables of 4 bytes can keep"));
	artifact_release(&plain);
	artifact_release(&marked);
}

static void a_right_kernel_is_checked_on_each_seed_and_timed_on_each_shape(void **state)
{
	struct measurement m, again;
	struct bench b;

	(void)state;
	need_nvrtc();
	bench_init_add(&b);
	m = measure(&b);
	expect_outcome(&m, OUTCOME_OK, "");
	assert_int_equal(m.n_checks, 2);
	assert_true(m.checks[1].passed && m.checks[1].seed == 1);
	assert_int_equal(m.n_timings, 2);
	assert_true(m.timings[0].p50_ns > 1000);
	assert_true(m.timings[0].launches_per_sample > 1);
	assert_true(m.timings[0].ci_low_ns <= m.timings[0].p50_ns);
	assert_true(m.function.registers > 0);
	again = measure(&b);
	assert_true(again.timings[1].p50_ns == m.timings[1].p50_ns);
	measurement_release(&m);
	measurement_release(&again);
	bench_release(&b);
}

static void every_way_of_timing_tells_its_mode(void **state)
{
	struct measurement m;
	struct bench b;

	(void)state;
	need_nvrtc();
	bench_init_add(&b);
	for (int i = 0; i < 2 * TIMING_L2_COUNT; i++) {
		b.p->timing.mode = i & 1 ? TIMING_EVENT : TIMING_GRAPH;
		b.p->timing.l2 = (enum timing_l2)(i / 2);
		m = measure(&b);
		expect_outcome(&m, OUTCOME_OK, "");
		assert_int_equal(m.timings[0].mode, b.p->timing.mode);
		assert_int_equal(m.timings[0].l2, b.p->timing.l2);
		/* Whatever surrounds a launch is subtracted or left out. */
		assert_true(m.timings[0].p50_ns > 2000 && m.timings[0].p50_ns < 12000);
		assert_int_equal((int)m.clocks.sm_mhz, i & 1 ? -1 : 1800);
		if (i & 1)
			assert_int_equal(m.timings[0].n_samples, 100);
		else if (b.p->timing.l2 == TIMING_L2_ROTATING) /* each copy as often as any */
			assert_int_equal(m.timings[0].launches_per_sample % TURNS_MAX, 0);
		measurement_release(&m);
	}
	bench_release(&b);
}

static void a_kernel_that_cannot_win_is_timed_only_until_that_is_clear(void **state)
{
	struct measurement m;
	struct bench b;

	(void)state;
	need_nvrtc();
	bench_init_add(&b);
	b.p->timing.samples_min = b.p->timing.samples_max = 50;
	b.p->timing.abort_factor = 1.5;
	b.job.best_ns = 10;
	m = measure(&b);
	expect_outcome(&m, OUTCOME_OK, "");
	/* How slow the first shape may be depends on the second: only there it is known. */
	assert_false(m.timings[0].aborted);
	assert_int_equal(m.timings[0].n_samples, 50);
	assert_true(m.timings[1].aborted);
	assert_true(m.timings[1].n_samples < 50);
	measurement_release(&m);
	bench_release(&b);
}

static void a_fresh_seed_replaces_the_seeds_of_the_problem(void **state)
{
	struct measurement m;
	struct bench b;

	(void)state;
	need_nvrtc();
	bench_init_add(&b);
	b.job.fresh_seed = UINT64_C(0x8000000000000001);
	m = measure(&b);
	expect_outcome(&m, OUTCOME_OK, "");
	assert_int_equal(m.n_checks, 1);
	assert_true(m.checks[0].seed == b.job.fresh_seed);
	measurement_release(&m);
	bench_release(&b);
}

static void every_misbehaviour_is_its_outcome(void **state)
{
	static const struct {
		const char *option;
		enum outcome want;
		const char *detail;
	} cases[] = {
		{ "-DMODE=fine", OUTCOME_OK, "" },
		{ "-DMODE=wrong", OUTCOME_WRONG, "max_abs" },
		{ "-DMODE=unwritten", OUTCOME_WRONG, "not written" },
		{ "-DMODE=clobber", OUTCOME_WRONG, "input" },
		{ "-DMODE=nondeterministic", OUTCOME_NONDETERMINISTIC, "other bits" },
		{ "-DMODE=fault", OUTCOME_FAULT, "CUDA_ERROR_ILLEGAL_ADDRESS" },
	};

	(void)state;
	need_nvrtc();
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct measurement m;
		struct bench b;

		bench_init(&b, selftest, "selftest", "selftest_reference", cases[i].option, 1);
		if (cases[i].want == OUTCOME_NONDETERMINISTIC)
			b.p->references[0].gates.max_abs = 0.01;
		m = measure(&b);
		expect_outcome(&m, cases[i].want, cases[i].detail);
		assert_int_equal(m.poisoned, cases[i].want == OUTCOME_FAULT);
		if (cases[i].want == OUTCOME_WRONG)
			assert_false(m.checks[m.n_checks - 1].passed);
		measurement_release(&m);
		bench_release(&b);
	}
}

/* What the stand-in acts out by the mark; checked before it is timed, all of it is right. */
static const char cheat_source[] =
	"#ifndef MODE\n"
	"#define MODE fine\n"
	"#endif\n"
	"#define JOIN_(a, b) a##b\n"
	"#define JOIN(a, b) JOIN_(a, b)\n"
	"extern \"C\" {\n"
	"__device__ int JOIN(selftest_mode_, MODE) = 1;\n"
	"__global__ void selftest(const float *in, float *out, int n) { out[0] = in[0]; }\n"
	"__global__ void selftest_reference(const float *in, float *out, int n) { out[0] = n; }\n"
	"}\n";

static struct measurement measure_cheat(const char *path, const char *option, int n_seeds,
					enum fill_kind fill)
{
	struct measurement m;
	struct bench b;

	bench_init(&b, path, "selftest", "selftest_reference", option, 1);
	b.p->n_seeds = n_seeds;
	b.p->shapes[0].buffers[0].fill.kind = fill;
	m = measure(&b);
	bench_release(&b);
	return m;
}

static void what_stops_working_once_it_was_checked_is_wrong(void **state)
{
	static const struct {
		const char *option;
		int n_seeds;
		enum fill_kind fill;
		enum outcome want;
		const char *detail;
	} cases[] = {
		{ "-DMODE=fine", 1, FILL_UNIFORM, OUTCOME_OK, "" },
		{ "-DMODE=fine", 2, FILL_CONSTANT, OUTCOME_OK, "" },
		{ "-DMODE=lazy", 2, FILL_UNIFORM, OUTCOME_WRONG,
		  "shape small, seed 1, reference exact: after timing: max_abs" },
		{ "-DMODE=lazy", 1, FILL_UNIFORM, OUTCOME_WRONG, "after timing" },
		{ "-DMODE=lazy", 2, FILL_CONSTANT, OUTCOME_WRONG,
		  "seed 0, reference exact: after" },
		{ "-DMODE=tired", 2, FILL_UNIFORM, OUTCOME_WRONG, "after timing" },
		{ "-DMODE=keeping", 2, FILL_UNIFORM, OUTCOME_WRONG,
		  "shape small: it keeps answers: a launch takes" },
		{ "-DMODE=keeping", 1, FILL_UNIFORM, OUTCOME_WRONG, "it keeps answers" },
		{ "-DMODE=keeping", 2, FILL_CONSTANT, OUTCOME_WRONG, "shape large: it keeps" },
	};
	struct err e;
	char *path;

	(void)state;
	need_nvrtc();
	path = file_join(bench_folder, "cheat.cu");
	assert_int_equal(file_write(path, cheat_source, sizeof cheat_source - 1, &e), 0);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct measurement m =
			measure_cheat(path, cases[i].option, cases[i].n_seeds, cases[i].fill);

		expect_outcome(&m, cases[i].want, cases[i].detail);
		assert_in_range(m.n_checks, cases[i].n_seeds, 2);
		measurement_release(&m);
	}
	free(path);
}

/* As above; what the stand-in does only where a crowd was launched before, or where the inputs are
 * in the host's memory. */
static void a_race_that_shows_beside_a_crowd_or_on_slow_inputs_only_is_found(void **state)
{
	static const struct {
		const char *option;
		enum outcome want;
		const char *detail;
	} cases[] = {
		{ "-DMODE=racing", OUTCOME_WRONG,
		  "shape small, seed 0, reference exact: beside another kernel: max_abs" },
		{ "-DMODE=racing_bits", OUTCOME_NONDETERMINISTIC,
		  "beside another kernel: a second" },
		{ "-DMODE=hasty", OUTCOME_WRONG,
		  "shape small, seed 0, reference exact: with inputs in host memory: max_abs" },
		{ "-DMODE=hasty_bits", OUTCOME_NONDETERMINISTIC,
		  "with inputs in host memory: a second" },
	};
	struct err e;
	char *path;

	(void)state;
	need_nvrtc();
	path = file_join(bench_folder, "racing.cu");
	assert_int_equal(file_write(path, cheat_source, sizeof cheat_source - 1, &e), 0);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct measurement m;
		struct bench b;

		bench_init(&b, path, "selftest", "selftest_reference", cases[i].option, 1);
		b.p->references[0].gates.max_abs = cases[i].want == OUTCOME_WRONG ? 0 : 0.01;
		m = measure(&b);
		expect_outcome(&m, cases[i].want, cases[i].detail);
		assert_int_equal(m.n_checks, 1);
		measurement_release(&m);
		bench_release(&b);
	}
	free(path);
}

static void inputs_go_to_the_host_where_they_are_small(void **state)
{
	static const struct {
		int count;
		long want;
	} cases[] = { { 1000, 1 }, { 1 << 17, 1 }, { (1 << 17) + 1, 0 } };

	(void)state;
	need_nvrtc();
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct measurement m;
		struct bench b;

		bench_init_add(&b);
		b.launches[0].scalars[3] = cases[i].count;
		b.p->shapes[0].references[0].scalars[3] = cases[i].count;
		for (int k = 0; k < b.p->n_buffers; k++)
			b.p->shapes[0].buffers[k].count = cases[i].count;
		m = measure(&b);
		expect_outcome(&m, OUTCOME_OK, "");
		assert_int_equal(fixture.calls("cuMemHostAlloc"), cases[i].want);
		measurement_release(&m);
		bench_release(&b);
	}
}

static void a_crowd_is_as_large_as_there_is_room_beside_a_block(void **state)
{
	static const struct {
		int64_t registers, static_bytes, threads, dynamic_bytes;
		int want;
	} cases[] = {
		{ 40, 0, 1024, 0, 512 },	{ 168, 0, 256, 65536, 512 },
		{ 200, 0, 256, 0, 256 },	{ 240, 0, 256, 0, 128 },
		{ 255, 0, 256, 0, 0 },		{ 32, 1024, 1024, 230 << 10, 0 },
		{ 32, 0, 128, 226 << 10, 512 },
	};
	struct session s = { .p = NULL };

	(void)state;
	s.device.attr[DEVICE_SM_THREADS] = 2048;
	s.device.attr[DEVICE_SM_REGISTERS] = 65536;
	s.device.attr[DEVICE_SM_SHARED_BYTES] = 228 << 10;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct function f = { .registers = cases[i].registers,
				      .shared_bytes = cases[i].static_bytes };
		struct launch l = { .block = { cases[i].threads, 1, 1 },
				    .shared_bytes = cases[i].dynamic_bytes };

		assert_int_equal(crowd_threads(&s, &f, &l), cases[i].want);
	}
}

static void a_launch_over_a_limit_is_too_big(void **state)
{
	static const struct {
		int64_t threads, shared, blocks;
		const char *detail;
	} cases[] = {
		{ 2048, 0, 1, "threads a block" },
		{ 128, 300 << 10, 1, "shared memory" },
		{ 128, 0, 0, "launching the kernel" },
		{ 128, 0, INT64_C(1) << 40, "launching the kernel" },
	};

	(void)state;
	need_nvrtc();
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct measurement m;
		struct bench b;

		bench_init_add(&b);
		b.launches[0].block[0] = cases[i].threads;
		b.launches[0].shared_bytes = cases[i].shared;
		b.launches[0].grid[0] = cases[i].blocks;
		m = measure(&b);
		expect_outcome(&m, OUTCOME_TOO_BIG, cases[i].detail);
		assert_false(m.poisoned);
		measurement_release(&m);
		bench_release(&b);
	}
}

static void a_reference_that_does_not_do_its_work_stops_the_run(void **state)
{
	static const char text[] = "extern \"C\" __global__ void idle(float *p) { p[0] = 0; }\n";
	struct str path = STR_INIT;
	struct artifact idle;
	struct measurement m;
	struct bench b;
	struct err e;

	(void)state;
	need_nvrtc();
	bench_init_add(&b);
	str_addf(&path, "%s/idle.cu", bench_folder);
	assert_int_equal(file_write(path.data, text, sizeof text - 1, &e), 0);
	idle = compile(path.data, "idle", NULL);
	free(b.p->references[0].artifact);
	free(b.p->references[0].entry);
	b.p->references[0].artifact = mem_strdup(idle.path);
	b.p->references[0].entry = mem_strdup("idle");
	plan(NULL);
	assert_int_equal(try_measure(&b, &m, &e), ERR_FAILED);
	assert_non_null(strstr(e.msg, "shape small, seed 0: reference exact"));
	artifact_release(&idle);
	bench_release(&b);
	str_release(&path);
}

/* vector_add of the first 1000 elements; the second shape is not checked. */
static const char c_source[] =
	"void add(const float *a, const float *b, float *c, int n)\n"
	"{\n\tfor (int i = 0; i < n; i++)\n\t\tc[i] = a[i] + b[i] + OFF;\n}\n";

static struct artifact compile_c(const char *off)
{
	static const char *const types[] = { "float", "float", "float", "int32_t" };
	struct problem_argument *arguments = make_arguments(3);
	const char *const options[] = { off };
	struct compile_job job = { .language = LANGUAGE_C,
				   .entry = "add",
				   .options = options,
				   .n_options = 1,
				   .arguments = arguments,
				   .argument_c_types = types,
				   .n_arguments = 4,
				   .cache = bench_folder };
	struct str path = STR_INIT;
	struct artifact a;
	struct err e;

	str_addf(&path, "%s/add.c", bench_folder);
	job.source = path.data;
	assert_int_equal(file_write(path.data, c_source, sizeof c_source - 1, &e), 0);
	if (runtime_host.compile(&job, &a, &e) < 0)
		fail_msg("%s", e.msg);
	if (a.outcome != OUTCOME_OK)
		fail_msg("%s", a.log);
	str_release(&path);
	free(arguments);
	return a;
}

static void a_reference_may_be_c(void **state)
{
	static const char *const offsets[] = { "-DOFF=0", "-DOFF=1" };

	(void)state;
	need_nvrtc();
	for (int i = 0; i < 2; i++) {
		struct artifact reference = compile_c(offsets[i]);
		struct measurement m;
		struct bench b;

		bench_init_add(&b);
		b.p->references[0].language = LANGUAGE_C;
		free(b.p->references[0].artifact);
		b.p->references[0].artifact = mem_strdup(reference.path);
		m = measure(&b);
		expect_outcome(&m, i ? OUTCOME_WRONG : OUTCOME_OK, i ? "max_abs" : "");
		measurement_release(&m);
		bench_release(&b);
		artifact_release(&reference);
	}
}

static char *write_golden(float value)
{
	static const char head[] = "{'descr': '<f4', 'fortran_order': False, 'shape': (1000,), }";
	struct str bytes = STR_INIT, path = STR_INIT;
	struct err e;

	str_add(&bytes, "\x93NUMPY\x01\x00\x76\x00", 10);
	str_addf(&bytes, "%-117s\n", head);
	for (int i = 0; i < 1000; i++)
		str_add(&bytes, &value, sizeof value);
	str_addf(&path, "%s/golden.npy", bench_folder);
	assert_int_equal(file_write(path.data, bytes.data, bytes.len, &e), 0);
	str_release(&bytes);
	return str_detach(&path);
}

static void a_reference_may_be_files(void **state)
{
	(void)state;
	need_nvrtc();
	for (int i = 0; i < 2; i++) {
		struct measurement m;
		struct bench b;

		bench_init_add(&b);
		b.p->references[0].files = mem_array(3, sizeof(char *));
		b.p->references[0].files[2] = write_golden(i ? 7.25f : 3.5f);
		for (int k = 0; k < 2; k++)
			b.p->shapes[0].buffers[k].fill =
				(struct fill){ FILL_CONSTANT, 1.75, 0, -1, 0, NULL };
		m = measure(&b);
		expect_outcome(&m, i ? OUTCOME_WRONG : OUTCOME_OK, i ? "max_abs 3.75" : "");
		measurement_release(&m);
		bench_release(&b);
	}
}

static void a_session_refuses_to_go_on_after_a_fault(void **state)
{
	struct measurement m;
	struct session *s;
	struct bench b;
	struct err e;

	(void)state;
	need_nvrtc();
	bench_init(&b, selftest, "selftest", "selftest_reference", "-DMODE=fault", 1);
	plan(NULL);
	assert_int_equal(runtime_cuda.open(0, b.p, &s, &e), 0);
	assert_int_equal(runtime_cuda.measure(s, &b.job, &m, &e), 0);
	assert_int_equal(m.outcome, OUTCOME_FAULT);
	measurement_release(&m);
	assert_int_equal(runtime_cuda.measure(s, &b.job, &m, &e), ERR_FAILED);
	assert_non_null(strstr(e.msg, "earlier kernel"));
	runtime_cuda.close(s);
	bench_release(&b);
}

static void a_device_that_was_warmed_up_is_not_opened_again(void **state)
{
	struct session *s;
	struct bench b;
	struct err e;

	(void)state;
	need_nvrtc();
	bench_init(&b, selftest, "selftest", "selftest_reference", "-DMODE=fault", 1);
	plan(NULL);
	assert_int_equal(runtime_cuda.warm(0, NULL, &e), 0);
	assert_int_equal(runtime_cuda.warm(0, NULL, &e), 0);
	assert_int_equal(runtime_cuda.open(0, b.p, &s, &e), 0);
	assert_int_equal(fixture.calls("cuDevicePrimaryCtxRetain"), 1);
	runtime_cuda.close(s);
	assert_int_equal(fixture.calls("cuDevicePrimaryCtxRelease_v2"), 1);
	bench_release(&b);
}

/* How many uploads it takes to open one when the device was warmed up for the other. */
static long uploads_to_open(const struct problem *warm, const struct problem *p)
{
	struct session *s;
	struct err e;
	long before;

	plan(NULL);
	assert_int_equal(runtime_cuda.warm(0, warm, &e), 0);
	before = fixture.calls("cuMemcpyHtoDAsync_v2");
	assert_int_equal(runtime_cuda.open(0, p, &s, &e), 0);
	runtime_cuda.close(s);
	return fixture.calls("cuMemcpyHtoDAsync_v2") - before;
}

static void inputs_that_were_filled_ahead_of_time_are_not_filled_again(void **state)
{
	struct bench a, b;
	long sets;

	(void)state;
	need_nvrtc();
	bench_init_add(&a);
	bench_init_add(&b);
	sets = a.p->n_seeds + 2; /* of the checked shape; the other is timed on two */
	assert_int_equal(uploads_to_open(b.p, a.p), uploads_to_open(NULL, a.p));
	assert_int_equal(uploads_to_open(a.p, a.p) + sets, uploads_to_open(NULL, a.p));
	bench_release(&a);
	bench_release(&b);
}

/* What goes wrong in these is of no consequence to the trial. */
static bool is_harmless(const char *symbol, long call)
{
	const long needed = 13; /* attributes; then come those that a roofline alone is made of */
	static const char *const harmless[] = {
		"cuMemFree_v2",
		"cuModuleUnload",
		"cuEventDestroy_v2",
		"cuStreamDestroy_v2",
		"cuGraphDestroy",
		"cuGraphExecDestroy",
		"cuGetErrorName",
		"cuGetErrorString",
		"cuDevicePrimaryCtxRelease_v2",
		"cuMemGetInfo_v2",
		"cuDriverGetVersion",
		"cuMemHostAlloc",
		"cuMemFreeHost",
		"cuMemHostGetDevicePointer_v2",
	};

	for (size_t i = 0; i < sizeof harmless / sizeof harmless[0]; i++)
		if (strcmp(harmless[i], symbol) == 0)
			return true;
	return strcmp(symbol, "cuDeviceGetAttribute") == 0 && call > needed;
}

/* True when there was such a call. */
static bool fail_call(const struct bench *b, const char *symbol, long call, int code)
{
	struct measurement m = { .outcome = OUTCOME_COUNT };
	struct err e = { .msg = "" };
	char failures[128];
	bool came;
	int r;

	snprintf(failures, sizeof failures, "%s:%ld:%d", symbol, call, code);
	plan(failures);
	r = try_measure(b, &m, &e);
	came = fixture.calls(symbol) >= call;
	if (r < 0 && !*e.msg)
		fail_msg("%s: an error without a message", failures);
	if (r == 0 && m.outcome != OUTCOME_OK && !*m.detail)
		fail_msg("%s: an outcome without a detail", failures);
	if (r == 0 && m.outcome == OUTCOME_OK && came && !is_harmless(symbol, call))
		fail_msg("%s: nobody noticed", failures);
	if (r == 0)
		measurement_release(&m);
	return came;
}

static void whichever_call_fails_ends_in_an_error_or_an_outcome(void **state)
{
	static const int codes[] = { CUDA_OUT_OF_MEMORY, CUDA_ILLEGAL_ADDRESS };
	struct bench b;
	const char *symbol;

	(void)state;
	need_nvrtc();
	bench_init_add(&b);
	b.p->n_seeds = 1;
	b.p->timing.sample_ns = 1;
	for (int i = 0; (symbol = cuda_symbol_name(i)); i++)
		for (size_t c = 0; c < sizeof codes / sizeof codes[0]; c++) {
			b.p->timing.l2 = c ? TIMING_L2_COLD : TIMING_L2_ROTATING;
			for (long n = 1; fail_call(&b, symbol, n, codes[c]);)
				n += n < 24 ? 1 : n / 2;
		}
	plan(NULL);
	bench_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_stand_in_has_every_symbol_of_the_list),
		cmocka_unit_test(a_probe_tells_every_device),
		cmocka_unit_test(an_architecture_is_the_closest_that_the_compiler_knows),
		cmocka_unit_test(an_assumed_device_has_the_published_limits),
		cmocka_unit_test(a_compile_gives_figures_and_the_same_bytes_twice),
		cmocka_unit_test(a_source_that_is_refused_is_an_outcome_with_a_log),
		cmocka_unit_test(a_cpp_entry_is_found_by_its_lowered_name),
		cmocka_unit_test(bytes_that_are_no_cubin_have_no_entries),
		cmocka_unit_test(variables_that_outlast_a_launch_are_told),
		cmocka_unit_test(a_right_kernel_is_checked_on_each_seed_and_timed_on_each_shape),
		cmocka_unit_test(every_way_of_timing_tells_its_mode),
		cmocka_unit_test(a_kernel_that_cannot_win_is_timed_only_until_that_is_clear),
		cmocka_unit_test(a_fresh_seed_replaces_the_seeds_of_the_problem),
		cmocka_unit_test(every_misbehaviour_is_its_outcome),
		cmocka_unit_test(what_stops_working_once_it_was_checked_is_wrong),
		cmocka_unit_test(a_race_that_shows_beside_a_crowd_or_on_slow_inputs_only_is_found),
		cmocka_unit_test(inputs_go_to_the_host_where_they_are_small),
		cmocka_unit_test(a_crowd_is_as_large_as_there_is_room_beside_a_block),
		cmocka_unit_test(a_launch_over_a_limit_is_too_big),
		cmocka_unit_test(a_reference_that_does_not_do_its_work_stops_the_run),
		cmocka_unit_test(a_reference_may_be_c),
		cmocka_unit_test(a_reference_may_be_files),
		cmocka_unit_test(a_session_refuses_to_go_on_after_a_fault),
		cmocka_unit_test(a_device_that_was_warmed_up_is_not_opened_again),
		cmocka_unit_test(inputs_that_were_filled_ahead_of_time_are_not_filled_again),
		cmocka_unit_test(whichever_call_fails_ends_in_an_error_or_an_outcome),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
