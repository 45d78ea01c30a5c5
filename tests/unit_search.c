/* The optimiser through ask and tell: it repeats nothing, forgets nothing, and can be replayed. */
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
#include "tuner/search/insight.h"
#include "tuner/search/search.h"

static void add_powers(struct space *s, const char *name, int n)
{
	struct value v[32];
	struct err e;

	for (int i = 0; i < n; i++)
		v[i] = value_int((int64_t)1 << i);
	assert_int_equal(space_add_param(s, name, v, n, &e), 0);
}

static struct space *grid(int params, int values)
{
	struct space *s = space_new();
	char name[16];

	for (int i = 0; i < params; i++) {
		snprintf(name, sizeof name, "P%d", i);
		add_powers(s, name, values);
	}
	return s;
}

static void add_constraint(struct space *s, const char *text)
{
	struct err e;

	assert_int_equal(space_add_constraint(s, text, NULL, NULL, &e), 0);
}

static struct search *begin(const struct space *s, const char *strategy, uint64_t seed)
{
	const struct search_options o = { .strategy = strategy, .seed = seed, .outstanding = 1 };
	struct search *x = NULL;
	struct err e;

	assert_int_equal(search_new(s, &o, &x, &e), 0);
	return x;
}

/* A valley whose floor is at position 2 of each parameter, less steep for later ones. */
static double valley(const struct space *s, const uint16_t *config)
{
	double score = 1;

	for (int i = 0; i < space_params(s); i++)
		score += fabs((double)config[i] - 2) / (1 + i);
	return score;
}

static void tell_valley(struct search *x, const struct space *s, const struct proposal *p)
{
	search_tell(x, &(struct told){ .ask = p->ask,
				       .ok = p->config[0] != 5,
				       .score = valley(s, p->config) });
}

static double best_after(const struct space *s, const char *strategy, uint64_t seed, int budget)
{
	struct search *x = begin(s, strategy, seed);
	double best = INFINITY;
	struct proposal p;

	for (int i = 0; i < budget && search_ask(x, &p); i++) {
		if (p.config[0] != 5 && valley(s, p.config) < best)
			best = valley(s, p.config);
		tell_valley(x, s, &p);
	}
	search_free(x);
	return best;
}

static const char *const strategies[] = { "full",	"insight",   "free",   "random",
					  "exhaustive", "annealing", "genetic" };
enum { N_STRATEGIES = sizeof strategies / sizeof *strategies };

static void every_strategy_visits_a_small_space_exactly_once(void **state)
{
	struct space *s = grid(3, 6);
	uint8_t seen[216];

	(void)state;
	add_constraint(s, "P0 * P1 <= 64 && P2 != P1");
	for (int i = 0; i < N_STRATEGIES; i++) {
		struct search *x = begin(s, strategies[i], 4);
		struct proposal p;
		bool exact;
		int n = 0;

		memset(seen, 0, sizeof seen);
		while (search_ask(x, &p)) {
			assert_true(space_legal(s, p.config));
			assert_int_equal(seen[p.config[0] * 36 + p.config[1] * 6 + p.config[2]]++,
					 0);
			assert_int_equal(p.ask, n++);
			tell_valley(x, s, &p);
		}
		assert_true(space_count(s, 0, &exact) == n);
		assert_int_equal(search_asked(x), n);
		assert_int_equal(search_told(x), n);
		search_free(x);
	}
	space_free(s);
}

enum { BUDGET = 60, WIDTH = 4 };

/* Asks with `outstanding` in flight and tells in an order of its own; records what was asked. */
static void record(const struct space *s, const char *strategy, int outstanding, uint64_t seed,
		   uint16_t *ret)
{
	struct search *x = begin(s, strategy, seed);
	struct proposal flight[16];
	struct rng r;
	int n = 0;

	rng_init(&r, 99, 0);
	for (int i = 0; i < BUDGET; i++) {
		int done;

		assert_true(search_ask(x, &flight[n]));
		memcpy(ret + i * WIDTH, flight[n].config, WIDTH * sizeof *ret);
		if (++n < outstanding)
			continue;
		done = (int)rng_below(&r, (uint64_t)n);
		tell_valley(x, s, &flight[done]);
		flight[done] = flight[--n];
	}
	search_free(x);
}

static void the_same_seed_and_order_propose_the_same(void **state)
{
	struct space *s = grid(WIDTH, 8);
	uint16_t a[BUDGET * WIDTH];
	uint16_t b[BUDGET * WIDTH];

	(void)state;
	for (int i = 0; i < N_STRATEGIES; i++)
		for (int outstanding = 1; outstanding <= 16; outstanding += 15) {
			record(s, strategies[i], outstanding, 11, a);
			record(s, strategies[i], outstanding, 11, b);
			assert_memory_equal(a, b, sizeof a);
			record(s, strategies[i], outstanding, 12, b);
			if (strcmp(strategies[i], "exhaustive") != 0)
				assert_memory_not_equal(a, b, sizeof a);
		}
	space_free(s);
}

static void what_is_pending_is_not_proposed_again(void **state)
{
	struct space *s = grid(WIDTH, 8);
	uint16_t asked[BUDGET * WIDTH];

	(void)state;
	for (int i = 0; i < N_STRATEGIES; i++) {
		record(s, strategies[i], 16, 5, asked);
		for (int a = 0; a < BUDGET; a++)
			for (int b = 0; b < a; b++)
				assert_memory_not_equal(asked + a * WIDTH, asked + b * WIDTH,
							WIDTH * sizeof *asked);
	}
	space_free(s);
}

static void first_configurations_come_first_and_once(void **state)
{
	const uint16_t first[] = { 3, 3, 3, 1, 1, 1, 3, 3, 3, 0, 1, 2 };
	const struct search_options o = { .outstanding = 1, .first = first, .n_first = 4 };
	struct space *s = grid(3, 4);
	struct search *x = NULL;
	struct proposal p;
	struct err e;

	(void)state;
	assert_int_equal(search_new(s, &o, &x, &e), 0);
	search_tell(x, &(struct told){ .ask = -1, .config = first + 9, .ok = true, .score = 1 });
	for (int i = 0; i < 2; i++) {
		assert_true(search_ask(x, &p));
		assert_memory_equal(p.config, first + 3 * i, 3 * sizeof *first);
		assert_string_equal(search_op_name(p.op), "seed");
		assert_int_equal(p.generation, 0);
		assert_int_equal(p.parents[0], -1);
	}
	assert_true(search_ask(x, &p));
	assert_string_equal(search_op_name(p.op), "spread");
	search_free(x);
	space_free(s);
}

static void history_counts_as_known_and_as_a_parent_without_a_name(void **state)
{
	struct space *s = grid(2, 6);
	struct search *x = begin(s, "full", 1);
	int64_t elites[8];
	struct proposal p;
	int asked = 0;

	(void)state;
	for (uint16_t i = 0; i < 18; i++) {
		const uint16_t config[2] = { i / 6, i % 6 };

		search_tell(x, &(struct told){ .ask = -1,
					       .config = config,
					       .ok = true,
					       .score = valley(s, config) });
	}
	assert_int_equal(search_told(x), 0);
	assert_int_equal(search_elites(x, elites, 8), 0);
	while (search_ask(x, &p)) {
		assert_in_range(p.config[0], 3, 5);
		tell_valley(x, s, &p);
		asked++;
	}
	assert_int_equal(asked, 18);
	search_free(x);
	space_free(s);
}

static void elites_are_the_best_that_were_asked_and_did_not_fail(void **state)
{
	struct space *s = grid(3, 6);
	struct search *x = begin(s, "random", 1);
	double scores[100];
	int64_t elites[9];
	struct proposal p;
	int n;

	(void)state;
	for (int i = 0; i < 100; i++) {
		assert_true(search_ask(x, &p));
		scores[i] = p.config[0] != 5 ? valley(s, p.config) : INFINITY;
		tell_valley(x, s, &p);
		tell_valley(x, s, &p);
	}
	assert_int_equal(search_told(x), 100);
	n = search_elites(x, elites, 9);
	assert_int_equal(n, 6);
	assert_int_equal(search_elites(x, elites, 2), 2);
	for (int i = 0; i < n; i++)
		assert_true(i == 0 || scores[elites[i]] >= scores[elites[i - 1]]);
	for (int i = 0; i < 100; i++) {
		bool elite = false;

		for (int k = 0; k < n; k++)
			elite = elite || elites[k] == i;
		assert_true(elite || scores[i] >= scores[elites[n - 1]]);
	}
	search_free(x);
	space_free(s);
}

static void children_name_their_parents_and_generation(void **state)
{
	struct space *s = grid(WIDTH, 8);
	struct search *x = begin(s, "full", 3);
	bool used[SEARCH_OP_COUNT] = { false };
	int generation[200];
	struct proposal p;

	(void)state;
	for (int i = 0; i < 200; i++) {
		int expected = 0;

		assert_true(search_ask(x, &p));
		used[p.op] = true;
		for (int k = 0; k < 2; k++) {
			assert_true(p.parents[k] < p.ask);
			if (p.parents[k] >= 0 && generation[p.parents[k]] >= expected)
				expected = generation[p.parents[k]] + 1;
		}
		assert_int_equal(p.generation, expected);
		assert_int_equal(p.parents[0] >= 0,
				 p.op >= SEARCH_OP_MUTATE && p.op <= SEARCH_OP_NEIGHBOUR);
		assert_int_equal(p.parents[1] >= 0, p.op == SEARCH_OP_CROSSOVER);
		generation[p.ask] = p.generation;
		tell_valley(x, s, &p);
	}
	for (int op = SEARCH_OP_SPREAD; op <= SEARCH_OP_IMMIGRANT; op++)
		assert_true(used[op]);
	search_free(x);
	space_free(s);
}

static void full_finds_what_random_does_not(void **state)
{
	struct space *s = grid(6, 8);
	double full = 0;
	double chance = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 5; seed++) {
		full += best_after(s, "full", seed, 100) / 5;
		chance += best_after(s, "random", seed, 100) / 5;
	}
	assert_true(full < 1.25);
	assert_true(chance > 1.5);
	space_free(s);
}

/* 10^15 combinations cannot be listed; the search goes on all the same. */
static void a_space_too_large_to_list_is_searched(void **state)
{
	struct space *s = grid(15, 10);
	double full;
	double chance;

	(void)state;
	for (int i = 0; i < 14; i += 2) {
		char text[80];

		snprintf(text, sizeof text, "P%d * P%d <= 4096", i, i + 1);
		add_constraint(s, text);
	}
	full = best_after(s, "full", 1, 120);
	chance = best_after(s, "random", 1, 120);
	assert_true(full < 0.8 * chance);
	assert_true(best_after(s, "exhaustive", 1, 10) < INFINITY);
	space_free(s);
}

static void a_search_in_which_everything_fails_goes_on(void **state)
{
	struct space *s = grid(3, 4);

	(void)state;
	for (int i = 0; i < N_STRATEGIES; i++) {
		struct search *x = begin(s, strategies[i], 1);
		struct proposal p;
		int n = 0;

		for (; search_ask(x, &p); n++)
			search_tell(x, &(struct told){ .ask = p.ask });
		assert_int_equal(n, 64);
		search_free(x);
	}
	space_free(s);
}

/* Sixteen in flight, told in any order, until nothing is left. */
static void every_strategy_comes_to_the_end_with_results_outstanding(void **state)
{
	struct space *s = grid(3, 5);

	(void)state;
	for (int i = 0; i < N_STRATEGIES; i++) {
		struct search *x = begin(s, strategies[i], 2);
		struct proposal flight[16];
		struct rng r;
		int n = 0;

		rng_init(&r, 5, 0);
		for (bool more = true; more || n > 0;) {
			int done;

			while (n < 16 && (more = search_ask(x, &flight[n])))
				n++;
			if (n == 0)
				break;
			done = (int)rng_below(&r, (uint64_t)n);
			tell_valley(x, s, &flight[done]);
			flight[done] = flight[--n];
		}
		assert_int_equal(search_told(x), 125);
		search_free(x);
	}
	space_free(s);
}

/* In a space too large to list, random draws may repeat what is known. */
static void every_strategy_searches_a_large_space_without_repeats(void **state)
{
	enum { ASKS = 250, WIDE = 10 };
	struct space *s = grid(WIDE, 8);
	uint16_t(*asked)[WIDE] = mem_array(ASKS, sizeof *asked);

	(void)state;
	for (int i = 0; i < N_STRATEGIES; i++) {
		struct search *x = begin(s, strategies[i], 3);
		struct proposal p;

		for (int n = 0; n < ASKS; n++) {
			assert_true(search_ask(x, &p));
			memcpy(asked[n], p.config, sizeof *asked);
			for (int k = 0; k < n; k++)
				assert_memory_not_equal(asked[k], asked[n], sizeof *asked);
			tell_valley(x, s, &p);
		}
		search_free(x);
	}
	free(asked);
	space_free(s);
}

static void settings_change_what_is_proposed(void **state)
{
	struct space *s = grid(WIDTH, 8);
	struct search_options o = { .strategy = "genetic", .seed = 1, .outstanding = 1 };
	struct settings settings;
	int random = 0;

	(void)state;
	settings_init(&settings);
	settings.value[SETTING_GENETIC_POPULATION] = 50;
	o.settings = &settings;
	for (int i = 0; i < 2; i++) {
		struct search *x = NULL;
		struct proposal p;
		struct err e;

		assert_int_equal(search_new(s, &o, &x, &e), 0);
		for (int n = 0; n < 60; n++) {
			assert_true(search_ask(x, &p));
			random += (p.op == SEARCH_OP_RANDOM) * (i ? -1 : 1);
			tell_valley(x, s, &p);
		}
		search_free(x);
		o.settings = NULL;
	}
	assert_in_range(random, 29, 31);
	space_free(s);
}

static void a_space_with_one_member_is_over_after_it(void **state)
{
	struct space *s = grid(2, 1);
	struct proposal p;

	(void)state;
	for (int i = 0; i < N_STRATEGIES; i++) {
		struct search *x = begin(s, strategies[i], 1);

		assert_true(search_ask(x, &p));
		assert_false(search_ask(x, &p));
		search_tell(x, &(struct told){ .ask = p.ask, .ok = true, .score = 1 });
		assert_false(search_ask(x, &p));
		search_free(x);
	}
	space_free(s);
}

static void options_are_checked(void **state)
{
	const uint16_t illegal[] = { 0, 0, 9, 0 };
	const struct {
		struct search_options o;
		const char *message;
	} bad[] = {
		{ { .strategy = "fulll", .outstanding = 1 },
		  "expected one of full, insight, free, random, exhaustive, annealing, genetic, "
		  "found \"fulll\"" },
		{ { .outstanding = 0 }, "outstanding: expected at least 1, found 0" },
		{ { .outstanding = 1, .elite_k = -1 },
		  "elite_k: expected 1 to 1000 (0: default), found -1" },
		{ { .outstanding = 1, .first = illegal, .n_first = 2 },
		  "first configuration 1 is not legal" },
	};
	struct space *s = grid(2, 4);
	struct space *empty = space_new();
	struct search *x;
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(search_new(s, &bad[i].o, &x, &e), ERR_INVALID);
		assert_string_equal(e.msg, bad[i].message);
	}
	assert_int_equal(search_new(empty, &(struct search_options){ .outstanding = 1 }, &x, &e),
			 ERR_INVALID);
	space_free(s);
	space_free(empty);
}

static void names_of_operators_and_strategies_read_back(void **state)
{
	enum search_op op = SEARCH_OP_COUNT;
	int n = 0;

	(void)state;
	for (int i = 0; i < SEARCH_OP_COUNT; i++) {
		assert_int_equal(search_op_parse(search_op_name((enum search_op)i), &op), 0);
		assert_int_equal(op, i);
	}
	assert_int_equal(search_op_parse("none", &op), -1);
	for (; search_strategy_name(n); n++)
		assert_non_null(search_strategy_help(n));
	assert_int_equal(n, N_STRATEGIES);
	assert_null(search_strategy_help(n));
}

static void insights_find_the_parameter_that_matters_and_the_value_that_fails(void **state)
{
	const bool inert[] = { false, false, true };
	struct space *s = grid(3, 4);
	struct observation o[64];
	uint16_t config[64][3];
	struct insight x;

	(void)state;
	for (int i = 0; i < 64; i++) {
		const uint16_t c[3] = { (uint16_t)(i >> 4), (uint16_t)(i >> 2 & 3),
					(uint16_t)(i & 3) };

		memcpy(config[i], c, sizeof c);
		o[i] = (struct observation){ config[i], c[1] != 3, 1 + 4.0 * abs(c[0] - 1) };
	}
	insight_init(&x, s);
	insight_learn(&x, o, 64, inert);
	assert_int_equal(x.param[0].best, 1);
	assert_true(x.param[0].importance > 0.3);
	assert_true(x.param[2].importance < 0.05);
	assert_true(x.param[0].value[1].effect < x.param[0].value[3].effect);
	assert_true(insight_failure_rate(&x.param[1].value[3]) == 1);
	assert_true(insight_failure_rate(&x.param[1].value[0]) == 0);
	assert_true(x.param[1].best != 3);
	assert_int_equal(x.param[0].value[0].tried, 16);
	assert_true(x.param[2].inert && !x.param[0].inert);
	insight_learn(&x, o, 0, NULL);
	assert_int_equal(x.param[0].best, -1);
	assert_true(x.param[0].importance == 0);
	insight_release(&x);
	space_free(s);
}

static void targets_are_bent_at_the_slow_end_and_failures_are_where_they_bend(void **state)
{
	const struct observation o[] = {
		{ .ok = true, .score = 1 },    { .ok = true, .score = 1.1 },
		{ .ok = true, .score = 1.2 },  { .ok = true, .score = 10 },
		{ .ok = true, .score = 1000 }, { .ok = false },
	};
	double target[6];
	double sum = 0;

	(void)state;
	observation_targets(o, 6, target);
	assert_true(target[0] < target[1] && target[1] < target[2] && target[2] < target[3]);
	assert_true(target[3] < target[4]);
	assert_true(target[4] - target[3] < 6 * (target[2] - target[0])); /* logs: 25 times */
	assert_true(target[2] < target[5] && target[5] < target[3]);
	for (int i = 0; i < 6; i++)
		sum += target[i];
	assert_true(fabs(sum) < 1e-9);
	observation_targets(o + 5, 1, target);
	assert_true(target[0] == 0);
}

static void thinning_keeps_the_best_and_an_even_sample_of_the_rest(void **state)
{
	enum { N = 3000, LIMIT = 100 };
	struct observation o[N];
	uint16_t config[N];
	int best = 0;
	int n;

	(void)state;
	for (int i = 0; i < N; i++) {
		config[i] = (uint16_t)i;
		o[i] = (struct observation){ &config[i], i % 3 != 0, 1 + (i * 7919) % N };
	}
	assert_int_equal(observation_thin(o, LIMIT, LIMIT), LIMIT);
	n = observation_thin(o, N, LIMIT);
	assert_in_range(n, LIMIT - 1, LIMIT);
	for (int i = 0; i < n; i++) {
		best += o[i].ok && o[i].score <= 76;
		assert_true(i == 0 || *o[i].config > *o[i - 1].config);
	}
	assert_in_range(best, LIMIT / 2, LIMIT / 2 + 3);
	assert_true(*o[n - 1].config > N - N / 20);
	for (int i = 0; i < N; i++)
		o[i].ok = false;
	assert_in_range(observation_thin(o, N, LIMIT), LIMIT / 2, LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_strategy_visits_a_small_space_exactly_once),
		cmocka_unit_test(the_same_seed_and_order_propose_the_same),
		cmocka_unit_test(what_is_pending_is_not_proposed_again),
		cmocka_unit_test(first_configurations_come_first_and_once),
		cmocka_unit_test(history_counts_as_known_and_as_a_parent_without_a_name),
		cmocka_unit_test(elites_are_the_best_that_were_asked_and_did_not_fail),
		cmocka_unit_test(children_name_their_parents_and_generation),
		cmocka_unit_test(full_finds_what_random_does_not),
		cmocka_unit_test(a_space_too_large_to_list_is_searched),
		cmocka_unit_test(a_search_in_which_everything_fails_goes_on),
		cmocka_unit_test(every_strategy_comes_to_the_end_with_results_outstanding),
		cmocka_unit_test(every_strategy_searches_a_large_space_without_repeats),
		cmocka_unit_test(settings_change_what_is_proposed),
		cmocka_unit_test(a_space_with_one_member_is_over_after_it),
		cmocka_unit_test(options_are_checked),
		cmocka_unit_test(names_of_operators_and_strategies_read_back),
		cmocka_unit_test(insights_find_the_parameter_that_matters_and_the_value_that_fails),
		cmocka_unit_test(targets_are_bent_at_the_slow_end_and_failures_are_where_they_bend),
		cmocka_unit_test(thinning_keeps_the_best_and_an_even_sample_of_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
