#include "tuner/daemon/final.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "tuner/daemon/contest.h"
#include "tuner/daemon/score.h"

struct entrant {
	struct trial *trial;
	uint16_t *config; /* the trial's */
	int64_t no, row;
	int device;
	double penalty;
	int64_t registers;
	bool elite, baseline;
};

struct final {
	struct final_source src;
	struct entrant entrants[CONTEST_MAX];
	int n, elites_max;
	struct contest *contest; /* made by the first final_next */
	uint64_t seed;
	int round, step;
	struct final_time *times;
	int n_times;
};

/* --- who takes part --- */

static void entrant_release(struct entrant *x)
{
	trial_free(x->trial);
	free(x->config);
}

static int entrant_make(const struct final *f, const struct trial_record *row, struct entrant *ret,
			struct err *e)
{
	const struct space *s = task_space(f->src.bound);
	struct trial *t = trial_new();
	struct entrant x = {
		.trial = t,
		.config = mem_array((size_t)space_params(s), sizeof *x.config),
		.no = row->no,
		.row = row->origin_trial ? row->origin_trial : row->id,
		.device = row->device,
		.penalty = row->score_ns / row->p50_ns,
		.registers =
			row->ptxas.registers >= 0 ? row->ptxas.registers : row->function.registers,
	};
	int r = task_config_parse(s, row->config, x.config, e);

	if (r == 0)
		r = task_launches(f->src.bound, x.config, &t->launches, e);
	if (r < 0) {
		entrant_release(&x);
		return err_wrap(e, "trial %" PRId64, row->no);
	}
	t->n_launches = task_problem(f->src.bound)->n_shapes;
	t->config = x.config;
	t->artifact.ptxas = row->ptxas;
	memcpy(t->artifact.hash, row->artifact, sizeof t->artifact.hash);
	snprintf(t->artifact.lowered, sizeof t->artifact.lowered, "%s",
		 row->entry ? row->entry : "");
	trial_set_key(t);
	*ret = x;
	return 0;
}

/* One with an equal binary, launched alike; -1: none. */
static int find_equal(const struct final *f, const struct trial *t)
{
	for (int i = 0; i < f->n; i++)
		if (strcmp(f->entrants[i].trial->key, t->key) == 0)
			return i;
	return -1;
}

/* The index of the entrant that stands for the row. */
static int admit(struct final *f, const struct trial_record *row, struct err *e)
{
	struct entrant x = { 0 };
	int known, r = entrant_make(f, row, &x, e);

	if (r < 0)
		return r;
	assert(x.trial);
	known = find_equal(f, x.trial);
	if (known >= 0) {
		entrant_release(&x);
		return known;
	}
	f->entrants[f->n] = x;
	return f->n++;
}

static int on_best(void *ctx, const struct trial_record *row, struct err *e)
{
	struct final *f = ctx;
	int i = admit(f, row, e);

	if (i < 0)
		return i;
	f->entrants[i].elite = true;
	return f->n >= f->elites_max;
}

static int admit_baseline(struct final *f, struct err *e)
{
	const struct run_summary *s = f->src.summary;
	struct trial_record row;
	int r, i;

	if (!s->baseline || !(s->baseline_p50_ns > 0))
		return 0;
	r = store_trial(f->src.store, f->src.run->id, s->baseline, &row, e);
	if (r < 0)
		return r;
	i = admit(f, &row, e);
	trial_record_release(&row);
	if (i < 0)
		return i;
	f->entrants[i].baseline = true;
	return 0;
}

static bool is_own_seed(const struct problem *p, uint64_t seed)
{
	for (int i = 0; i < p->n_seeds; i++)
		if (p->seeds[i] == seed)
			return true;
	return seed == 0;
}

/* Of the run's seed and how far it has come, so that a final that was broken off is repeated alike,
 * and that of a run carried on brings other inputs. */
static uint64_t fresh_seed(const struct final_source *src)
{
	uint64_t stream = rng_stream_of("final") + (uint64_t)src->repeat, seed;
	struct rng rng;

	rng_init(&rng, src->run->seed + (uint64_t)src->summary->trials, stream);
	do
		seed = rng_u64(&rng) >> 1;
	while (is_own_seed(task_problem(src->bound), seed));
	return seed;
}

int final_new(const struct final_source *src, struct final **ret, struct err *e)
{
	struct final *f = mem_alloc(sizeof *f);
	int r;

	f->src = *src;
	f->elites_max = src->run->elite_k < CONTEST_MAX - 1 ? src->run->elite_k : CONTEST_MAX - 1;
	if (f->elites_max < 1)
		f->elites_max = 1; /* of a strategy that keeps none */
	f->seed = fresh_seed(src);
	r = store_top(src->store, src->run->id, -1, on_best, f, e);
	if (r >= 0)
		r = admit_baseline(f, e);
	if (r < 0 || f->n == 0) {
		final_free(f);
		f = NULL;
	}
	if (r == 0)
		*ret = f;
	return r;
}

void final_free(struct final *f)
{
	if (!f)
		return;
	for (int i = 0; i < f->n; i++)
		entrant_release(&f->entrants[i]);
	contest_free(f->contest);
	free(f->times);
	free(f);
}

int final_entrants(const struct final *f)
{
	return f->n;
}

struct trial *final_trial(const struct final *f, int i)
{
	return f->entrants[i].trial;
}

int final_device(const struct final *f)
{
	return f->entrants[0].device;
}

/* --- rounds --- */

static int index_of(const struct final *f, const struct trial *t)
{
	for (int i = 0; i < f->n; i++)
		if (f->entrants[i].trial == t)
			return i;
	abort();
}

static struct contest *contest_of(struct final *f)
{
	struct contest_entry entries[CONTEST_MAX];

	for (int i = 0; i < f->n; i++)
		entries[i] = (struct contest_entry){
			.no = f->entrants[i].no,
			.penalty = f->entrants[i].penalty,
			.registers = f->entrants[i].registers,
			.baseline = f->entrants[i].baseline,
		};
	if (!f->contest)
		f->contest = contest_new(entries, f->n, f->seed);
	return f->contest;
}

void final_out(struct final *f, const struct trial *t)
{
	contest_out(contest_of(f), index_of(f, t));
}

void final_spent(struct final *f, double ms, double active_s)
{
	double limit_ms = fmax(10e3, 1e3 * active_s / 4);

	if (ms > limit_ms / 2)
		contest_hurry(contest_of(f));
	if (ms > limit_ms)
		contest_stop(contest_of(f));
}

bool final_next(struct final *f, struct trial **ret, struct measure_job *ret_job)
{
	int i;

	if (!contest_next(contest_of(f), &i, &f->round))
		return false;
	*ret = f->entrants[i].trial;
	*ret_job = (struct measure_job){
		.artifact = (*ret)->artifact.path,
		.entry = (*ret)->artifact.lowered,
		.launches = (*ret)->launches,
		.n_launches = (*ret)->n_launches,
		.verify = f->round == 0,
		.time = true,
		.fresh_seed = f->seed,
	};
	return true;
}

static void keep_times(struct final *f, int i)
{
	const struct measurement *m = &f->entrants[i].trial->measurement;

	f->times = mem_grow(f->times, (size_t)(f->n_times + m->n_timings) + 1, sizeof *f->times);
	for (int k = 0; k < m->n_timings; k++)
		f->times[f->n_times++] = (struct final_time){
			.step = f->step,
			.round = f->round,
			.trial = f->entrants[i].no,
			.shape = m->timings[k].shape,
			.p50_ns = m->timings[k].p50_ns,
		};
	f->step++;
}

void final_measured(struct final *f, struct trial *t)
{
	score_measured(t, task_problem(f->src.bound));
	if (t->verdict.outcome != OUTCOME_OK) {
		final_out(f, t);
		return;
	}
	keep_times(f, index_of(f, t));
	contest_timed(f->contest, t->verdict.p50_ns);
}

/* --- what came of it --- */

static void fill_finalist(const struct final *f, const struct contest_place *p, bool won,
			  struct finalist_record *ret)
{
	const struct entrant *x = &f->entrants[p->entry];

	*ret = (struct finalist_record){
		.trial = x->no,
		.row = x->row,
		.elite = x->elite,
		.penalty = x->penalty,
		.outcome = p->out ? x->trial->verdict.outcome : OUTCOME_OK,
	};
	if (p->out) {
		ret->detail = mem_strdup(x->trial->verdict.detail ? x->trial->verdict.detail : "");
		return;
	}
	ret->tied = won && p->tied;
	ret->p50_ns = p->p50_ns;
	ret->ci_low_ns = p->ci_low_ns;
	ret->ci_high_ns = p->ci_high_ns;
	ret->spread = p->spread;
	ret->ratio = p->ratio;
}

void final_record_of(const struct final *f, double began_at, double ended_at,
		     struct final_record *ret)
{
	struct contest_result c;

	contest_judge(f->contest, &c);
	*ret = (struct final_record){
		.run = f->src.run->id,
		.trials = f->src.summary->trials,
		.device = final_device(f),
		.seed = f->seed,
		.rounds = c.rounds,
		.settled = c.settled,
		.winner = c.won ? f->entrants[c.places[0].entry].no : 0,
		.speedup = c.speedup,
		.began_at = began_at,
		.ended_at = ended_at,
		.finalists = mem_array((size_t)c.n, sizeof *ret->finalists),
		.n = c.n,
		.times = mem_array((size_t)f->n_times, sizeof *f->times),
		.n_times = f->n_times,
	};
	for (int i = 0; i < f->n_times; i++)
		ret->times[i] = f->times[i];
	for (int i = 0; i < f->n; i++)
		if (f->entrants[i].baseline)
			ret->baseline = f->entrants[i].no;
	for (int i = 0; i < c.n; i++)
		fill_finalist(f, &c.places[i], c.won, &ret->finalists[i]);
}
