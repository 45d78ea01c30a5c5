#include "tuner/search/walk.h"

void walk_init(struct walk *w, const struct space *s)
{
	cursor_init(&w->cursor, s);
	w->depth = s->n ? 0 : -1;
	w->next[0] = 0;
	w->row = 0;
}

static const uint16_t *next_row(struct walk *w, uint64_t steps)
{
	const struct space *s = w->cursor.s;

	if (w->row == s->rows->n) {
		w->depth = -1;
		return NULL;
	}
	if (steps && w->cursor.tested == steps)
		return NULL;
	w->cursor.tested++;
	return rows_at(s->rows, w->row++);
}

const uint16_t *walk_next(struct walk *w, uint64_t steps)
{
	const struct space *s = w->cursor.s;

	if (s->rows)
		return next_row(w, steps);
	while (w->depth >= 0) {
		int d = w->depth;

		if (w->next[d] == s->param[d].n) {
			w->depth--;
			continue;
		}
		if (steps && w->cursor.tested == steps)
			return NULL;
		if (!cursor_bind(&w->cursor, d, w->next[d]++))
			continue;
		if (d == s->n - 1)
			return w->cursor.config;
		w->next[++w->depth] = 0;
	}
	return NULL;
}

bool walk_paused(const struct walk *w)
{
	return w->depth >= 0;
}
