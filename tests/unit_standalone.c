/* The program that export writes against the program that measured: equal inputs, equal judgement.
 * And what of a C source is renamed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The program has names that the project has too. */
#define fill	program_fill
#define gates	program_gates
#define launch	program_launch
#define figures program_figures
#include "kernels/standalone.h"
#undef fill
#undef gates
#undef launch
#undef figures

#include "runtime/dtype.h"
#include "runtime/fill.h"
#include "runtime/verify.h"
#include "tuner/cli/export_standalone_names.h"
#include "tuner/cli/sanitize.h"

enum { COUNT = 70001, N_BUFFERS = 7, GROUP = 100, SCALES = (COUNT + GROUP - 1) / GROUP };

static void values_and_their_bits_agree(void **state)
{
	(void)state;
	static const double values[] = { 0,	 -0.0,	   1,	     -1,       0.5,
					 1.5,	 2.5,	   -2.5,     127.5,    128,
					 255.5,	 -129,	   1e-8,     6e-8,     65504,
					 65520,	 1e300,	   -1e300,   448,      464,
					 465,	 3.4e38,   0x1p63,   -0x1p63,  0x1p64,
					 0x1p31, 0x1p-24,  0x1p-25,  0x1p-133, 4294967295.0,
					 NAN,	 INFINITY, -INFINITY };

	for (int t = 0; t < DTYPE_COUNT; t++) {
		for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
			uint64_t a = 0, b = 0;

			dtype_set((enum dtype)t, &a, 0, values[i]);
			element_set((enum type)t, &b, 0, values[i]);
			if (a != b)
				fail_msg("%s of %g: expected bits %llx, found %llx",
					 dtype_name((enum dtype)t), values[i],
					 (unsigned long long)a, (unsigned long long)b);
		}
	}
}

static void bits_are_read_alike(void **state)
{
	(void)state;
	for (int t = 0; t < DTYPE_COUNT; t++) {
		for (uint64_t i = 0; i < 65536; i++) {
			uint64_t bits =
				i * (dtype_bytes((enum dtype)t) > 2 ? 0x9e3779b97f4a7c15u : 1);
			double a = dtype_get((enum dtype)t, &bits, 0);
			double b = element_get((enum type)t, &bits, 0);

			if (memcmp(&a, &b, sizeof a) != 0 && !(isnan(a) && isnan(b)))
				fail_msg("%s, bits %llx: expected %g, found %g",
					 dtype_name((enum dtype)t), (unsigned long long)bits, a, b);
		}
	}
}

/* One buffer of each kind of fill. */
static const struct {
	const char *name;
	enum dtype type;
	int64_t count;
	struct program_fill fill;
} sketches[N_BUFFERS] = {
	{ "normal", DTYPE_F32, COUNT, { NORMAL, 0.5, 2, -1, 0 } },
	{ "uniform", DTYPE_BF16, COUNT, { UNIFORM, -1, 3, -1, 0 } },
	{ "integers", DTYPE_I16, COUNT, { INTEGERS, -7, 300, -1, 0 } },
	{ "constant", DTYPE_F16, COUNT, { CONSTANT, 0.1, 0, -1, 0 } },
	{ "quantised", DTYPE_U8, COUNT, { QUANTISED_U8, 0, 0, 0, GROUP } },
	{ "scales", DTYPE_F32, SCALES, { ABSMAX, 0, 0, 0, GROUP } },
	{ "sparse", DTYPE_F32, COUNT, { SPARSE, 24, 0.25, -1, 0 } },
};

/* The same problem for both. */
static void make_problem(struct problem *p, struct problem_shape *shape,
			 struct problem_buffer *buffers, struct shape_buffer *sizes)
{
	*p = (struct problem){ .buffers = buffers, .n_buffers = N_BUFFERS, .shapes = shape };
	*shape = (struct problem_shape){ .buffers = sizes };
	for (int b = 0; b < N_BUFFERS; b++) {
		const struct program_fill *f = &sketches[b].fill;

		buffers[b] = (struct problem_buffer){ (char *)sketches[b].name, sketches[b].type,
						      BUFFER_IN };
		sizes[b].count = sketches[b].count;
		sizes[b].fill =
			(struct fill){ (enum fill_kind)f->kind, f->a, f->b, f->of, f->group, NULL };
	}
}

static void make_program(struct program *p, struct buffer *buffers, int64_t *counts,
			 struct program_fill *fills)
{
	*p = (struct program){
		.buffers = buffers, .n_buffers = N_BUFFERS, .counts = counts, .fills = fills
	};
	for (int b = 0; b < N_BUFFERS; b++) {
		buffers[b] =
			(struct buffer){ sketches[b].name, (enum type)sketches[b].type, ROLE_IN };
		counts[b] = sketches[b].count;
		fills[b] = sketches[b].fill;
	}
}

static void inputs_of_a_seed_are_the_same(void **state)
{
	struct problem_buffer buffers[N_BUFFERS];
	struct shape_buffer sizes[N_BUFFERS];
	struct problem_shape shape;
	struct problem problem;
	struct buffer theirs[N_BUFFERS];
	struct program_fill fills[N_BUFFERS];
	int64_t counts[N_BUFFERS];
	struct program program;
	void *a[N_BUFFERS], *b[N_BUFFERS];
	struct err e = { 0 };

	(void)state;
	make_problem(&problem, &shape, buffers, sizes);
	make_program(&program, theirs, counts, fills);
	for (int i = 0; i < N_BUFFERS; i++) {
		size_t bytes = (size_t)counts[i] * dtype_bytes(sketches[i].type);

		a[i] = calloc(1, bytes);
		b[i] = calloc(1, bytes);
		assert_int_equal(fill_buffer(&problem, 0, i, 12345, a, a[i], &e), 0);
		fill_buffer_of(&program, 0, i, 12345, b, b[i]);
		if (memcmp(a[i], b[i], bytes) != 0)
			fail_msg("%s: the inputs differ", sketches[i].name);
	}
	for (int i = 0; i < N_BUFFERS; i++) {
		free(a[i]);
		free(b[i]);
	}
}

static void figures_are_counted_alike(void **state)
{
	enum { N = 500 };
	static const struct gates gates = { 1, 1, 1, 1, 0.25, 0.5 };
	static const struct program_gates same = { 1, 1, 1, 1, 0.25, 0.5 };
	struct program_figures found = { 0, 0, 0, 0, 0, 0, -1 };
	float got[N], want[N];
	struct figures f;

	(void)state;
	(void)standalone_main;
	for (int i = 0; i < N; i++) {
		want[i] = (float)sin(i);
		got[i] = want[i] + (float)(i % 7) * 0.1F;
	}
	got[17] = (float)NAN;
	memset(&got[30], verify_poison(DTYPE_F32, 1), sizeof *got);
	verify_compare(DTYPE_F32, got, want, N, verify_poison(DTYPE_F32, 1), &gates, &f);
	compare(F32, got, want, N, poison_of(F32, 1), &same, &found);
	assert_int_equal(found.nans, f.nans);
	assert_int_equal(found.unwritten, f.unwritten);
	assert_int_equal(found.first_bad, f.first_bad);
	assert_true(found.max_abs == f.max_abs);
	assert_true(found.mean_abs == f.sum_abs / N);
	assert_true(found.bad_fraction == (double)f.bad / N);
	assert_true(found.rel_l2 == sqrt(f.sum_sq_diff / f.sum_sq_ref));
	for (int t = 0; t < DTYPE_COUNT; t++)
		for (int round = 0; round < ROUNDS; round++)
			assert_int_equal(poison_of((enum type)t, round),
					 verify_poison((enum dtype)t, round));
}

static void check_names(const char *text, const char *expected)
{
	char found[400] = "", **names;
	int n;

	names = standalone_names(text, &n);
	for (int i = 0; i < n; i++) {
		strcat(strcat(found, i ? " " : ""), names[i]);
		free(names[i]);
	}
	free(names);
	assert_string_equal(found, expected);
}

static void names_of_file_scope_are_found_and_others_are_not(void **state)
{
	(void)state;
	check_names("", "");
	check_names("int", "");
	check_names("static inline float add(float a, float b) { float c = a; return c + b; }",
		    "add");
	check_names("void f(void)\n{\n}\nvoid g(int n);", "f g");
	check_names("static const float table[4] = { 1, 2 }, *next;", "table next");
	check_names("struct pair { int a, b; } pairs[2];\nunion u *p;", "pair pairs u p");
	check_names("enum colour { RED, GREEN = 2 };\nenum { MANY };", "colour RED GREEN MANY");
	check_names("typedef float vec __attribute__((vector_size(32)));", "vec");
	check_names("_Static_assert(1, \"x\");\nint x = '{';\nint y;", "x y");
	check_names(
		"#define SQUARE(x) \\\n  int square(int x)\n/* int no; */ // int never;\nint z;",
		"z");
	check_names("int unclosed(\"", "unclosed");
}

static void a_summary_of_the_sanitizer_is_read(void **state)
{
	(void)state;
	assert_int_equal(sanitize_findings("========= ERROR SUMMARY: 0 errors\n"), 0);
	assert_int_equal(sanitize_findings("========= Invalid read\n========= ERROR SUMMARY: 12 "
					   "errors\n"),
			 12);
	assert_int_equal(sanitize_findings("========= RACECHECK SUMMARY: 3 hazards displayed (1 "
					   "errors, 2 warnings)\n"),
			 3);
	assert_int_equal(sanitize_findings("========= Target application returned an error\n"), -1);
	assert_int_equal(sanitize_findings("SUMMARY: none"), -1);
	assert_int_equal(sanitize_findings(""), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_and_their_bits_agree),
		cmocka_unit_test(bits_are_read_alike),
		cmocka_unit_test(inputs_of_a_seed_are_the_same),
		cmocka_unit_test(figures_are_counted_alike),
		cmocka_unit_test(names_of_file_scope_are_found_and_others_are_not),
		cmocka_unit_test(a_summary_of_the_sanitizer_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
