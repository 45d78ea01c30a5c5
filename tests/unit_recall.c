/* A search that was cut short and is resumed from its stored trials goes on as if it had not been.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "tuner/daemon/recall.h"

enum { PARAMS = 4, VALUES = 6, BUDGET = 80, AHEAD_MAX = 18, CUTS = 100 };

struct story { /* of one search: what was proposed, and the rows stored so far */
	struct search *search;
	struct recall recall;
	uint16_t config[BUDGET + AHEAD_MAX][PARAMS];
	struct recall_row row[BUDGET];
	struct proposal flight[AHEAD_MAX];
	int n_flight;
	int n_told;
};

static struct space *a_space(void)
{
	struct space *s = space_new();
	struct err e;

	for (int i = 0; i < PARAMS; i++) {
		struct value v[VALUES];
		char name[16];

		snprintf(name, sizeof name, "P%d", i);
		for (int k = 0; k < VALUES; k++)
			v[k] = value_int((int64_t)1 << k);
		assert_int_equal(space_add_param(s, name, v, VALUES, &e), 0);
	}
	return s;
}

static void begin(struct story *y, const struct space *s, const char *strategy)
{
	const struct search_options o = { .strategy = strategy,
					  .seed = 5,
					  .outstanding = AHEAD_MAX };
	struct err e;

	*y = (struct story){ 0 };
	assert_int_equal(search_new(s, &o, &y->search, &e), 0);
}

static void end(struct story *y)
{
	recall_release(&y->recall);
	search_free(y->search);
}

/* How many are in flight when a trial ends: any number, but the same in every run. */
static int ahead(int told)
{
	struct rng r;

	rng_init(&r, 77, (uint64_t)told);
	return 1 + (int)rng_below(&r, AHEAD_MAX);
}

static void ask(struct story *y)
{
	struct proposal p;

	if (!recall_take(&y->recall, &p))
		assert_true(search_ask(y->search, &p));
	memcpy(y->config[p.ask], p.config, sizeof y->config[p.ask]);
	y->flight[y->n_flight++] = p;
}

static void finish(struct story *y)
{
	const struct proposal p = y->flight[0];
	const uint16_t *c = p.config;
	struct recall_row row = {
		.ask = p.ask,
		.asked_before = search_asked(y->search),
		.config = y->config[p.ask],
		.ok = c[0] + c[1] < 9,
		.score = 1 + c[0] * c[0] + 3 * (c[1] ^ 2) + (c[2] == c[3] ? 0 : 2),
	};

	memmove(y->flight, y->flight + 1, (size_t)--y->n_flight * sizeof *y->flight);
	search_tell(y->search, &(struct told){ .ask = p.ask, .ok = row.ok, .score = row.score });
	y->row[y->n_told++] = row;
}

static void run(struct story *y)
{
	while (y->n_told < BUDGET) {
		while (y->n_flight < ahead(y->n_told))
			ask(y);
		finish(y);
	}
}

static void resume(struct story *y, const struct story *stored, int rows)
{
	for (int i = 0; i < rows; i++) {
		recall_row(&y->recall, y->search, PARAMS, &stored->row[i]);
		y->row[i] = stored->row[i];
	}
	y->n_told = rows;
	assert_int_equal(y->recall.differing, 0);
}

static void a_run_killed_anywhere_goes_on_as_if_it_had_not_been(void **state)
{
	static const char *const strategies[] = { "full", "random", "genetic", "annealing" };
	struct space *s = a_space();
	struct rng r;

	(void)state;
	rng_init(&r, 3, 0);
	for (int i = 0; i < 4; i++) {
		struct story whole;

		begin(&whole, s, strategies[i]);
		run(&whole);
		for (int cut = 0; cut < (strcmp(strategies[i], "full") == 0 ? CUTS : CUTS / 10);
		     cut++) {
			int rows = (int)rng_below(&r, BUDGET);
			struct story again;

			begin(&again, s, strategies[i]);
			resume(&again, &whole, rows);
			run(&again);
			for (int k = 0; k < BUDGET; k++)
				if (whole.row[k].ask != again.row[k].ask ||
				    memcmp(whole.config[whole.row[k].ask], again.row[k].config,
					   sizeof *whole.config) != 0)
					fail_msg("%s, killed after %d trials: trial %d is ask %d "
						 "instead of %d, or another configuration",
						 strategies[i], rows, k, (int)again.row[k].ask,
						 (int)whole.row[k].ask);
			end(&again);
		}
		end(&whole);
	}
	space_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_killed_anywhere_goes_on_as_if_it_had_not_been),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
