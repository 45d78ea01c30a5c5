#include "tuner/search/cursor.h"

void cursor_init(struct cursor *c, const struct space *s)
{
	c->s = s;
	c->tested = 0;
	c->low[0] = 0;
	c->high[0] = s->rows ? s->rows->n : 0;
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

static bool narrow(struct cursor *c, int param, int position)
{
	const struct rows *rows = c->s->rows;
	size_t high = c->high[param];

	c->low[param + 1] = rows_bound(rows, c->low[param], high, param, position);
	c->high[param + 1] = rows_bound(rows, c->low[param + 1], high, param, position + 1);
	return c->low[param + 1] < c->high[param + 1];
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
