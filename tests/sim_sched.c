/*
 * The scheduler against a simulated world: virtual time, workers that crash, hang and answer late,
 * equal binaries, answers from the store, pauses, raised budgets. And the rule that makes resuming
 * exact, cut at every row.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "tuner/daemon/recall.h"
#include "tuner/daemon/sched.h"

enum { SEEDS = 300, SLOTS_MAX = 8, TRIALS_MAX = 4096, TICKS_MAX = 200000, KEYS = 60 };

enum fate { GOOD, BAD, CRASH, HANG };

struct slot {
	struct trial *trial; /* NULL: idle */
	enum fate fate;
	int due;
	int up_again; /* when a dead worker is back; 0: it is up */
};

struct world {
	struct sched *sched;
	struct rng rng;
	int compilers, devices, lookahead, now;
	int64_t budget, space; /* proposals there are */
	int64_t asked;
	int finished[TRIALS_MAX]; /* by ask */
	int64_t done, by_outcome[OUTCOME_COUNT], by_origin[TRIAL_ORIGIN_COUNT];
	int measuring[KEYS]; /* how often each key is being measured now */
	bool known[KEYS];    /* it has been measured to an end that tells of the binary */
	struct slot compile[SLOTS_MAX], measure[SLOTS_MAX];
};

static int below(struct world *w, int n)
{
	return (int)rng_below(&w->rng, (uint64_t)n);
}

static int key_number(const struct trial *t)
{
	return atoi(t->key + 1);
}

static enum sched_offer propose(void *ctx, struct trial *t)
{
	struct world *w = ctx;
	int kind;

	if (w->asked == w->space)
		return SCHED_NONE;
	t->ask = w->asked++;
	snprintf(t->key, sizeof t->key, "1%d", below(w, KEYS));
	kind = below(w, 100);
	if (kind < 10) {
		t->origin = TRIAL_STORED;
		trial_judge(t, OUTCOME_OK, "known");
		return SCHED_ENDED;
	}
	if (kind < 15) {
		trial_judge(t, OUTCOME_TOO_BIG, "at once");
		return SCHED_ENDED;
	}
	return SCHED_NEW;
}

static void finish(void *ctx, struct trial *t)
{
	struct world *w = ctx;

	assert_int_equal(t->state, TRIAL_DONE);
	assert_int_equal(w->finished[t->ask], 0);
	w->finished[t->ask] = 1;
	w->done += t->origin != TRIAL_STORED;
	w->by_outcome[t->verdict.outcome]++;
	w->by_origin[t->origin]++;
	if (t->origin == TRIAL_SAME_CUBIN) {
		assert_non_null(t->same);
		assert_int_equal(t->same->outcome, t->verdict.outcome);
		assert_int_not_equal(t->verdict.outcome, OUTCOME_LOST);
	}
	trial_free(t);
}

static enum fate draw_fate(struct world *w)
{
	int r = below(w, 100);

	return r < 70 ? GOOD : r < 82 ? BAD : r < 94 ? CRASH : HANG;
}

static void begin(struct world *w, struct slot *s, struct trial *t)
{
	s->trial = t;
	s->fate = draw_fate(w);
	s->due = w->now + 1 + below(w, 20) + (s->fate == HANG ? 100 : 0);
}

static void feed(struct world *w)
{
	struct trial *t;

	for (int i = 0; i < w->devices; i++) {
		struct slot *s = &w->measure[i];

		if (s->trial || s->up_again || !(t = sched_next_measure(w->sched)))
			continue;
		assert_false(w->known[key_number(t) % KEYS]);
		assert_int_equal(w->measuring[key_number(t) % KEYS]++, 0);
		begin(w, s, t);
	}
	for (int i = 0; i < w->compilers; i++) {
		struct slot *s = &w->compile[i];

		if (s->trial || s->up_again || !(t = sched_next_compile(w->sched)))
			continue;
		begin(w, s, t);
	}
	assert_true(sched_in_flight(w->sched) <= w->lookahead);
	assert_true(w->done + sched_in_flight(w->sched) <= w->budget);
}

static void end_compile(struct world *w, struct slot *s)
{
	struct trial *t = s->trial;

	s->trial = NULL;
	if (s->fate == CRASH)
		sched_lost(w->sched, t, "crashed");
	else if (s->fate == GOOD)
		sched_built(w->sched, t);
	else {
		trial_judge(t, s->fate == BAD ? OUTCOME_COMPILE_ERROR : OUTCOME_COMPILE_TIMEOUT,
			    "no");
		sched_ended(w->sched, t);
	}
	if (s->fate == CRASH || s->fate == HANG)
		s->up_again = w->now + 5;
}

static void end_measure(struct world *w, struct slot *s)
{
	static const enum outcome outcomes[] = { OUTCOME_OK, OUTCOME_WRONG, OUTCOME_LOST,
						 OUTCOME_HANG };
	struct trial *t = s->trial;
	int key = key_number(t) % KEYS;

	s->trial = NULL;
	w->measuring[key]--;
	if (s->fate == CRASH) {
		sched_lost(w->sched, t, "crashed");
	} else {
		w->known[key] = true;
		trial_judge(t, outcomes[s->fate], "%s", "end");
		t->verdict.score_ns = t->verdict.p50_ns = 1 + key;
		sched_ended(w->sched, t);
	}
	if (s->fate == CRASH || s->fate == HANG)
		s->up_again = w->now + 5;
}

static void pass_time(struct world *w, struct slot *slots, int n,
		      void (*end)(struct world *, struct slot *))
{
	for (int i = 0; i < n; i++) {
		if (slots[i].trial && slots[i].due <= w->now)
			end(w, &slots[i]);
		else if (slots[i].up_again && slots[i].up_again <= w->now)
			slots[i].up_again = 0;
	}
}

static bool step(struct world *w)
{
	assert_true(w->now++ < TICKS_MAX);
	pass_time(w, w->measure, w->devices, end_measure);
	pass_time(w, w->compile, w->compilers, end_compile);
	feed(w);
	return sched_more(w->sched) || sched_in_flight(w->sched) ||
	       !(sched_spent(w->sched) || sched_dry(w->sched));
}

static void open_world(struct world *w, uint64_t seed, int64_t budget, int64_t space)
{
	struct sched_io io = { w, propose, finish };

	memset(w, 0, sizeof *w);
	rng_init(&w->rng, seed, 0);
	w->compilers = 1 + below(w, SLOTS_MAX);
	w->devices = 1 + below(w, 3);
	w->lookahead = w->compilers + 2 * w->devices;
	w->budget = budget;
	w->space = space;
	w->sched = sched_new(&io, budget);
	sched_set_lookahead(w->sched, w->lookahead, w->lookahead);
}

static void each_trial_ends_once_and_the_budget_is_met(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct world w;
		int64_t twins;

		open_world(&w, seed, 400, TRIALS_MAX);
		while (step(&w))
			;
		assert_int_equal(w.done, 400);
		assert_int_equal(sched_done(w.sched), 400);
		for (int64_t i = 0; i < w.asked; i++)
			assert_int_equal(w.finished[i], 1);
		twins = w.by_origin[TRIAL_SAME_CUBIN];
		assert_true(twins > 0); /* 60 keys for 400 trials */
		sched_free(w.sched);
	}
}

static void an_exhausted_space_ends_short_of_the_budget(void **state)
{
	struct world w;

	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		open_world(&w, seed, 1000000000, 50);
		while (step(&w))
			;
		assert_true(sched_dry(w.sched));
		assert_false(sched_spent(w.sched));
		assert_int_equal(w.asked, 50);
		for (int i = 0; i < 50; i++)
			assert_int_equal(w.finished[i], 1);
		sched_free(w.sched);
	}
}

static void compiling_runs_further_ahead_until_the_first_trial_has_ended(void **state)
{
	struct trial *t, *compiling[8];
	struct world w;
	int n = 0;

	(void)state;
	open_world(&w, 1, 300, TRIALS_MAX);
	sched_set_lookahead(w.sched, 3, 6);
	while (n < 8 && (t = sched_next_compile(w.sched)))
		compiling[n++] = t;
	assert_int_equal(n, 6);
	for (int i = 0; i < 6; i++) {
		trial_judge(compiling[i], OUTCOME_COMPILE_ERROR, "no");
		sched_ended(w.sched, compiling[i]);
		if (6 - (i + 1) >= 3)
			assert_null(sched_next_compile(w.sched));
	}
	for (n = 0; n < 8 && sched_next_compile(w.sched);)
		n++;
	assert_int_equal(n, 3);
	sched_free(w.sched);
}

static void a_held_scheduler_proposes_nothing_and_ends_what_is_in_flight(void **state)
{
	struct world w;

	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		int64_t asked;

		open_world(&w, seed, 300, TRIALS_MAX);
		for (int i = 0; i < 40 + (int)(seed % 60); i++)
			step(&w);
		sched_hold(w.sched, true);
		asked = w.asked;
		while (sched_in_flight(w.sched))
			step(&w);
		assert_int_equal(w.asked, asked);
		for (int64_t i = 0; i < asked; i++)
			assert_int_equal(w.finished[i], 1);
		sched_hold(w.sched, false);
		while (step(&w))
			;
		assert_int_equal(w.done, 300);
		sched_free(w.sched);
	}
}

static void a_raised_budget_is_met_too(void **state)
{
	struct world w;

	(void)state;
	for (uint64_t seed = 1; seed <= 50; seed++) {
		open_world(&w, seed, 20, TRIALS_MAX);
		while (step(&w))
			;
		assert_int_equal(w.done, 20);
		w.budget = 90;
		sched_set_budget(w.sched, 90);
		while (step(&w))
			;
		assert_int_equal(w.done, 90);
		sched_free(w.sched);
	}
}

static void a_scheduler_may_be_dropped_at_any_moment(void **state)
{
	struct world w;

	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		open_world(&w, seed, 100, TRIALS_MAX);
		for (uint64_t i = 0; i < seed; i++)
			step(&w);
		sched_free(w.sched); /* the leak checker looks on */
	}
}

/* --- resuming --- */

enum { ROWS = 80, PARAMS = 4, VALUES = 5 };

struct row {
	int64_t ask, asked_before;
	uint16_t config[PARAMS];
	bool ok;
	double score;
};

struct history {
	struct row rows[ROWS];
	int n;
	uint16_t asked[ROWS * 2][PARAMS]; /* what each proposal was */
};

static struct space *make_space(void)
{
	static const char *const names[PARAMS] = { "A", "B", "C", "D" };
	struct space *s = space_new();
	struct value values[VALUES];
	struct err e;

	for (int i = 0; i < VALUES; i++)
		values[i] = value_int(1 << i);
	for (int i = 0; i < PARAMS; i++)
		assert_int_equal(space_add_param(s, names[i], values, VALUES, &e), 0);
	assert_int_equal(space_add_constraint(s, "A * B <= 64", NULL, NULL, &e), 0);
	return s;
}

static struct search *make_search(const struct space *s, const char *strategy, uint64_t seed)
{
	static const uint16_t first[PARAMS] = { 0, 0, 0, 0 };
	struct search_options o = { .strategy = strategy,
				    .seed = seed,
				    .outstanding = SLOTS_MAX,
				    .first = first,
				    .n_first = 1 };
	struct search *x = NULL;
	struct err e;

	assert_int_equal(search_new(s, &o, &x, &e), 0);
	return x;
}

/* One in nine fails; the others have a value with a valley in it. */
static void judge(const uint16_t *c, struct row *ret)
{
	int sum = c[0] * 7 + c[1] * 11 + c[2] * 13 + c[3] * 17;

	ret->ok = sum % 9 != 4;
	ret->score = 10 + (c[0] - 2) * (c[0] - 2) + (c[1] - 3) * (c[1] - 3) + 0.1 * (sum % 5);
}

struct in_flight {
	struct proposal list[SLOTS_MAX];
	int n;
};

/* Tells one of those in flight, as chance has it, as workers would. */
static void end_one(struct history *h, struct search *x, struct in_flight *f, struct rng *rng)
{
	int i = (int)rng_below(rng, (uint64_t)f->n);
	struct row *row = &h->rows[h->n++];
	struct told t;

	row->ask = f->list[i].ask;
	row->asked_before = search_asked(x);
	memcpy(row->config, f->list[i].config, sizeof row->config);
	judge(row->config, row);
	t = (struct told){ row->ask, NULL, row->ok, row->score };
	search_tell(x, &t);
	f->list[i] = f->list[--f->n];
}

static void live(struct history *h, struct search *x, struct in_flight *f, struct rng *rng)
{
	while (h->n < ROWS) {
		int slots = 1 + (int)rng_below(rng, SLOTS_MAX);
		struct proposal p;

		while (f->n < slots && search_ask(x, &p)) {
			memcpy(h->asked[p.ask], p.config, sizeof h->asked[0]);
			f->list[f->n++] = p;
		}
		assert_true(f->n > 0);
		end_one(h, x, f, rng);
	}
}

static struct recall_row row_of(const struct row *r)
{
	return (struct recall_row){ r->ask, r->asked_before, r->config, r->ok, r->score };
}

static bool was_told(const struct history *h, int rows, int64_t ask)
{
	for (int i = 0; i < rows; i++)
		if (h->rows[i].ask == ask)
			return true;
	return false;
}

static void check_cut(const struct history *h, const struct space *s, const char *strategy,
		      uint64_t seed, int cut)
{
	struct search *x = make_search(s, strategy, seed);
	struct recall recall;
	struct proposal p;
	int64_t last = -1, open = 0, asked = cut ? h->rows[cut - 1].asked_before : 0;

	recall_init(&recall);
	for (int i = 0; i < cut; i++) {
		struct recall_row row = row_of(&h->rows[i]);

		recall_row(&recall, x, PARAMS, &row);
	}
	assert_int_equal(recall.differing, 0);
	assert_int_equal(search_asked(x), asked);
	for (; recall_take(&recall, &p); open++) {
		assert_true(p.ask > last);
		assert_false(was_told(h, cut, p.ask));
		assert_memory_equal(p.config, h->asked[p.ask], sizeof h->asked[0]);
		last = p.ask;
	}
	assert_int_equal(open, asked - cut);
	recall_release(&recall);
	search_free(x);
}

static void what_was_in_flight_comes_again_the_same_wherever_the_rows_are_cut(void **state)
{
	struct space *s = make_space();

	(void)state;
	for (int k = 0; search_strategy_name(k); k++)
		for (uint64_t seed = 1; seed <= 2; seed++) {
			struct search *x = make_search(s, search_strategy_name(k), seed);
			struct history *h = mem_alloc(sizeof *h);
			struct in_flight f = { .n = 0 };
			struct rng rng;

			rng_init(&rng, seed, 7);
			live(h, x, &f, &rng);
			for (int cut = 0; cut <= ROWS; cut++)
				check_cut(h, s, search_strategy_name(k), seed, cut);
			free(h);
			search_free(x);
		}
	space_free(s);
}

/* One worker: then the whole sequence is the same, interrupted or not. */
static void an_interrupted_search_goes_on_as_if_nothing_had_happened(void **state)
{
	struct space *s = make_space();
	struct row rows[ROWS];

	(void)state;
	for (int cut = 0; cut < ROWS; cut += 7) {
		struct search *x = make_search(s, "full", 5);
		struct recall recall;
		struct proposal p;

		recall_init(&recall);
		for (int i = 0; i < cut; i++) {
			struct recall_row row = row_of(&rows[i]);

			recall_row(&recall, x, PARAMS, &row);
		}
		for (int i = cut; i < ROWS; i++) {
			struct row now = { .asked_before = i + 1 };
			struct told t;

			assert_true(search_ask(x, &p));
			now.ask = p.ask;
			memcpy(now.config, p.config, sizeof now.config);
			judge(now.config, &now);
			if (cut)
				assert_memory_equal(now.config, rows[i].config, sizeof now.config);
			else
				rows[i] = now;
			t = (struct told){ now.ask, NULL, now.ok, now.score };
			search_tell(x, &t);
		}
		recall_release(&recall);
		search_free(x);
	}
	space_free(s);
}

static void a_row_that_the_search_would_not_propose_now_counts_as_history(void **state)
{
	struct space *s = make_space();
	struct search *x = make_search(s, "full", 1);
	uint16_t other[PARAMS] = { 4, 0, 4, 4 };
	struct recall_row row = { 0, 3, other, true, 1.0 };
	struct recall recall;
	struct proposal p;
	int64_t open = 0;

	(void)state;
	recall_init(&recall);
	recall_row(&recall, x, PARAMS, &row);
	assert_int_equal(recall.differing, 1);
	for (; recall_take(&recall, &p); open++)
		assert_int_not_equal(p.ask, 0); /* that number has its row */
	assert_int_equal(open, 2);
	for (int i = 0; i < 100 && search_ask(x, &p); i++)
		assert_memory_not_equal(p.config, other, sizeof other);
	recall_release(&recall);
	search_free(x);
	space_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_trial_ends_once_and_the_budget_is_met),
		cmocka_unit_test(an_exhausted_space_ends_short_of_the_budget),
		cmocka_unit_test(compiling_runs_further_ahead_until_the_first_trial_has_ended),
		cmocka_unit_test(a_held_scheduler_proposes_nothing_and_ends_what_is_in_flight),
		cmocka_unit_test(a_raised_budget_is_met_too),
		cmocka_unit_test(a_scheduler_may_be_dropped_at_any_moment),
		cmocka_unit_test(what_was_in_flight_comes_again_the_same_wherever_the_rows_are_cut),
		cmocka_unit_test(an_interrupted_search_goes_on_as_if_nothing_had_happened),
		cmocka_unit_test(a_row_that_the_search_would_not_propose_now_counts_as_history),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
