#include "tuner/cli/replay.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "tuner/daemon/sched.h"

enum { DEVICES = 1, AHEAD_PER_DEVICE = 2 /* as the daemon's runs have it */ };

struct worker {
	struct trial *trial; /* NULL: idle */
	double end_s;
};

struct world {
	const struct recording *recording;
	const struct replay_options *options;
	struct replay_result *result;
	struct search *search;
	struct sched *sched;
	struct worker *compiler; /* n_compilers */
	int n_compilers;
	struct worker device;
	double now_s, cost;
	int64_t search_ns;
	size_t room;
	double optimum; /* the recording's least score */
	bool over;
	int status; /* of the log; below 0: e says why it is over */
	struct err *e;
};

static const struct recorded *entry_of(const struct world *w, const struct trial *t)
{
	return &w->recording->entry[recording_find(w->recording, t->config)];
}

static enum sched_offer propose(void *ctx, struct trial *t)
{
	struct world *w = ctx;
	struct proposal p;
	int64_t start = clock_mono_ns();
	bool any = search_ask(w->search, &p);

	w->search_ns += clock_mono_ns() - start;
	if (!any)
		return SCHED_NONE;
	t->ask = p.ask;
	t->config = p.config;
	return SCHED_NEW;
}

static void note_result(struct world *w, size_t i)
{
	struct replay_result *x = w->result;
	const struct recorded *entry = &w->recording->entry[i];

	if (x->n == w->room) {
		w->room = w->room ? 2 * w->room : 256;
		x->order = mem_grow(x->order, w->room, sizeof *x->order);
	}
	if (w->options->log)
		w->status = replay_log_put(w->options->log, x->n, i, w->e);
	if (w->status < 0)
		w->over = true;
	x->order[x->n++] = i;
	x->n_failed += !entry->ok;
	if (entry->ok && (x->best == w->recording->n ||
			  recording_score(w->recording, entry) <
				  recording_score(w->recording, &w->recording->entry[x->best])))
		x->best = i;
	if (w->options->until_optimum && entry->ok &&
	    recording_score(w->recording, entry) <= w->optimum)
		w->over = true;
	w->cost += entry->compile_s + entry->measure_s;
	if ((int64_t)x->n >= w->options->min_evals && w->cost > w->options->max_cost)
		w->over = true;
}

static void finish(void *ctx, struct trial *t)
{
	struct world *w = ctx;
	size_t i = recording_find(w->recording, t->config);
	const struct recorded *entry = &w->recording->entry[i];
	struct told told = { .ask = t->ask, .ok = entry->ok };
	int64_t start;

	if (entry->ok)
		told.score = recording_score(w->recording, entry);
	start = clock_mono_ns();
	search_tell(w->search, &told);
	w->search_ns += clock_mono_ns() - start;
	if (!w->over)
		note_result(w, i);
	trial_free(t);
}

/* Every configuration is a binary of its own: multiplying by an odd number keeps them apart, and
 * spreads them over the scheduler's table. */
static void set_key(const struct world *w, struct trial *t)
{
	uint64_t i = recording_find(w->recording, t->config);

	snprintf(t->key, sizeof t->key, "%016" PRIx64, i * UINT64_C(0x9e3779b97f4a7c15));
}

static void feed(struct world *w)
{
	for (int i = 0; i < w->n_compilers; i++) {
		struct worker *c = &w->compiler[i];

		if (!c->trial && (c->trial = sched_next_compile(w->sched)))
			c->end_s = w->now_s + entry_of(w, c->trial)->compile_s;
	}
	if (!w->device.trial && (w->device.trial = sched_next_measure(w->sched)))
		w->device.end_s = w->now_s + entry_of(w, w->device.trial)->measure_s;
}

/* The next one to be done; of several at the same time the device, then the first compiler. */
static struct worker *next_done(struct world *w)
{
	struct worker *next = w->device.trial ? &w->device : NULL;

	for (int i = 0; i < w->n_compilers; i++)
		if (w->compiler[i].trial && (!next || w->compiler[i].end_s < next->end_s))
			next = &w->compiler[i];
	return next;
}

static void end_work(struct world *w, struct worker *x)
{
	struct trial *t = x->trial;
	const struct recorded *entry = entry_of(w, t);

	w->now_s = x->end_s;
	x->trial = NULL;
	if (x == &w->device) {
		t->verdict.outcome = entry->ok ? OUTCOME_OK : OUTCOME_FAULT;
		sched_ended(w->sched, t);
	} else if (!recorded_compiled(entry)) {
		t->verdict.outcome = entry->outcome;
		sched_ended(w->sched, t);
	} else {
		set_key(w, t);
		sched_built(w->sched, t);
	}
}

static void run(struct world *w)
{
	struct worker *next;

	for (feed(w); !w->over && (next = next_done(w)); feed(w))
		end_work(w, next);
	w->result->virtual_s = w->now_s;
	w->result->search_s = (double)w->search_ns * 1e-9;
}

int replay_run(const struct recording *r, const struct replay_options *o, struct replay_result *ret,
	       struct err *e)
{
	struct replay_result result = { .best = r->n };
	struct world w = { .recording = r, .options = o, .result = &result, .e = e };
	const struct sched_io io = { .ctx = &w, .propose = propose, .finish = finish };
	int ahead = o->jobs ? o->jobs + DEVICES * AHEAD_PER_DEVICE : 1;
	const struct search_options so = {
		.strategy = o->strategy,
		.seed = o->seed,
		.elite_k = o->elite_k,
		.outstanding = ahead,
		.settings = o->settings,
		.first = o->warm,
		.n_first = o->n_warm,
		.n_warm = o->n_warm,
		.past = o->past,
		.n_past = o->n_past,
	};
	int status = search_new(r->space, &so, &w.search, e);

	if (status < 0)
		return status;
	w.optimum = recording_optimum(r);
	w.n_compilers = o->jobs ? o->jobs : 1;
	w.compiler = mem_array((size_t)w.n_compilers, sizeof *w.compiler);
	w.sched = sched_new(&io, o->max_evals);
	sched_set_lookahead(w.sched, ahead, ahead);
	run(&w);
	sched_free(w.sched);
	search_free(w.search);
	free(w.compiler);
	if (w.status < 0)
		replay_result_release(&result);
	else
		*ret = result;
	return w.status;
}

void replay_result_release(struct replay_result *x)
{
	free(x->order);
	*x = (struct replay_result){ 0 };
}
