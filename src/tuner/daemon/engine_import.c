#include "tuner/daemon/engine_types.h"

#include <limits.h>
#include <stdlib.h>

#include "base/mem.h"
#include "tuner/daemon/import.h"

/*
 * Imports, one after the other: a thread of the loop's reads the file, then a few trials are stored
 * in each turn of the loop, all of them in one transaction. Whoever has to write meanwhile ends
 * that first (ledger_hold), and a kill leaves nothing of it.
 */
enum { SLICE_TRIALS = 48 };

struct importing {
	struct engine *engine; /* NULL: the daemon ends, and the answer is given */
	struct import *import;
	void (*done)(void *ctx, const struct import_result *x, const struct err *e);
	void *ctx;
	bool open; /* it is being stored */
	uv_work_t work;
	struct importing *next;
};

static void load_first(struct engine *x);

static void importing_free(struct importing *i)
{
	import_free(i->import);
	free(i);
}

/* The first is over, one way or the other. */
static void end(struct engine *x, const struct err *e)
{
	struct importing *i = x->imports;
	const struct event_record *event = e ? NULL : import_event(i->import);

	uv_idle_stop(&x->slices);
	if (i->open)
		ledger_release(x->ledger);
	x->imports = i->next;
	if (event)
		x->io.published(x->io.ctx, event);
	i->done(i->ctx, e ? NULL : import_result_of(i->import), e);
	importing_free(i);
	load_first(x);
	x->io.changed(x->io.ctx);
	engine_wake(x);
}

static void store_some(struct engine *x, int trials)
{
	struct err e;
	int r = import_step(x->imports->import, trials, &e);

	if (r <= 0)
		end(x, r < 0 ? &e : NULL);
}

static void on_slice(uv_idle_t *h)
{
	store_some(h->data, SLICE_TRIALS);
}

static void settle(void *engine)
{
	engine_settle(engine);
}

static void begin(struct engine *x)
{
	struct importing *i = x->imports;
	struct err e;
	int r = ledger_flush(x->ledger, &e);

	if (r == 0)
		r = import_begin(i->import, x->store, &e);
	if (r < 0 || import_result_of(i->import)->known) {
		end(x, r < 0 ? &e : NULL);
		return;
	}
	i->open = true;
	ledger_hold(x->ledger, settle, x);
	uv_idle_start(&x->slices, on_slice);
}

static void on_load(uv_work_t *w)
{
	struct importing *i = w->data;

	import_load(i->import);
}

static void on_loaded(uv_work_t *w, int status)
{
	struct importing *i = w->data;

	(void)status; /* nothing cancels it */
	if (i->engine)
		begin(i->engine);
	else
		importing_free(i);
}

static void load_first(struct engine *x)
{
	struct importing *i = x->imports;

	if (i)
		uv_queue_work(x->loop, &i->work, on_load, on_loaded);
}

static void answer_ending(const struct importing *i)
{
	struct err e;

	err_set(&e, ERR_BUSY, "the daemon is ending; start it again");
	i->done(i->ctx, NULL, &e);
}

void engine_import(struct engine *x, const struct engine_import *wish)
{
	struct importing *i = mem_alloc(sizeof *i), **last = &x->imports;
	bool first = !x->imports;

	i->engine = x;
	i->import = import_new(wish->request);
	i->done = wish->done;
	i->ctx = wish->ctx;
	i->work.data = i;
	if (x->stopping) {
		answer_ending(i);
		importing_free(i);
		return;
	}
	while (*last)
		last = &(*last)->next;
	*last = i;
	if (first)
		load_first(x);
}

void engine_settle(struct engine *x)
{
	if (x->imports && x->imports->open)
		store_some(x, INT_MAX);
}

int64_t engine_half_imported(const struct engine *x)
{
	return x->imports && x->imports->open ? import_result_of(x->imports->import)->run : 0;
}

/* The one that a thread has is freed when the thread gives it back. */
void engine_import_refuse(struct engine *x)
{
	struct importing *first = x->imports;

	for (struct importing *i; (i = x->imports);) {
		x->imports = i->next;
		answer_ending(i);
		i->engine = NULL;
		if (i != first || i->open)
			importing_free(i);
	}
}
