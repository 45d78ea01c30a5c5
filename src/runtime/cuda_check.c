#include "runtime/cuda_check.h"

#include <stdlib.h>

#include "base/mem.h"
#include "runtime/cuda_compare.h"
#include "runtime/cuda_crowd.h"

/* Longer launches get fewer rounds beside a crowd, or none: all of them together take about this
 * long without it. */
enum { CROWDED_NS = 1000000 };

/*
 * One shape and seed while it is checked. Rounds come in two parts, first without a crowd and then
 * beside one; a part has its segments to itself: what must be untouched after each of its rounds,
 * and outputs that must have the bits of round 0.
 */
enum part { ALONE, CROWDED };

struct checking {
	struct trial *t;
	const struct dataset *set;
	struct place *places;
	int *outputs; /* buffers */
	int n_outputs;
	struct segment *segments;
	int n_parts, n_untouched, n_same, n_segments;
	int n_rounds[2]; /* of each part; at first the most there may be */
	int n_slots;
	int crowd_threads;
	struct cuda_call call;
};

static enum part part_of(int round)
{
	return round < VERIFY_ROUNDS ? ALONE : CROWDED;
}

static int slot_of(const struct checking *c, int round, int reference, int output)
{
	return (round * c->t->s->p->n_references + reference) * c->n_outputs + output;
}

static int segment_of(const struct checking *c, enum part part)
{
	return (int)part * (c->n_untouched + c->n_same);
}

static void list_outputs(struct checking *c)
{
	const struct problem *p = c->t->s->p;

	c->outputs = mem_array((size_t)p->n_buffers + 1, sizeof *c->outputs);
	for (int b = 0; b < p->n_buffers; b++)
		if (buffer_is_output(&p->buffers[b]))
			c->outputs[c->n_outputs++] = b;
}

static void list_segments(struct checking *c)
{
	struct session *s = c->t->s;
	struct segment *at;

	list_outputs(c);
	c->n_parts = c->n_rounds[CROWDED] ? 2 : 1;
	c->segments = mem_array((size_t)s->p->n_buffers * 8 + 1, sizeof *c->segments);
	at = c->segments;
	for (int part = 0; part < c->n_parts; part++) {
		c->n_untouched = segments_untouched(s, c->set, c->places, at);
		at += c->n_untouched;
		if (c->n_rounds[ALONE] > 1)
			c->n_same = segments_outputs(s, c->set->shape, s->first.at, c->places, at);
		at += c->n_same;
	}
	c->n_segments = (int)(at - c->segments);
	c->n_slots =
		(c->n_rounds[ALONE] + c->n_rounds[CROWDED]) * s->p->n_references * c->n_outputs;
}

static void release(struct checking *c)
{
	free(c->segments);
	free(c->outputs);
}

/* Compares every output with every reference. CUresult. */
static int queue_comparisons(struct checking *c, int round)
{
	struct session *s = c->t->s;
	const struct problem *p = s->p;
	int result = CUDA_OK;

	for (int i = 0; i < p->n_references * c->n_outputs && result == CUDA_OK; i++) {
		int r = i / c->n_outputs, b = c->outputs[i % c->n_outputs];
		enum dtype type = p->buffers[b].type;
		struct comparison comparison = {
			.type = type,
			.got = c->places[b].at,
			.want = c->set->expected[r] +
				(cuda_ptr)s->layouts[c->set->shape].offsets[b],
			.count = c->places[b].count,
			.poison = verify_poison(type, round),
			.gates = &p->references[r].gates,
		};

		result = compare_queue(s, c->n_segments, slot_of(c, round, r, i % c->n_outputs),
				       &comparison);
	}
	return result;
}

static int queue_findings(struct checking *c, int round)
{
	int result = queue_comparisons(c, round);

	if (result == CUDA_OK)
		result = compare_same(c->t->s, segment_of(c, part_of(round)),
				      c->n_untouched + (round > 0 ? c->n_same : 0));
	return result;
}

/* The second round, when the first has warmed things up, says how long a launch takes. */
static int launch(struct checking *c, int round)
{
	struct session *s = c->t->s;
	int i = round - VERIFY_ROUNDS, result = CUDA_OK;

	if (round == 1)
		result = s->cu.event_record(s->start, s->stream);
	if (i >= 0)
		result = crowd_gather(s, i, c->crowd_threads);
	if (result == CUDA_OK)
		result = cuda_call_go(s, &c->call);
	if (result == CUDA_OK && round == 1)
		result = s->cu.event_record(s->end, s->stream);
	if (result == CUDA_OK && i >= 0)
		result = crowd_dismiss(s, i);
	return result;
}

static int run_round(struct checking *c, int round, struct err *e)
{
	struct session *s = c->t->s;
	int result = cuda_restore(s, c->set, c->places, round), r;

	r = trial_verdict(c->t, result, TRIAL_OURS, "preparing the buffers", e);
	if (r)
		return r;
	r = trial_verdict(c->t, launch(c, round), TRIAL_LAUNCH, "launching the kernel", e);
	if (r)
		return r;
	result = queue_findings(c, round);
	if (result == CUDA_OK && round == 0)
		result = cuda_keep_outputs(s, c->set->shape, c->places, s->first.at);
	return trial_verdict(c->t, result, TRIAL_OURS, "checking the outputs", e);
}

/* The first guard segments are two for each buffer, then come the inputs. */
static struct verify_facts facts_of(const struct checking *c, const struct findings *found,
				    enum part part)
{
	const struct problem *p = c->t->s->p;
	int first = segment_of(c, part), guards = 2 * p->n_buffers;

	return (struct verify_facts){
		.guards_intact = !findings_differ(found, first, guards),
		.inputs_intact = !findings_differ(found, first + guards, c->n_untouched - guards),
		.deterministic = p->nondeterministic ||
				 !findings_differ(found, first + c->n_untouched, c->n_same),
	};
}

static struct check *add_row(struct measurement *m)
{
	m->checks = mem_grow(m->checks, (size_t)m->n_checks + 1, sizeof *m->checks);
	return &m->checks[m->n_checks++];
}

static void judge_reference(const struct checking *c, const struct findings *found, enum part part,
			    int reference, struct check *row)
{
	const struct problem *p = c->t->s->p;
	int n = 0, first = part == ALONE ? 0 : VERIFY_ROUNDS, rounds = c->n_rounds[part];
	struct figures *figures = mem_array((size_t)(c->n_outputs * rounds) + 1, sizeof *figures);
	struct verify_facts facts = facts_of(c, found, part);

	for (int round = first; round < first + rounds; round++)
		for (int i = 0; i < c->n_outputs; i++)
			findings_figures(found, slot_of(c, round, reference, i),
					 c->places[c->outputs[i]].count, &figures[n++]);
	*row = (struct check){ .shape = c->set->shape,
			       .reference = reference,
			       .seed = c->set->seed };
	verify_judge(figures, n, &p->references[reference].gates, &facts, row);
	free(figures);
}

static int end_trial(struct trial *t, const struct check *failed)
{
	const struct problem *p = t->s->p;

	return trial_end(t, verify_outcome(failed), "shape %s, seed %llu, reference %s: %s",
			 p->shapes[failed->shape].name, (unsigned long long)failed->seed,
			 p->references[failed->reference].name, failed->why);
}

/* The row of the same shape, seed and reference, where there is one: it passed, but is no more
 * what is to be known of them. */
static void replace_row(struct measurement *m, const struct check *row)
{
	for (int i = 0; i < m->n_checks; i++) {
		struct check *old = &m->checks[i];

		if (old->shape == row->shape && old->seed == row->seed &&
		    old->reference == row->reference) {
			*old = *row;
			return;
		}
	}
	*add_row(m) = *row;
}

/* After the rows are written: one that fails in another way than that takes its place. */
static int judge_again(const struct checking *c, const struct findings *found, enum part part,
		       void (*mark)(struct check *row))
{
	for (int r = 0; r < c->t->s->p->n_references; r++) {
		struct check row;

		judge_reference(c, found, part, r, &row);
		if (row.passed)
			continue;
		mark(&row);
		replace_row(c->t->m, &row);
		return end_trial(c->t, &row);
	}
	return 0;
}

/* Every reference gets its row; the first that fails decides. */
static int judge(struct checking *c, const struct findings *found)
{
	struct measurement *m = c->t->m;
	int first = m->n_checks;

	for (int r = 0; r < c->t->s->p->n_references; r++)
		judge_reference(c, found, ALONE, r, add_row(m));
	for (int i = first; i < m->n_checks; i++)
		if (!m->checks[i].passed)
			return end_trial(c->t, &m->checks[i]);
	return c->n_rounds[CROWDED] ? judge_again(c, found, CROWDED, verify_mark_crowded) : 0;
}

/* How many rounds beside a crowd a launch of this length gets. */
static int plan_crowds(struct checking *c)
{
	struct session *s = c->t->s;
	float ms = 0;
	int result = s->cu.event_sync(s->end), most = c->n_rounds[CROWDED];

	if (result == CUDA_OK)
		result = s->cu.event_elapsed(&ms, s->start, s->end);
	if (ms > 0 && (double)ms * 1e6 * most > CROWDED_NS)
		c->n_rounds[CROWDED] = (int)(CROWDED_NS / ((double)ms * 1e6));
	return result;
}

static int run_crowded(struct checking *c, struct err *e)
{
	struct session *s = c->t->s;
	int result = plan_crowds(c), r = 0;

	if (result == CUDA_OK && c->n_rounds[CROWDED] == 0)
		return 0;
	if (result == CUDA_OK)
		result = crowds_begin(s, c->t->function);
	if (result == CUDA_OK)
		for (int i = 0; i < c->n_rounds[CROWDED] && r == 0; i++)
			r = run_round(c, VERIFY_ROUNDS + i, e);
	if (result == CUDA_OK && r == 0)
		result = crowds_end(s, c->t->function);
	return r ? r : trial_verdict(c->t, result, TRIAL_OURS, "running it beside a kernel", e);
}

static int run_check(struct checking *c, struct err *e)
{
	struct session *s = c->t->s;
	struct findings found = { 0 };
	int result = compare_begin(s, c->segments, c->n_segments, c->n_slots);
	int r = trial_verdict(c->t, result, TRIAL_OURS, "preparing the check", e);

	for (int round = 0; round < VERIFY_ROUNDS && r == 0; round++)
		r = run_round(c, round, e);
	if (r == 0 && c->n_rounds[CROWDED])
		r = run_crowded(c, e);
	if (r)
		return r;
	result = compare_fetch(s, c->n_segments, c->n_slots, &found);
	r = trial_verdict(c->t, result, TRIAL_OURS, "running the kernel", e);
	if (r == 0)
		r = judge(c, &found);
	findings_release(&found);
	return r;
}

static int check_one(struct trial *t, int shape, uint64_t seed, bool crowded, struct err *e)
{
	struct session *s = t->s;
	const struct launch *l = &t->job->launches[shape];
	int threads = crowded ? crowd_threads(s, &t->m->function, l) : 0;
	struct checking c = { .t = t,
			      .n_rounds = { VERIFY_ROUNDS, threads ? VERIFY_CROWDED : 0 },
			      .crowd_threads = threads };
	int r = trial_dataset(t, shape, seed, &c.set, e);

	if (r < 0)
		return r;
	c.places = mem_array((size_t)s->p->n_buffers + 1, sizeof *c.places);
	r = trial_verdict(t, cuda_place(s, shape, l, c.places), TRIAL_LAUNCH,
			  "allocating scratch buffers", e);
	if (r == 0) {
		list_segments(&c);
		cuda_call_init(&c.call, t->function, s->p->arguments, s->p->n_arguments, l,
			       c.places);
		r = run_check(&c, e);
		cuda_call_release(&c.call);
	}
	release(&c);
	free(c.places);
	return r;
}

static int run_check_again(struct checking *c, struct err *e)
{
	struct session *s = c->t->s;
	struct findings found = { 0 };
	int result = compare_begin(s, c->segments, c->n_segments, c->n_slots), r;

	if (result == CUDA_OK)
		result = queue_findings(c, 0);
	if (result == CUDA_OK)
		result = compare_fetch(s, c->n_segments, c->n_slots, &found);
	r = trial_verdict(c->t, result, TRIAL_OURS, "checking the outputs after timing", e);
	if (r == 0)
		r = judge_again(c, &found, ALONE, verify_mark_after_timing);
	findings_release(&found);
	return r;
}

int trial_check_as_it_is(struct trial *t, const struct dataset *set, struct place *places,
			 struct err *e)
{
	struct checking c = { .t = t, .set = set, .places = places, .n_rounds = { 1, 0 } };
	int r;

	list_segments(&c);
	r = run_check_again(&c, e);
	release(&c);
	return r;
}

int trial_check(struct trial *t, struct err *e)
{
	const struct problem *p = t->s->p;
	uint64_t fresh = t->job->fresh_seed;
	int r = 0;

	for (int shape = 0; shape < p->n_shapes && r == 0; shape++) {
		if (!p->shapes[shape].check)
			continue;
		if (fresh) {
			r = check_one(t, shape, fresh, true, e);
			continue;
		}
		for (int i = 0; i < p->n_seeds && r == 0; i++)
			r = check_one(t, shape, p->seeds[i], i == 0, e);
	}
	return r;
}
