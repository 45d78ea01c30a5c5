#include "tuner/search/cursor.h"

void cursor_init(struct cursor *c, const struct space *s)
{
	c->s = s;
	c->tested = 0;
	c->low[0] = 0;
	c->high[0] = s->n_rows;
}

bool cursor_meets(const struct cursor *c, const struct constraint *x)
{
	size_t at = 0;

	if (!x->met)
		return expr_holds(x->expr, c->slot);
	for (int i = 0; i < x->n_uses; i++)
		at = at * (size_t)c->s->param[x->uses[i]].n + c->config[x->uses[i]];
	return x->met[at];
}

/* The first row in [low, high) whose entry for `param` is at least `position`. */
static size_t lower_bound(const struct space *s, size_t low, size_t high, int param, int position)
{
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->rows[middle * (size_t)s->n + (size_t)param] < position)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool narrow(struct cursor *c, int param, int position)
{
	size_t low = lower_bound(c->s, c->low[param], c->high[param], param, position);

	c->low[param + 1] = low;
	c->high[param + 1] = lower_bound(c->s, low, c->high[param], param, position + 1);
	return low < c->high[param + 1];
}

bool cursor_bind(struct cursor *c, int param, int position)
{
	const struct space *s = c->s;

	c->tested++;
	c->config[param] = (uint16_t)position;
	c->slot[param] = s->param[param].value[position];
	for (int i = s->param[param].first_due; i >= 0; i = s->constraint[i].next_due)
		if (!cursor_meets(c, &s->constraint[i]))
			return false;
	return !s->rows || narrow(c, param, position);
}
