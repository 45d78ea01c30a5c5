#include "store_fixture.h"

/* --- what is written is read --- */

static void assert_same_run(const struct run_record *a, const struct run_record *b)
{
	assert_int_equal(a->id, b->id);
	assert_string_equal(a->task_name, b->task_name);
	assert_string_equal(a->task_path, b->task_path);
	assert_string_equal(a->task_text, b->task_text);
	assert_string_equal(a->task_hash, b->task_hash);
	assert_string_equal(a->source_hash, b->source_hash);
	assert_string_equal(a->identity, b->identity);
	assert_string_equal(a->runtime, b->runtime);
	assert_string_equal(a->strategy, b->strategy);
	assert_int_equal(a->elite_k, b->elite_k);
	assert_int_equal(a->seed, b->seed);
	assert_int_equal(a->budget, b->budget);
	assert_true(a->time_limit_s == b->time_limit_s);
	assert_int_equal(a->no_gain, b->no_gain);
	assert_true(a->target_ns == b->target_ns);
	assert_true(a->target_share == b->target_share);
	assert_true(a->found_share == b->found_share);
	assert_int_equal(a->priority, b->priority);
	assert_int_equal(a->jobs, b->jobs);
	assert_int_equal(a->fresh, b->fresh);
	assert_string_equal(a->devices, b->devices);
	assert_string_equal(a->shapes, b->shapes);
	assert_string_equal(a->narrow, b->narrow);
	assert_string_equal(a->settings, b->settings);
	assert_string_equal(a->warm, b->warm);
	assert_int_equal(a->environment, b->environment);
	assert_int_equal(a->state, b->state);
	assert_int_equal(a->created_ms, b->created_ms);
	assert_int_equal(a->started_ms, b->started_ms);
	assert_int_equal(a->ended_ms, b->ended_ms);
	assert_true(a->active_s == b->active_s);
	assert_string_equal(a->version, b->version);
}

static void a_run_reads_back_as_it_was_added(void **state)
{
	struct place *p = *state;
	struct store *s = open_store(p->db, STORE_WRITE);
	struct run_record r = sample_run(), got;

	must(store_begin(s, e));
	must(store_add_run(s, &r, NULL, 0, e));
	must(store_commit(s, e));
	must(store_run(s, r.id, &got, e));
	assert_int_equal(r.id, 1);
	assert_same_run(&got, &r);
	assert_null(got.baseline);
	assert_null(got.reason);
	run_record_release(&got);
	run_record_release(&r);
	store_close(s);
}

static void an_update_changes_what_may_change(void **state)
{
	struct place *p = *state;
	struct store *s = open_store(p->db, STORE_WRITE);
	struct run_record r = sample_run(), got;

	must(store_begin(s, e));
	must(store_add_run(s, &r, NULL, 0, e));
	must(store_add_environment(s, "{\"host\":\"a\"}", &r.environment, e));
	r.budget = 256;
	r.time_limit_s = 0;
	r.no_gain = 0;
	r.target_ns = 0;
	r.target_share = 0.8;
	r.found_share = 0.25;
	r.priority = 9;
	r.baseline = mem_strdup("{\"TILE\":1}");
	r.state = RUN_FAILED;
	r.reason = mem_strdup("the source is gone");
	r.started_ms = 1700000000002;
	r.ended_ms = 1700000000003;
	r.active_s = 0.75;
	must(store_update_run(s, &r, e));
	must(store_commit(s, e));
	must(store_run(s, r.id, &got, e));
	assert_same_run(&got, &r);
	assert_string_equal(got.baseline, r.baseline);
	assert_string_equal(got.reason, r.reason);
	run_record_release(&got);

	must(store_begin(s, e));
	r.id = 77;
	must_fail(ERR_MISSING, "no run 77", store_update_run(s, &r, e));
	run_record_release(&r);
	store_close(s);
}

static void every_state_of_a_run_can_be_stored(void **state)
{
	struct place *p = *state;
	struct store *s = open_store(p->db, STORE_WRITE);
	struct run_record r = sample_run(), got;

	must(store_begin(s, e));
	must(store_add_run(s, &r, NULL, 0, e));
	for (int i = 0; i < RUN_STATE_COUNT; i++) {
		r.state = (enum run_state)i;
		must(store_update_run(s, &r, e));
		must(store_run(s, r.id, &got, e));
		assert_int_equal(got.state, i);
		run_record_release(&got);
	}
	must(store_commit(s, e));
	run_record_release(&r);
	store_close(s);
}

static void assert_same_timing(const struct timing *a, const struct timing *b)
{
	assert_int_equal(a->n_samples, b->n_samples);
	assert_memory_equal(a->samples_ns, b->samples_ns, (size_t)b->n_samples * sizeof(double));
	assert_memory_equal(&a->p50_ns, &b->p50_ns, 8 * sizeof(double));
	assert_int_equal(a->shape, b->shape);
	assert_int_equal(a->mode, b->mode);
	assert_int_equal(a->l2, b->l2);
	assert_int_equal(a->launches_per_sample, b->launches_per_sample);
	assert_int_equal(a->aborted, b->aborted);
	assert_int_equal(a->throttled, b->throttled);
}

static void assert_same_check(const struct check *a, const struct check *b)
{
	assert_int_equal(a->shape, b->shape);
	assert_int_equal(a->reference, b->reference);
	assert_int_equal(a->seed, b->seed);
	assert_memory_equal(&a->max_abs, &b->max_abs, 4 * sizeof(double));
	assert_memory_equal(&a->nans, &b->nans, 3 * sizeof(int64_t));
	assert_int_equal(a->guards_intact, b->guards_intact);
	assert_int_equal(a->inputs_intact, b->inputs_intact);
	assert_int_equal(a->deterministic, b->deterministic);
	assert_int_equal(a->passed, b->passed);
	assert_string_equal(a->why, b->why);
}

static void assert_same_row(const struct trial_record *a, const struct trial_record *b)
{
	assert_int_equal(a->id, b->id);
	assert_int_equal(a->run, b->run);
	assert_int_equal(a->no, b->no);
	assert_int_equal(a->ask, b->ask);
	assert_int_equal(a->asked_before, b->asked_before);
	assert_string_equal(a->config, b->config);
	assert_string_equal(a->op, b->op);
	assert_memory_equal(a->parents, b->parents, sizeof a->parents);
	assert_int_equal(a->generation, b->generation);
	assert_int_equal(a->outcome, b->outcome);
	assert_string_equal(a->detail, b->detail);
	assert_int_equal(a->origin, b->origin);
	assert_int_equal(a->origin_trial, b->origin_trial);
	assert_memory_equal(&a->score_ns, &b->score_ns, 4 * sizeof(double));
	assert_string_equal(a->gates, b->gates);
	assert_string_equal(a->artifact, b->artifact);
	assert_int_equal(a->artifact_bytes, b->artifact_bytes);
	assert_memory_equal(&a->compile_ms, &b->compile_ms, 6 * sizeof(double));
	assert_int_equal(a->device, b->device);
	assert_memory_equal(&a->ptxas, &b->ptxas, sizeof a->ptxas);
	assert_memory_equal(&a->function, &b->function, sizeof a->function);
	assert_memory_equal(&a->clocks, &b->clocks, sizeof a->clocks);
	assert_memory_equal(&a->at, &b->at, sizeof a->at);
}

static void a_trial_reads_back_with_all_its_parts(void **state)
{
	struct place *p = *state;
	struct store *s = open_store(p->db, STORE_WRITE);
	struct trial_record t = sample_trial(add_run(s), 1), got, by_id;

	must(store_begin(s, e));
	must(store_add_trial(s, &t, e));
	must(store_commit(s, e));
	must(store_trial(s, t.run, 1, &got, e));
	must(store_trial_by_id(s, t.id, &by_id, e));
	assert_same_row(&got, &t);
	assert_same_row(&by_id, &t);
	assert_string_equal(got.log, t.log);
	assert_int_equal(got.n_timings, 2);
	for (int i = 0; i < 2; i++)
		assert_same_timing(&got.timings[i], &t.timings[i]);
	assert_int_equal(got.n_checks, 9);
	for (int i = 0; i < 9; i++)
		assert_same_check(&got.checks[i], &t.checks[i]);
	trial_record_release(&by_id);
	trial_record_release(&got);
	trial_record_release(&t);
	must_fail(ERR_MISSING, "run 1: ", store_trial(s, 1, 2, &got, e));
	must_fail(ERR_MISSING, "no trial 55", store_trial_by_id(s, 55, &got, e));
	store_close(s);
}

/* A variant that did not compile: nothing was measured. */
static struct trial_record bare_trial(int64_t run, int64_t no)
{
	struct trial_record t = sample_trial(run, no), bare = { 0 };

	bare = (struct trial_record){
		.run = run,
		.no = no,
		.ask = t.ask,
		.config = mem_strdup(t.config),
		.op = mem_strdup("seed"),
		.parents = { -1, -1 },
		.outcome = OUTCOME_COMPILE_ERROR,
		.device = -1,
		.clocks = { -1, -1, -1, -1, -1 },
	};
	memset(&bare.ptxas, 0xff, sizeof bare.ptxas);
	memset(&bare.function, 0xff, sizeof bare.function);
	trial_record_release(&t);
	return bare;
}

static void what_was_never_measured_reads_back_so_and_is_null_inside(void **state)
{
	struct place *p = *state;
	struct store *s = open_store(p->db, STORE_WRITE);
	struct trial_record t = bare_trial(add_run(s), 1), got;

	must(store_begin(s, e));
	must(store_add_trial(s, &t, e));
	must(store_commit(s, e));
	must(store_trial(s, 1, 1, &got, e));
	assert_memory_equal(&got.ptxas, &t.ptxas, sizeof t.ptxas);
	assert_memory_equal(&got.function, &t.function, sizeof t.function);
	assert_memory_equal(&got.clocks, &t.clocks, sizeof t.clocks);
	assert_memory_equal(&got.at, &t.at, sizeof t.at);
	assert_memory_equal(got.parents, t.parents, sizeof t.parents);
	assert_int_equal(got.device, -1);
	assert_true(got.score_ns == 0 && got.p50_ns == 0 && got.compile_ms == 0);
	assert_null(got.detail);
	assert_null(got.log);
	assert_string_equal(got.gates, "[]");
	assert_string_equal(got.artifact, "");
	assert_int_equal(got.n_timings + got.n_checks, 0);
	assert_int_equal(ask_int(p->db, "SELECT count(*) FROM trial WHERE coalesce(score_ns, "
					"p50_ns, artifact, device, watts, stored_at, "
					"function_registers, parent_a, parent_b) IS NOT NULL"),
			 0);
	trial_record_release(&got);
	trial_record_release(&t);
	store_close(s);
}

static void a_check_may_hold_what_is_no_number(void **state)
{
	struct place *p = *state;
	struct store *s = open_store(p->db, STORE_WRITE);
	struct trial_record t = sample_trial(add_run(s), 1), got;

	t.outcome = OUTCOME_WRONG;
	t.checks[0].max_abs = (double)NAN;
	t.checks[0].mean_abs = (double)INFINITY;
	t.checks[0].first_bad = -1;
	t.checks[0].why[0] = '\0';
	add_trial(s, &t);
	must(store_trial(s, 1, 1, &got, e));
	assert_true(isnan(got.checks[0].max_abs));
	assert_true(isinf(got.checks[0].mean_abs));
	assert_int_equal(got.checks[0].first_bad, -1);
	assert_string_equal(got.checks[0].why, "");
	trial_record_release(&got);
	store_close(s);
}

static void every_outcome_origin_and_timing_mode_can_be_stored(void **state)
{
	struct place *p = *state;
	struct store *s = open_store(p->db, STORE_WRITE);
	int64_t run = add_run(s), first = add_sample(s, run, 1);

	for (int i = 0; i < OUTCOME_COUNT; i++) {
		struct trial_record t = sample_trial(run, i + 2), got;

		t.outcome = (enum outcome)i;
		t.origin = (enum trial_origin)(i % TRIAL_ORIGIN_COUNT);
		t.origin_trial = t.origin == TRIAL_MEASURED ? 0 : first;
		t.timings[0].mode = (enum timing_mode)(i % 3);
		t.timings[0].l2 = (enum timing_l2)(i % 2);
		add_trial(s, &t);
		must(store_trial(s, run, i + 2, &got, e));
		assert_int_equal(got.outcome, i);
		assert_int_equal(got.origin, i % TRIAL_ORIGIN_COUNT);
		assert_int_equal(got.timings[0].mode, i % 3);
		assert_int_equal(got.timings[0].l2, i % 2);
		trial_record_release(&got);
	}
	store_close(s);
}

static int check_source(void *ctx, const struct store_source *src, struct err *e)
{
	int *seen = ctx;

	(void)e;
	if (*seen == 0) {
		assert_string_equal(src->path, "b.cu");
		assert_int_equal(src->len, 3);
		assert_memory_equal(src->text, "x\0y", 4);
		assert_string_equal(src->hash, "h1");
	} else {
		assert_string_equal(src->path, "a.h");
		assert_int_equal(src->len, 0);
	}
	++*seen;
	return 0;
}

static void sources_are_kept_once_and_read_in_the_order_given(void **state)
{
	static const struct store_source sources[] = { { "b.cu", "x\0y", "h1", 3 },
						       { "a.h", "", "h2", 0 } };
	struct place *p = *state;
	struct store *s = open_store(p->db, STORE_WRITE);

	for (int i = 1; i <= 2; i++) {
		struct run_record r = sample_run();
		int seen = 0;

		must(store_begin(s, e));
		must(store_add_run(s, &r, sources, 2, e));
		must(store_commit(s, e));
		must(store_each_source(s, r.id, check_source, &seen, e));
		assert_int_equal(seen, 2);
		run_record_release(&r);
	}
	assert_int_equal(ask_int(p->db, "SELECT count(*) FROM source"), 2);
	store_close(s);
}

static void one_environment_text_is_one_row(void **state)
{
	struct place *p = *state;
	struct store *s = open_store(p->db, STORE_WRITE);
	int64_t a, b, c;
	char *json;

	must(store_begin(s, e));
	must(store_add_environment(s, "{\"host\":\"a\"}", &a, e));
	must(store_add_environment(s, "{\"host\":\"b\"}", &b, e));
	must(store_add_environment(s, "{\"host\":\"a\"}", &c, e));
	must(store_commit(s, e));
	assert_int_equal(a, c);
	assert_int_not_equal(a, b);
	must(store_environment(s, b, &json, e));
	assert_string_equal(json, "{\"host\":\"b\"}");
	free(json);
	must_fail(ERR_MISSING, "no environment 9", store_environment(s, 9, &json, e));
	store_close(s);
}

static void ceilings_are_of_a_device_and_driver_and_replaced(void **state)
{
	struct place *p = *state;
	struct store *s = open_store(p->db, STORE_WRITE);
	struct device d = { .name = "one", .uuid = "GPU-1", .driver = "580" };
	struct ceilings c = { .dram_bytes_per_s = 4e12, .cache_bytes = 5e7 }, found;

	c.operations_per_s[UNIT_S8_TENSOR] = 1e15;
	must_fail(ERR_MISSING, "of one were not measured", store_ceilings(s, &d, &found, e));
	for (int i = 0; i < 2; i++) {
		must(store_begin(s, e));
		must(store_put_ceilings(s, &d, &c, e));
		must(store_commit(s, e));
		c.dram_bytes_per_s++;
	}
	must(store_ceilings(s, &d, &found, e));
	assert_true(found.dram_bytes_per_s == 4e12 + 1);
	assert_true(found.cache_bytes == 5e7);
	assert_true(found.operations_per_s[UNIT_S8_TENSOR] == 1e15);
	strcpy(d.driver, "581");
	must_fail(ERR_MISSING, "measured", store_ceilings(s, &d, &found, e));
	store_close(s);
}

/* --- what is refused --- */

static void refuse(struct store *s, struct trial_record *t, const char *text)
{
	must(store_begin(s, e));
	must_fail(ERR_INVALID, text, store_add_trial(s, t, e));
	trial_record_release(t);
}

static void what_a_run_holds_once_is_refused_twice(void **state)
{
	struct place *p = *state;
	struct store *s = open_store(p->db, STORE_WRITE);
	int64_t run = add_run(s), other = add_run(s);
	struct trial_record t;

	add_sample(s, run, 1);
	add_sample(s, other, 1);
	t = sample_trial(run, 2);
	t.no = 1;
	refuse(s, &t, "trial.no");
	t = sample_trial(run, 2);
	t.ask = 11;
	refuse(s, &t, "trial.ask");
	t = sample_trial(run, 2);
	free(t.config);
	t.config = mem_strdup("{\"TILE\":1}");
	refuse(s, &t, "run 1, trial 2: ");
	t = sample_trial(run, 2);
	t.origin = TRIAL_STORED;
	refuse(s, &t, "origin_names_its_trial");
	assert_int_equal(ask_int(p->db, "SELECT count(*) FROM trial"), 2);
	store_close(s);
}

static void an_ok_trial_without_a_median_is_refused(void **state)
{
	struct place *p = *state;
	struct store *s = open_store(p->db, STORE_WRITE);
	struct trial_record t = sample_trial(add_run(s), 1);

	t.p50_ns = 0;
	refuse(s, &t, "ok_has_a_median");
	t = sample_trial(1, 1);
	t.score_ns = (double)NAN;
	refuse(s, &t, "ok_has_a_median");
	t = sample_trial(1, 1);
	t.timings[1].p50_ns = (double)NAN;
	refuse(s, &t, "timing.p50_ns");
	t = sample_trial(9, 1);
	must(store_begin(s, e));
	must_fail(ERR_MISSING, "no run 9", store_add_trial(s, &t, e));
	trial_record_release(&t);
	store_close(s);
}

static void a_failed_write_takes_its_transaction_with_it(void **state)
{
	struct place *p = *state;
	struct store *s = open_store(p->db, STORE_WRITE);
	int64_t run = add_run(s);
	struct trial_record good = sample_trial(run, 1), bad = sample_trial(run, 2);

	bad.timings[1].p50_ns = -1;
	must(store_begin(s, e));
	must(store_add_trial(s, &good, e));
	must_fail(ERR_INVALID, "timing_is_no_less_than_0", store_add_trial(s, &bad, e));
	assert_int_equal(ask_int(p->db, "SELECT count(*) FROM trial"), 0);
	must(store_begin(s, e));
	must(store_add_trial(s, &good, e));
	must(store_commit(s, e));
	assert_sound(p->db);
	assert_int_equal(ask_int(p->db, "SELECT count(*) FROM trial"), 1);
	trial_record_release(&good);
	trial_record_release(&bad);
	store_close(s);
}

static void what_is_not_committed_is_gone(void **state)
{
	struct place *p = *state;
	struct store *s = open_store(p->db, STORE_WRITE);
	int64_t run = add_run(s);
	struct trial_record t = sample_trial(run, 1);

	must(store_begin(s, e));
	must(store_add_trial(s, &t, e));
	store_rollback(s);
	store_rollback(s);
	must(store_begin(s, e));
	must(store_add_trial(s, &t, e));
	store_close(s);
	store_close(NULL);
	assert_int_equal(ask_int(p->db, "SELECT count(*) FROM trial"), 0);
	trial_record_release(&t);
}

static void a_written_trial_is_never_changed_or_deleted(void **state)
{
	struct place *p = *state;
	struct store *s = open_store(p->db, STORE_WRITE);
	sqlite3 *db;

	add_sample(s, add_run(s), 1);
	assert_int_equal(sqlite3_open(p->db, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "UPDATE trial SET score_ns = 1", NULL, NULL, NULL),
			 SQLITE_CONSTRAINT);
	assert_int_equal(sqlite3_exec(db, "DELETE FROM trial", NULL, NULL, NULL),
			 SQLITE_CONSTRAINT);
	sqlite3_close(db);
	store_close(s);
}

/* --- questions --- */

struct list {
	int64_t ids[64];
	int n, stop_at; /* stop_at: return 1 at this many; 0: never */
	struct store *store;
};

static int on_trial(void *ctx, const struct trial_record *t, struct err *e)
{
	struct list *l = ctx;

	(void)e;
	assert_null(t->log);
	assert_int_equal(t->n_timings, 0);
	l->ids[l->n++] = t->no;
	return l->n == l->stop_at;
}

static void assert_list(const struct list *l, const int64_t *want, int n)
{
	assert_int_equal(l->n, n);
	for (int i = 0; i < n; i++)
		assert_int_equal(l->ids[i], want[i]);
}

static void top_is_by_score_then_number_and_only_what_is_ok(void **state)
{
	static const double scores[] = { 50, 20, 40, 20, 10, 30 };
	struct place *p = *state;
	struct store *s = open_store(p->db, STORE_WRITE);
	int64_t run = add_run(s);
	struct list l = { 0 };

	add_sample(s, add_run(s), 9);
	for (int i = 0; i < 6; i++) {
		struct trial_record t = sample_trial(run, i + 1);

		t.score_ns = scores[i];
		t.outcome = i == 4 ? OUTCOME_WRONG : OUTCOME_OK;
		add_trial(s, &t);
	}
	must(store_top(s, run, 10, on_trial, &l, e));
	assert_list(&l, (int64_t[]){ 2, 4, 6, 3, 1 }, 5);
	l.n = 0;
	must(store_top(s, run, 2, on_trial, &l, e));
	assert_list(&l, (int64_t[]){ 2, 4 }, 2);
	store_close(s);
}

static void trials_are_read_in_order_from_a_number_on_and_a_callback_may_stop(void **state)
{
	struct place *p = *state;
	struct store *s = open_store(p->db, STORE_WRITE);
	int64_t run = add_run(s);
	struct list l = { 0 };
	struct err ignored;

	for (int64_t no = 5; no >= 1; no--)
		add_sample(s, run, no);
	must(store_each_trial(s, run, 2, on_trial, &l, e));
	assert_list(&l, (int64_t[]){ 3, 4, 5 }, 3);
	l = (struct list){ .stop_at = 2 };
	assert_int_equal(store_each_trial(s, run, 0, on_trial, &l, &ignored), 1);
	assert_list(&l, (int64_t[]){ 1, 2 }, 2);
	l = (struct list){ 0 };
	must(store_each_trial(s, 99, 0, on_trial, &l, e));
	assert_int_equal(l.n, 0);
	store_close(s);
}

static int on_run(void *ctx, const struct run_record *r, struct err *e)
{
	struct list *l = ctx;
	struct run_summary sum;

	if (store_summary(l->store, r->id, &sum, e))
		return e->code;
	assert_int_equal(sum.run, r->id);
	l->ids[l->n++] = r->id;
	return 0;
}

static int on_run_again(void *ctx, const struct run_record *r, struct err *e)
{
	struct list *l = ctx;

	(void)r;
	return store_each_run(l->store, on_run, l, e);
}

static void runs_are_listed_newest_first_and_a_callback_may_ask_anything(void **state)
{
	struct place *p = *state;
	struct store *s = open_store(p->db, STORE_WRITE);
	struct list l = { .store = s };

	for (int i = 0; i < 3; i++)
		add_run(s);
	must(store_each_run(s, on_run_again, &l, e));
	assert_list(&l, (int64_t[]){ 3, 2, 1, 3, 2, 1, 3, 2, 1 }, 9);
	store_close(s);
}

static void the_newest_run_may_be_asked_to_be_unfinished(void **state)
{
	struct place *p = *state;
	struct store *s = open_store(p->db, STORE_WRITE);
	struct run_record r;
	int64_t id;

	must_fail(ERR_MISSING, "no run yet", store_newest_run(s, false, &id, e));
	for (int i = 0; i < 3; i++)
		add_run(s);
	must(store_run(s, 3, &r, e));
	r.state = RUN_CANCELLED;
	must(store_begin(s, e));
	must(store_update_run(s, &r, e));
	must(store_commit(s, e));
	run_record_release(&r);
	must(store_newest_run(s, false, &id, e));
	assert_int_equal(id, 3);
	must(store_newest_run(s, true, &id, e));
	assert_int_equal(id, 2);
	must_fail(ERR_MISSING, "no run 4", store_run(s, 4, &r, e));
	store_close(s);
}

/* A trial that asks what trial 1 asked. */
static int64_t ask_again(struct store *s, int64_t run, enum outcome outcome, int64_t origin)
{
	struct trial_record t = sample_trial(run, 1);

	t.outcome = outcome;
	t.origin = origin ? TRIAL_STORED : TRIAL_MEASURED;
	t.origin_trial = origin;
	return add_trial(s, &t);
}

static void a_known_trial_is_the_newest_that_was_measured_and_says_something(void **state)
{
	struct place *p = *state;
	struct store *s = open_store(p->db, STORE_WRITE);
	struct run_record r = sample_run(), other = sample_run();
	int64_t first, second, got = 9;

	must(store_find_known(s, r.identity, "{\"TILE\":1}", &got, e));
	assert_int_equal(got, 0);
	first = ask_again(s, add_run(s), OUTCOME_OK, 0);
	second = ask_again(s, add_run(s), OUTCOME_WRONG, 0);
	ask_again(s, add_run(s), OUTCOME_OK, first);
	ask_again(s, add_run(s), OUTCOME_LOST, 0);
	ask_again(s, add_run(s), OUTCOME_HANG, 0);
	ask_again(s, add_run(s), OUTCOME_COMPILE_TIMEOUT, 0);
	must(store_find_known(s, r.identity, "{\"TILE\":1}", &got, e));
	assert_int_equal(got, second);

	fill_hash(other.identity, 'e');
	must(store_begin(s, e));
	must(store_add_run(s, &other, NULL, 0, e));
	must(store_commit(s, e));
	must(store_find_known(s, other.identity, "{\"TILE\":1}", &got, e));
	assert_int_equal(got, 0);
	first = ask_again(s, other.id, OUTCOME_OK, 0);
	must(store_find_known(s, other.identity, "{\"TILE\":1}", &got, e));
	assert_int_equal(got, first);
	must(store_find_known(s, r.identity, "{\"TILE\":1}", &got, e));
	assert_int_equal(got, second);
	must(store_find_known(s, r.identity, "{\"TILE\":2}", &got, e));
	assert_int_equal(got, 0);
	run_record_release(&r);
	run_record_release(&other);
	store_close(s);
}

static void a_summary_counts_what_the_rows_say(void **state)
{
	struct place *p = *state;
	struct store *s = open_store(p->db, STORE_WRITE);
	int64_t run = add_run(s), first = add_sample(s, run, 1);
	struct run_summary sum;
	int best = 1; /* later trials are faster */

	must(store_begin(s, e));
	for (int no = 2; no <= 200; no++) {
		struct trial_record t = sample_trial(run, no);

		t.outcome = (enum outcome)(no * 7 % OUTCOME_COUNT);
		best = t.outcome == OUTCOME_OK ? no : best;
		t.origin = (enum trial_origin)(no % TRIAL_ORIGIN_COUNT);
		t.origin_trial = t.origin == TRIAL_MEASURED ? 0 : first;
		must(store_add_trial(s, &t, e));
		trial_record_release(&t);
	}
	must(store_summary(s, run, &sum, e));
	must(store_commit(s, e));
	assert_int_equal(sum.trials, 200);
	assert_int_equal(sum.reused,
			 ask_int(p->db, "SELECT count(*) FROM trial WHERE origin = 'stored'"));
	assert_int_equal(sum.done, 200 - sum.reused);
	for (int i = 0; i < OUTCOME_COUNT; i++) {
		char text[96];

		snprintf(text, sizeof text, "SELECT count(*) FROM trial WHERE outcome = '%s'",
			 outcome_name((enum outcome)i));
		assert_int_equal(sum.by_outcome[i], ask_int(p->db, text));
	}
	assert_int_equal(sum.best, best);
	assert_true(sum.best_ns == 1e6 - best && sum.best_p50_ns == 900);
	assert_int_equal(sum.baseline, 0);
	assert_sound(p->db);
	must_fail(ERR_MISSING, "no run 5", store_summary(s, 5, &sum, e));
	store_close(s);
}

static void a_summary_finds_the_baseline_but_no_figure_of_a_failed_one(void **state)
{
	struct place *p = *state;
	struct store *s = open_store(p->db, STORE_WRITE);
	struct run_record r = sample_run();
	struct run_summary sum;
	struct trial_record t;

	r.baseline = mem_strdup("{\"TILE\":2}");
	for (int i = 0; i < 2; i++) {
		must(store_begin(s, e));
		must(store_add_run(s, &r, NULL, 0, e));
		must(store_commit(s, e));
		must(store_summary(s, r.id, &sum, e));
		assert_int_equal(sum.baseline, 0);
		add_sample(s, r.id, 1);
		t = sample_trial(r.id, 2);
		t.outcome = i ? OUTCOME_FAULT : OUTCOME_OK;
		add_trial(s, &t);
		must(store_summary(s, r.id, &sum, e));
		assert_int_equal(sum.baseline, 2);
		assert_true(sum.baseline_p50_ns == (i ? 0 : 900));
	}
	run_record_release(&r);
	store_close(s);
}

/* --- events --- */

static int on_event(void *ctx, const struct event_record *v, struct err *e)
{
	struct list *l = ctx;

	(void)e;
	assert_int_equal(v->at_ms, v->no * 10);
	assert_int_equal(v->run, v->no % 2);
	assert_string_equal(v->kind, "trial");
	assert_string_equal(v->body, "{\"no\":1}");
	l->ids[l->n++] = v->no;
	return 0;
}

static void add_events(struct store *s, int64_t from, int64_t to)
{
	must(store_begin(s, e));
	for (int64_t no = from; no <= to; no++) {
		struct event_record v = { .at_ms = no * 10,
					  .run = no % 2,
					  .kind = mem_strdup("trial"),
					  .body = mem_strdup("{\"no\":1}") };

		must(store_add_event(s, &v, e));
		assert_int_equal(v.no, no);
		event_record_release(&v);
	}
	must(store_commit(s, e));
}

static void an_event_number_is_never_given_twice(void **state)
{
	struct place *p = *state;
	struct store *s = open_store(p->db, STORE_WRITE);
	struct list l = { 0 };
	int64_t last;

	add_run(s);
	must(store_last_event(s, &last, e));
	assert_int_equal(last, 0);
	add_events(s, 1, 6);
	must(store_each_event(s, 2, 3, on_event, &l, e));
	assert_list(&l, (int64_t[]){ 3, 4, 5 }, 3);
	for (int64_t keep = 2; keep >= 0; keep--) {
		must(store_begin(s, e));
		must(store_trim_events(s, keep, e));
		must(store_commit(s, e));
		assert_int_equal(ask_int(p->db, "SELECT count(*) FROM event"), keep);
	}
	must(store_last_event(s, &last, e));
	assert_int_equal(last, 6);
	add_events(s, 7, 7);
	store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_PLACE(a_run_reads_back_as_it_was_added),
		IN_PLACE(an_update_changes_what_may_change),
		IN_PLACE(every_state_of_a_run_can_be_stored),
		IN_PLACE(a_trial_reads_back_with_all_its_parts),
		IN_PLACE(what_was_never_measured_reads_back_so_and_is_null_inside),
		IN_PLACE(a_check_may_hold_what_is_no_number),
		IN_PLACE(every_outcome_origin_and_timing_mode_can_be_stored),
		IN_PLACE(sources_are_kept_once_and_read_in_the_order_given),
		IN_PLACE(one_environment_text_is_one_row),
		IN_PLACE(ceilings_are_of_a_device_and_driver_and_replaced),
		IN_PLACE(what_a_run_holds_once_is_refused_twice),
		IN_PLACE(an_ok_trial_without_a_median_is_refused),
		IN_PLACE(a_failed_write_takes_its_transaction_with_it),
		IN_PLACE(what_is_not_committed_is_gone),
		IN_PLACE(a_written_trial_is_never_changed_or_deleted),
		IN_PLACE(top_is_by_score_then_number_and_only_what_is_ok),
		IN_PLACE(trials_are_read_in_order_from_a_number_on_and_a_callback_may_stop),
		IN_PLACE(runs_are_listed_newest_first_and_a_callback_may_ask_anything),
		IN_PLACE(the_newest_run_may_be_asked_to_be_unfinished),
		IN_PLACE(a_known_trial_is_the_newest_that_was_measured_and_says_something),
		IN_PLACE(a_summary_counts_what_the_rows_say),
		IN_PLACE(a_summary_finds_the_baseline_but_no_figure_of_a_failed_one),
		IN_PLACE(an_event_number_is_never_given_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
