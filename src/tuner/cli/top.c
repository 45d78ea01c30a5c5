#include "tuner/cli/top.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "tuner/cli/config.h"
#include "tuner/cli/figure.h"
#include "tuner/cli/inert.h"
#include "tuner/cli/print.h"
#include "tuner/cli/table.h"
#include "tuner/daemon/final_json.h"
#include "tuner/daemon/ranking.h"

/* --- reading --- */

static int64_t sum_known(int64_t a, int64_t b)
{
	if (a < 0 && b < 0)
		return -1;
	return (a < 0 ? 0 : a) + (b < 0 ? 0 : b);
}

/* The largest dynamic shared memory over the shapes; 0 where the task cannot tell. */
static int64_t dynamic_shared(const struct stored *s, const char *json)
{
	const struct space *space = task_space(s->setup.bound);
	uint16_t config[SPACE_PARAMS_MAX];
	struct launch *launches;
	struct err ignored = { 0 };
	int64_t most = 0;

	if (task_config_parse(space, json, config, &ignored) < 0 ||
	    task_launches(s->setup.bound, config, &launches, &ignored) < 0)
		return 0;
	for (int i = 0; i < task_problem(s->setup.bound)->n_shapes; i++) {
		if (launches[i].shared_bytes > most)
			most = launches[i].shared_bytes;
		launch_release(&launches[i]);
	}
	free(launches);
	return most;
}

void top_row_of(struct stored *s, const struct trial_record *t, struct top_row *ret)
{
	int64_t is_static =
		t->ptxas.shared_bytes >= 0 ? t->ptxas.shared_bytes : t->function.shared_bytes;
	struct err ignored = { 0 };

	*ret = (struct top_row){
		.no = t->no,
		.config = mem_strdup(t->config),
		.gates = mem_strdup(t->gates ? t->gates : "[]"),
		.score_ns = t->score_ns,
		.p50_ns = t->p50_ns,
		.ci_low_ns = t->ci_low_ns,
		.ci_high_ns = t->ci_high_ns,
		.speedup = stored_speedup(&s->summary, t->p50_ns),
		.registers = t->ptxas.registers >= 0 ? t->ptxas.registers : t->function.registers,
		.spill_bytes = sum_known(t->ptxas.spill_store_bytes, t->ptxas.spill_load_bytes),
		.shared_bytes = is_static,
		.origin = t->origin,
	};
	memcpy(ret->artifact, t->artifact, sizeof ret->artifact);
	ret->stands = standing_of_p50(s, t, &ret->standing);
	if (is_static < 0)
		return; /* a CPU has none */
	if (s->setup.bound || stored_bind(s, &ignored) == 0)
		ret->shared_bytes += dynamic_shared(s, t->config);
}

void top_row_release(struct top_row *r)
{
	free(r->config);
	free(r->gates);
	r->config = r->gates = NULL;
}

struct reader {
	struct stored *stored;
	struct top *top;
};

static int keep(void *ctx, const struct trial_record *t, const struct finalist_record *x,
		struct err *e)
{
	struct reader *r = ctx;
	struct top *top = r->top;

	(void)e;
	top->rows = mem_grow(top->rows, (size_t)top->n + 1, sizeof *top->rows);
	top_row_of(r->stored, t, &top->rows[top->n]);
	top->rows[top->n++].final = x;
	return 0;
}

int top_read(struct stored *s, int64_t k, struct top *ret, struct err *e)
{
	struct reader reader = { s, ret };
	struct ranking_to to = { keep, &reader, k };

	int r;

	*ret = (struct top){ 0 };
	r = store_final(s->store, s->run.id, false, &ret->final, e);
	if (r == 0)
		r = ranking_each(s->store, &s->summary, &ret->final, &to, e);
	return r;
}

void top_release(struct top *t)
{
	for (int i = 0; i < t->n; i++)
		top_row_release(&t->rows[i]);
	free(t->rows);
	final_record_release(&t->final);
	*t = (struct top){ 0 };
}

/* --- printing --- */

static bool varies(const struct config *all, int n, const char *name)
{
	const char *first = config_value(&all[0], name);

	for (int i = 1; i < n; i++) {
		const char *other = config_value(&all[i], name);

		if (!other || strcmp(first, other) != 0)
			return true;
	}
	return false;
}

static void add_columns(struct table *t, const struct config *all, int n)
{
	static const char *const titles[] = { ">rank",	  ">trial", ">p50 us",	 ">95 % interval",
					      ">speedup", ">regs",  ">shared B", ">spill B" };

	for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
		table_column(t, titles[i]);
	for (int i = 0; i < all[0].n; i++) {
		struct str title = STR_INIT;

		if (!varies(all, n, all[0].names[i]))
			continue;
		str_addf(&title, ">%s", all[0].names[i]);
		table_column(t, title.data);
		str_release(&title);
	}
}

/* Over the baseline, both as the final measured them where it did. */
static double speedup_of(const struct final_record *f, const struct top_row *r)
{
	if (!r->final)
		return r->speedup;
	if (r->final->trial == f->winner)
		return f->speedup.ratio;
	for (int i = 0; i < f->n; i++)
		if (f->finalists[i].trial == f->baseline)
			return f->finalists[i].p50_ns / r->final->p50_ns;
	return 0;
}

static void add_row(struct table *t, int rank, const struct top *top, const struct top_row *r)
{
	char a[FIGURE_MAX], b[FIGURE_MAX];

	const struct finalist_record *x = r->final;

	table_cellf(t, "%d", rank);
	table_cellf(t, "%" PRId64, r->no);
	table_cell(t, figure_us(x ? x->p50_ns : r->p50_ns, a));
	table_cellf(t, "%s .. %s", figure_us(x ? x->ci_low_ns : r->ci_low_ns, a),
		    figure_us(x ? x->ci_high_ns : r->ci_high_ns, b));
	table_cell(t, figure_ratio(speedup_of(&top->final, r), a));
	table_cell(t, figure_count(r->registers, a));
	table_cell(t, figure_count(r->shared_bytes, a));
	table_cell(t, figure_count(r->spill_bytes, a));
}

/* Whose measurement it is, when it is not this trial's own. */
static const char *origin_note(enum trial_origin o)
{
	return o == TRIAL_SAME_CUBIN ? "measured as an equal binary"
	       : o == TRIAL_STORED   ? "measured in an earlier run"
				     : "";
}

static bool misses_gates(const struct top *t)
{
	bool any = false;

	for (int i = 0; i < t->n; i++)
		any |= strcmp(t->rows[i].gates, "[]") != 0;
	return any;
}

/* "registers, shared_bytes" of ["registers 130 over 128", ...]. */
static void cell_gates(struct table *t, const char *gates)
{
	struct str names = STR_INIT;
	struct json_node root, item;
	struct err ignored = { 0 };
	cJSON *list = NULL;

	if (json_parse(gates, strlen(gates), &list, &ignored) == 0) {
		root = json_root(list);
		for (bool more = json_first(&root, &item); more; more = json_next(&item)) {
			const char *text = cJSON_GetStringValue(item.value);

			text = text ? text : "";
			str_addf(&names, "%s%.*s", names.len ? ", " : "", (int)strcspn(text, " "),
				 text);
		}
	}
	table_cell(t, names.data);
	cJSON_Delete(list);
	str_release(&names);
}

/* How it did in the final. */
static void cell_final(struct table *t, const struct top *top, const struct top_row *r)
{
	const struct finalist_record *x = r->final;

	if (!x)
		table_cell(t, "");
	else if (x->trial != r->no)
		table_cellf(t, "as %" PRId64, x->trial);
	else if (x->trial == top->final.winner)
		table_cell(t, "winner");
	else if (x->tied)
		table_cell(t, "tied");
	else
		table_cellf(t, "%+.2f %%", 100 * (x->ratio.ratio - 1));
}

static void print_configs(const struct top *top, const struct config *all, FILE *to)
{
	struct table *t = table_new();
	bool any = false, copied = false, over = misses_gates(top), final = false;

	for (int i = 0; i < top->n; i++) {
		copied |= top->rows[i].origin != TRIAL_MEASURED;
		final |= top->rows[i].final != NULL;
	}
	add_columns(t, all, top->n);
	if (final)
		table_column(t, ">final");
	if (over)
		table_column(t, "over");
	if (copied)
		table_column(t, "");
	table_paint(t, PAINT_GOOD);
	for (int i = 0; i < top->n; i++) {
		add_row(t, i + 1, top, &top->rows[i]);
		for (int p = 0; p < all[0].n; p++)
			if (varies(all, top->n, all[0].names[p]))
				table_cell(t, config_value(&all[i], all[0].names[p]));
		if (final)
			cell_final(t, top, &top->rows[i]);
		if (over)
			cell_gates(t, top->rows[i].gates);
		if (copied)
			table_cell(t, origin_note(top->rows[i].origin));
	}
	table_print(t, to);
	table_free(t);
	for (int p = 0; p < all[0].n; p++) {
		if (varies(all, top->n, all[0].names[p]))
			continue;
		fprintf(to, "%s%s=%s",
			any	     ? " "
			: top->n > 1 ? "in all of them: "
				     : "with ",
			all[0].names[p], all[0].values[p]);
		any = true;
	}
	if (any)
		fputc('\n', to);
}

void top_print(const struct top *t, FILE *to)
{
	struct config *all = mem_array((size_t)t->n + 1, sizeof *all);
	struct err e = { 0 };
	int r = 0;

	for (int i = 0; i < t->n && r == 0; i++)
		r = config_parse(t->rows[i].config, &all[i], &e);
	if (r < 0)
		note("%s", e.msg);
	else if (t->n)
		print_configs(t, all, to);
	for (int i = 0; i < t->n; i++)
		config_release(&all[i]);
	free(all);
}

static void add_known(cJSON *o, const char *key, int64_t number)
{
	if (number < 0)
		json_add_string(o, key, NULL);
	else
		json_add_int(o, key, number);
}

static cJSON *row_json(const struct top *top, const struct top_row *r, int rank)
{
	cJSON *o = json_new_object(), *ci, *config, *gates;
	struct err ignored = { 0 };

	json_add_int(o, "rank", rank);
	json_add_int(o, "trial", r->no);
	if (json_parse(r->config, strlen(r->config), &config, &ignored) < 0)
		config = json_new_object();
	json_add(o, "config", config);
	json_add_double(o, "score_us", r->score_ns / 1000);
	json_add_double(o, "p50_us", r->p50_ns / 1000);
	if (r->ci_high_ns > 0) {
		ci = json_add_list(o, "ci_us");
		json_push(ci, cJSON_CreateNumber(r->ci_low_ns / 1000));
		json_push(ci, cJSON_CreateNumber(r->ci_high_ns / 1000));
	} else {
		json_add_string(o, "ci_us", NULL); /* recorded without its samples */
	}
	json_add_double(o, "speedup", r->speedup > 0 ? r->speedup : (double)NAN);
	add_known(o, "registers", r->registers);
	add_known(o, "shared_bytes", r->shared_bytes);
	add_known(o, "spill_bytes", r->spill_bytes);
	if (json_parse(r->gates, strlen(r->gates), &gates, &ignored) < 0)
		gates = json_new_list();
	json_add(o, "gates", gates);
	json_add_string(o, "cubin", r->artifact);
	json_add_string(o, "origin", trial_origin_name(r->origin));
	json_add(o, "roofline", standing_json(r->stands ? &r->standing : NULL));
	json_add(o, "final",
		 r->final && r->final->trial == r->no ? finalist_json(&top->final, r->final)
						      : cJSON_CreateNull());
	return o;
}

cJSON *top_json(const struct top *t)
{
	cJSON *list = json_new_list();

	for (int i = 0; i < t->n; i++)
		json_push(list, row_json(t, &t->rows[i], i + 1));
	return list;
}

/* --- parameters that do nothing --- */

struct collector {
	struct inert *inert;
	struct config first; /* whose names are the columns */
};

static int collect(void *ctx, const char *config, const char *artifact, struct err *e)
{
	struct collector *c = ctx;
	const char *values[SPACE_PARAMS_MAX];
	char *copy;
	int r = 0;

	if (!c->inert) {
		r = config_parse(config, &c->first, e);
		c->inert = inert_new(c->first.n);
	}
	copy = mem_strdup(config);
	if (r == 0 && config_split(copy, values, SPACE_PARAMS_MAX) == c->first.n)
		inert_add(c->inert, values, artifact);
	free(copy);
	return r;
}

static int tell_inert(struct stored *s, struct err *e)
{
	struct collector c = { 0 };
	struct str names = STR_INIT;
	int r = store_each_binary(s->store, s->run.id, INERT_TRIALS_MAX, collect, &c, e);

	for (int i = 0; i < c.first.n; i++)
		if (inert_is(c.inert, i))
			str_addf(&names, "%s%s", names.len ? ", " : "", c.first.names[i]);
	if (r == 0 && names.len)
		note("never changed the binary in run %" PRId64 " (launches may differ): %s",
		     s->run.id, names.data);
	str_release(&names);
	inert_free(c.inert);
	config_release(&c.first);
	return r;
}

static void tell_standing(const struct top *t)
{
	struct str line = STR_INIT;

	if (!t->n || !t->rows[0].stands)
		return;
	standing_add(&t->rows[0].standing, &line);
	note("trial %" PRId64 ": %s", t->rows[0].no, line.data);
	str_release(&line);
}

int top_tell(struct stored *s, const struct top *t, struct err *e)
{
	if (misses_gates(t))
		note("over: soft gates that a configuration misses; its rank is by its p50 times "
		     "1 + the penalty of each");
	tell_standing(t);
	if (s->summary.by_outcome[OUTCOME_SUSPECT])
		note("%" PRId64
		     " trials were faster than the device can do what the task's \"work\" "
		     "says, and do not count; `evo-tuned show RUN:TRIAL` has the figures",
		     s->summary.by_outcome[OUTCOME_SUSPECT]);
	return tell_inert(s, e);
}
