#include "runtime/host_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "runtime/verify.h"

struct checking { /* one shape and seed */
	struct trial *t;
	int shape;
	const struct host_case *c;
	void **arguments;
	void **first; /* outputs of round 0, one a buffer */
	struct verify_facts facts;
	struct figures *figures; /* references by rounds by outputs */
	int n_rounds, n_outputs;
};

static void keep_or_match(struct checking *k, int round)
{
	const struct problem *p = k->t->s->p;

	for (int i = 0; i < p->n_buffers; i++) {
		const struct host_zone *z = &k->t->s->stages[k->shape].zones[i];

		if (!host_is_output(p, i))
			continue;
		if (round == 0)
			k->first[i] = mem_copy(z->data, z->bytes);
		else if (!p->nondeterministic && memcmp(k->first[i], z->data, z->bytes) != 0)
			k->facts.deterministic = false;
	}
}

static void count_round(struct checking *k, int round)
{
	const struct problem *p = k->t->s->p;

	for (int ref = 0; ref < p->n_references; ref++) {
		void **expected = k->c->expected + (ptrdiff_t)ref * p->n_buffers;
		struct figures *f =
			k->figures + (ptrdiff_t)(ref * k->n_rounds + round) * k->n_outputs;

		for (int i = 0; i < p->n_buffers; i++) {
			enum dtype type = p->buffers[i].type;

			if (expected[i])
				verify_compare(type, k->t->s->stages[k->shape].zones[i].data,
					       expected[i], p->shapes[k->shape].buffers[i].count,
					       verify_poison(type, round),
					       &p->references[ref].gates, f++);
		}
	}
}

static void look(struct checking *k, int round)
{
	const struct session *s = k->t->s;

	k->facts.guards_intact &= host_guards_intact(s, k->shape);
	k->facts.inputs_intact &= host_inputs_intact(s, k->shape, k->c);
	keep_or_match(k, round);
	count_round(k, round);
}

static void run_round(struct checking *k, int round)
{
	host_stage_reset(k->t->s, k->shape, k->c, round);
	host_run(k->t, k->arguments, 1);
	look(k, round);
}

static struct check judge_reference(const struct checking *k, int reference)
{
	struct check c = { .shape = k->shape, .reference = reference, .seed = k->c->seed };
	int n = k->n_rounds * k->n_outputs;

	verify_judge(k->figures + (ptrdiff_t)reference * n, n,
		     &k->t->s->p->references[reference].gates, &k->facts, &c);
	return c;
}

static void end_trial(struct trial *t, const struct check *failed)
{
	const struct problem *p = t->s->p;

	t->m->outcome = verify_outcome(failed);
	snprintf(t->m->detail, sizeof t->m->detail, "shape %s, seed %llu, reference %s: %s",
		 p->shapes[failed->shape].name, (unsigned long long)failed->seed,
		 p->references[failed->reference].name, failed->why);
}

/* Every reference gets its row; the first that fails decides. */
static void judge(struct checking *k)
{
	struct measurement *m = k->t->m;

	for (int ref = 0; ref < k->t->s->p->n_references; ref++) {
		struct check *c = &m->checks[m->n_checks++];

		*c = judge_reference(k, ref);
		if (!c->passed && m->outcome == OUTCOME_OK)
			end_trial(k->t, c);
	}
}

static void checking_init(struct checking *k)
{
	const struct problem *p = k->t->s->p;

	k->facts = (struct verify_facts){ true, true, true };
	for (int i = 0; i < p->n_buffers; i++)
		k->n_outputs += host_is_output(p, i);
	k->first = mem_array((size_t)p->n_buffers, sizeof *k->first);
	k->figures = mem_array((size_t)(p->n_references * k->n_rounds) * (size_t)k->n_outputs,
			       sizeof *k->figures);
}

static void checking_release(struct checking *k)
{
	for (int i = 0; i < k->t->s->p->n_buffers; i++)
		free(k->first[i]);
	free(k->figures);
	free(k->first);
}

static void check_case(struct trial *t, int shape, const struct host_case *c)
{
	const struct problem *p = t->s->p;
	struct checking k = { .t = t, .shape = shape, .c = c, .n_rounds = VERIFY_ROUNDS };

	checking_init(&k);
	k.arguments =
		host_arguments(t->s, shape, p->arguments, p->n_arguments, &t->job->launches[shape]);
	for (int round = 0; round < VERIFY_ROUNDS; round++)
		run_round(&k, round);
	judge(&k);
	free(k.arguments);
	checking_release(&k);
}

/* It passed, but is no more what is to be known of this shape, seed and reference. */
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
	m->checks = mem_grow(m->checks, (size_t)m->n_checks + 1, sizeof *m->checks);
	m->checks[m->n_checks++] = *row;
}

void host_check_as_it_is(struct trial *t, int shape, const struct host_case *c)
{
	struct checking k = { .t = t, .shape = shape, .c = c, .n_rounds = 1 };

	checking_init(&k);
	look(&k, 0);
	for (int ref = 0; ref < t->s->p->n_references && t->m->outcome == OUTCOME_OK; ref++) {
		struct check row = judge_reference(&k, ref);

		if (row.passed)
			continue;
		verify_mark_after_timing(&row);
		replace_row(t->m, &row);
		end_trial(t, &row);
	}
	checking_release(&k);
}

static int check_shape(struct trial *t, int shape, struct err *e)
{
	struct host_case fresh = { .seed = 0 };
	int r;

	if (!host_size_scratch(t, shape))
		return 0;
	if (!t->job->fresh_seed) {
		for (int i = 0; i < t->s->p->n_seeds && t->m->outcome == OUTCOME_OK; i++)
			check_case(t, shape, host_case_find(t->s, shape, t->s->p->seeds[i]));
		return 0;
	}
	r = host_case_init(t->s, shape, t->job->fresh_seed, true, &fresh, e);
	/* The references may have left scratch of other sizes. */
	if (r == 0 && host_size_scratch(t, shape))
		check_case(t, shape, &fresh);
	host_case_release(t->s, &fresh);
	return r;
}

int host_check(struct trial *t, struct err *e)
{
	const struct problem *p = t->s->p;
	int64_t start_ns = clock_mono_ns();
	int r = 0;

	t->m->checks = mem_array((size_t)p->n_shapes * (size_t)p->n_seeds * (size_t)p->n_references,
				 sizeof *t->m->checks);
	for (int i = 0; r == 0 && i < p->n_shapes && t->m->outcome == OUTCOME_OK; i++)
		if (p->shapes[i].check)
			r = check_shape(t, i, e);
	t->m->verify_ms = host_ms_since(start_ns);
	return r;
}
