#include "tuner/daemon/store_final.h"

#include <inttypes.h>

#include "base/mem.h"

/* --- writing --- */

static int add_head(struct sql *q, const struct final_record *f, struct err *e)
{
	struct sql_call c;

	sql_prepare(q, SQL_final_add, &c);
	sql_put_int(&c, f->run);
	sql_put_int(&c, f->trials);
	sql_put_int(&c, f->device);
	sql_put_u64(&c, f->seed);
	sql_put_int(&c, f->rounds);
	sql_put_int(&c, f->settled);
	sql_put_some_int(&c, f->baseline);
	sql_put_some_int(&c, f->winner);
	sql_put_some_real(&c, f->speedup.ratio);
	sql_put_some_real(&c, f->speedup.ci_low);
	sql_put_some_real(&c, f->speedup.ci_high);
	sql_put_real(&c, f->began_at);
	sql_put_real(&c, f->ended_at);
	return sql_run(&c, e);
}

static int add_finalist(struct sql *q, int64_t final, int place, const struct finalist_record *x,
			struct err *e)
{
	struct sql_call c;

	sql_prepare(q, SQL_finalist_add, &c);
	sql_put_int(&c, final);
	sql_put_int(&c, place);
	sql_put_int(&c, x->trial);
	sql_put_int(&c, x->row);
	sql_put_int(&c, x->elite);
	sql_put_int(&c, x->tied);
	sql_put_text(&c, outcome_name(x->outcome));
	sql_put_text(&c, x->detail);
	sql_put_real(&c, x->penalty);
	sql_put_some_real(&c, x->p50_ns);
	sql_put_some_real(&c, x->ci_low_ns);
	sql_put_some_real(&c, x->ci_high_ns);
	sql_put_real(&c, x->spread);
	sql_put_some_real(&c, x->ratio.ratio);
	sql_put_some_real(&c, x->ratio.ci_low);
	sql_put_some_real(&c, x->ratio.ci_high);
	return sql_run(&c, e);
}

static int add_time(struct sql *q, int64_t final, const struct final_time *t, struct err *e)
{
	struct sql_call c;

	sql_prepare(q, SQL_final_time_add, &c);
	sql_put_int(&c, final);
	sql_put_int(&c, t->step);
	sql_put_int(&c, t->round);
	sql_put_int(&c, t->trial);
	sql_put_int(&c, t->shape);
	sql_put_real(&c, t->p50_ns);
	return sql_run(&c, e);
}

int store_final_add(struct sql *q, struct final_record *f, struct err *e)
{
	int r = add_head(q, f, e);
	int64_t id = sql_last_id(q);

	for (int i = 0; r == 0 && i < f->n; i++)
		r = add_finalist(q, id, i + 1, &f->finalists[i], e);
	for (int i = 0; r == 0 && i < f->n_times; i++)
		r = add_time(q, id, &f->times[i], e);
	if (r < 0)
		return err_wrap(e, "run %" PRId64 ", its final", f->run);
	f->id = id;
	return 0;
}

int store_drift_add(struct sql *q, const struct drift_record *d, struct err *e)
{
	struct sql_call c;

	sql_prepare(q, SQL_drift_add, &c);
	sql_put_int(&c, d->run);
	sql_put_int(&c, d->device);
	sql_put_int(&c, d->trials);
	sql_put_real(&c, d->at);
	sql_put_real(&c, d->p50_ns);
	sql_put_real(&c, d->ci_low_ns);
	sql_put_real(&c, d->ci_high_ns);
	sql_put_known_real(&c, d->clocks.sm_mhz);
	sql_put_known_real(&c, d->clocks.memory_mhz);
	sql_put_known_real(&c, d->clocks.celsius);
	sql_put_known_real(&c, d->clocks.watts);
	sql_put_known_int(&c, d->clocks.throttle);
	return sql_run(&c, e);
}

/* --- reading --- */

static void take_head(struct sql_call *c, struct final_record *f)
{
	f->id = sql_take_int(c);
	f->run = sql_take_int(c);
	f->trials = sql_take_int(c);
	f->device = (int)sql_take_int(c);
	f->seed = sql_take_u64(c);
	f->rounds = (int)sql_take_int(c);
	f->settled = sql_take_int(c);
	f->baseline = sql_take_int(c);
	f->winner = sql_take_int(c);
	f->speedup.ratio = sql_take_some_real(c);
	f->speedup.ci_low = sql_take_some_real(c);
	f->speedup.ci_high = sql_take_some_real(c);
	f->speedup.rounds = f->rounds;
	f->began_at = sql_take_some_real(c);
	f->ended_at = sql_take_some_real(c);
}

static int take_finalist(struct sql_call *c, struct finalist_record *x)
{
	int r;

	x->trial = sql_take_int(c);
	x->row = sql_take_int(c);
	x->elite = sql_take_int(c);
	x->tied = sql_take_int(c);
	r = outcome_parse(sql_peek_text(c), &x->outcome);
	x->detail = sql_take_text(c);
	x->penalty = sql_take_some_real(c);
	x->p50_ns = sql_take_some_real(c);
	x->ci_low_ns = sql_take_some_real(c);
	x->ci_high_ns = sql_take_some_real(c);
	x->spread = sql_take_some_real(c);
	x->ratio.ratio = sql_take_some_real(c);
	x->ratio.ci_low = sql_take_some_real(c);
	x->ratio.ci_high = sql_take_some_real(c);
	return r;
}

static int read_finalists(struct sql *q, struct final_record *f, struct err *e)
{
	struct sql_call c;
	int r;

	sql_prepare(q, SQL_finalist_each, &c);
	sql_put_int(&c, f->id);
	while ((r = sql_step(&c, e)) > 0) {
		int n = f->n++;

		f->finalists = mem_grow(f->finalists, (size_t)n + 1, sizeof *f->finalists);
		if (take_finalist(&c, &f->finalists[n])) {
			r = err_set(e, ERR_INVALID,
				    "%s: the final of run %" PRId64 " holds an outcome that this "
				    "evo-tuned does not know; put a copy of the file in its place",
				    q->path, f->run);
			break;
		}
		f->finalists[n].ratio.rounds = f->rounds;
	}
	sql_end(&c);
	return r;
}

static int read_times(struct sql *q, struct final_record *f, struct err *e)
{
	struct sql_call c;
	int r;

	sql_prepare(q, SQL_final_time_each, &c);
	sql_put_int(&c, f->id);
	while ((r = sql_step(&c, e)) > 0) {
		struct final_time *t;

		f->times = mem_grow(f->times, (size_t)f->n_times + 1, sizeof *f->times);
		t = &f->times[f->n_times++];
		t->step = (int)sql_take_int(&c);
		t->round = (int)sql_take_int(&c);
		t->trial = sql_take_int(&c);
		t->shape = (int)sql_take_int(&c);
		t->p50_ns = sql_take_some_real(&c);
	}
	sql_end(&c);
	return r;
}

int store_final_newest(struct sql *q, int64_t run, bool times, struct final_record *ret,
		       struct err *e)
{
	struct final_record f = { 0 };
	struct sql_call c;
	int r;

	sql_prepare(q, SQL_final_of_run, &c);
	sql_put_int(&c, run);
	r = sql_step(&c, e);
	if (r > 0)
		take_head(&c, &f);
	sql_end(&c);
	if (r > 0) {
		r = read_finalists(q, &f, e);
		if (r == 0 && times)
			r = read_times(q, &f, e);
	}
	if (r < 0)
		final_record_release(&f);
	else
		*ret = f;
	return r;
}

int store_drift_each(struct sql *q, int64_t run, store_on_drift *f, void *ctx, struct err *e)
{
	struct sql_call c;
	int r;

	sql_prepare(q, SQL_drift_each, &c);
	sql_put_int(&c, run);
	while ((r = sql_step(&c, e)) > 0) {
		struct drift_record d = { .id = sql_take_int(&c) };

		d.run = sql_take_int(&c);
		d.device = (int)sql_take_int(&c);
		d.trials = sql_take_int(&c);
		d.at = sql_take_some_real(&c);
		d.p50_ns = sql_take_some_real(&c);
		d.ci_low_ns = sql_take_some_real(&c);
		d.ci_high_ns = sql_take_some_real(&c);
		d.clocks.sm_mhz = sql_take_known_real(&c);
		d.clocks.memory_mhz = sql_take_known_real(&c);
		d.clocks.celsius = sql_take_known_real(&c);
		d.clocks.watts = sql_take_known_real(&c);
		d.clocks.throttle = sql_take_known_int(&c);
		r = f(ctx, &d, e);
		if (r)
			break;
	}
	sql_end(&c);
	return r;
}
