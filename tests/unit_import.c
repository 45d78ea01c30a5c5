/* Imports: from the readers of recordings to the rows of a run. */
#include "recording_fixture.h"
#include "store_fixture.h"

#include "tuner/daemon/import.h"
#include "tuner/task/task.h"

enum { RECORDED = 22, RECORDED_OK = 18 };

static struct import_result import(struct store *s, const char *file, const char *name)
{
	struct import_request q = { .file = file, .name = name };
	struct import_result x = { 0 };

	must(import_file(s, &q, &x, e));
	return x;
}

static char *write_file(const struct place *p, const char *name, const char *text)
{
	char *path = file_join(p->dir, name);

	must(file_write(path, text, strlen(text), e));
	return path;
}

/* --- rows --- */

struct walk {
	const struct recording *from;
	size_t n;
};

static int same_as_entry(void *ctx, const struct trial_record *t, struct err *e)
{
	struct walk *w = ctx;
	const struct recorded *x = &w->from->entry[w->n];
	size_t width = (size_t)space_params(w->from->space);
	char *config = task_config_json(w->from->space, w->from->config + w->n * width);

	(void)e;
	w->n++;
	assert_int_equal(t->no, w->n);
	assert_string_equal(t->config, config);
	assert_int_equal(t->outcome, x->outcome);
	if (x->ok && fabs(t->score_ns - x->value * 1e6) > 1e-3)
		fail_msg("%s: expected %g ns, found %g", x->key, x->value * 1e6, t->score_ns);
	free(config);
	return 0;
}

static void every_entry_is_a_trial_in_the_order_of_the_file(void **state)
{
	struct place *p = *state;
	struct recording *from = a_recording("kt.json");
	struct store *s = open_store(p->db, STORE_WRITE);
	struct import_result x = import(s, RECORDINGS "kt.json", NULL);
	struct walk w = { .from = from };
	struct run_summary sum;

	assert_int_equal(x.trials, RECORDED);
	assert_int_equal(x.illegal, 2);
	assert_int_equal(x.repeated, 0);
	must(store_each_trial(s, x.run, 0, same_as_entry, &w, e));
	assert_int_equal(w.n, RECORDED);
	must(store_summary(s, x.run, &sum, e));
	assert_int_equal(sum.by_outcome[OUTCOME_OK], RECORDED_OK);
	assert_int_equal(sum.best, recording_best(from) + 1);
	store_close(s);
	recording_free(from);
}

static void the_run_has_ended_and_says_what_it_is(void **state)
{
	struct place *p = *state;
	struct store *s = open_store(p->db, STORE_WRITE);
	struct import_result x = import(s, RECORDINGS "kt.json", NULL);
	struct run_record r;
	struct recording *about;

	must(store_run(s, x.run, &r, e));
	assert_true(run_recorded(&r));
	assert_int_equal(r.state, RUN_DONE);
	assert_string_equal(r.task_name, "nine");
	assert_int_equal(r.budget, RECORDED);
	assert_int_equal(r.started_ms, 1767225600000);
	must_fail(ERR_INVALID, "kt.json", run_need_kernel(&r, e));
	must(recording_described(r.task_text, &about, e));
	assert_string_equal(about->device, "Test GPU");
	assert_string_equal(about->problem_size, "[64,64]");
	assert_string_equal(about->text[2][1], "True");
	recording_free(about);
	run_record_release(&r);
	store_close(s);
}

static void one_file_is_imported_once_packed_or_not(void **state)
{
	struct place *p = *state;
	struct store *s = open_store(p->db, STORE_WRITE);
	struct import_result first = import(s, RECORDINGS "kt.json", NULL), again;

	assert_false(first.known);
	again = import(s, RECORDINGS "kt.json.gz", "another name");
	assert_true(again.known);
	assert_int_equal(again.run, first.run);
	again = import(s, RECORDINGS "kt_cut.json", NULL);
	assert_false(again.known);
	assert_true(again.dropped_bytes > 0);
	store_close(s);
	assert_int_equal(ask_int(p->db, "SELECT count(*) FROM run"), 2);
}

/* Three samples whose mean is not their median, in a file whose objective is a rate. */
static const char rates[] =
	"{\"device_name\": \"D\", \"kernel_name\": \"\", \"objective\": \"GFLOP/s\",\n"
	"\"tune_params_keys\": [\"a\", \"f\"],\n"
	"\"tune_params\": {\"a\": [1, 2, 3], \"f\": [1.0, 0.5]}, \"cache\": {\n"
	"\"1,1.0\": {\"a\": 1, \"f\": 1.0, \"time\": 4, \"times\": [1, 2, 9], \"GFLOP/s\": 50,\n"
	" \"compile_time\": 11, \"verification_time\": 12, \"benchmark_time\": 13,\n"
	" \"strategy_time\": 14, \"num_regs\": 40, \"timestamp\": \"2024-05-06 07:08:09+02:00\"},\n"
	"\"2,1.0\": {\"a\": 2, \"f\": 1.0, \"time\": 2, \"GFLOP/s\": 40},\n"
	"\"1,0.5\": {\"a\": 1, \"f\": 0.5, \"__error__\": \"RuntimeFailedConfig\",\n"
	" \"evo_tuned_outcome\": \"wrong\"},\n"
	"\"3,1.0\": {\"a\": 3, \"f\": 1.0, \"time\": NaN, \"GFLOP/s\": NaN},\n"
	"\"2,1\": {\"a\": 2, \"f\": 1.0, \"time\": 1, \"GFLOP/s\": 90}}}";

static void same_ms(const char *what, double found, double expected)
{
	if (fabs(found - expected) > 1e-9)
		fail_msg("%s: expected %.17g ms, found %.17g", what, expected, found);
}

static void times_samples_and_figures_are_kept(void **state)
{
	struct place *p = *state;
	struct store *s = open_store(p->db, STORE_WRITE);
	char *path = write_file(p, "rates.json", rates);
	struct import_result x = import(s, path, NULL);
	struct trial_record t;

	must(store_trial(s, x.run, 1, &t, e));
	same_ms("compile", t.compile_ms, 11);
	same_ms("verify", t.verify_ms, 12);
	same_ms("time", t.time_ms, 13);
	same_ms("search", t.search_ms, 14);
	assert_true(t.p50_ns == 2e6 && t.timings[0].mean_ns == 4e6);
	assert_int_equal(t.timings[0].mode, TIMING_RECORDED);
	assert_int_equal(t.timings[0].n_samples, 3);
	assert_true(t.timings[0].samples_ns[2] == 9e6);
	assert_int_equal(t.n_metrics, 2);
	assert_string_equal(t.metrics[0].name, "GFLOP/s");
	assert_string_equal(t.metrics[1].name, "num_regs");
	assert_true(t.metrics[1].value == 40);
	assert_true(t.at.stored == 1714972089000.0);
	trial_record_release(&t);
	must(store_trial(s, x.run, 3, &t, e));
	assert_int_equal(t.outcome, OUTCOME_WRONG);
	trial_record_release(&t);
	must(store_trial(s, x.run, 4, &t, e));
	assert_int_equal(t.outcome, OUTCOME_FAULT);
	trial_record_release(&t);
	store_close(s);
	free(path);
}

static void a_rate_ranks_and_a_repeated_configuration_counts_once(void **state)
{
	struct place *p = *state;
	struct store *s = open_store(p->db, STORE_WRITE);
	char *path = write_file(p, "rates.json", rates);
	struct import_result x = import(s, path, NULL);
	struct trial_record t;
	struct run_summary sum;

	assert_int_equal(x.trials, 4);
	assert_int_equal(x.repeated, 1);
	must(store_summary(s, x.run, &sum, e));
	assert_int_equal(sum.best, 1);
	must(store_trial(s, x.run, 2, &t, e));
	/* The best took 4 ms and is 50/40 times as good by its rate. */
	if (fabs(t.score_ns - 5e6) > 1e-3)
		fail_msg("score: expected 5e6 ns, found %g", t.score_ns);
	trial_record_release(&t);
	store_close(s);
	free(path);
}

static void the_name_is_the_one_given_or_the_kernels_or_the_files(void **state)
{
	struct place *p = *state;
	struct store *s = open_store(p->db, STORE_WRITE);
	char *path = write_file(p, "rates.v2.json", rates);
	struct import_request q = { .file = path, .name = "two\nlines" };
	struct import_result x;
	struct run_record r;

	must_fail(ERR_INVALID, "--name", import_file(s, &q, &x, e));
	x = import(s, path, NULL);
	must(store_run(s, x.run, &r, e));
	assert_string_equal(r.task_name, "rates");
	run_record_release(&r);
	x = import(s, RECORDINGS "kt_open.json", "mine");
	must(store_run(s, x.run, &r, e));
	assert_string_equal(r.task_name, "mine");
	run_record_release(&r);
	store_close(s);
	free(path);
}

/* --- what must not be --- */

static void what_cannot_be_imported_leaves_the_store_as_it_was(void **state)
{
	static const struct {
		const char *text, *part;
	} cases[] = {
		{ "{", "not JSON" },
		{ "{\"tune_params_keys\": [\"a\"], \"tune_params\": {\"a\": [1]}, \"objective\": "
		  "\"J\", \"cache\": {\"1\": {\"a\": 1, \"J\": 3}}}",
		  "configuration 1: expected the time of a launch" },
		{ "{\"tune_params_keys\": [\"a\"], \"tune_params\": {\"a\": [1]}, "
		  "\"cache\": {\"1\": {\"a\": 1, \"time\": 1e300}}}",
		  "configuration 1: expected the time of a launch" },
		{ "{\"tune_params_keys\": [\"a\"], \"tune_params\": {\"a\": [1e300]}, "
		  "\"cache\": {}}",
		  "tune_params.a[0]" },
	};
	struct place *p = *state;
	struct store *s = open_store(p->db, STORE_WRITE);
	struct import_result x;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *path = write_file(p, "bad.json", cases[i].text);
		struct import_request q = { .file = path };

		must_fail(ERR_INVALID, cases[i].part, import_file(s, &q, &x, e));
		must_fail(ERR_INVALID, "bad.json: ", import_file(s, &q, &x, e));
		free(path);
	}
	store_close(s);
	assert_int_equal(ask_int(p->db, "SELECT count(*) FROM run"), 0);
}

static void a_write_that_fails_on_the_way_takes_all_of_it_back(void **state)
{
	struct place *p = *state;
	struct import_request q = { .file = RECORDINGS "kt.json" };
	struct import_result x;
	struct store *s = open_store(p->db, STORE_WRITE);

	store_close(s);
	tell(p->db, "CREATE TRIGGER stop BEFORE INSERT ON trial WHEN NEW.no = 7 "
		    "BEGIN SELECT RAISE (ABORT, 'planted'); END");
	s = open_store(p->db, STORE_WRITE);
	must_fail(ERR_INVALID, "planted", import_file(s, &q, &x, e));
	assert_int_equal(ask_int(p->db, "SELECT count(*) FROM run"), 0);
	assert_int_equal(ask_int(p->db, "SELECT count(*) FROM event"), 0);
	store_close(s);
	tell(p->db, "DROP TRIGGER stop");
	s = open_store(p->db, STORE_WRITE);
	assert_int_equal(import(s, q.file, NULL).trials, RECORDED);
	store_close(s);
	assert_sound(p->db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_PLACE(every_entry_is_a_trial_in_the_order_of_the_file),
		IN_PLACE(the_run_has_ended_and_says_what_it_is),
		IN_PLACE(one_file_is_imported_once_packed_or_not),
		IN_PLACE(times_samples_and_figures_are_kept),
		IN_PLACE(a_rate_ranks_and_a_repeated_configuration_counts_once),
		IN_PLACE(the_name_is_the_one_given_or_the_kernels_or_the_files),
		IN_PLACE(what_cannot_be_imported_leaves_the_store_as_it_was),
		IN_PLACE(a_write_that_fails_on_the_way_takes_all_of_it_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
