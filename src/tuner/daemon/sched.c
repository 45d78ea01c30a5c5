#include "tuner/daemon/sched.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tuner/daemon/verdicts.h"

struct sched {
	struct sched_io io;
	struct trial *trials; /* in flight, in the order proposed */
	int in_flight;
	int lookahead, first_lookahead;
	int64_t budget, done;
	struct verdicts *verdicts;
	bool held, more;
	bool dry; /* the last proposal gave nothing, and nothing was told since */
};

struct sched *sched_new(const struct sched_io *io, int64_t budget)
{
	struct sched *s = mem_alloc(sizeof *s);

	s->io = *io;
	s->budget = budget;
	s->lookahead = s->first_lookahead = 1;
	s->verdicts = verdicts_new();
	return s;
}

void sched_free(struct sched *s)
{
	if (!s)
		return;
	for (struct trial *t; (t = s->trials);) {
		s->trials = t->next;
		trial_free(t);
	}
	verdicts_free(s->verdicts);
	free(s);
}

void sched_set_lookahead(struct sched *s, int trials, int first)
{
	assert(trials >= 1 && first >= trials);
	s->lookahead = trials;
	s->first_lookahead = first;
}

void sched_set_budget(struct sched *s, int64_t budget)
{
	s->budget = budget;
}

void sched_set_done(struct sched *s, int64_t done)
{
	s->done = done;
}

void sched_hold(struct sched *s, bool held)
{
	s->held = held;
}

/* A hang is the binary's own doing, and costs a whole deadline to see again; a lost worker is
 * not. */
static bool tells_of_the_binary(enum outcome o)
{
	return o != OUTCOME_LOST;
}

void sched_know(struct sched *s, const char *key, const struct verdict *v)
{
	if (tells_of_the_binary(v->outcome))
		verdicts_add(s->verdicts, key, v);
}

static void append(struct sched *s, struct trial *t)
{
	struct trial **p = &s->trials;

	while (*p)
		p = &(*p)->next;
	*p = t;
	s->in_flight++;
}

static void take_out(struct sched *s, struct trial *t)
{
	struct trial **p = &s->trials;

	while (*p != t)
		p = &(*p)->next;
	*p = t->next;
	t->next = NULL;
	s->in_flight--;
}

static struct trial *oldest(struct sched *s, enum trial_state state)
{
	for (struct trial *t = s->trials; t; t = t->next)
		if (t->state == state)
			return t;
	return NULL;
}

static void finish(struct sched *s, struct trial *t)
{
	trial_move(t, TRIAL_DONE);
	if (t->origin != TRIAL_STORED)
		s->done++;
	s->dry = false;
	s->io.finish(s->io.ctx, t);
}

static bool may_propose(const struct sched *s)
{
	int most = s->done ? s->lookahead : s->first_lookahead;

	return !s->held && !s->dry && s->in_flight < most && s->budget - s->done > s->in_flight;
}

static struct trial *propose(struct sched *s)
{
	for (int ended = 0; may_propose(s); ended++) {
		struct trial *t;
		enum sched_offer offer;

		if (ended == SCHED_ENDED_MAX) {
			s->more = true;
			return NULL;
		}
		t = trial_new();
		offer = s->io.propose(s->io.ctx, t);
		if (offer == SCHED_NEW) {
			append(s, t);
			return t;
		}
		if (offer == SCHED_NONE) {
			trial_free(t);
			s->dry = true;
			return NULL;
		}
		finish(s, t);
	}
	return NULL;
}

struct trial *sched_next_compile(struct sched *s)
{
	struct trial *t = oldest(s, TRIAL_PROPOSED);

	s->more = false;
	if (!t)
		t = propose(s);
	if (t)
		trial_move(t, TRIAL_COMPILING);
	return t;
}

struct trial *sched_next_measure(struct sched *s)
{
	struct trial *t = oldest(s, TRIAL_READY);

	if (t)
		trial_move(t, TRIAL_MEASURING);
	return t;
}

bool sched_more(const struct sched *s)
{
	return s->more;
}

static void finish_as(struct sched *s, struct trial *t, struct verdict *same)
{
	t->origin = TRIAL_SAME_CUBIN;
	t->same = same;
	verdict_copy(same, &t->verdict);
	take_out(s, t);
	finish(s, t);
}

static bool is_being_measured(const struct sched *s, const struct trial *t)
{
	for (const struct trial *u = s->trials; u; u = u->next)
		if (u != t && (u->state == TRIAL_READY || u->state == TRIAL_MEASURING) &&
		    strcmp(u->key, t->key) == 0)
			return true;
	return false;
}

void sched_built(struct sched *s, struct trial *t)
{
	struct verdict *same = verdicts_find(s->verdicts, t->key);

	if (same)
		finish_as(s, t, same);
	else
		trial_move(t, is_being_measured(s, t) ? TRIAL_TWIN : TRIAL_READY);
}

/* The next trial that waits for a binary with this key. */
static struct trial *twin_of(struct sched *s, const char *key)
{
	for (struct trial *t = s->trials; t; t = t->next)
		if (t->state == TRIAL_TWIN && strcmp(t->key, key) == 0)
			return t;
	return NULL;
}

void sched_ended(struct sched *s, struct trial *t)
{
	bool measured = t->state == TRIAL_MEASURING;
	struct verdict *v = NULL;
	char key[HASH_HEX];
	struct trial *twin;

	memcpy(key, t->key, sizeof key);
	take_out(s, t);
	if (measured && tells_of_the_binary(t->verdict.outcome)) {
		v = verdicts_add(s->verdicts, key, &t->verdict);
		t->same = v;
	}
	finish(s, t);
	if (!measured)
		return;
	while ((twin = twin_of(s, key))) {
		if (!v) {
			trial_move(twin, TRIAL_READY);
			return;
		}
		finish_as(s, twin, v);
	}
}

void sched_back(struct sched *s, struct trial *t)
{
	(void)s;
	trial_move(t, t->state == TRIAL_COMPILING ? TRIAL_PROPOSED : TRIAL_READY);
}

void sched_lost(struct sched *s, struct trial *t, const char *detail)
{
	bool compiling = t->state == TRIAL_COMPILING;
	bool *retried = compiling ? &t->compile_retried : &t->measure_retried;

	if (*retried) {
		trial_judge(t, OUTCOME_LOST, "%s", detail);
		sched_ended(s, t);
		return;
	}
	*retried = true;
	sched_back(s, t);
}

void sched_each(struct sched *s, void (*f)(void *ctx, struct trial *t), void *ctx)
{
	for (struct trial *t = s->trials; t; t = t->next)
		f(ctx, t);
}

int sched_in_flight(const struct sched *s)
{
	return s->in_flight;
}

int64_t sched_done(const struct sched *s)
{
	return s->done;
}

bool sched_spent(const struct sched *s)
{
	return s->done >= s->budget;
}

bool sched_dry(const struct sched *s)
{
	return s->dry && !s->in_flight;
}

int sched_count(const struct sched *s, enum trial_state state)
{
	int n = 0;

	for (const struct trial *t = s->trials; t; t = t->next)
		n += t->state == state;
	return n;
}
