#include "tuner/daemon/ranking.h"

struct ranking {
	const struct run_summary *sum;
	const struct final_record *final; /* n is 0: none */
	ranking_on_row *on_row;
	void *ctx;
	int64_t left;
};

static const struct finalist_record *finalist_of(const struct ranking *r,
						 const struct trial_record *t)
{
	int64_t row = t->origin_trial ? t->origin_trial : t->id;

	for (int i = 0; i < r->final->n; i++)
		if (r->final->finalists[i].row == row)
			return &r->final->finalists[i];
	return NULL;
}

static bool is_placed(const struct finalist_record *x)
{
	return x->elite && x->outcome == OUTCOME_OK;
}

static int hand_out(struct ranking *r, const struct trial_record *t,
		    const struct finalist_record *x, struct err *e)
{
	int code = r->on_row(r->ctx, t, x, e);

	return code ? code : --r->left == 0;
}

static int on_other(void *ctx, const struct trial_record *t, struct err *e)
{
	struct ranking *r = ctx;
	const struct finalist_record *x = finalist_of(r, t);

	if (x && (x->outcome != OUTCOME_OK || (x->trial == t->no && is_placed(x))))
		return 0;
	return hand_out(r, t, x, e);
}

static int hand_out_placed(struct ranking *r, struct store *s, struct err *e)
{
	int code = 0;

	for (int i = 0; code == 0 && i < r->final->n; i++) {
		const struct finalist_record *x = &r->final->finalists[i];
		struct trial_record t;

		if (!is_placed(x))
			continue;
		code = store_trial(s, r->sum->run, x->trial, &t, e);
		if (code < 0)
			return code;
		code = hand_out(r, &t, x, e);
		trial_record_release(&t);
	}
	return code;
}

int ranking_each(struct store *s, const struct run_summary *sum, const struct final_record *f,
		 const struct ranking_to *to, struct err *e)
{
	static const struct final_record none = { 0 };
	struct ranking r = { sum, sum->final ? f : &none, to->on_row, to->ctx, to->k };
	int code = hand_out_placed(&r, s, e);

	if (code == 0)
		code = store_top(s, sum->run, -1, on_other, &r, e);
	return code < 0 ? code : 0;
}
