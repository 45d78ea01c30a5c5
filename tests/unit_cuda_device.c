/* The kernels of verify.cu on a real device, against the same figures counted on the CPU. Skipped
 * where there is none. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "cuda_fixture.h"
#include "runtime/cuda_compare.h"
#include "runtime/cuda_session.h"
#include "runtime/runtime.h"

enum { COUNT = 100003 };

static bool available;

static int set_up(void **state)
{
	struct device *d;
	struct err e;
	int n;

	(void)state;
	available = runtime_cuda.probe(&d, &n, &e) == 0;
	if (available)
		free(d);
	bench_folder_make();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	bench_folder_remove();
	return 0;
}

static struct session *open_session(const struct bench *b)
{
	struct session *s;
	struct err e;

	if (runtime_cuda.open(0, b->p, &s, &e) < 0)
		fail_msg("%s", e.msg);
	return s;
}

static cuda_ptr on_device(struct session *s, const void *bytes, size_t len)
{
	cuda_ptr p;

	assert_int_equal(s->cu.alloc(&p, len), CUDA_OK);
	assert_int_equal(s->cu.upload(p, bytes, len, s->stream), CUDA_OK);
	assert_int_equal(s->cu.stream_sync(s->stream), CUDA_OK);
	return p;
}

/* Any bits at all, so that there are NaNs and infinities; some elements equal, some poisoned. */
static void scramble(enum dtype type, uint64_t seed, char *got, char *want)
{
	size_t width = dtype_bytes(type);
	struct rng r;

	rng_init(&r, seed, 1);
	for (size_t i = 0; i < COUNT; i++) {
		uint64_t a = rng_u64(&r), b = rng_u64(&r), kind = rng_below(&r, 8);

		memcpy(got + i * width, &a, width);
		memcpy(want + i * width, kind < 4 ? &a : &b, width);
		if (kind == 5)
			memset(got + i * width, verify_poison(type, 0), width);
		if (kind == 6)
			dtype_set(type, got, (int64_t)i, (double)(int)(a % 100) - 50);
		if (kind == 6)
			dtype_set(type, want, (int64_t)i, (double)(int)(a % 100) - 49);
	}
}

static void expect_close(const char *type, const char *what, double got, double want)
{
	if (got == want || (isnan(got) && isnan(want)) ||
	    fabs(got - want) <= 1e-12 * fmax(fabs(got), fabs(want)))
		return;
	fail_msg("%s: %s is %.17g, not %.17g", type, what, got, want);
}

static void expect_figures(enum dtype type, const struct figures *got, const struct figures *want)
{
	const char *name = dtype_name(type);

	expect_close(name, "max_abs", got->max_abs, want->max_abs);
	expect_close(name, "sum_abs", got->sum_abs, want->sum_abs);
	expect_close(name, "sum_sq_diff", got->sum_sq_diff, want->sum_sq_diff);
	expect_close(name, "sum_sq_ref", got->sum_sq_ref, want->sum_sq_ref);
	assert_int_equal(got->bad, want->bad);
	assert_int_equal(got->nans, want->nans);
	assert_int_equal(got->unwritten, want->unwritten);
	assert_int_equal(got->first_bad, want->first_bad);
}

static void compare_type(struct session *s, enum dtype type)
{
	size_t len = COUNT * dtype_bytes(type);
	char *got = mem_alloc(len), *want = mem_alloc(len);
	struct gates gates = { .atol = 0.5, .rtol = 1e-3 };
	uint8_t poison = verify_poison(type, 0);
	struct comparison c = {
		.count = COUNT,
		.poison = poison * UINT64_C(0x0101010101010101),
		.atol = gates.atol,
		.rtol = gates.rtol,
		.type = (int32_t)type,
		.width = (int32_t)dtype_bytes(type),
		.like = -1,
	};
	struct worklist w = { 0 };
	struct figures device, host;
	struct findings found;

	scramble(type, (uint64_t)type + 1, got, want);
	c.got = on_device(s, got, len);
	c.want = on_device(s, want, len);
	worklist_compare(&w, &c);
	assert_int_equal(compare_begin(s, &w), CUDA_OK);
	assert_int_equal(compare_outputs(s, &w, 0, 1), CUDA_OK);
	assert_int_equal(compare_fetch(s, &w, &found), CUDA_OK);
	device = findings_figures(&found, 0, COUNT);
	verify_compare(type, got, want, COUNT, poison, &gates, &host);
	expect_figures(type, &device, &host);
	findings_release(&found);
	worklist_release(&w);
	s->cu.free(c.got);
	s->cu.free(c.want);
	free(got);
	free(want);
}

static void the_device_counts_what_the_cpu_counts(void **state)
{
	struct session *s;
	struct bench b;

	(void)state;
	if (!available)
		skip();
	bench_init_add(&b);
	s = open_session(&b);
	for (int type = 0; type < DTYPE_COUNT; type++)
		compare_type(s, (enum dtype)type);
	runtime_cuda.close(s);
	bench_release(&b);
}

/* Segments of odd places and lengths, in each of which one byte is wrong in turn. */
static void a_changed_byte_is_found_wherever_it_is(void **state)
{
	enum { BYTES = 70000 };
	struct session *s;
	struct bench b;
	char *bytes = mem_alloc(BYTES);
	cuda_ptr at, want;

	(void)state;
	if (!available) {
		free(bytes);
		skip();
	}
	bench_init_add(&b);
	s = open_session(&b);
	memset(bytes, 0xc3, BYTES);
	at = on_device(s, bytes, BYTES);
	want = on_device(s, bytes, BYTES);
	for (uint64_t i = 0; i < BYTES; i += 6997) {
		struct segment segments[] = {
			{ at, want, BYTES, 0 },
			{ at, 0, BYTES, 0xc3 },
			{ at + 1, want + 1, i, 0 },
			{ at + i, 0, 1, 0xc3 },
			{ at + i + 1, 0, BYTES - i - 1, 0xc3 },
		};
		static const uint64_t expected[] = { 1, 1, 1, 1, 0 };
		struct worklist w = { .segments = segments, .n_segments = 5, .n_flags = 5 };
		struct findings found;

		s->cu.set8(at + i, 0xc2, 1, s->stream);
		assert_int_equal(compare_begin(s, &w), CUDA_OK);
		assert_int_equal(compare_look(s, 0, 5, 0), CUDA_OK);
		assert_int_equal(compare_fetch(s, &w, &found), CUDA_OK);
		for (int k = 0; k < 5; k++)
			if (i > 0 || k != 2)
				assert_int_equal(found.flags[k], expected[k]);
		findings_release(&found);
		s->cu.set8(at + i, 0xc3, 1, s->stream);
	}
	s->cu.free(at);
	s->cu.free(want);
	runtime_cuda.close(s);
	bench_release(&b);
	free(bytes);
}

static struct comparison of_floats(cuda_ptr got, cuda_ptr want)
{
	return (struct comparison){ .got = got,
				    .want = want,
				    .count = COUNT,
				    .type = DTYPE_F32,
				    .width = sizeof(float),
				    .like = -1 };
}

/* The second comparison would find other figures, were it done. */
static void what_has_the_bits_of_another_has_its_figures(void **state)
{
	struct session *s;
	struct bench b;
	float *values = mem_array(COUNT, sizeof *values);
	cuda_ptr zeros, ones;

	(void)state;
	if (!available) {
		free(values);
		skip();
	}
	bench_init_add(&b);
	s = open_session(&b);
	zeros = on_device(s, values, COUNT * sizeof *values);
	for (int i = 0; i < COUNT; i++)
		values[i] = 1;
	ones = on_device(s, values, COUNT * sizeof *values);
	for (int flag = 0; flag < 2; flag++) {
		struct segment differs = { zeros, flag ? ones : zeros, sizeof(float), 0 };
		struct comparison equal = of_floats(ones, ones), other = of_floats(ones, zeros);
		struct worklist w = { 0 };
		struct findings found;

		other.flag = worklist_flags(&w, 1);
		other.n_flags = 1;
		worklist_look(&w, &differs, 1);
		other.like = worklist_compare(&w, &equal);
		worklist_compare(&w, &other);
		assert_int_equal(compare_begin(s, &w), CUDA_OK);
		assert_int_equal(compare_outputs(s, &w, 0, 1), CUDA_OK);
		assert_int_equal(compare_look(s, 0, 1, 0), CUDA_OK);
		assert_int_equal(compare_outputs(s, &w, 1, 1), CUDA_OK);
		assert_int_equal(compare_fetch(s, &w, &found), CUDA_OK);
		assert_int_equal(findings_figures(&found, 0, COUNT).bad, 0);
		assert_int_equal(findings_figures(&found, 1, COUNT).bad, flag ? COUNT : 0);
		findings_release(&found);
		worklist_release(&w);
	}
	s->cu.free(zeros);
	s->cu.free(ones);
	runtime_cuda.close(s);
	bench_release(&b);
	free(values);
}

static void the_device_gives_the_outcomes_that_were_asked_for(void **state)
{
	static const struct {
		const char *option;
		enum outcome want;
	} cases[] = {
		{ "-DMODE=fine", OUTCOME_OK },
		{ "-DMODE=wrong", OUTCOME_WRONG },
		{ "-DMODE=unwritten", OUTCOME_WRONG },
		{ "-DMODE=clobber", OUTCOME_WRONG },
		{ "-DMODE=nondeterministic", OUTCOME_NONDETERMINISTIC },
		{ "-DMODE=fault", OUTCOME_FAULT }, /* the last: it takes the context with it */
	};

	(void)state;
	if (!available)
		skip();
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct measurement m;
		struct bench b;
		struct err e;

		bench_init(&b, selftest, "selftest", "selftest_reference", cases[i].option, 1);
		b.p->references[0].gates.max_abs = 0.001;
		if (try_measure(&b, &m, &e) < 0)
			fail_msg("%s: %s", cases[i].option, e.msg);
		if (m.outcome != cases[i].want)
			fail_msg("%s: %s (%s)", cases[i].option, outcome_name(m.outcome), m.detail);
		measurement_release(&m);
		bench_release(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_device_counts_what_the_cpu_counts),
		cmocka_unit_test(a_changed_byte_is_found_wherever_it_is),
		cmocka_unit_test(what_has_the_bits_of_another_has_its_figures),
		cmocka_unit_test(the_device_gives_the_outcomes_that_were_asked_for),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
