#include "runtime/cuda_check.h"

#include <stdlib.h>

#include "base/mem.h"
#include "runtime/cuda_crowd.h"
#include "runtime/cuda_judge.h"
#include "runtime/cuda_remote.h"

/* Longer launches get fewer rounds beside a crowd, or none: all of them together take about this
 * long without it. */
enum { CROWDED_NS = 1000000 };

/* A shape of the trial. */
struct site {
	struct place *places, *remote_places;
	struct cuda_call call, remote_call;
	bool remote;	   /* are there such inputs? */
	int crowd_threads; /* 0: no crowd */
	int first, n;	   /* of its checks; the first is the one that has rounds of all parts */
};

/* --- listing what will be looked at --- */

static void list_outputs(struct checks *x)
{
	const struct problem *p = x->t->s->p;

	x->outputs = mem_array((size_t)p->n_buffers + 1, sizeof *x->outputs);
	for (int b = 0; b < p->n_buffers; b++)
		if (buffer_is_output(&p->buffers[b]))
			x->outputs[x->n_outputs++] = b;
}

static void list_segments(struct checks *x, struct checking *c)
{
	struct session *s = x->t->s;
	struct segment *at = mem_array((size_t)s->p->n_buffers * 4 + 1, sizeof *at);
	int untouched = segments_untouched(s, c->set, c->places, SCOPE_VARIANT, at);

	c->n_guards = 0;
	for (int i = 0; i < untouched; i++)
		c->n_guards += at[i].want == 0;
	c->n_inputs = untouched - c->n_guards;
	if (c->n_rounds[ALONE] > 1)
		c->n_same =
			segments_outputs(s, c->set->shape, s->first.at, c->places, at + untouched);
	c->segments = worklist_look(&x->work, at, untouched + c->n_same);
	free(at);
}

/* A round whose outputs have the bits of round 0 has its figures too. */
static void list_round(struct checks *x, const struct checking *c, int round)
{
	struct session *s = x->t->s;

	for (int r = 0; r < s->p->n_references; r++)
		for (int i = 0; i < x->n_outputs; i++) {
			int b = x->outputs[i];
			struct comparison found = comparison_of(s, c->set, &c->places[b], b, r);

			found.poison = verify_poison(s->p->buffers[b].type, round) *
				       UINT64_C(0x0101010101010101);
			if (round > 0)
				found.like = checking_comparison(x, c, 0, r, i);
			found.flag = checking_flag(c, round) + c->n_guards + c->n_inputs;
			found.n_flags = c->n_same;
			worklist_compare(&x->work, &found);
		}
}

static struct checking *list_check(struct checks *x, const struct dataset *set,
				   const struct place *places, int alone, int crowded, int remote)
{
	struct checking *c;
	int rounds = alone + crowded + remote;

	x->all = mem_grow(x->all, (size_t)x->n + 1, sizeof *x->all);
	c = &x->all[x->n++];
	*c = (struct checking){ .set = set,
				.places = places,
				.n_rounds = { alone, crowded, remote },
				.first_round = { 0, alone, alone + crowded } };
	list_segments(x, c);
	c->flags = worklist_flags(&x->work, rounds * checking_segments(c));
	c->comparisons = x->work.n_comparisons;
	for (int round = 0; round < rounds; round++)
		list_round(x, c, round);
	return c;
}

static void release(struct checks *x)
{
	worklist_release(&x->work);
	free(x->outputs);
	free(x->all);
}

/* --- queueing rounds --- */

static int queue_findings(const struct checks *x, const struct checking *c, int round)
{
	struct session *s = x->t->s;
	int n = c->n_guards + c->n_inputs + (round > 0 ? c->n_same : 0);
	int result = compare_look(s, c->segments, n, checking_flag(c, round));

	if (result == CUDA_OK)
		result = compare_outputs(s, &x->work, checking_comparison(x, c, round, 0, 0),
					 s->p->n_references * x->n_outputs);
	return result;
}

/* The second round of the check that is run first, when things are warm, says how long a launch
 * takes. */
static int launch(const struct checks *x, const struct site *at, const struct checking *c,
		  int round)
{
	struct session *s = x->t->s;
	int shape = c->set->shape, i = round - c->first_round[CROWDED], result = CUDA_OK;
	bool timed = round == 1 && c == &x->all[at->first + at->n - 1];
	bool remote = round >= c->first_round[REMOTE], crowded = i >= 0 && !remote;

	if (timed)
		result = s->cu.event_record(s->start, s->stream);
	if (crowded)
		result = crowd_gather(s, shape, i, at->crowd_threads);
	if (result == CUDA_OK)
		result = cuda_call_go(s, remote ? &at->remote_call : &at->call);
	if (result == CUDA_OK && timed)
		result = s->cu.event_record(s->end, s->stream);
	if (result == CUDA_OK && crowded)
		result = crowd_dismiss(s, shape, i);
	return result;
}

static int run_round(struct checks *x, const struct site *at, const struct checking *c, int round,
		     struct err *e)
{
	struct trial *t = x->t;
	struct session *s = t->s;
	int result = cuda_restore(s, c->set, c->places, SCOPE_VARIANT, round), r;

	r = trial_verdict(t, result, TRIAL_OURS, "preparing the buffers", e);
	if (r == 0)
		r = trial_verdict(t, launch(x, at, c, round), TRIAL_LAUNCH, "launching the kernel",
				  e);
	if (r)
		return r;
	result = queue_findings(x, c, round);
	if (result == CUDA_OK && round == 0)
		result = cuda_keep_outputs(s, c->set->shape, c->places, s->first.at);
	return trial_verdict(t, result, TRIAL_OURS, "checking the outputs", e);
}

/* How many rounds beside a crowd, and on remote inputs, a launch of this length gets. */
static int plan_rounds(struct session *s, struct checking *c)
{
	float ms = 0;
	int result = s->cu.event_sync(s->end), most = c->n_rounds[CROWDED];

	if (result == CUDA_OK)
		result = s->cu.event_elapsed(&ms, s->start, s->end);
	if (ms > 0 && (double)ms * 1e6 * most > CROWDED_NS)
		c->n_rounds[CROWDED] = (int)(CROWDED_NS / ((double)ms * 1e6));
	if ((double)ms * 1e6 > REMOTE_NS_MAX)
		c->n_rounds[REMOTE] = 0;
	return result;
}

static int run_part(struct checks *x, const struct site *at, const struct checking *c,
		    enum part part, struct err *e)
{
	int r = 0;

	for (int i = 0; i < c->n_rounds[part] && r == 0; i++)
		r = run_round(x, at, c, c->first_round[part] + i, e);
	return r;
}

/* The check with all parts comes last: until it does the device has work while the host waits to
 * hear how long that takes. */
static int run_site(struct checks *x, const struct site *at, struct err *e)
{
	struct checking *c = &x->all[at->first];
	int r = 0;

	for (int i = at->n - 1; i >= 0 && r == 0; i--)
		r = run_part(x, at, &x->all[at->first + i], ALONE, e);
	if (r || at->n == 0 || c->n_rounds[CROWDED] + c->n_rounds[REMOTE] == 0)
		return r;
	r = trial_verdict(x->t, plan_rounds(x->t->s, c), TRIAL_OURS, "running the kernel", e);
	if (r == 0)
		r = run_part(x, at, c, CROWDED, e);
	return r ? r : run_part(x, at, c, REMOTE, e);
}

/* --- all checks of a trial --- */

static int list_site(struct checks *x, struct site *at, int shape, struct err *e)
{
	struct trial *t = x->t;
	const struct launch *l = &t->job->launches[shape];
	uint64_t fresh = t->job->fresh_seed;

	at->places = mem_array((size_t)t->s->p->n_buffers + 1, sizeof *at->places);
	at->remote_places = mem_array((size_t)t->s->p->n_buffers + 1, sizeof *at->places);
	at->crowd_threads = crowd_threads(t->s, &t->m->function, l);
	at->first = x->n;
	at->n = fresh ? 1 : t->s->p->n_seeds;
	if (cuda_place(t->s, shape, l, at->places) != CUDA_OK)
		return err_set(e, ERR_FAILED, "placing the buffers");
	for (int i = 0; i < at->n; i++) {
		const struct dataset *set;
		int crowded = i == 0 && at->crowd_threads ? VERIFY_CROWDED : 0;
		int r = trial_dataset(t, shape, fresh ? fresh : t->s->p->seeds[i], &set, e);

		if (r == 0 && i == 0)
			r = trial_verdict(t,
					  remote_inputs(t->s, set, at->places, at->remote_places,
							&at->remote),
					  TRIAL_OURS, "copying the inputs to the host", e);
		if (r)
			return r;
		list_check(x, set, at->places, VERIFY_ROUNDS, crowded, i == 0 && at->remote);
	}
	cuda_call_init(&at->call, t->function, t->s->p->arguments, t->s->p->n_arguments, l,
		       at->places);
	cuda_call_init(&at->remote_call, t->function, t->s->p->arguments, t->s->p->n_arguments, l,
		       at->remote_places);
	return 0;
}

/* Room for the largest shape first: growing moves it. */
static int reserve_scratch(struct trial *t)
{
	const struct problem *p = t->s->p;
	struct place *places = mem_array((size_t)p->n_buffers + 1, sizeof *places);
	int result = CUDA_OK;

	for (int shape = 0; shape < p->n_shapes && result == CUDA_OK; shape++)
		if (p->shapes[shape].check)
			result = cuda_place(t->s, shape, &t->job->launches[shape], places);
	free(places);
	return result;
}

static int list_sites(struct checks *x, struct site *sites, struct err *e)
{
	const struct problem *p = x->t->s->p;
	int r = trial_verdict(x->t, reserve_scratch(x->t), TRIAL_LAUNCH,
			      "allocating scratch buffers", e);

	list_outputs(x);
	for (int shape = 0; shape < p->n_shapes && r == 0; shape++)
		if (p->shapes[shape].check)
			r = list_site(x, &sites[shape], shape, e);
	return r;
}

/* Whatever came of it, nothing of it runs any more afterwards. */
static int run_sites(struct checks *x, const struct site *sites, struct err *e)
{
	struct trial *t = x->t;
	struct session *s = t->s;
	struct findings found = { 0 };
	int result = compare_begin(s, &x->work), r = 0;

	if (result == CUDA_OK)
		result = crowds_begin(s, t->function);
	r = trial_verdict(t, result, TRIAL_OURS, "preparing the checks", e);
	for (int shape = 0; shape < s->p->n_shapes && r == 0; shape++)
		r = run_site(x, &sites[shape], e);
	if (r < 0)
		return r;
	result = compare_fetch(s, &x->work, &found);
	if (result == CUDA_OK)
		result = crowds_end(s, t->function);
	if (r == 0)
		r = trial_verdict(t, result, TRIAL_OURS, "running the kernel", e);
	if (r == 0)
		r = judge_checks(x, &found);
	findings_release(&found);
	return r;
}

int trial_check(struct trial *t, struct err *e)
{
	int n_shapes = t->s->p->n_shapes;
	struct checks x = { .t = t };
	struct site *sites = mem_array((size_t)n_shapes + 1, sizeof *sites);
	int r = list_sites(&x, sites, e);

	if (r == 0)
		r = run_sites(&x, sites, e);
	for (int i = 0; i < n_shapes; i++) {
		cuda_call_release(&sites[i].call);
		cuda_call_release(&sites[i].remote_call);
		free(sites[i].places);
		free(sites[i].remote_places);
	}
	free(sites);
	release(&x);
	return r;
}

/* --- what is there --- */

static int check_now(struct checks *x, struct err *e)
{
	struct session *s = x->t->s;
	struct findings found = { 0 };
	int result = compare_begin(s, &x->work), r;

	if (result == CUDA_OK)
		result = queue_findings(x, &x->all[0], 0);
	if (result == CUDA_OK)
		result = compare_fetch(s, &x->work, &found);
	r = trial_verdict(x->t, result, TRIAL_OURS, "checking the outputs after timing", e);
	if (r == 0)
		r = judge_again(x, &x->all[0], &found, ALONE, verify_mark_after_timing);
	findings_release(&found);
	return r;
}

int trial_check_as_it_is(struct trial *t, const struct dataset *set, const struct place *places,
			 struct err *e)
{
	struct checks x = { .t = t };
	int r;

	list_outputs(&x);
	list_check(&x, set, places, 1, 0, 0);
	r = check_now(&x, e);
	release(&x);
	return r;
}
