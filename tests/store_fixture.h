#ifndef TESTS_STORE_FIXTURE_H
#define TESTS_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above. */
#include <cmocka.h>
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "tuner/daemon/store.h"

/*
 * What the tests of the store share: a folder that goes with its test, and records whose fields
 * all differ, so that two columns that change places are noticed.
 */
struct place {
	char dir[64];
	char *db;
};

static inline int place_set_up(void **state)
{
	struct place *p = mem_alloc(sizeof *p);

	snprintf(p->dir, sizeof p->dir, "/tmp/evo-tuned-test.XXXXXX");
	if (!mkdtemp(p->dir))
		return -1;
	p->db = file_join(p->dir, "evo-tuned.db");
	*state = p;
	return 0;
}

static inline int place_tear_down(void **state)
{
	struct place *p = *state;
	struct err e;
	int r = file_remove_tree(p->dir, &e);

	free(p->db);
	free(p);
	return r;
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, place_set_up, place_tear_down)

/* Fails with e's message where the call did not return 0. */
#define must(call)                                                                     \
	do {                                                                           \
		struct err must_e = { 0 };                                             \
		struct err *e = &must_e;                                               \
		int must_r = (call);                                                   \
		if (must_r != 0)                                                       \
			fail_msg("%s: %d, expected 0: %s", #call, must_r, must_e.msg); \
	} while (0)

/* Fails where the call did not return this code, or its message lacks the text. */
#define must_fail(want, text, call)                                                              \
	do {                                                                                     \
		struct err must_e = { 0 };                                                       \
		struct err *e = &must_e;                                                         \
		int must_r = (call);                                                             \
		if (must_r != (int)(want) || !strstr(must_e.msg, text))                          \
			fail_msg("%s: %d \"%s\", expected %d \"%s\"", #call, must_r, must_e.msg, \
				 (int)(want), text);                                             \
	} while (0)

static inline struct store *open_store(const char *path, enum store_mode mode)
{
	struct store *s = NULL;

	must(store_open(path, mode, &s, e));
	return s;
}

static inline void fill_hash(char ret[HASH_HEX], char digit)
{
	memset(ret, digit, HASH_HEX - 1);
	ret[HASH_HEX - 1] = '\0';
}

static inline struct run_record sample_run(void)
{
	struct run_record r = {
		.task_name = mem_strdup("softmax"),
		.task_path = mem_strdup("tasks/softmax.json"),
		.task_text = mem_strdup("{\"name\": \"softmax\"}"),
		.runtime = mem_strdup("host"),
		.strategy = mem_strdup("full"),
		.elite_k = 6,
		.seed = UINT64_MAX - 1,
		.budget = 128,
		.time_limit_s = 12.5,
		.no_gain = 40,
		.target_ns = 5500.5,
		.priority = -3,
		.jobs = 4,
		.fresh = true,
		.devices = mem_strdup("[0,1]"),
		.shapes = mem_strdup("[\"small\"]"),
		.narrow = mem_strdup("{\"TILE\":\"8,16\"}"),
		.settings = mem_strdup("{\"pool\":320}"),
		.warm = mem_strdup("{\"from\":\"run 3\"}"),
		.state = RUN_QUEUED,
		.created_ms = 1700000000001,
		.version = mem_strdup("0.1"),
	};

	fill_hash(r.task_hash, 'a');
	fill_hash(r.source_hash, 'b');
	fill_hash(r.identity, 'c');
	return r;
}

static inline struct timing sample_timing(int shape, int n_samples)
{
	struct timing m = {
		.shape = shape,
		.mode = TIMING_CPU,
		.l2 = TIMING_L2_COLD,
		.p50_ns = 100.125,
		.mean_ns = 101,
		.stddev_ns = 2.5,
		.min_ns = 99,
		.p90_ns = 104,
		.p99_ns = 107,
		.ci_low_ns = 99.5,
		.ci_high_ns = 100.5,
		.launches_per_sample = 50,
		.aborted = true,
		.throttled = 3,
		.samples_ns = mem_array((size_t)n_samples, sizeof(double)),
		.n_samples = n_samples,
	};

	for (int i = 0; i < n_samples; i++)
		m.samples_ns[i] = 100 + i / 3.0;
	return m;
}

static inline struct check sample_check(int shape, uint64_t seed)
{
	struct check k = {
		.shape = shape,
		.reference = 2,
		.seed = seed,
		.max_abs = 0.5,
		.mean_abs = 0.25,
		.rel_l2 = 0.125,
		.bad_fraction = 0.0625,
		.nans = 7,
		.unwritten = 8,
		.first_bad = 9,
		.guards_intact = true,
		.deterministic = true,
	};

	snprintf(k.why, sizeof k.why, "max_abs 0.5, limit 0.1");
	return k;
}

static inline void sample_figures(struct trial_record *t)
{
	int64_t *figure = &t->ptxas.registers;
	double at = 1.7e12;

	for (size_t i = 0; i < sizeof t->ptxas / sizeof *figure; i++)
		figure[i] = 40 + (int64_t)i;
	figure = &t->function.registers;
	for (size_t i = 0; i < sizeof t->function / sizeof *figure; i++)
		figure[i] = 60 + (int64_t)i;
	t->clocks = (struct clocks){ 1980, 3201, 45, 350, 4 };
#define X(phase) t->at.phase = (at += 0.5);
	TRIAL_PHASE_MAP(X)
#undef X
}

/* Trial `no` of a run: with everything, ok, its configuration its own. */
static inline struct trial_record sample_trial(int64_t run, int64_t no)
{
	struct str config = STR_INIT;
	struct trial_record t = {
		.run = run,
		.no = no,
		.ask = no + 10,
		.asked_before = no + 20,
		.op = mem_strdup("crossover"),
		.parents = { 3, 5 },
		.generation = 2,
		.outcome = OUTCOME_OK,
		.detail = mem_strdup("nothing to say"),
		.origin = TRIAL_MEASURED,
		.score_ns = 1e6 - (double)no,
		.p50_ns = 900,
		.ci_low_ns = 890,
		.ci_high_ns = 910,
		.gates = mem_strdup("[\"registers\"]"),
		.log = mem_strdup("ptxas info : Used 40 registers"),
		.artifact_bytes = 4096,
		.compile_ms = 1,
		.load_ms = 2,
		.verify_ms = 3,
		.warm_ms = 4,
		.time_ms = 5,
		.search_ms = 6,
		.device = 1,
		.n_timings = 2,
		.n_checks = 9,
	};

	str_addf(&config, "{\"TILE\":%lld}", (long long)no);
	t.config = str_detach(&config);
	fill_hash(t.artifact, 'd');
	t.entry = mem_strdup("_Z6softmaxPf");
	sample_figures(&t);
	t.timings = mem_array(2, sizeof *t.timings);
	for (int i = 0; i < 2; i++)
		t.timings[i] = sample_timing(i, 15);
	t.checks = mem_array(9, sizeof *t.checks);
	for (int i = 0; i < 9; i++)
		t.checks[i] = sample_check(i / 3, UINT64_MAX - (uint64_t)i);
	return t;
}

/* Adds a run in a transaction of its own; its id. */
static inline int64_t add_run(struct store *s)
{
	struct run_record r = sample_run();
	int64_t id;

	must(store_begin(s, e));
	must(store_add_run(s, &r, NULL, 0, e));
	must(store_commit(s, e));
	id = r.id;
	run_record_release(&r);
	return id;
}

/* Adds a trial in a transaction of its own and releases it; its id. */
static inline int64_t add_trial(struct store *s, struct trial_record *t)
{
	int64_t id;

	must(store_begin(s, e));
	must(store_add_trial(s, t, e));
	must(store_commit(s, e));
	id = t->id;
	trial_record_release(t);
	return id;
}

static inline int64_t add_sample(struct store *s, int64_t run, int64_t no)
{
	struct trial_record t = sample_trial(run, no);

	return add_trial(s, &t);
}

/* One integer asked of the file behind the store's back. */
static inline int64_t ask_int(const char *path, const char *text)
{
	sqlite3_stmt *stmt = NULL;
	sqlite3 *db = NULL;
	int64_t n;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_prepare_v2(db, text, -1, &stmt, NULL) || sqlite3_step(stmt) != SQLITE_ROW)
		fail_msg("%s: %s", text, sqlite3_errmsg(db));
	n = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return n;
}

static inline void tell(const char *path, const char *text)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, text, NULL, NULL, NULL))
		fail_msg("%s: %s", text, sqlite3_errmsg(db));
	sqlite3_close(db);
}

static inline void assert_sound(const char *path)
{
	assert_int_equal(ask_int(path, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"),
			 1);
	assert_int_equal(ask_int(path, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
	assert_int_equal(ask_int(path, "SELECT count(*) FROM trial t WHERE NOT EXISTS "
				       "(SELECT 1 FROM ptxas p WHERE p.trial = t.id)"),
			 0);
	assert_int_equal(ask_int(path, "SELECT coalesce((SELECT sum(trials) FROM tally), 0) = "
				       "(SELECT count(*) FROM trial)"),
			 1);
}

#endif
