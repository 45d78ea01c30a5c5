#include "store_fixture.h"
#include "tuner/daemon/ranking.h"

/* Finals and drift: what is written is read back, and what it means for a run's best. */

static struct finalist_record sample_finalist(int64_t trial, int64_t row, double p50_ns)
{
	return (struct finalist_record){
		.trial = trial,
		.row = row,
		.elite = true,
		.tied = true,
		.penalty = 1.25,
		.p50_ns = p50_ns,
		.ci_low_ns = p50_ns - 1,
		.ci_high_ns = p50_ns + 2,
		.spread = 0.125,
		.ratio = { 1.5, 1.25, 1.75, 9 },
	};
}

static struct final_record sample_final(int64_t run, int64_t trials)
{
	struct final_record f = {
		.run = run,
		.trials = trials,
		.device = 3,
		.seed = UINT64_MAX - 7,
		.rounds = 9,
		.settled = true,
		.baseline = 4,
		.winner = 2,
		.speedup = { 3.5, 3.25, 3.75, 9 },
		.began_at = 1.7e12 + 0.5,
		.ended_at = 1.7e12 + 0.75,
		.finalists = mem_array(3, sizeof *f.finalists),
		.n = 3,
		.times = mem_array(2, sizeof *f.times),
		.n_times = 2,
	};

	f.finalists[0] = sample_finalist(2, 2, 80);
	f.finalists[1] = sample_finalist(1, 1, 81);
	f.finalists[1].tied = false;
	f.finalists[2] = (struct finalist_record){ .trial = 3,
						   .row = 3,
						   .elite = true,
						   .outcome = OUTCOME_WRONG,
						   .detail = mem_strdup("max_abs"),
						   .penalty = 1 };
	f.times[0] = (struct final_time){ 0, 0, 2, 1, 80.5 };
	f.times[1] = (struct final_time){ 1, 0, 1, 1, 81.5 };
	return f;
}

static void add_final(struct store *s, struct final_record f)
{
	must(store_begin(s, e));
	must(store_add_final(s, &f, e));
	must(store_commit(s, e));
	final_record_release(&f);
}

static struct store *with_trials(struct place *p, int n)
{
	struct store *s = open_store(p->db, STORE_WRITE);

	add_run(s);
	for (int no = 1; no <= n; no++)
		add_sample(s, 1, no);
	return s;
}

static void same_paired(const struct paired *got, const struct paired *want)
{
	assert_memory_equal(got, want, sizeof *got);
}

static void same_finalist(const struct finalist_record *got, const struct finalist_record *want)
{
	assert_int_equal(got->trial, want->trial);
	assert_int_equal(got->row, want->row);
	assert_int_equal(got->elite, want->elite);
	assert_int_equal(got->tied, want->tied);
	assert_int_equal(got->outcome, want->outcome);
	if (want->detail)
		assert_string_equal(got->detail, want->detail);
	else
		assert_null(got->detail);
	assert_memory_equal(&got->penalty, &want->penalty, 5 * sizeof(double));
	assert_memory_equal(&got->ratio.ratio, &want->ratio.ratio, 3 * sizeof(double));
}

static void a_final_is_read_as_it_was_written(void **state)
{
	struct store *s = with_trials(*state, 4);
	struct final_record want = sample_final(1, 4), got;

	add_final(s, sample_final(1, 4));
	must(store_final(s, 1, true, &got, e));
	assert_int_equal(got.id, 1);
	assert_int_equal(got.run, 1);
	assert_int_equal(got.trials, want.trials);
	assert_int_equal(got.device, want.device);
	assert_true(got.seed == want.seed);
	assert_int_equal(got.rounds, want.rounds);
	assert_int_equal(got.settled, want.settled);
	assert_int_equal(got.baseline, want.baseline);
	assert_int_equal(got.winner, want.winner);
	same_paired(&got.speedup, &want.speedup);
	assert_true(got.began_at == want.began_at && got.ended_at == want.ended_at);
	assert_int_equal(got.n, 3);
	for (int i = 0; i < 3; i++)
		same_finalist(&got.finalists[i], &want.finalists[i]);
	assert_int_equal(got.n_times, 2);
	assert_memory_equal(&got.times[1].p50_ns, &want.times[1].p50_ns, sizeof(double));
	assert_int_equal(got.times[1].trial, 1);
	final_record_release(&got);
	final_record_release(&want);
	store_close(s);
}

static void a_run_without_a_final_has_none(void **state)
{
	struct store *s = with_trials(*state, 2);
	struct final_record got;
	struct run_summary sum;

	must(store_final(s, 1, false, &got, e));
	assert_int_equal(got.id, 0);
	must(store_summary(s, 1, &sum, e));
	assert_false(sum.final);
	assert_int_equal(sum.best, 2);
	store_close(s);
}

static void the_newest_final_names_the_best(void **state)
{
	struct store *s = with_trials(*state, 4);
	struct final_record later = sample_final(1, 4);
	struct run_summary sum;

	later.winner = 1;
	later.finalists[0] = sample_finalist(1, 1, 70);
	later.finalists[1] = sample_finalist(2, 2, 71);
	add_final(s, sample_final(1, 4));
	add_final(s, later);
	must(store_summary(s, 1, &sum, e));
	assert_true(sum.final);
	assert_int_equal(sum.best, 1);
	assert_int_equal(sum.found, 4);
	assert_true(sum.best_p50_ns == 70 && sum.best_ns == 70 * 1.25 && sum.speedup == 3.5);
	store_close(s);
}

static void a_final_says_nothing_of_a_run_with_more_trials(void **state)
{
	struct store *s = with_trials(*state, 4);
	struct run_summary sum;

	add_final(s, sample_final(1, 4));
	add_sample(s, 1, 5);
	must(store_summary(s, 1, &sum, e));
	assert_false(sum.final);
	assert_int_equal(sum.best, 5); /* of the sample trials the last has the lowest score */
	store_close(s);
}

static void a_final_without_a_winner_leaves_no_best(void **state)
{
	struct store *s = with_trials(*state, 4);
	struct final_record none = sample_final(1, 4);
	struct run_summary sum;

	none.winner = 0;
	add_final(s, none);
	must(store_summary(s, 1, &sum, e));
	assert_true(sum.final);
	assert_int_equal(sum.best, 0);
	store_close(s);
}

struct seen {
	int64_t nos[16], trials[16]; /* of the finalist; 0: none */
	int n;
};

static int see(void *ctx, const struct trial_record *t, const struct finalist_record *x,
	       struct err *e)
{
	struct seen *seen = ctx;

	(void)e;
	seen->nos[seen->n] = t->no;
	seen->trials[seen->n++] = x ? x->trial : 0;
	return 0;
}

static struct seen rank(struct store *s, int64_t k)
{
	struct final_record f;
	struct run_summary sum;
	struct seen seen = { 0 };

	must(store_summary(s, 1, &sum, e));
	must(store_final(s, 1, false, &f, e));
	must(ranking_each(s, &sum, &f, &(struct ranking_to){ see, &seen, k }, e));
	final_record_release(&f);
	return seen;
}

static void is_order(const struct seen *got, const int64_t *want, int n)
{
	assert_int_equal(got->n, n);
	for (int i = 0; i < n; i++)
		assert_int_equal(got->nos[i], want[i]);
}

static void elites_rank_as_placed_then_others_by_score_and_the_wrong_one_not_at_all(void **state)
{
	static const int64_t want[] = { 2, 1, 6, 5, 4 };
	struct store *s = with_trials(*state, 6);
	struct seen seen;

	add_final(s, sample_final(1, 6));
	seen = rank(s, 10);
	is_order(&seen, want, 5);
	assert_int_equal(seen.trials[0], 2);
	assert_int_equal(seen.trials[2], 0);
	seen = rank(s, 3);
	is_order(&seen, want, 3);
	seen = rank(s, 1);
	is_order(&seen, want, 1);
	store_close(s);
}

static void twins_follow_what_the_final_says_of_their_binary(void **state)
{
	static const int64_t want[] = { 2, 1, 6, 4 };
	struct store *s = with_trials(*state, 4);
	struct trial_record wrong = sample_trial(1, 5), first = sample_trial(1, 6);
	struct seen seen;

	wrong.origin = first.origin = TRIAL_SAME_CUBIN;
	wrong.origin_trial = 3;
	first.origin_trial = 2;
	add_trial(s, &wrong);
	add_trial(s, &first);
	add_final(s, sample_final(1, 6));
	seen = rank(s, 10);
	is_order(&seen, want, 4);
	assert_int_equal(seen.trials[2], 2);
	store_close(s);
}

static void a_baseline_for_comparison_keeps_its_place_by_score(void **state)
{
	static const int64_t want[] = { 2, 1, 5, 4 };
	struct store *s = with_trials(*state, 5);
	struct final_record f = sample_final(1, 5);

	f.finalists[2].trial = f.finalists[2].row = 4;
	f.finalists[2].elite = false;
	f.finalists[2].outcome = OUTCOME_OK;
	add_final(s, f);
	struct seen seen = rank(s, 4);
	is_order(&seen, want, 4);
	assert_int_equal(seen.trials[3], 4);
	store_close(s);
}

static void without_a_final_the_score_ranks(void **state)
{
	static const int64_t want[] = { 3, 2, 1 };
	struct store *s = with_trials(*state, 3);
	struct seen seen = rank(s, 10);

	is_order(&seen, want, 3);
	store_close(s);
}

static int copy_drift(void *ctx, const struct drift_record *d, struct err *e)
{
	struct drift_record **to = ctx;

	(void)e;
	*(*to)++ = *d;
	return 0;
}

static void drift_is_read_as_it_was_written(void **state)
{
	struct store *s = with_trials(*state, 1);
	struct drift_record got[3], *end = got;
	struct drift_record want[2] = {
		{ 1, 1, 2, 7, 1.5e12, 100, 99, 101, { 1980, 3201, 45, 350, 4 } },
		{ 2, 1, 0, 9, 1.6e12, 200, 199, 201, { -1, -1, -1, -1, -1 } },
	};

	must(store_begin(s, e));
	for (int i = 0; i < 2; i++)
		must(store_add_drift(s, &want[i], e));
	must(store_commit(s, e));
	must(store_each_drift(s, 1, copy_drift, &end, e));
	assert_int_equal(end - got, 2);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(got[i].id, want[i].id);
		assert_int_equal(got[i].device, want[i].device);
		assert_int_equal(got[i].trials, want[i].trials);
		assert_true(got[i].at == want[i].at);
		assert_memory_equal(&got[i].p50_ns, &want[i].p50_ns, 3 * sizeof(double));
		assert_memory_equal(&got[i].clocks, &want[i].clocks, sizeof got[i].clocks);
	}
	store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_PLACE(a_final_is_read_as_it_was_written),
		IN_PLACE(a_run_without_a_final_has_none),
		IN_PLACE(the_newest_final_names_the_best),
		IN_PLACE(a_final_says_nothing_of_a_run_with_more_trials),
		IN_PLACE(a_final_without_a_winner_leaves_no_best),
		IN_PLACE(elites_rank_as_placed_then_others_by_score_and_the_wrong_one_not_at_all),
		IN_PLACE(twins_follow_what_the_final_says_of_their_binary),
		IN_PLACE(a_baseline_for_comparison_keeps_its_place_by_score),
		IN_PLACE(without_a_final_the_score_ranks),
		IN_PLACE(drift_is_read_as_it_was_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
