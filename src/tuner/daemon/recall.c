#include "tuner/daemon/recall.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void recall_init(struct recall *r)
{
	*r = (struct recall){ 0 };
}

void recall_release(struct recall *r)
{
	free(r->open);
	recall_init(r);
}

static void push(struct recall *r, const struct proposal *p)
{
	if (r->n_open == r->cap) {
		r->cap = r->cap ? r->cap * 2 : 16;
		r->open = mem_grow(r->open, (size_t)r->cap, sizeof *r->open);
	}
	r->open[r->n_open++] = *p;
}

static void drop(struct recall *r, int i)
{
	r->n_open--;
	memmove(&r->open[i], &r->open[i + 1], (size_t)(r->n_open - i) * sizeof *r->open);
}

static int index_of(const struct recall *r, int64_t ask)
{
	for (int i = 0; i < r->n_open; i++)
		if (r->open[i].ask == ask)
			return i;
	return -1;
}

void recall_row(struct recall *r, struct search *x, int params, const struct recall_row *row)
{
	struct told t = { row->ask, NULL, row->ok, row->score };
	struct proposal p;
	bool same;
	int i;

	while (search_asked(x) < row->asked_before && search_ask(x, &p))
		push(r, &p);
	i = index_of(r, row->ask);
	same = i >= 0 &&
	       memcmp(r->open[i].config, row->config, (size_t)params * sizeof *row->config) == 0;
	if (i >= 0)
		drop(r, i); /* its number is taken, even when it differs */
	if (!same) {
		r->differing++;
		t.ask = -1;
		t.config = row->config;
	}
	search_tell(x, &t);
}

bool recall_take(struct recall *r, struct proposal *ret)
{
	if (!r->n_open)
		return false;
	*ret = r->open[0];
	drop(r, 0);
	return true;
}
