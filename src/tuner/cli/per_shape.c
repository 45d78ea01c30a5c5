#include "tuner/cli/per_shape.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tuner/daemon/ranking.h"

/* A configuration's time on one shape. */
struct time {
	int run; /* an index */
	int64_t trial;
	char *config;
	int answer;
	double p50_ns, score_ns;
	bool asked; /* may be the shape's answer, and not only compared */
};

struct gathering {
	struct stored *runs;
	struct per_shape *to;
	struct time *times;
	int n_times, run;
	bool single; /* the run timed one shape */
	enum timing_mode mode;
	enum timing_l2 l2;
};

/* --- which runs go together --- */

static int differ(const struct stored *a, const struct stored *b, const char *what, struct err *e)
{
	return err_set(e, ERR_INVALID,
		       "runs %" PRId64 " and %" PRId64 " differ in their %s: one header takes runs "
		       "of one task, its shapes aside, on one device",
		       a->run.id, b->run.id, what);
}

static bool same_parameters(const struct space *a, const struct space *b)
{
	bool same = space_params(a) == space_params(b);

	for (int i = 0; same && i < space_params(a); i++)
		same = strcmp(space_name(a, i), space_name(b, i)) == 0;
	return same;
}

static bool same_dimensions(const struct task *a, const struct task *b)
{
	const int64_t *ignored;
	int n = task_shape_dims(a, 0, &ignored);
	bool same = task_shape_dims(b, 0, &ignored) == n;

	for (int i = 0; same && i < n; i++)
		same = strcmp(task_dim_name(a, i), task_dim_name(b, i)) == 0;
	return same;
}

static int check_alike(const struct stored *a, const struct stored *b, struct err *e)
{
	if (strcmp(a->run.task_name, b->run.task_name) != 0)
		return differ(a, b, "task", e);
	if (strcmp(a->run.source_hash, b->run.source_hash) != 0)
		return differ(a, b, "sources", e);
	if (strcmp(a->setup.devices->name, b->setup.devices->name) != 0)
		return differ(a, b, "device", e);
	if (!same_parameters(task_space(a->setup.bound), task_space(b->setup.bound)))
		return differ(a, b, "parameters", e);
	if (!same_dimensions(a->setup.task, b->setup.task))
		return differ(a, b, "dimensions", e);
	return 0;
}

/* --- times --- */

static int find_answer(struct per_shape *p, const struct stored *s, int shape)
{
	const char *name = task_problem(s->setup.bound)->shapes[shape].name;
	const int64_t *dims;

	p->n_dims = task_shape_dims(s->setup.task, task_find_shape(s->setup.task, name), &dims);
	for (int i = 0; i < p->n_answers; i++)
		if (memcmp(p->answers[i].dims, dims, (size_t)p->n_dims * sizeof *dims) == 0)
			return i;
	p->answers = mem_grow(p->answers, (size_t)p->n_answers + 1, sizeof *p->answers);
	p->answers[p->n_answers] = (struct per_shape_answer){ mem_strdup(name), dims, -1, 0 };
	return p->n_answers++;
}

static void add_time(struct gathering *g, const struct trial_record *t, const struct timing *timing,
		     const struct finalist_record *x)
{
	const struct stored *s = &g->runs[g->run];
	double penalty = t->p50_ns > 0 ? t->score_ns / t->p50_ns : 1;
	double p50_ns = g->single && x && x->p50_ns > 0 ? x->p50_ns : timing->p50_ns;
	bool asked = !g->single || g->n_times == 0 || g->times[g->n_times - 1].run != g->run;

	g->times = mem_grow(g->times, (size_t)g->n_times + 1, sizeof *g->times);
	g->times[g->n_times++] = (struct time){
		.run = g->run,
		.trial = t->no,
		.config = mem_strdup(t->config),
		.answer = find_answer(g->to, s, timing->shape),
		.p50_ns = p50_ns,
		.score_ns = p50_ns * penalty,
		.asked = asked,
	};
}

static int on_ranked(void *ctx, const struct trial_record *t, const struct finalist_record *x,
		     struct err *e)
{
	struct gathering *g = ctx;
	const struct stored *s = &g->runs[g->run];
	struct trial_record whole;
	int r = store_trial(s->store, s->run.id, t->no, &whole, e);

	if (r < 0)
		return r;
	for (int i = 0; i < whole.n_timings && r == 0; i++) {
		const struct timing *timing = &whole.timings[i];

		if (g->n_times == 0) {
			g->mode = timing->mode;
			g->l2 = timing->l2;
		}
		if (timing->mode != g->mode || timing->l2 != g->l2)
			r = differ(&g->runs[0], s, "way of timing", e);
		else if (timing->p50_ns > 0)
			add_time(g, &whole, timing, x);
	}
	trial_record_release(&whole);
	return r;
}

static bool times_one_shape(const struct problem *p)
{
	int n = 0;

	for (int i = 0; i < p->n_shapes; i++)
		n += p->shapes[i].time;
	return n == 1;
}

static int gather_run(struct gathering *g, struct err *e)
{
	struct stored *s = &g->runs[g->run];
	struct ranking_to to = { .on_row = on_ranked, .ctx = g, .k = INT64_MAX };
	struct final_record final = { 0 };
	int before = g->n_times, r = stored_bind(s, e);

	if (r == 0 && g->run > 0)
		r = check_alike(&g->runs[0], s, e);
	if (r == 0)
		r = store_final(s->store, s->run.id, false, &final, e);
	if (r < 0)
		return r;
	g->single = times_one_shape(task_problem(s->setup.bound));
	r = ranking_each(s->store, &s->summary, &final, &to, e);
	if (r == 0 && g->n_times == before)
		r = err_set(e, ERR_FAILED, "run %" PRId64 " has no correct configuration",
			    s->run.id);
	final_record_release(&final);
	return r;
}

/* --- the choice --- */

static const struct time *best_of(const struct gathering *g, int answer)
{
	const struct time *best = NULL;

	for (int i = 0; i < g->n_times; i++) {
		const struct time *t = &g->times[i];

		if (t->asked && t->answer == answer && (!best || t->score_ns < best->score_ns))
			best = t;
	}
	return best;
}

static int add_entry(struct gathering *g, const struct time *t, struct err *e)
{
	struct per_shape *p = g->to;
	struct stored *s = &g->runs[t->run];
	struct per_shape_entry *entry;
	int r;

	for (int i = 0; i < p->n_entries; i++)
		if (strcmp(p->entries[i].trial.config, t->config) == 0)
			return i;
	p->entries = mem_grow(p->entries, (size_t)p->n_entries + 1, sizeof *p->entries);
	entry = &p->entries[p->n_entries];
	memset(entry, 0, sizeof *entry);
	entry->stored = s;
	r = store_trial(s->store, s->run.id, t->trial, &entry->trial, e);
	if (r < 0)
		return r;
	p->n_entries++;
	r = task_config_parse(task_space(s->setup.bound), entry->trial.config, entry->position, e);
	return r < 0 ? r : p->n_entries - 1;
}

/* How good a configuration is on all shapes. */
struct mark {
	int n;	      /* shapes that it was timed on */
	double score; /* geometric mean of its scores over the best ones */
};

/* Of n times of one configuration; the least counts where a shape has several. */
static struct mark mark_of(const struct time *times, int n, const double *best, int n_answers)
{
	struct mark x = { 0 };
	double sum = 0;

	for (int a = 0; a < n_answers; a++) {
		double least = INFINITY;

		for (int i = 0; i < n; i++)
			if (times[i].answer == a)
				least = fmin(least, times[i].score_ns);
		if (isinf(least))
			continue;
		sum += log(least / best[a]);
		x.n++;
	}
	x.score = exp(sum / fmax(x.n, 1));
	return x;
}

static int by_config(const void *a, const void *b)
{
	const struct time *x = a, *y = b;
	int order = strcmp(x->config, y->config);

	if (order == 0)
		order = (x->run > y->run) - (x->run < y->run);
	return order ? order : (x->trial > y->trial) - (x->trial < y->trial);
}

/* Sorts the times. */
static const struct time *choose_default(struct gathering *g, const double *best)
{
	struct mark most = { 0 };
	const struct time *chosen = NULL;
	int next;

	if (g->n_times > 1)
		qsort(g->times, (size_t)g->n_times, sizeof *g->times, by_config);
	for (int i = 0; i < g->n_times; i = next) {
		struct mark x;

		for (next = i + 1; next < g->n_times; next++)
			if (strcmp(g->times[next].config, g->times[i].config) != 0)
				break;
		x = mark_of(&g->times[i], next - i, best, g->to->n_answers);
		if (x.n > most.n || (x.n == most.n && x.score < most.score)) {
			most = x;
			chosen = &g->times[i];
		}
	}
	g->to->n_timed = most.n;
	return chosen;
}

static int choose(struct gathering *g, struct err *e)
{
	struct per_shape *p = g->to;
	double *best = mem_array((size_t)p->n_answers, sizeof *best);
	int r = 0;

	for (int a = 0; a < p->n_answers && r >= 0; a++) {
		const struct time *t = best_of(g, a);

		best[a] = t->score_ns;
		p->answers[a].p50_ns = t->p50_ns;
		r = p->answers[a].entry = add_entry(g, t, e);
	}
	if (r >= 0)
		r = p->by_default = add_entry(g, choose_default(g, best), e);
	free(best);
	return r < 0 ? r : 0;
}

int per_shape_gather(struct stored *runs, int n, struct per_shape *ret, struct err *e)
{
	struct per_shape p = { 0 };
	struct gathering g = { .runs = runs, .to = &p };
	int r = 0;

	for (; g.run < n && r == 0; g.run++)
		r = gather_run(&g, e);
	if (r == 0)
		r = choose(&g, e);
	for (int i = 0; i < g.n_times; i++)
		free(g.times[i].config);
	free(g.times);
	if (r < 0)
		per_shape_release(&p);
	else
		*ret = p;
	return r;
}

void per_shape_release(struct per_shape *p)
{
	for (int i = 0; i < p->n_entries; i++)
		trial_record_release(&p->entries[i].trial);
	for (int i = 0; i < p->n_answers; i++)
		free(p->answers[i].shape);
	free(p->entries);
	free(p->answers);
	memset(p, 0, sizeof *p);
}
