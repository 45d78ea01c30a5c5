/* Buffer contents: seeded draws, quantisation, .npy files good and bad. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>
#include <unistd.h>

#include "base/file.h"
#include "runtime/fill.h"
#include "runtime/npy.h"

enum { N = 1000 };

static struct problem_buffer buffers[] = {
	{ (char[]){ "q_f32" }, DTYPE_F32, BUFFER_IN },
	{ (char[]){ "q" }, DTYPE_U8, BUFFER_IN },
};
static struct shape_buffer sizes[2];
static struct problem_shape shape = { .buffers = sizes };
static struct problem problem = {
	.buffers = buffers, .n_buffers = 2, .shapes = &shape, .n_shapes = 1
};

static int fill_first(struct fill f, enum dtype type, int64_t count, uint64_t seed, void *out,
		      struct err *e)
{
	f.of = -1;
	buffers[0].type = type;
	sizes[0] = (struct shape_buffer){ count, f };
	return fill_buffer(&problem, 0, 0, seed, NULL, out, e);
}

static int fill_second(struct fill f, enum dtype type, int64_t count, int64_t of_count, void *of,
		       void *out, struct err *e)
{
	void *earlier[] = { of };

	buffers[0].type = DTYPE_F32;
	buffers[1].type = type;
	sizes[0].count = of_count;
	sizes[1] = (struct shape_buffer){ count, f };
	return fill_buffer(&problem, 0, 1, 0, earlier, out, e);
}

static void draws_depend_on_seed_and_name_only(void **state)
{
	struct fill f = { .kind = FILL_NORMAL, .a = 0, .b = 1 };
	float a[N], b[N], c[N], d[N];
	struct err e;

	(void)state;
	assert_int_equal(fill_first(f, DTYPE_F32, N, 1, a, &e), 0);
	assert_int_equal(fill_first(f, DTYPE_F32, N, 1, b, &e), 0);
	assert_int_equal(fill_first(f, DTYPE_F32, N, 2, c, &e), 0);
	buffers[0].name[0] = 'k';
	assert_int_equal(fill_first(f, DTYPE_F32, N, 1, d, &e), 0);
	buffers[0].name[0] = 'q';
	assert_memory_equal(a, b, sizeof a);
	assert_memory_not_equal(a, c, sizeof a);
	assert_memory_not_equal(a, d, sizeof a);
	/* The first draw is the same on every machine. */
	assert_int_equal(fill_first(f, DTYPE_F32, 1, 1, d, &e), 0);
	assert_true(d[0] == a[0]);
}

static void moments_are_what_was_asked_for(void **state)
{
	static float x[100000];
	struct err e;
	double sum = 0, squares = 0;

	(void)state;
	assert_int_equal(fill_first((struct fill){ .kind = FILL_NORMAL, .a = 3, .b = 2 }, DTYPE_F32,
				    100000, 5, x, &e),
			 0);
	for (int i = 0; i < 100000; i++) {
		sum += (double)x[i];
		squares += ((double)x[i] - 3) * ((double)x[i] - 3);
	}
	assert_true(fabs(sum / 1e5 - 3) < 0.03);
	assert_true(fabs(squares / 1e5 - 4) < 0.08);
}

static void uniform_and_integers_stay_in_range_and_reach_its_ends(void **state)
{
	int8_t whole[N];
	double real[N], low = 9, high = -9;
	bool seen[7] = { false };
	struct err e;

	(void)state;
	assert_int_equal(fill_first((struct fill){ .kind = FILL_INTEGERS, .a = -3, .b = 3 },
				    DTYPE_I8, N, 1, whole, &e),
			 0);
	for (int i = 0; i < N; i++) {
		assert_in_range(whole[i] + 3, 0, 6);
		seen[whole[i] + 3] = true;
	}
	for (int i = 0; i < 7; i++)
		assert_true(seen[i]);
	assert_int_equal(fill_first((struct fill){ .kind = FILL_UNIFORM, .a = -1, .b = 2 },
				    DTYPE_F64, N, 1, real, &e),
			 0);
	for (int i = 0; i < N; i++) {
		low = fmin(low, real[i]);
		high = fmax(high, real[i]);
	}
	assert_true(low >= -1 && low < -0.95 && high < 2 && high > 1.95);
}

static void a_sparse_fill_has_one_value_in_about_its_share_of_places(void **state)
{
	float x[N];
	struct err e;
	int hits = 0;

	(void)state;
	assert_int_equal(fill_first((struct fill){ .kind = FILL_SPARSE, .a = -24, .b = 0.25 },
				    DTYPE_F32, N, 1, x, &e),
			 0);
	for (int i = 0; i < N; i++) {
		assert_true(x[i] == 0 || x[i] == -24);
		hits += x[i] != 0;
	}
	assert_in_range(hits, 180, 320);
	assert_int_equal(fill_first((struct fill){ .kind = FILL_SPARSE, .a = 1, .b = 1 }, DTYPE_F32,
				    N, 1, x, &e),
			 0);
	for (int i = 0; i < N; i++)
		assert_true(x[i] == 1);
}

static void an_empty_range_of_integers_is_refused(void **state)
{
	int8_t x;
	struct err e;

	(void)state;
	assert_int_equal(fill_first((struct fill){ .kind = FILL_INTEGERS, .a = 3, .b = 2 },
				    DTYPE_I8, 1, 1, &x, &e),
			 ERR_INVALID);
	assert_int_equal(fill_first((struct fill){ .kind = FILL_INTEGERS, .a = 0, .b = NAN },
				    DTYPE_I8, 1, 1, &x, &e),
			 ERR_INVALID);
	assert_int_equal(fill_first((struct fill){ .kind = FILL_INTEGERS, .a = -1e300, .b = 1e300 },
				    DTYPE_I8, 1, 1, &x, &e),
			 ERR_INVALID);
}

static void quantisation_is_symmetric_about_128_with_a_scale_a_group(void **state)
{
	/* Groups of 4; the third is all but zero, the last is short. */
	float x[] = { 1, -1, 0, 0.5f, 2, -2, 1, -0.001f, 0, 1e-7f, -1e-6f, 0, 4, -3 };
	static const uint8_t want[] = { 255, 1,	  128, 192, 255, 1,   192,
					128, 128, 128, 128, 128, 255, 33 };
	static const float want_scale[] = { 1, 2, 1, 4 };
	struct fill f = { .kind = FILL_QUANTISED_U8, .of = 0, .group = 4 };
	uint8_t u[14];
	float scale[4];
	struct err e;

	(void)state;
	assert_int_equal(fill_second(f, DTYPE_U8, 14, 14, x, u, &e), 0);
	for (int i = 0; i < 14; i++)
		assert_int_equal(u[i], want[i]);
	f.kind = FILL_ABSMAX;
	assert_int_equal(fill_second(f, DTYPE_F32, 4, 14, x, scale, &e), 0);
	for (int i = 0; i < 4; i++)
		assert_true(scale[i] == want_scale[i]);
}

/* x = (u - 128) / 127 * absmax gives back x to half a step, without bias. */
static void quantisation_errs_by_half_a_step_at_most(void **state)
{
	static float x[10000];
	static uint8_t u[10000];
	struct fill f = { .kind = FILL_QUANTISED_U8, .of = 0, .group = 10000 };
	double absmax = 0, worst = 0, bias = 0;
	struct err e;

	(void)state;
	assert_int_equal(fill_first((struct fill){ .kind = FILL_NORMAL, .b = 1 }, DTYPE_F32, 10000,
				    3, x, &e),
			 0);
	assert_int_equal(fill_second(f, DTYPE_U8, 10000, 10000, x, u, &e), 0);
	for (int i = 0; i < 10000; i++)
		absmax = fmax(absmax, fabs((double)x[i]));
	for (int i = 0; i < 10000; i++) {
		double back = (u[i] - 128) / 127.0 * absmax;

		worst = fmax(worst, fabs(back - (double)x[i]));
		bias += (back - (double)x[i]) / 10000;
	}
	assert_true(worst <= absmax / 254 * 1.0001);
	assert_true(fabs(bias) < absmax / 127 * 0.02);
}

static void sizes_that_do_not_fit_are_refused(void **state)
{
	float x[8] = { 0 };
	uint8_t u[8];
	struct err e;

	(void)state;
	assert_int_equal(fill_second((struct fill){ .kind = FILL_QUANTISED_U8, .group = 4 },
				     DTYPE_U8, 7, 8, x, u, &e),
			 ERR_INVALID);
	assert_non_null(strstr(e.msg, "buffer q"));
	assert_int_equal(fill_second((struct fill){ .kind = FILL_ABSMAX, .group = 3 }, DTYPE_F32, 2,
				     8, x, u, &e),
			 ERR_INVALID);
	assert_int_equal(fill_second((struct fill){ .kind = FILL_ABSMAX, .group = 0 }, DTYPE_F32, 2,
				     8, x, u, &e),
			 ERR_INVALID);
	assert_int_equal(fill_second((struct fill){ .kind = FILL_ABSMAX, .group = 4, .of = -1 },
				     DTYPE_F32, 2, 8, x, u, &e),
			 ERR_INVALID);
}

static char *write_npy(int version, const char *dictionary, const void *data, size_t len)
{
	char path[] = "/tmp/evo-npy-XXXXXX", bytes[512] = "\x93NUMPY";
	size_t n = strlen(dictionary), start = version == 1 ? 10 : 12;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	bytes[6] = (char)version;
	bytes[8] = (char)n;
	memcpy(bytes + start, dictionary, n);
	if (len)
		memcpy(bytes + start + n, data, len);
	assert_int_equal(write(fd, bytes, start + n + len), start + n + len);
	close(fd);
	return strdup(path);
}

static void npy_files_of_each_version_are_read(void **state)
{
	static const float data[] = { 1, 2, 3, 4, 5, 6 };

	(void)state;
	for (int version = 1; version <= 3; version++) {
		char *path = write_npy(
			version, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n",
			data, sizeof data);
		struct fill f = { .kind = FILL_NPY, .of = -1, .path = path };
		float out[6];
		struct npy n;
		struct err e;

		assert_int_equal(npy_read_header(path, &n, &e), 0);
		assert_int_equal(n.type, DTYPE_F32);
		assert_int_equal(n.count, 6);
		assert_int_equal(fill_first(f, DTYPE_F32, 6, 0, out, &e), 0);
		assert_memory_equal(out, data, sizeof data);
		assert_int_equal(fill_first(f, DTYPE_F32, 5, 0, out, &e), ERR_INVALID);
		assert_non_null(strstr(e.msg, "expected 5 elements of f32, found 6 of f32"));
		assert_int_equal(fill_first(f, DTYPE_I32, 6, 0, out, &e), ERR_INVALID);
		unlink(path);
		free(path);
	}
}

static void a_scalar_and_narrow_types_are_read(void **state)
{
	static const uint16_t bits = 0x3f80;
	char *path = write_npy(1, "{'descr': '<u2', 'fortran_order': False, 'shape': (), }", &bits,
			       sizeof bits);
	uint16_t out = 0;
	struct err e;

	(void)state;
	assert_int_equal(npy_load(path, DTYPE_BF16, 1, &out, &e), 0);
	assert_int_equal(out, bits);
	assert_int_equal(npy_load(path, DTYPE_F16, 1, &out, &e), ERR_INVALID);
	unlink(path);
	free(path);
}

static void bad_npy_files_are_refused_with_the_reason(void **state)
{
	static const struct {
		const char *dictionary, *complaint;
	} bad[] = {
		{ "{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }", "element type" },
		{ "{'descr': '|O', 'fortran_order': False, 'shape': (2,), }", "element type" },
		{ "{'descr': '<f4', 'fortran_order': True, 'shape': (2,), }", "C order" },
		{ "{'descr': '<f4', 'fortran_order': False, 'shape': (2,3000000), }", "cut short" },
		{ "{'descr': '<f4', 'fortran_order': False, 'shape': (-2,), }", "shape" },
		{ "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296,4294967296), }",
		  "shape" },
		{ "{'descr': '<f4', 'fortran_order': False, 'shape': (2", "shape" },
		{ "{'descr': '<f4', 'fortran_order': False, }", "shape" },
		{ "", "C order" },
	};
	struct npy n;
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		char *path = write_npy(1, bad[i].dictionary, "12345678", 8);

		assert_int_equal(npy_read_header(path, &n, &e), ERR_INVALID);
		if (!strstr(e.msg, bad[i].complaint) || !strstr(e.msg, path))
			fail_msg("%s: got \"%s\", want \"%s\"", bad[i].dictionary, e.msg,
				 bad[i].complaint);
		unlink(path);
		free(path);
	}
	assert_int_equal(npy_read_header("/nowhere/x.npy", &n, &e), ERR_MISSING);
	assert_int_equal(npy_read_header("/dev/null", &n, &e), ERR_INVALID);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(draws_depend_on_seed_and_name_only),
		cmocka_unit_test(moments_are_what_was_asked_for),
		cmocka_unit_test(uniform_and_integers_stay_in_range_and_reach_its_ends),
		cmocka_unit_test(a_sparse_fill_has_one_value_in_about_its_share_of_places),
		cmocka_unit_test(an_empty_range_of_integers_is_refused),
		cmocka_unit_test(quantisation_is_symmetric_about_128_with_a_scale_a_group),
		cmocka_unit_test(quantisation_errs_by_half_a_step_at_most),
		cmocka_unit_test(sizes_that_do_not_fit_are_refused),
		cmocka_unit_test(npy_files_of_each_version_are_read),
		cmocka_unit_test(a_scalar_and_narrow_types_are_read),
		cmocka_unit_test(bad_npy_files_are_refused_with_the_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
