#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "tuner/cli/command.h"
#include "tuner/cli/figure.h"
#include "tuner/cli/holder.h"
#include "tuner/cli/print.h"
#include "tuner/cli/stored.h"
#include "tuner/cli/table.h"

struct lister {
	struct store *store;
	bool orphaned;
	struct table *table; /* or */
	cJSON *list;
};

static cJSON *to_json(const struct run_record *r, const struct run_summary *s, const char *state)
{
	cJSON *o = json_new_object();
	char started[CLOCK_ISO_MAX];

	json_add_int(o, "run", r->id);
	json_add_string(o, "task", r->task_name);
	json_add_string(o, "state", state);
	json_add_string(o, "strategy", r->strategy);
	json_add_int(o, "budget", r->budget);
	json_add_int(o, "done", s->done);
	json_add_int(o, "ok", s->by_outcome[OUTCOME_OK]);
	json_add_double(o, "best_us", s->best ? s->best_p50_ns / 1000 : (double)NAN);
	json_add_double(o, "speedup", s->speedup > 0 ? s->speedup : (double)NAN);
	if (r->started_ms)
		clock_iso(r->started_ms, started);
	json_add_string(o, "started", r->started_ms ? started : NULL);
	json_add_string(o, "runtime", r->runtime);
	json_add_string(o, "reason", r->reason);
	return o;
}

static void to_table(struct table *t, const struct run_record *r, const struct run_summary *s,
		     const char *state)
{
	char text[CLOCK_ISO_MAX];

	if (r->state == RUN_FAILED)
		table_paint(t, PAINT_BAD);
	table_cellf(t, "%" PRId64, r->id);
	table_cell(t, r->task_name);
	table_cell(t, state);
	table_cell(t, r->strategy);
	table_cellf(t, "%" PRId64 "/%" PRId64, s->done, r->budget);
	table_cellf(t, "%" PRId64, s->by_outcome[OUTCOME_OK]);
	table_cell(t, figure_time(s->best_p50_ns, text));
	table_cell(t, figure_ratio(s->speedup, text));
	if (r->started_ms)
		clock_iso(r->started_ms, text);
	table_cell(t, r->started_ms ? text : "-");
}

static int list_run(void *ctx, const struct run_record *r, struct err *e)
{
	struct lister *l = ctx;
	struct run_summary s;
	const char *state = stored_state(r, l->orphaned);

	if (store_summary(l->store, r->id, &s, e) < 0)
		return e->code;
	if (l->list)
		json_push(l->list, to_json(r, &s, state));
	else
		to_table(l->table, r, &s, state);
	return 0;
}

static void print_table(struct lister *l)
{
	if (table_rows(l->table))
		table_print(l->table, stdout);
	else
		note("no runs yet; `evo-tuned start` makes one");
}

static int run(const struct invocation *v, struct err *e)
{
	static const char *const titles[] = { ">run", "task",  "state",	   "strategy", ">done",
					      ">ok",  ">best", ">speedup", "started" };
	struct lister l = { .orphaned = !holder_alive(v->db, NULL), .table = table_new() };
	int r;

	if (v->json)
		l.list = json_new_list();
	for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
		table_column(l.table, titles[i]);
	r = store_open(v->db, STORE_READ, &l.store, e);
	if (r == 0)
		r = store_each_run(l.store, list_run, &l, e);
	else if (r == ERR_MISSING)
		r = 0; /* no database yet: no runs */
	if (r < 0)
		cJSON_Delete(l.list);
	else if (v->json)
		print_json(l.list);
	else
		print_table(&l);
	table_free(l.table);
	store_close(l.store);
	return r < 0 ? EXIT_BY_ERROR : EXIT_DONE;
}

const struct command command_runs = {
	.name = "runs",
	.summary = "all runs, newest first",
	.notes = "Needs no daemon. A run that a dead daemon left is shown as interrupted.",
	.query = true,
	.run = run,
};
