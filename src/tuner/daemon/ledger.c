#include "tuner/daemon/ledger.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "tuner/daemon/row.h"

struct entry {
	struct ledger_trial trial; /* unless one of the next three is set; after: also a final's */
	void *run;
	const struct run_record *record; /* of a change */
	struct final_record *final;	 /* NULL: none, like the others */
	struct drift_record *drift;
	struct event_record event; /* kind NULL: none */
	struct entry *next;
};

struct ledger {
	struct store *store;
	struct ledger_io io;
	struct entry *first, **end;
	int waiting;
	int64_t untrimmed; /* events since the last trim */
	bool full;
	void (*settle)(void *ctx); /* of who holds it; NULL: nobody does */
	void *holder;
	uv_timer_t timer;
	uv_prepare_t prepare;
	int open; /* handles */
};

enum { RETRY_MS = 1000, TRIM_EVERY = 4096 };

static void entry_free(struct entry *n)
{
	trial_record_release(&n->trial.row);
	event_record_release(&n->event);
	if (n->final)
		final_record_release(n->final);
	free(n->final);
	free(n->drift);
	free(n);
}

/* --- one transaction --- */

static int write_trial(struct ledger *l, struct entry *n, struct err *e)
{
	struct trial_record *row = &n->trial.row;
	int r;

	if (n->trial.same)
		row->origin_trial = n->trial.same->row;
	row->at.stored = (double)clock_wall_ms();
	r = store_add_trial(l->store, row, e);
	if (r == 0 && n->trial.own)
		n->trial.own->row = row->id;
	return r;
}

static int write_event(struct ledger *l, struct event_record *v, struct err *e)
{
	v->at_ms = clock_wall_ms();
	l->untrimmed++;
	return store_add_event(l->store, v, e);
}

static int write_entry(struct ledger *l, struct entry *n, struct err *e)
{
	int r;

	if (n->record)
		r = store_update_run(l->store, n->record, e);
	else if (n->final)
		r = store_add_final(l->store, n->final, e);
	else if (n->drift)
		r = store_add_drift(l->store, n->drift, e);
	else
		r = write_trial(l, n, e);
	return r == 0 && n->event.kind ? write_event(l, &n->event, e) : r;
}

static int trim(struct ledger *l, struct err *e)
{
	if (l->untrimmed < TRIM_EVERY)
		return 0;
	l->untrimmed = 0;
	return store_trim_events(l->store, LEDGER_EVENTS_KEPT, e);
}

static int write_all(struct ledger *l, struct err *e)
{
	int r = store_begin(l->store, e);

	if (r < 0)
		return r;
	for (struct entry *n = l->first; n && r == 0; n = n->next)
		r = write_entry(l, n, e);
	if (r == 0)
		r = trim(l, e);
	if (r == 0)
		r = store_commit(l->store, e);
	if (r < 0)
		store_rollback(l->store);
	return r;
}

/* --- when it is written, and when not --- */

static void set_full(struct ledger *l, bool full, const char *why)
{
	if (l->full == full)
		return;
	l->full = full;
	l->io.full(l->io.ctx, full, why);
}

static void tell(struct ledger *l, struct entry *n)
{
	if (n->event.kind)
		l->io.published(l->io.ctx, &n->event);
	l->io.stored(l->io.ctx, n->run, n->record || n->drift ? NULL : &n->trial.after);
}

/* The callbacks may append; what they append is not written yet. */
static void tell_written(struct ledger *l)
{
	struct entry *n = l->first;

	l->first = NULL;
	l->end = &l->first;
	l->waiting = 0;
	while (n) {
		struct entry *next = n->next;

		tell(l, n);
		entry_free(n);
		n = next;
	}
}

static void on_timer(uv_timer_t *h);

static char *full_text(struct ledger *l, const struct err *e)
{
	struct str s = STR_INIT;
	struct err ignored;
	int64_t bytes;

	if (e->code == ERR_FULL && store_free_bytes(l->store, &bytes, &ignored) == 0)
		str_addf(&s, "disk full: %s has %" PRId64 " bytes free; ", store_path(l->store),
			 bytes);
	str_addz(&s, e->msg);
	return str_detach(&s);
}

static void wait_for_room(struct ledger *l, const struct err *e)
{
	char *why = full_text(l, e);

	if (!l->full)
		log_error("%d entries wait to be written, trying every second: %s", l->waiting,
			  why);
	uv_timer_start(&l->timer, on_timer, RETRY_MS, 0);
	set_full(l, true, why);
	free(why);
}

int ledger_flush(struct ledger *l, struct err *e)
{
	int r;

	if (l->settle)
		l->settle(l->holder);
	if (!l->first && !l->full)
		return 0;
	r = write_all(l, e);
	if (r < 0) {
		wait_for_room(l, e);
		return r;
	}
	uv_timer_stop(&l->timer);
	tell_written(l);
	set_full(l, false, NULL);
	return 0;
}

static void on_timer(uv_timer_t *h)
{
	struct ledger *l = h->data;
	struct err e;

	if (!l->settle)
		ledger_flush(l, &e);
}

void ledger_hold(struct ledger *l, void (*settle)(void *ctx), void *ctx)
{
	l->settle = settle;
	l->holder = ctx;
}

void ledger_release(struct ledger *l)
{
	l->settle = NULL;
	if (l->first)
		uv_timer_start(&l->timer, on_timer, 0, 0);
}

static void on_prepare(uv_prepare_t *h)
{
	struct ledger *l = h->data;
	struct err e;

	if (l->waiting >= LEDGER_ROWS && !l->full && !l->settle)
		ledger_flush(l, &e);
}

static struct entry *append(struct ledger *l, void *run, const char *kind, char *body)
{
	struct entry *n = mem_alloc(sizeof *n);

	n->run = run;
	if (body)
		n->event = (struct event_record){ .kind = mem_strdup(kind), .body = body };
	*l->end = n;
	l->end = &n->next;
	if (l->waiting++ == 0 && !l->full)
		uv_timer_start(&l->timer, on_timer, LEDGER_AGE_MS, 0);
	return n;
}

/* --- what others call --- */

void ledger_trial(struct ledger *l, const struct ledger_trial *t)
{
	struct entry *n = append(l, t->run, "trial", t->event);

	n->trial = *t;
	n->event.run = t->row.run;
}

void ledger_final(struct ledger *l, void *run, struct final_record *f,
		  const struct run_summary *after)
{
	struct entry *n = append(l, run, NULL, NULL);

	n->final = mem_copy(f, sizeof *f);
	*f = (struct final_record){ 0 };
	n->trial.after = *after;
}

void ledger_drift(struct ledger *l, void *run, const struct drift_record *d)
{
	append(l, run, NULL, NULL)->drift = mem_copy(d, sizeof *d);
}

void ledger_run(struct ledger *l, void *run, const struct run_record *r, char *event)
{
	struct entry *n = append(l, run, "run", event);

	n->record = r;
	n->event.run = r->id;
}

/* Runs `write` and an event in a transaction of its own, after what waits. */
static int write_now(struct ledger *l, int (*write)(struct ledger *, void *, struct err *),
		     void *what, struct event_record *v, struct err *e)
{
	int r = ledger_flush(l, e);

	if (r == 0)
		r = store_begin(l->store, e);
	if (r < 0)
		goto out;
	r = write ? write(l, what, e) : 0;
	if (r == 0)
		r = write_event(l, v, e);
	if (r == 0)
		r = store_commit(l->store, e);
	if (r < 0)
		store_rollback(l->store);
	else
		l->io.published(l->io.ctx, v);
out:
	event_record_release(v);
	return r;
}

struct new_run {
	struct run_record *record;
	const struct store_source *sources;
	int n;
	const char *environment;
	struct event_record *event;
};

static int write_new_run(struct ledger *l, void *what, struct err *e)
{
	struct new_run *n = what;
	int r = store_add_environment(l->store, n->environment, &n->record->environment, e);

	if (r == 0)
		r = store_add_run(l->store, n->record, n->sources, n->n, e);
	n->event->run = n->record->id;
	return r;
}

int ledger_add_run(struct ledger *l, struct run_record *r, const struct store_source *sources,
		   int n, const char *environment, struct err *e)
{
	struct run_summary none = { 0 };
	struct event_record v = { .kind = mem_strdup("run"),
				  .body = row_run_event(r, &none, NULL) };
	struct new_run new = { r, sources, n, environment, &v };

	return write_now(l, write_new_run, &new, &v, e);
}

static int write_change(struct ledger *l, void *what, struct err *e)
{
	return store_update_run(l->store, what, e);
}

int ledger_change_run(struct ledger *l, const struct run_record *r, char *event, struct err *e)
{
	struct event_record v = { .run = r->id, .kind = mem_strdup("run"), .body = event };

	return write_now(l, write_change, (void *)r, &v, e);
}

struct new_ceilings {
	const struct device *device;
	const struct ceilings *ceilings;
};

static int write_ceilings(struct ledger *l, void *what, struct err *e)
{
	struct new_ceilings *n = what;

	return store_put_ceilings(l->store, n->device, n->ceilings, e);
}

int ledger_put_ceilings(struct ledger *l, const struct device *d, const struct ceilings *c,
			struct err *e)
{
	struct new_ceilings n = { d, c };
	struct event_record v = { .kind = mem_strdup("daemon"),
				  .body = mem_strdup("{\"state\":\"ceilings\"}") };

	return write_now(l, write_ceilings, &n, &v, e);
}

int ledger_add_event(struct ledger *l, const char *kind, char *body, struct err *e)
{
	struct event_record v = { .kind = mem_strdup(kind), .body = body };

	return write_now(l, NULL, NULL, &v, e);
}

int ledger_waiting(const struct ledger *l)
{
	return l->waiting;
}

void ledger_report_full(struct ledger *l, const struct err *e)
{
	wait_for_room(l, e);
}

struct ledger *ledger_new(uv_loop_t *loop, struct store *s, const struct ledger_io *io)
{
	struct ledger *l = mem_alloc(sizeof *l);

	l->store = s;
	l->io = *io;
	l->end = &l->first;
	uv_timer_init(loop, &l->timer);
	uv_prepare_init(loop, &l->prepare);
	l->timer.data = l->prepare.data = l;
	l->open = 2;
	uv_prepare_start(&l->prepare, on_prepare);
	uv_unref((uv_handle_t *)&l->prepare);
	return l;
}

static void on_closed(uv_handle_t *h)
{
	struct ledger *l = h->data;

	if (--l->open == 0)
		free(l);
}

void ledger_close(struct ledger *l)
{
	if (!l)
		return;
	if (l->first)
		log_error("%d finished trials could not be written; they will be done again",
			  l->waiting);
	for (struct entry *n; (n = l->first);) {
		l->first = n->next;
		entry_free(n);
	}
	uv_close((uv_handle_t *)&l->timer, on_closed);
	uv_close((uv_handle_t *)&l->prepare, on_closed);
}
