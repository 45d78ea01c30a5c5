/* Configurations carried over from one space to another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tuner/daemon/warm_json.h"
#include "tuner/search/search.h"
#include "tuner/search/warm.h"

static void add(struct space *s, const char *name, const struct value *values, int n)
{
	struct err e;

	assert_int_equal(space_add_param(s, name, values, n, &e), 0);
}

/* TILE 16 to 128, MODE of two texts, N 0 to 2; TILE * N is at most 128. */
static struct space *target(void)
{
	const struct value tile[] = { value_int(16), value_int(32), value_int(64), value_int(128) };
	const struct value mode[] = { value_text("mma"), value_text("fma") };
	const struct value n[] = { value_int(0), value_int(1), value_int(2) };
	struct space *s = space_new();
	struct err e;

	add(s, "TILE", tile, 4);
	add(s, "MODE", mode, 2);
	add(s, "N", n, 3);
	assert_int_equal(space_add_constraint(s, "TILE * N <= 128", NULL, NULL, &e), 0);
	return s;
}

static const uint16_t fallback[] = { 1, 1, 1 };

static bool offer(struct warm *w, struct value tile, struct value mode, struct value n)
{
	warm_begin(w);
	warm_value(w, "TILE", &tile);
	warm_value(w, "MODE", &mode);
	warm_value(w, "N", &n);
	return warm_end(w);
}

static void expect(const struct warm *w, int i, uint16_t tile, uint16_t mode, uint16_t n)
{
	const uint16_t config[] = { tile, mode, n };

	assert_in_range(i, 0, w->n - 1);
	assert_memory_equal(w->config + 3 * i, config, sizeof config);
}

static void what_fits_is_taken_as_it_is(void **state)
{
	struct space *s = target();
	struct warm w;

	(void)state;
	warm_init(&w, s, fallback, 4);
	assert_true(offer(&w, value_int(64), value_text("mma"), value_real(2)));
	expect(&w, 0, 2, 0, 2);
	assert_int_equal(w.mended, 0);
	assert_int_equal(w.dropped, 0);
	warm_release(&w);
	space_free(s);
}

static void a_value_that_is_not_there_becomes_the_nearest_or_the_fallbacks(void **state)
{
	struct space *s = target();
	struct warm w;

	(void)state;
	warm_init(&w, s, fallback, 4);
	/* 100 is nearer to 128 by its ratio, 1000 to the largest; -5 to 0. */
	assert_true(offer(&w, value_int(100), value_text("mma"), value_int(-5)));
	expect(&w, 0, 3, 0, 0);
	assert_true(offer(&w, value_int(16), value_text("wgmma"), value_int(2)));
	expect(&w, 1, 0, 1, 2);
	assert_int_equal(w.mended, 2);
	warm_release(&w);
	space_free(s);
}

static void what_breaks_a_constraint_is_repaired_in_the_same_way_always(void **state)
{
	struct space *s = target();
	struct warm a, b;

	(void)state;
	warm_init(&a, s, fallback, 4);
	warm_init(&b, s, fallback, 4);
	offer(&a, value_int(128), value_text("mma"), value_int(2));
	offer(&b, value_int(128), value_text("mma"), value_int(2));
	assert_int_equal(a.n, 1);
	assert_int_equal(a.mended, 1);
	assert_true(space_legal(s, a.config));
	assert_memory_equal(a.config, b.config, 3 * sizeof *a.config);
	warm_release(&a);
	warm_release(&b);
	space_free(s);
}

static void what_has_little_in_common_is_dropped(void **state)
{
	struct space *s = target();
	struct value v = value_int(16);
	struct warm w;

	(void)state;
	warm_init(&w, s, fallback, 4);
	warm_begin(&w);
	warm_value(&w, "TILE", &v);
	warm_value(&w, "OTHER", &v);
	assert_true(warm_end(&w));
	assert_int_equal(w.n, 0);
	assert_int_equal(w.dropped, 1);
	warm_release(&w);
	space_free(s);
}

static void what_is_near_is_taken_once_and_no_more_than_asked_for(void **state)
{
	struct space *s = target();
	struct warm w;

	(void)state;
	warm_init(&w, s, fallback, 2);
	assert_true(offer(&w, value_int(16), value_text("mma"), value_int(0)));
	assert_true(offer(&w, value_int(16), value_text("mma"), value_int(0)));
	assert_int_equal(w.n, 1);
	assert_false(offer(&w, value_int(16), value_text("fma"), value_int(1)));
	assert_false(offer(&w, value_int(64), value_text("mma"), value_int(2)));
	assert_int_equal(w.n, 2);
	warm_release(&w);
	space_free(s);
}

static void stored_ones_read_back_behind_the_first(void **state)
{
	static const char text[] =
		"{\"from\":\"run 3\",\"configs\":[{\"TILE\":64,\"MODE\":\"mma\",\"N\":2},"
		"{\"TILE\":16,\"MODE\":\"fma\",\"N\":0}]}";
	const uint16_t expected[] = { 1, 1, 1, 2, 0, 2, 0, 1, 0 };
	struct space *s = target();
	struct search_options o = { .outstanding = 1 };
	struct warm_first x;
	struct search *search;
	struct proposal p;
	struct err e;

	(void)state;
	assert_int_equal(warm_append(text, s, fallback, 1, &x, &e), 0);
	assert_int_equal(x.n, 3);
	assert_int_equal(x.n_warm, 2);
	assert_memory_equal(x.config, expected, sizeof expected);
	o.first = x.config;
	o.n_first = x.n;
	o.n_warm = x.n_warm;
	assert_int_equal(search_new(s, &o, &search, &e), 0);
	for (int i = 0; i < 3; i++) {
		assert_true(search_ask(search, &p));
		assert_memory_equal(p.config, expected + 3 * i, 3 * sizeof *expected);
		assert_string_equal(search_op_name(p.op), i ? "warm" : "seed");
	}
	search_free(search);
	free(x.config);
	assert_int_equal(warm_append(NULL, s, fallback, 1, &x, &e), 0);
	assert_int_equal(x.n, 1);
	free(x.config);
	space_free(s);
}

static void stored_ones_of_another_space_are_refused(void **state)
{
	static const char *const bad[][2] = {
		{ "{\"from\":\"run 3\"}", "configs" },
		{ "{\"configs\":{}}", "expected a list" },
		{ "{\"configs\":[{\"TILE\":64}]}", "is missing" },
		{ "{\"configs\":[{\"TILE\":65,\"MODE\":\"mma\",\"N\":2}]}", "not one of" },
		{ "{\"configs\":[{\"TILE\":128,\"MODE\":\"mma\",\"N\":2}]}", "TILE * N <= 128" },
		{ "{\"configs\":[7]}", "object" },
		{ "nonsense", "warm" },
	};
	struct space *s = target();
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(warm_check(bad[i][0], s, &e), ERR_INVALID);
		if (!strstr(e.msg, bad[i][1]))
			fail_msg("expected \"%s\" in \"%s\"", bad[i][1], e.msg);
	}
	space_free(s);
}

static void what_the_other_search_found_is_mapped_legal_or_not_and_thinned(void **state)
{
	const struct value mode = value_text("fma");
	struct space *s = target();
	struct warm w;

	(void)state;
	warm_init(&w, s, fallback, 4);
	for (int i = 0; i < 20; i++) {
		struct value tile = value_int(i < 2 ? 120 : 16), n = value_int(2);

		warm_begin(&w);
		warm_value(&w, "TILE", &tile);
		warm_value(&w, "MODE", &mode);
		warm_value(&w, "N", &n);
		warm_tell(&w, i != 1, i != 1 ? 1 + i : 0);
	}
	warm_begin(&w);
	warm_value(&w, "MODE", &mode); /* one of three is known */
	warm_tell(&w, true, 1);
	assert_int_equal(w.n_past, 20);
	warm_thin(&w, 4);
	assert_int_equal(w.n_past, 4);
	assert_memory_equal(w.past[0].config, ((uint16_t[]){ 3, 1, 2 }), 3 * sizeof(uint16_t));
	assert_true(w.past[0].ok && w.past[0].score == 1);
	assert_int_equal(w.n, 0);
	warm_release(&w);
	space_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_fits_is_taken_as_it_is),
		cmocka_unit_test(a_value_that_is_not_there_becomes_the_nearest_or_the_fallbacks),
		cmocka_unit_test(what_breaks_a_constraint_is_repaired_in_the_same_way_always),
		cmocka_unit_test(what_has_little_in_common_is_dropped),
		cmocka_unit_test(what_is_near_is_taken_once_and_no_more_than_asked_for),
		cmocka_unit_test(stored_ones_read_back_behind_the_first),
		cmocka_unit_test(stored_ones_of_another_space_are_refused),
		cmocka_unit_test(what_the_other_search_found_is_mapped_legal_or_not_and_thinned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
