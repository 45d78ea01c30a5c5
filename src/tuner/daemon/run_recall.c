#include "tuner/daemon/run_types.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "tuner/daemon/row.h"

enum { ROWS_A_TURN = 32 };

struct walk {
	struct run *run;
	int left;
};

/* The verdict counts for later trials with the same binary and launches. */
static void know(struct run *r, const struct trial_record *row, const uint16_t *config)
{
	struct trial *t;
	struct verdict v = { 0 };
	struct err ignored;

	if (row->device < 0 || !row->artifact[0] || row->origin == TRIAL_SAME_CUBIN)
		return;
	t = trial_new();
	if (task_launches(r->setup.bound, config, &t->launches, &ignored) == 0) {
		t->n_launches = task_problem(r->setup.bound)->n_shapes;
		memcpy(t->artifact.hash, row->artifact, sizeof t->artifact.hash);
		trial_set_key(t);
		row_verdict(row, &v);
		if (row->origin == TRIAL_STORED)
			v.row = row->origin_trial;
		sched_know(r->sched, t->key, &v);
		verdict_release(&v);
	}
	trial_free(t);
}

static int on_row(void *ctx, const struct trial_record *row, struct err *e)
{
	struct walk *w = ctx;
	struct run *r = w->run;
	const struct space *s = task_space(r->setup.bound);
	int params = space_params(s), code;
	uint16_t *config;
	bool baseline;

	if (w->left-- == 0)
		return ERR_BUSY; /* enough for this turn */
	config = mem_array((size_t)params, sizeof *config);
	code = task_config_parse(s, row->config, config, e);
	if (code < 0) {
		free(config);
		return err_wrap(e, "trial %lld", (long long)row->no);
	}
	recall_row(&r->recall, r->search, params,
		   &(struct recall_row){ row->ask, row->asked_before, config,
					 row->outcome == OUTCOME_OK, row->score_ns });
	baseline = memcmp(config, r->baseline, (size_t)params * sizeof *config) == 0;
	row_count(&r->told, row, baseline);
	run_note_found(r, row, config);
	if (baseline && row->outcome == OUTCOME_OK)
		run_anchor(r, row);
	know(r, row, config);
	r->recalled = row->no;
	free(config);
	return 0;
}

static void done(struct run *r)
{
	if (r->recall.differing)
		log_warn("run %lld: this version of the search would not have proposed %lld of the "
			 "%lld stored trials; they count as history and the search goes on from "
			 "there",
			 (long long)r->record.id, (long long)r->recall.differing,
			 (long long)r->told.trials);
	r->stored = r->told;
	sched_set_done(r->sched, r->told.done);
}

bool run_recall(struct run *r)
{
	struct walk w = { r, ROWS_A_TURN };
	struct err e;
	int code = store_each_trial(r->w.store, r->record.id, r->recalled, on_row, &w, &e);

	if (code == ERR_BUSY && w.left < 0)
		return true;
	if (code < 0)
		run_doom(r, "cannot carry on: %s", e.msg);
	else
		done(r);
	return false;
}
