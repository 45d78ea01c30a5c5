#include "tuner/daemon/store_run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tuner/daemon/row.h"
#include "tuner/daemon/store_final.h"
#include "tuner/daemon/store_trial.h"

/* --- writing --- */

/* What may change of a run, in the order of run_add's end and of run_update. */
static void put_changing(struct sql_call *c, const struct run_record *r)
{
	sql_put_int(c, r->budget);
	sql_put_some_real(c, r->time_limit_s);
	sql_put_some_int(c, r->no_gain);
	sql_put_some_real(c, r->target_ns);
	sql_put_some_real(c, r->target_share);
	sql_put_some_real(c, r->found_share);
	sql_put_int(c, r->priority);
	sql_put_text(c, r->baseline);
	sql_put_some_int(c, r->environment);
	sql_put_text(c, run_state_name(r->state));
	sql_put_text(c, r->reason);
	sql_put_some_int(c, r->started_ms);
	sql_put_some_int(c, r->ended_ms);
	sql_put_real(c, r->active_s);
}

static int add_row(struct sql *q, const struct run_record *r, struct err *e)
{
	struct sql_call c;

	sql_prepare(q, SQL_run_add, &c);
	sql_put_text(&c, r->task_name);
	sql_put_text(&c, r->task_path);
	sql_put_text(&c, r->task_text);
	sql_put_text(&c, r->task_hash);
	sql_put_text(&c, r->source_hash);
	sql_put_text(&c, r->identity);
	sql_put_text(&c, r->runtime);
	sql_put_text(&c, r->strategy);
	sql_put_int(&c, r->elite_k);
	sql_put_u64(&c, r->seed);
	sql_put_some_int(&c, r->jobs);
	sql_put_int(&c, r->fresh);
	sql_put_text(&c, r->devices);
	sql_put_text(&c, r->shapes);
	sql_put_text(&c, r->narrow);
	sql_put_text(&c, r->settings);
	sql_put_text(&c, r->warm);
	sql_put_int(&c, r->created_ms);
	sql_put_text(&c, r->version);
	put_changing(&c, r);
	return sql_run(&c, e);
}

static int add_source(struct sql *q, int64_t run, int no, const struct store_source *s,
		      struct err *e)
{
	struct sql_call c;
	int r;

	sql_prepare(q, SQL_source_add, &c);
	sql_put_text(&c, s->hash);
	sql_put_blob(&c, s->text, s->len);
	r = sql_run(&c, e);
	if (r < 0)
		return r;
	sql_prepare(q, SQL_run_source_add, &c);
	sql_put_int(&c, run);
	sql_put_int(&c, no);
	sql_put_text(&c, s->path);
	sql_put_text(&c, s->hash);
	return sql_run(&c, e);
}

int store_run_add(struct sql *q, struct run_record *r, const struct store_source *sources, int n,
		  struct err *e)
{
	int64_t id;

	if (add_row(q, r, e))
		return e->code;
	id = sql_last_id(q);
	for (int i = 0; i < n; i++)
		if (add_source(q, id, i, &sources[i], e))
			return err_wrap(e, "source %s", sources[i].path);
	r->id = id;
	return 0;
}

int store_run_update(struct sql *q, const struct run_record *r, struct err *e)
{
	struct sql_call c;

	sql_prepare(q, SQL_run_update, &c);
	put_changing(&c, r);
	sql_put_int(&c, r->id);
	if (sql_run(&c, e))
		return e->code;
	if (sql_changes(q) == 0)
		return err_set(e, ERR_MISSING, "%s: no run %" PRId64, q->path, r->id);
	return 0;
}

/* --- reading --- */

/* In the order of the table's columns. */
static int take_row(struct sql_call *c, struct run_record *ret, struct err *e)
{
	memset(ret, 0, sizeof *ret);
	ret->id = sql_take_int(c);
	ret->task_name = sql_take_text(c);
	ret->task_path = sql_take_text(c);
	ret->task_text = sql_take_text(c);
	sql_take_text_into(c, ret->task_hash, sizeof ret->task_hash);
	sql_take_text_into(c, ret->source_hash, sizeof ret->source_hash);
	sql_take_text_into(c, ret->identity, sizeof ret->identity);
	ret->runtime = sql_take_text(c);
	ret->strategy = sql_take_text(c);
	ret->elite_k = (int)sql_take_int(c);
	ret->seed = sql_take_u64(c);
	ret->budget = sql_take_int(c);
	ret->time_limit_s = sql_take_some_real(c);
	ret->no_gain = sql_take_int(c);
	ret->target_ns = sql_take_some_real(c);
	ret->priority = (int)sql_take_int(c);
	ret->jobs = (int)sql_take_int(c);
	ret->fresh = sql_take_int(c);
	ret->devices = sql_take_text(c);
	ret->shapes = sql_take_text(c);
	ret->narrow = sql_take_text(c);
	ret->settings = sql_take_text(c);
	ret->warm = sql_take_text(c);
	ret->baseline = sql_take_text(c);
	ret->environment = sql_take_int(c);
	if (run_state_parse(sql_peek_text(c), &ret->state))
		return err_set(e, ERR_INVALID,
			       "%s: run %" PRId64 " is in a state that this evo-tuned does not "
			       "know; put a copy of the file in its place",
			       c->sql->path, ret->id);
	ret->reason = sql_take_text(c);
	ret->created_ms = sql_take_int(c);
	ret->started_ms = sql_take_int(c);
	ret->ended_ms = sql_take_int(c);
	ret->active_s = sql_take_some_real(c);
	ret->version = sql_take_text(c);
	ret->target_share = sql_take_some_real(c);
	ret->found_share = sql_take_some_real(c);
	return 0;
}

int store_run_each(struct sql_call *c, store_on_run *f, void *ctx, struct err *e)
{
	int r;

	while ((r = sql_step(c, e)) > 0) {
		struct run_record run;

		r = take_row(c, &run, e);
		if (r == 0)
			r = f(ctx, &run, e);
		run_record_release(&run);
		if (r)
			break;
	}
	sql_end(c);
	return r;
}

int store_run_one(struct sql *q, int64_t id, struct run_record *ret, struct err *e)
{
	struct run_record run = { 0 };
	struct sql_call c;
	int r;

	sql_prepare(q, SQL_run_by_id, &c);
	sql_put_int(&c, id);
	r = sql_first(&c, "run", id, e);
	if (r == 0)
		r = take_row(&c, &run, e);
	sql_end(&c);
	if (r < 0)
		run_record_release(&run);
	else
		*ret = run;
	return r;
}

int store_run_sources(struct sql *q, int64_t run, store_on_source *f, void *ctx, struct err *e)
{
	struct sql_call c;
	int r;

	sql_prepare(q, SQL_source_each, &c);
	sql_put_int(&c, run);
	while ((r = sql_step(&c, e)) > 0) {
		struct store_source s = { .path = sql_peek_text(&c) };

		s.text = sql_peek_blob(&c, &s.len);
		s.hash = sql_peek_text(&c);
		r = f(ctx, &s, e);
		if (r)
			break;
	}
	sql_end(&c);
	return r;
}

/* --- summary --- */

static int count_trials(struct sql *q, struct run_summary *s, struct err *e)
{
	struct sql_call c;
	int r;

	sql_prepare(q, SQL_tally_each, &c);
	sql_put_int(&c, s->run);
	while ((r = sql_step(&c, e)) > 0) {
		enum outcome outcome;
		enum trial_origin origin;
		int64_t n;

		if (outcome_parse(sql_peek_text(&c), &outcome) ||
		    trial_origin_parse(sql_peek_text(&c), &origin)) {
			r = err_set(e, ERR_INVALID, "%s: run %" PRId64 " counts unknown outcomes",
				    q->path, s->run);
			break;
		}
		n = sql_take_int(&c);
		s->trials += n;
		s->by_outcome[outcome] += n;
		*(origin == TRIAL_STORED ? &s->reused : &s->done) += n;
	}
	sql_end(&c);
	return r;
}

static int find_best(struct sql *q, struct run_summary *s, struct err *e)
{
	struct sql_call c;
	int r;

	sql_prepare(q, SQL_trial_best, &c);
	sql_put_int(&c, s->run);
	r = sql_step(&c, e);
	if (r > 0) {
		s->best = sql_take_int(&c);
		s->best_ns = sql_take_some_real(&c);
		s->best_p50_ns = sql_take_some_real(&c);
		s->found = s->best;
		s->found_p50_ns = s->best_p50_ns;
	}
	sql_end(&c);
	return r < 0 ? r : 0;
}

static int find_baseline(struct sql *q, struct run_summary *s, const unsigned char *key,
			 struct err *e)
{
	struct sql_call c;
	int r;

	sql_prepare(q, SQL_trial_of_key, &c);
	sql_put_int(&c, s->run);
	sql_put_blob(&c, key, TRIAL_KEY_BYTES);
	r = sql_step(&c, e);
	if (r > 0) {
		s->baseline = sql_take_int(&c);
		s->baseline_p50_ns = sql_take_some_real(&c);
	}
	sql_end(&c);
	return r < 0 ? r : 0;
}

/* Sets key to that of the run's baseline. */
static int baseline_key(struct sql *q, int64_t run, unsigned char key[TRIAL_KEY_BYTES],
			struct err *e)
{
	struct sql_call c;
	int r;

	sql_prepare(q, SQL_identity_of_run, &c);
	sql_put_int(&c, run);
	r = sql_first(&c, "run", run, e);
	if (r == 0) {
		const char *identity = sql_peek_text(&c);

		store_trial_key(identity, sql_peek_text(&c), key);
	}
	sql_end(&c);
	return r;
}

/* One that was made before the run had all of its trials says nothing any more. */
static int find_final(struct sql *q, struct run_summary *s, struct err *e)
{
	struct final_record f;
	int r = store_final_newest(q, s->run, false, &f, e);

	if (r < 0)
		return r;
	if (f.id && f.trials == s->trials)
		row_final(s, &f);
	final_record_release(&f);
	return 0;
}

int store_run_summary(struct sql *q, int64_t run, struct run_summary *ret, struct err *e)
{
	struct run_summary s = { .run = run };
	unsigned char key[TRIAL_KEY_BYTES];
	int r;

	r = baseline_key(q, run, key, e);
	if (r == 0)
		r = count_trials(q, &s, e);
	if (r == 0)
		r = find_best(q, &s, e);
	if (r == 0)
		r = find_baseline(q, &s, key, e);
	row_speedup(&s);
	if (r == 0)
		r = find_final(q, &s, e);
	if (r == 0)
		*ret = s;
	return r;
}
