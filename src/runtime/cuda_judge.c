#include "runtime/cuda_judge.h"

#include <stdlib.h>

#include "base/mem.h"

int checking_segments(const struct checking *c)
{
	return c->n_guards + c->n_inputs + c->n_same;
}

int checking_flag(const struct checking *c, int round)
{
	return c->flags + round * checking_segments(c);
}

int checking_comparison(const struct checks *x, const struct checking *c, int round, int reference,
			int output)
{
	return c->comparisons + (round * x->t->s->p->n_references + reference) * x->n_outputs +
	       output;
}

/* Round 0 has no outputs of an earlier round to be the same as. */
static struct verify_facts facts_of(const struct checks *x, const struct checking *c,
				    const struct findings *found, enum part part)
{
	struct verify_facts facts = { true, true, true };
	int first = c->first_round[part];

	for (int round = first; round < first + c->n_rounds[part]; round++) {
		int flag = checking_flag(c, round);

		facts.guards_intact &= !findings_differ(found, flag, c->n_guards);
		flag += c->n_guards;
		facts.inputs_intact &= !findings_differ(found, flag, c->n_inputs);
		flag += c->n_inputs;
		if (round > 0 && !x->t->s->p->nondeterministic)
			facts.deterministic &= !findings_differ(found, flag, c->n_same);
	}
	return facts;
}

static void judge_reference(const struct checks *x, const struct checking *c,
			    const struct findings *found, enum part part, int reference,
			    struct check *row)
{
	const struct problem *p = x->t->s->p;
	int n = 0, first = c->first_round[part], rounds = c->n_rounds[part];
	struct figures *figures = mem_array((size_t)(x->n_outputs * rounds) + 1, sizeof *figures);
	struct verify_facts facts = facts_of(x, c, found, part);

	for (int round = first; round < first + rounds; round++)
		for (int i = 0; i < x->n_outputs; i++)
			figures[n++] = findings_figures(
				found, checking_comparison(x, c, round, reference, i),
				c->places[x->outputs[i]].count);
	*row = (struct check){ .shape = c->set->shape,
			       .reference = reference,
			       .seed = c->set->seed };
	verify_judge(figures, n, &p->references[reference].gates, &facts, row);
	free(figures);
}

static struct check *add_row(struct measurement *m)
{
	m->checks = mem_grow(m->checks, (size_t)m->n_checks + 1, sizeof *m->checks);
	return &m->checks[m->n_checks++];
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

static int end_trial(struct trial *t, const struct check *failed)
{
	const struct problem *p = t->s->p;

	return trial_end(t, verify_outcome(failed), "shape %s, seed %llu, reference %s: %s",
			 p->shapes[failed->shape].name, (unsigned long long)failed->seed,
			 p->references[failed->reference].name, failed->why);
}

int judge_again(const struct checks *x, const struct checking *c, const struct findings *found,
		enum part part, void (*mark)(struct check *row))
{
	for (int r = 0; r < x->t->s->p->n_references; r++) {
		struct check row;

		judge_reference(x, c, found, part, r, &row);
		if (row.passed)
			continue;
		mark(&row);
		replace_row(x->t->m, &row);
		return end_trial(x->t, &row);
	}
	return 0;
}

/* Every reference gets its row; the first that fails decides. */
static int judge_one(const struct checks *x, const struct checking *c, const struct findings *found)
{
	struct measurement *m = x->t->m;
	int first = m->n_checks, r = 0;

	for (int i = 0; i < x->t->s->p->n_references; i++)
		judge_reference(x, c, found, ALONE, i, add_row(m));
	for (int i = first; i < m->n_checks; i++)
		if (!m->checks[i].passed)
			return end_trial(x->t, &m->checks[i]);
	if (c->n_rounds[CROWDED])
		r = judge_again(x, c, found, CROWDED, verify_mark_crowded);
	if (r == 0 && c->n_rounds[REMOTE])
		r = judge_again(x, c, found, REMOTE, verify_mark_remote);
	return r;
}

int judge_checks(const struct checks *x, const struct findings *found)
{
	int r = 0;

	for (int i = 0; i < x->n && r == 0; i++)
		r = judge_one(x, &x->all[i], found);
	return r;
}
