#include "runtime/cuda_check.h"

#include <stdlib.h>

#include "base/mem.h"
#include "runtime/cuda_compare.h"

/* One shape and seed while it is checked. */
struct checking {
	struct trial *t;
	const struct dataset *set;
	struct place *places;
	struct segment *segments; /* what must be untouched, after either round; then outputs */
	int n_rounds, n_untouched, n_outputs, n_segments, n_slots;
	struct cuda_call call;
};

static int slot_of(const struct checking *c, int round, int reference, int buffer)
{
	const struct problem *p = c->t->s->p;

	return (round * p->n_references + reference) * p->n_buffers + buffer;
}

static void list_segments(struct checking *c)
{
	struct session *s = c->t->s;
	struct segment *at;

	c->segments = mem_array((size_t)s->p->n_buffers * 7 + 1, sizeof *c->segments);
	at = c->segments;
	for (int round = 0; round < c->n_rounds; round++) {
		c->n_untouched = segments_untouched(s, c->set, c->places, at);
		at += c->n_untouched;
	}
	if (c->n_rounds > 1)
		c->n_outputs = segments_outputs(s, c->set->shape, s->first.at, c->places, at);
	c->n_segments = c->n_rounds * c->n_untouched + c->n_outputs;
	c->n_slots = c->n_rounds * s->p->n_references * s->p->n_buffers;
}

/* Compares every output with every reference. CUresult. */
static int queue_comparisons(struct checking *c, int round)
{
	struct session *s = c->t->s;
	const struct problem *p = s->p;
	int result = CUDA_OK;

	for (int i = 0; i < p->n_references * p->n_buffers && result == CUDA_OK; i++) {
		int r = i / p->n_buffers, b = i % p->n_buffers;
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

		if (buffer_is_output(&p->buffers[b]))
			result = compare_queue(s, c->n_segments, slot_of(c, round, r, b),
					       &comparison);
	}
	return result;
}

static int queue_findings(struct checking *c, int round)
{
	int result = queue_comparisons(c, round);

	if (result == CUDA_OK)
		result = compare_same(c->t->s, round * c->n_untouched, c->n_untouched);
	return result;
}

static int run_round(struct checking *c, int round, struct err *e)
{
	struct session *s = c->t->s;
	int result = cuda_restore(s, c->set, c->places, round), r;

	r = trial_verdict(c->t, result, TRIAL_OURS, "preparing the buffers", e);
	if (r)
		return r;
	r = trial_verdict(c->t, cuda_call_go(s, &c->call), TRIAL_LAUNCH, "launching the kernel", e);
	if (r)
		return r;
	result = queue_findings(c, round);
	if (result == CUDA_OK && round == 0)
		result = cuda_keep_outputs(s, c->set->shape, c->places, s->first.at);
	if (result == CUDA_OK && round == 1)
		result = compare_same(s, VERIFY_ROUNDS * c->n_untouched, c->n_outputs);
	return trial_verdict(c->t, result, TRIAL_OURS, "checking the outputs", e);
}

/* The first guard segments are two for each buffer, then come the inputs. */
static struct verify_facts facts_of(const struct checking *c, const struct findings *found)
{
	const struct problem *p = c->t->s->p;
	struct verify_facts facts = { true, true, true };
	int guards = 2 * p->n_buffers;

	for (int round = 0; round < c->n_rounds; round++) {
		int first = round * c->n_untouched;

		if (findings_differ(found, first, guards))
			facts.guards_intact = false;
		if (findings_differ(found, first + guards, c->n_untouched - guards))
			facts.inputs_intact = false;
	}
	if (!p->nondeterministic &&
	    findings_differ(found, c->n_rounds * c->n_untouched, c->n_outputs))
		facts.deterministic = false;
	return facts;
}

static struct check *add_row(struct measurement *m)
{
	m->checks = mem_grow(m->checks, (size_t)m->n_checks + 1, sizeof *m->checks);
	return &m->checks[m->n_checks++];
}

static void judge_reference(const struct checking *c, const struct findings *found, int reference,
			    struct check *row)
{
	const struct problem *p = c->t->s->p;
	struct figures *figures =
		mem_array((size_t)p->n_buffers * VERIFY_ROUNDS + 1, sizeof *figures);
	struct verify_facts facts = facts_of(c, found);
	int n = 0;

	for (int round = 0; round < c->n_rounds; round++)
		for (int b = 0; b < p->n_buffers; b++)
			if (buffer_is_output(&p->buffers[b]))
				findings_figures(found, slot_of(c, round, reference, b),
						 c->places[b].count, &figures[n++]);
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

/* Every reference gets its row; the first that fails decides. */
static int judge(struct checking *c, const struct findings *found)
{
	struct measurement *m = c->t->m;
	int first = m->n_checks;

	for (int r = 0; r < c->t->s->p->n_references; r++)
		judge_reference(c, found, r, add_row(m));
	for (int i = first; i < m->n_checks; i++)
		if (!m->checks[i].passed)
			return end_trial(c->t, &m->checks[i]);
	return 0;
}

static int run_check(struct checking *c, struct err *e)
{
	struct session *s = c->t->s;
	struct findings found = { 0 };
	int result = compare_begin(s, c->segments, c->n_segments, c->n_slots);
	int r = trial_verdict(c->t, result, TRIAL_OURS, "preparing the check", e);

	for (int round = 0; round < VERIFY_ROUNDS && r == 0; round++)
		r = run_round(c, round, e);
	if (r)
		return r;
	result = compare_fetch(s, c->n_segments, c->n_slots, &found);
	r = trial_verdict(c->t, result, TRIAL_OURS, "running the kernel", e);
	if (r == 0)
		r = judge(c, &found);
	findings_release(&found);
	return r;
}

static int check_one(struct trial *t, int shape, uint64_t seed, struct err *e)
{
	struct session *s = t->s;
	const struct launch *l = &t->job->launches[shape];
	struct checking c = { .t = t, .n_rounds = VERIFY_ROUNDS };
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
	free(c.segments);
	free(c.places);
	return r;
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

static int judge_again(const struct checking *c, const struct findings *found)
{
	for (int r = 0; r < c->t->s->p->n_references; r++) {
		struct check row;

		judge_reference(c, found, r, &row);
		if (row.passed)
			continue;
		verify_mark_after_timing(&row);
		replace_row(c->t->m, &row);
		return end_trial(c->t, &row);
	}
	return 0;
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
		r = judge_again(c, &found);
	findings_release(&found);
	return r;
}

int trial_check_as_it_is(struct trial *t, const struct dataset *set, struct place *places,
			 struct err *e)
{
	struct checking c = { .t = t, .set = set, .places = places, .n_rounds = 1 };
	int r;

	list_segments(&c);
	r = run_check_again(&c, e);
	free(c.segments);
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
			r = check_one(t, shape, fresh, e);
			continue;
		}
		for (int i = 0; i < p->n_seeds && r == 0; i++)
			r = check_one(t, shape, p->seeds[i], e);
	}
	return r;
}
