#include "tuner/search/count.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/*
 * How many ways there are to go on from a depth depends only on the bound parameters that a later
 * constraint still reads: the frontier of that depth. Counts are remembered by the frontier's
 * positions, so that a space whose constraints each tie a few parameters together is counted
 * without visiting its members.
 */
enum { MEMO_MAX = 1 << 21 }; /* entries; 48 MB */

struct memo {
	uint64_t key;
	double count;
	int depth; /* 1 + depth; 0: empty */
};

struct counter {
	const struct space *s;
	struct cursor cursor;
	uint64_t steps;
	bool stopped;
	uint8_t frontier[SPACE_PARAMS_MAX][SPACE_PARAMS_MAX];
	int n_frontier[SPACE_PARAMS_MAX];
	bool remember[SPACE_PARAMS_MAX]; /* something is bound that the rest does not read */
	struct memo *memo;
	size_t n_memo;
	size_t n_slot;
};

static bool read_later(const struct space *s, int param, int depth)
{
	for (int i = 0; i < s->n_constraint; i++) {
		const struct constraint *x = &s->constraint[i];

		if (x->n_uses && x->uses[x->n_uses - 1] >= depth &&
		    memchr(x->uses, param, (size_t)x->n_uses))
			return true;
	}
	return false;
}

static void find_frontier(struct counter *c, int depth)
{
	double keys = 1;

	for (int param = 0; param < depth; param++) {
		if (!read_later(c->s, param, depth))
			continue;
		c->frontier[depth][c->n_frontier[depth]++] = (uint8_t)param;
		keys *= c->s->param[param].n;
	}
	c->remember[depth] = c->n_frontier[depth] < depth && keys < 0x1p63;
}

static uint64_t key_of(const struct counter *c, int depth)
{
	uint64_t key = 0;

	for (int i = 0; i < c->n_frontier[depth]; i++) {
		int param = c->frontier[depth][i];

		key = key * (uint64_t)c->s->param[param].n + c->cursor.config[param];
	}
	return key;
}

static struct memo *find_memo(const struct counter *c, int depth, uint64_t key)
{
	uint64_t h = (key * 64 + (uint64_t)depth) * 0x9e3779b97f4a7c15u;
	size_t i = (h ^ h >> 32) & (c->n_slot - 1);

	while (c->memo[i].depth && (c->memo[i].depth != depth + 1 || c->memo[i].key != key))
		i = (i + 1) & (c->n_slot - 1);
	return &c->memo[i];
}

static void grow_memo(struct counter *c)
{
	struct memo *old = c->memo;
	size_t n_old = c->n_slot;

	c->n_slot = n_old ? 2 * n_old : 1024;
	c->memo = mem_array(c->n_slot, sizeof *c->memo);
	for (size_t i = 0; i < n_old; i++)
		if (old[i].depth)
			*find_memo(c, old[i].depth - 1, old[i].key) = old[i];
	free(old);
}

static void remember(struct counter *c, int depth, uint64_t key, double count)
{
	if (c->n_memo >= MEMO_MAX / 2)
		return;
	if (2 * c->n_memo >= c->n_slot)
		grow_memo(c);
	*find_memo(c, depth, key) = (struct memo){ key, count, depth + 1 };
	c->n_memo++;
}

static double count_from(struct counter *c, int depth);

static double count_choices(struct counter *c, int depth)
{
	double count = 0;

	for (int i = 0; i < c->s->param[depth].n && !c->stopped; i++) {
		if (c->steps && c->cursor.tested == c->steps)
			c->stopped = true;
		else if (cursor_bind(&c->cursor, depth, i))
			count += depth + 1 < c->s->n ? count_from(c, depth + 1) : 1;
	}
	return count;
}

/* As deep as there are parameters, so at most SPACE_PARAMS_MAX calls. */
static double count_from(struct counter *c, int depth)
{
	uint64_t key = 0;
	double count;

	if (c->remember[depth]) {
		const struct memo *m;

		key = key_of(c, depth);
		m = find_memo(c, depth, key);
		if (m->depth)
			return m->count;
	}
	count = count_choices(c, depth);
	if (c->remember[depth] && !c->stopped)
		remember(c, depth, key, count);
	return count;
}

bool count_exact(const struct space *s, uint64_t steps, double *ret)
{
	struct counter *c;
	double count;
	bool complete;

	if (s->n == 0) {
		*ret = 0;
		return true;
	}
	c = mem_alloc(sizeof *c);
	c->s = s;
	c->steps = steps;
	cursor_init(&c->cursor, s);
	for (int depth = 0; depth < s->n; depth++)
		find_frontier(c, depth);
	grow_memo(c);
	count = count_from(c, 0);
	complete = !c->stopped;
	if (complete)
		*ret = count;
	free(c->memo);
	free(c);
	return complete;
}

/* How many positions of `param` can be bound; one of them, chosen evenly, is bound on return. */
static int descend(struct cursor *c, int param, struct rng *r)
{
	int chosen = -1;
	int choices = 0;

	for (int i = 0; i < c->s->param[param].n; i++)
		if (cursor_bind(c, param, i) && rng_below(r, (uint64_t)++choices) == 0)
			chosen = i;
	if (chosen >= 0)
		cursor_bind(c, param, chosen);
	return choices;
}

double count_estimate(const struct space *s, int probes)
{
	double sum = 0;
	struct cursor c;
	struct rng r;

	cursor_init(&c, s);
	rng_init(&r, 0, rng_stream_of("count_estimate"));
	for (int i = 0; i < probes; i++) {
		double weight = 1;

		for (int param = 0; param < s->n && weight > 0; param++)
			weight *= descend(&c, param, &r);
		sum += weight;
	}
	return sum / probes;
}
