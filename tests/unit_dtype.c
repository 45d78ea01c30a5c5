/* Element types: every value there and back, rounding, the ends of each range. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "runtime/dtype.h"

static uint64_t bits_of(enum dtype t, double value)
{
	uint64_t slot = 0;

	dtype_set(t, &slot, 0, value);
	return slot;
}

static double value_of(enum dtype t, uint64_t bits)
{
	return dtype_get(t, &bits, 0);
}

static void names_parse_to_themselves(void **state)
{
	enum dtype t;

	(void)state;
	for (int i = 0; i < DTYPE_COUNT; i++) {
		assert_int_equal(dtype_parse(dtype_name((enum dtype)i), &t), 0);
		assert_int_equal(t, i);
	}
	assert_int_equal(dtype_parse("f33", &t), -1);
	assert_int_equal(dtype_parse("", &t), -1);
	assert_string_equal(dtype_c_name(DTYPE_BF16), "uint16_t");
	assert_int_equal(dtype_bytes(DTYPE_F64), 8);
}

/* All 65,536 halves: what is read out writes the same bits again, NaN stays NaN. */
static void every_narrow_float_survives_a_round_trip(void **state)
{
	static const struct {
		enum dtype type;
		uint64_t count;
	} types[] = { { DTYPE_F16, 65536 }, { DTYPE_BF16, 65536 }, { DTYPE_E4M3, 256 } };

	(void)state;
	for (int k = 0; k < 3; k++) {
		for (uint64_t b = 0; b < types[k].count; b++) {
			double v = value_of(types[k].type, b);
			uint64_t back = bits_of(types[k].type, v);

			if (isnan(v))
				assert_true(isnan(value_of(types[k].type, back)));
			else
				assert_int_equal(back, b);
		}
	}
}

static void narrow_floats_have_the_values_of_their_formats(void **state)
{
	static const struct {
		enum dtype type;
		uint64_t bits;
		double value;
	} known[] = {
		{ DTYPE_F16, 0x3c00, 1 },	   { DTYPE_F16, 0x7bff, 65504 },
		{ DTYPE_F16, 0x0001, 0x1p-24 },	   { DTYPE_F16, 0x0400, 0x1p-14 },
		{ DTYPE_F16, 0xc000, -2 },	   { DTYPE_BF16, 0x3f80, 1 },
		{ DTYPE_BF16, 0x0001, 0x1p-133 },  { DTYPE_E4M3, 0x38, 1 },
		{ DTYPE_E4M3, 0x7e, 448 },	   { DTYPE_E4M3, 0x01, 0x1p-9 },
		{ DTYPE_E4M3, 0xfe, -448 },	   { DTYPE_F16, 0x7c00, INFINITY },
		{ DTYPE_BF16, 0xff80, -INFINITY },
	};

	(void)state;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		assert_true(value_of(known[i].type, known[i].bits) == known[i].value);
		assert_int_equal(bits_of(known[i].type, known[i].value), known[i].bits);
	}
	assert_true(isnan(value_of(DTYPE_E4M3, 0x7f)));
	assert_true(isnan(value_of(DTYPE_E4M3, 0xff)));
}

static void rounding_is_to_nearest_even_and_done_once(void **state)
{
	(void)state;
	assert_int_equal(bits_of(DTYPE_F16, 1 + 0x1p-11), 0x3c00);     /* a tie: down to even */
	assert_int_equal(bits_of(DTYPE_F16, 1 + 3 * 0x1p-11), 0x3c02); /* a tie: up to even */
	/* Through float it would become the tie, and then 1. */
	assert_int_equal(bits_of(DTYPE_F16, 1 + 0x1p-11 + 0x1p-40), 0x3c01);
	assert_int_equal(bits_of(DTYPE_F16, 65519.9), 0x7bff);
	assert_int_equal(bits_of(DTYPE_F16, 65520), 0x7c00);
	assert_int_equal(bits_of(DTYPE_F16, 0x1p-25), 0);
	assert_int_equal(bits_of(DTYPE_F16, 0x1.8p-25), 1);
	assert_int_equal(bits_of(DTYPE_F16, 0x1.ffep-15), 0x0400); /* carries into normal */
	assert_int_equal(bits_of(DTYPE_F16, -0.0), 0x8000);
	assert_int_equal(bits_of(DTYPE_E4M3, 464), 0x7e);
	assert_int_equal(bits_of(DTYPE_E4M3, 465), 0x7f);
}

static void integers_saturate_and_round(void **state)
{
	(void)state;
	assert_int_equal(bits_of(DTYPE_U8, 300), 255);
	assert_int_equal(bits_of(DTYPE_U8, -1), 0);
	assert_int_equal(bits_of(DTYPE_U8, 2.5), 2);
	assert_int_equal(bits_of(DTYPE_I8, -1000), 0x80);
	assert_int_equal(bits_of(DTYPE_I16, 1e9), 0x7fff);
	assert_int_equal(bits_of(DTYPE_U32, 1e12), UINT32_MAX);
	assert_int_equal(bits_of(DTYPE_I32, NAN), 0);
	assert_true(bits_of(DTYPE_I64, 1e300) == (uint64_t)INT64_MAX);
	assert_true(bits_of(DTYPE_I64, -1e300) == (uint64_t)INT64_MIN);
	assert_true(bits_of(DTYPE_U64, INFINITY) == UINT64_MAX);
	assert_true(bits_of(DTYPE_U64, -INFINITY) == 0);
	assert_true(value_of(DTYPE_U64, UINT64_MAX) == 0x1p64);
}

static void wide_floats_are_kept(void **state)
{
	float f = 0.1f;
	double d[2] = { 0, 0 };

	(void)state;
	assert_true(dtype_get(DTYPE_F32, &f, 0) == (double)0.1f);
	dtype_set(DTYPE_F64, d, 1, 0.1);
	assert_true(d[1] == 0.1 && d[0] == 0);
	assert_true(dtype_get(DTYPE_F64, d, 1) == 0.1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_parse_to_themselves),
		cmocka_unit_test(every_narrow_float_survives_a_round_trip),
		cmocka_unit_test(narrow_floats_have_the_values_of_their_formats),
		cmocka_unit_test(rounding_is_to_nearest_even_and_done_once),
		cmocka_unit_test(integers_saturate_and_round),
		cmocka_unit_test(wide_floats_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
