/* What a device can do at most, and how times stand to it. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/roofline.h"

static void assert_near(double found, double want)
{
	if (!(fabs(found - want) <= 1e-9 * fabs(want)))
		fail_msg("expected %.12g, found %.12g", want, found);
}

static struct device an_h200(void)
{
	struct device d = { .ordinal = 0 };

	d.attr[DEVICE_SM_COUNT] = 132;
	d.attr[DEVICE_CLOCK_KHZ] = 1980000;
	d.attr[DEVICE_MEMORY_CLOCK_KHZ] = 3201000;
	d.attr[DEVICE_MEMORY_BUS_BITS] = 6144;
	d.attr[DEVICE_L2_BYTES] = 60 << 20;
	d.attr[DEVICE_COMPUTE_MAJOR] = 9;
	return d;
}

static void limits_of_a_gpu_are_units_times_clock(void **state)
{
	struct device d = an_h200();
	struct ceilings c;

	(void)state;
	roofline_limits(&d, &c);
	assert_near(c.operations_per_s[UNIT_F32], 132 * 1.98e9 * 256);
	assert_near(c.operations_per_s[UNIT_F16_TENSOR], 132 * 1.98e9 * 4096);
	assert_near(c.operations_per_s[UNIT_S8_TENSOR], 132 * 1.98e9 * 8192);
	assert_near(c.dram_bytes_per_s, 3.201e9 * 2 * 6144 / 8);
	assert_near(c.cache_bytes_per_s, 132 * 1.98e9 * 128);
	assert_near(c.cache_bytes, 60 << 20);
}

/* Dense peaks of cards as NVIDIA's documents tell them; see roofline.c. */
static void limits_are_the_peaks_that_the_maker_tells_of_a_card(void **state)
{
	static const struct {
		int capability, sms;
		double mhz;
		enum work_unit unit;
		double tera;
	} cards[] = {
		{ 75, 68, 1635, UNIT_F16_TENSOR, 113.8 },  { 75, 68, 1635, UNIT_F32, 14.2 },
		{ 80, 108, 1410, UNIT_F64_TENSOR, 19.5 },  { 80, 108, 1410, UNIT_S8_TENSOR, 624 },
		{ 80, 108, 1410, UNIT_F64, 9.7 },	   { 86, 84, 1740, UNIT_TF32_TENSOR, 74.8 },
		{ 86, 84, 1740, UNIT_F32, 37.4 },	   { 87, 16, 1300, UNIT_S8_TENSOR, 85 },
		{ 89, 142, 2520, UNIT_BF16_TENSOR, 366 },  { 89, 142, 2520, UNIT_E4M3_TENSOR, 733 },
		{ 90, 132, 1830, UNIT_F16_TENSOR, 989.4 }, { 90, 132, 1980, UNIT_F64_TENSOR, 66.9 },
		{ 100, 148, 1850, UNIT_F16_TENSOR, 2250 }, { 120, 170, 2407, UNIT_S8_TENSOR, 838 },
		{ 120, 170, 2407, UNIT_F16_TENSOR, 419 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cards / sizeof cards[0]; i++) {
		struct device d = { .ordinal = 0 };
		struct ceilings c;
		double found;

		d.attr[DEVICE_SM_COUNT] = cards[i].sms;
		d.attr[DEVICE_CLOCK_KHZ] = (int64_t)(cards[i].mhz * 1e3);
		d.attr[DEVICE_COMPUTE_MAJOR] = cards[i].capability / 10;
		d.attr[DEVICE_COMPUTE_MINOR] = cards[i].capability % 10;
		roofline_limits(&d, &c);
		found = c.operations_per_s[cards[i].unit] / 1e12;
		if (fabs(found / cards[i].tera - 1) > 0.02)
			fail_msg("%d, %s: expected %g T, found %g T", cards[i].capability,
				 work_unit_name(cards[i].unit), cards[i].tera, found);
	}
}

static void an_unknown_architecture_is_held_for_the_fastest(void **state)
{
	struct device d = an_h200(), known = an_h200();
	struct ceilings c, most;

	(void)state;
	known.attr[DEVICE_COMPUTE_MAJOR] = 10;
	d.attr[DEVICE_COMPUTE_MAJOR] = 97;
	roofline_limits(&d, &c);
	roofline_limits(&known, &most);
	for (int u = 0; u < WORK_UNIT_COUNT; u++)
		if (c.operations_per_s[u] < most.operations_per_s[u])
			fail_msg("%s: %g is below %g", work_unit_name((enum work_unit)u),
				 c.operations_per_s[u], most.operations_per_s[u]);
}

static void a_core_is_bounded_but_for_its_memory(void **state)
{
	struct device d = { .ordinal = 0 };
	struct ceilings c;

	(void)state;
	d.attr[DEVICE_CLOCK_KHZ] = 3000000;
	roofline_limits(&d, &c);
	assert_near(c.operations_per_s[UNIT_F32], 64 * 6e9);
	assert_near(c.operations_per_s[UNIT_F64], 32 * 6e9);
	assert_near(c.operations_per_s[UNIT_F16_TENSOR], 0);
	assert_near(c.dram_bytes_per_s, 0);
}

static const struct ceilings simple = {
	.dram_bytes_per_s = 1e12,
	.cache_bytes_per_s = 4e12,
	.cache_bytes = 1e6,
	.operations_per_s = { [UNIT_F32] = 1e13,
			      [UNIT_F16_TENSOR] = 1e14,
			      [UNIT_S8_TENSOR] = 2e14 },
};

static void the_slower_of_memory_and_units_bounds(void **state)
{
	struct work w = { .bytes = 1e7, .footprint = 1e7 };
	enum roofline_bound bound;

	(void)state;
	assert_near(roofline_ns(&w, &simple, &bound), 1e4);
	assert_int_equal(bound, BOUND_DRAM);
	w.operations[UNIT_F32] = 2e8;
	assert_near(roofline_ns(&w, &simple, &bound), 2e4);
	assert_int_equal(bound, BOUND_COMPUTE);
	w.footprint = 1e6;
	w.operations[UNIT_F32] = 0;
	assert_near(roofline_ns(&w, &simple, &bound), 2.5e3);
	assert_int_equal(bound, BOUND_CACHE);
	w.cold = true;
	assert_near(roofline_ns(&w, &simple, &bound), 1e4);
	assert_int_equal(bound, BOUND_DRAM);
}

static void tensor_units_share_their_cores_and_others_work_beside_them(void **state)
{
	struct work w = { .bytes = 1 };

	(void)state;
	w.operations[UNIT_F16_TENSOR] = 1e9; /* 10 us */
	w.operations[UNIT_S8_TENSOR] = 1e9;  /* 5 us */
	w.operations[UNIT_F32] = 1e8;	     /* 10 us */
	assert_near(roofline_ns(&w, &simple, NULL), 15e3);
	w.operations[UNIT_F32] = 2e8;
	assert_near(roofline_ns(&w, &simple, NULL), 20e3);
}

static void what_is_unknown_bounds_nothing(void **state)
{
	struct work w = { .bytes = 1e9, .footprint = 1e9 };
	struct ceilings none = { 0 };
	enum roofline_bound bound = BOUND_DRAM;
	struct roofline f;

	(void)state;
	w.operations[UNIT_E4M3_TENSOR] = 1e9;
	assert_near(roofline_ns(&w, &none, &bound), 0);
	assert_int_equal(bound, BOUND_UNKNOWN);
	assert_near(roofline_floor_ns(&w, &none), 0);
	roofline_of(&w, &none, 1e6, &f);
	assert_near(f.bytes_per_s, 1e12);
	assert_near(f.operations_per_s, 1e12);
	assert_near(f.memory_share, 0);
	assert_near(f.compute_share, 0);
}

static void the_floor_grants_that_the_cache_was_full_of_the_inputs(void **state)
{
	struct work w = { .bytes = 3e6, .footprint = 3e6 };

	(void)state;
	assert_near(roofline_floor_ns(&w, &simple), 0.95 * 2e3); /* 2 MB from DRAM */
	w.bytes = 1e6;
	assert_near(roofline_floor_ns(&w, &simple), 0.95 * 250); /* all from the cache */
}

static void shares_are_of_the_bandwidth_that_counts(void **state)
{
	struct work w = { .bytes = 1e6, .footprint = 1e6 };
	struct roofline f;

	(void)state;
	w.operations[UNIT_F16_TENSOR] = 1e6;
	roofline_of(&w, &simple, 1e3, &f);
	assert_near(f.bytes_per_s, 1e12);
	assert_near(f.memory_share, 0.25);
	assert_near(f.operations_per_s, 1e12);
	assert_near(f.compute_share, 0.01);
	assert_int_equal(f.bound, BOUND_CACHE);
	assert_near(f.best_ns, 250);
}

static void joining_keeps_the_larger_figures(void **state)
{
	struct ceilings c = simple, other = { .dram_bytes_per_s = 2e12, .cache_bytes_per_s = 1 };

	(void)state;
	other.operations_per_s[UNIT_F32] = 3e13;
	roofline_join(&c, &other);
	assert_near(c.dram_bytes_per_s, 2e12);
	assert_near(c.cache_bytes_per_s, 4e12);
	assert_near(c.operations_per_s[UNIT_F32], 3e13);
	assert_near(c.operations_per_s[UNIT_F16_TENSOR], 1e14);
}

static void units_have_names(void **state)
{
	enum work_unit u;

	(void)state;
	for (int i = 0; i < WORK_UNIT_COUNT; i++) {
		assert_int_equal(work_unit_parse(work_unit_name((enum work_unit)i), &u), 0);
		assert_int_equal(u, i);
	}
	assert_int_equal(work_unit_parse("f17", &u), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits_of_a_gpu_are_units_times_clock),
		cmocka_unit_test(limits_are_the_peaks_that_the_maker_tells_of_a_card),
		cmocka_unit_test(an_unknown_architecture_is_held_for_the_fastest),
		cmocka_unit_test(a_core_is_bounded_but_for_its_memory),
		cmocka_unit_test(the_slower_of_memory_and_units_bounds),
		cmocka_unit_test(tensor_units_share_their_cores_and_others_work_beside_them),
		cmocka_unit_test(what_is_unknown_bounds_nothing),
		cmocka_unit_test(the_floor_grants_that_the_cache_was_full_of_the_inputs),
		cmocka_unit_test(shares_are_of_the_bandwidth_that_counts),
		cmocka_unit_test(joining_keeps_the_larger_figures),
		cmocka_unit_test(units_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
