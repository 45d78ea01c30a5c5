#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tuner/cli/command.h"
#include "tuner/cli/inert.h"
#include "tuner/cli/print.h"
#include "tuner/cli/stored.h"
#include "tuner/cli/table.h"
#include "tuner/search/insight.h"
#include "tuner/search/interaction.h"

enum { PAIRS_SHOWN = 10, VALUE_MAX = 128, EDGE_VALUES = 3 /* a shorter list has no inside */ };

/* A parameter that explains less than this is no reason to widen its list. */
static const double widen_from = 0.05;
/* A value is said to fail from this many times the usual rate on. */
static const double fails_more = 1.5;
/* Pairs that do less together are not told. */
static const double pair_from = 0.02;

/* The trials of a run as the search saw them. */
struct trials {
	const struct space *space;
	struct observation *seen; /* each with a configuration of its own */
	enum outcome *outcome;
	struct inert *inert;
	int n, ok;
};

static void add_artifact(struct trials *x, const uint16_t *config, const char *artifact)
{
	char text[SPACE_PARAMS_MAX][VALUE_MAX];
	const char *values[SPACE_PARAMS_MAX];

	for (int p = 0; p < space_params(x->space); p++) {
		value_print(space_value(x->space, p, config[p]), text[p], VALUE_MAX);
		values[p] = text[p];
	}
	inert_add(x->inert, values, artifact);
}

static int on_trial(void *ctx, const struct trial_record *t, struct err *e)
{
	struct trials *x = ctx;
	uint16_t *config = mem_array((size_t)space_params(x->space), sizeof *config);
	int r = task_config_parse(x->space, t->config, config, e);

	if (r < 0) {
		free(config);
		return err_wrap(e, "trial %" PRId64, t->no);
	}
	if ((x->n & (x->n - 1)) == 0) {
		size_t room = x->n ? 2 * (size_t)x->n : 1;

		x->seen = mem_grow(x->seen, room, sizeof *x->seen);
		x->outcome = mem_grow(x->outcome, room, sizeof *x->outcome);
	}
	x->outcome[x->n] = t->outcome;
	x->seen[x->n++] = (struct observation){
		.config = config,
		.ok = t->outcome == OUTCOME_OK,
		.score = t->score_ns,
	};
	x->ok += t->outcome == OUTCOME_OK;
	if (t->artifact[0])
		add_artifact(x, config, t->artifact);
	return 0;
}

static void trials_release(struct trials *x)
{
	for (int i = 0; i < x->n; i++)
		free((uint16_t *)x->seen[i].config);
	free(x->seen);
	free(x->outcome);
	inert_free(x->inert);
}

static void learn(const struct trials *x, struct insight *ret)
{
	bool inert[SPACE_PARAMS_MAX];

	for (int p = 0; p < space_params(x->space); p++)
		inert[p] = inert_is(x->inert, p);
	insight_init(ret, x->space);
	insight_learn(ret, x->seen, x->n, inert);
}

/* A value that is better for certain ends a list of numbers: what lies beyond was never tried.
 * Nothing is to be had below 1, which is where sizes and switches end. */
static bool at_edge(const struct space *s, int param, const struct insight_param *p)
{
	double best;

	if (p->best < 0 || p->n < EDGE_VALUES || p->inert || p->importance < widen_from ||
	    p->value[p->best].effect + p->value[p->best].error >= 0)
		return false;
	best = value_number(space_value(s, param, p->best));
	return (p->best == 0 && best > 1) || (p->best == p->n - 1 && best >= 1);
}

/* How often a value ended in each outcome. */
static void count_outcomes(const struct trials *x, int param, int position, int ret[OUTCOME_COUNT])
{
	memset(ret, 0, OUTCOME_COUNT * sizeof *ret);
	for (int i = 0; i < x->n; i++)
		if (x->seen[i].config[param] == position)
			ret[x->outcome[i]]++;
}

/* --- JSON --- */

static cJSON *failures_json(const struct trials *x, int param, int position)
{
	cJSON *o = json_new_object();
	int count[OUTCOME_COUNT];

	count_outcomes(x, param, position, count);
	for (int i = 0; i < OUTCOME_COUNT; i++)
		if (i != OUTCOME_OK && count[i])
			json_add_int(o, outcome_name((enum outcome)i), count[i]);
	return o;
}

static cJSON *values_json(const struct trials *x, int param, const struct insight_param *p)
{
	const struct space *s = x->space;
	cJSON *list = json_new_list();

	for (int i = 0; i < p->n; i++) {
		cJSON *o = json_new_object();
		char text[VALUE_MAX];

		value_print(space_value(s, param, i), text, sizeof text);
		json_add_string(o, "value", text);
		json_add_int(o, "tried", p->value[i].tried);
		json_add_int(o, "failed", p->value[i].failed);
		json_add(o, "failures", failures_json(x, param, i));
		json_add_double(o, "effect", p->value[i].effect);
		json_add_double(o, "error", p->value[i].error);
		json_push(list, o);
	}
	return list;
}

static cJSON *pairs_json(const struct trials *x, const struct interactions *pairs)
{
	cJSON *list = json_new_list();

	for (int i = 0; i < pairs->n && pairs->pair[i].share >= pair_from; i++) {
		const struct interaction *pair = &pairs->pair[i];
		cJSON *o = json_new_object(), *names = json_add_list(o, "parameters");

		json_push(names, cJSON_CreateString(space_name(x->space, pair->first)));
		json_push(names, cJSON_CreateString(space_name(x->space, pair->second)));
		json_add_double(o, "share", pair->share);
		json_push(list, o);
	}
	return list;
}

static cJSON *report(const struct stored *s, const struct trials *x, const struct insight *in,
		     const struct interactions *pairs)
{
	cJSON *o = json_new_object(), *list;

	json_add_int(o, "run", s->run.id);
	json_add_int(o, "trials", x->n);
	json_add_int(o, "ok", x->ok);
	list = json_add_list(o, "parameters");
	for (int p = 0; p < in->n; p++) {
		const struct insight_param *param = &in->param[p];
		cJSON *one = json_new_object();
		char best[VALUE_MAX];

		if (param->best >= 0)
			value_print(space_value(x->space, p, param->best), best, sizeof best);
		json_add_string(one, "name", space_name(x->space, p));
		json_add_double(one, "importance", param->importance);
		json_add_double(one, "with_others", pairs->n ? pairs->together[p] : (double)NAN);
		json_add_string(one, "best", param->best >= 0 ? best : NULL);
		json_add_bool(one, "inert", param->inert);
		json_add_bool(one, "widen", at_edge(x->space, p, param));
		json_add(one, "values", values_json(x, p, param));
		json_push(list, one);
	}
	json_add(o, "pairs", pairs_json(x, pairs));
	return o;
}

/* --- text --- */

/* The value that fails far more often than the parameter's values together; -1: none does. */
static int fails_most(const struct insight_param *p)
{
	int failed = 0, tried = 0, worst = 0;

	for (int i = 0; i < p->n; i++) {
		failed += p->value[i].failed;
		tried += p->value[i].tried;
		if (insight_failure_rate(&p->value[i]) > insight_failure_rate(&p->value[worst]))
			worst = i;
	}
	return insight_failure_rate(&p->value[worst]) * tried > fails_more * failed ? worst : -1;
}

/* "2 (3 of 3, compile_error)": the value, and how it fails most. */
static void add_failing(struct table *t, const struct trials *x, int param,
			const struct insight_param *p)
{
	int worst = fails_most(p), count[OUTCOME_COUNT], kind = OUTCOME_OK;
	char text[VALUE_MAX];

	if (worst < 0) {
		table_cell(t, "-");
		return;
	}
	count_outcomes(x, param, worst, count);
	count[OUTCOME_OK] = 0;
	for (int i = 0; i < OUTCOME_COUNT; i++)
		if (count[i] > count[kind])
			kind = i;
	value_print(space_value(x->space, param, worst), text, sizeof text);
	table_cellf(t, "%s (%d of %d, %s)", text, p->value[worst].failed, p->value[worst].tried,
		    outcome_name((enum outcome)kind));
}

static void add_best(struct table *t, const struct space *s, int param,
		     const struct insight_param *p)
{
	const struct insight_value *v = &p->value[p->best < 0 ? 0 : p->best];
	char text[VALUE_MAX];

	if (p->best < 0) {
		table_cell(t, "-");
		table_cell(t, "-");
		return;
	}
	value_print(space_value(s, param, p->best), text, sizeof text);
	table_cell(t, text);
	if (isfinite(v->error))
		table_cellf(t, "%+.2f +- %.2f", v->effect, v->error);
	else
		table_cellf(t, "%+.2f", v->effect);
}

static void add_row(struct table *t, const struct trials *x, const struct insight *in,
		    const struct interactions *pairs, int param)
{
	const struct insight_param *p = &in->param[param];

	table_cell(t, space_name(x->space, param));
	table_cellf(t, "%.0f %%", 100 * p->importance);
	if (pairs->n)
		table_cellf(t, "%.0f %%", 100 * pairs->together[param]);
	else
		table_cell(t, "-");
	add_best(t, x->space, param, p);
	add_failing(t, x, param, p);
	table_cell(t, p->inert			    ? "changes no binary"
		      : at_edge(x->space, param, p) ? "best at the end of its list: widen it"
						    : "");
}

static void print_pairs(const struct trials *x, const struct interactions *pairs)
{
	struct table *t = table_new();

	table_column(t, "act together");
	table_column(t, "");
	table_column(t, ">share");
	for (int i = 0; i < pairs->n && i < PAIRS_SHOWN && pairs->pair[i].share >= pair_from; i++) {
		table_cell(t, space_name(x->space, pairs->pair[i].first));
		table_cell(t, space_name(x->space, pairs->pair[i].second));
		table_cellf(t, "%.0f %%", 100 * pairs->pair[i].share);
	}
	if (table_rows(t)) {
		putchar('\n');
		table_print(t, stdout);
	}
	table_free(t);
}

static void print_insights(const struct trials *x, const struct insight *in,
			   const struct interactions *pairs)
{
	static const char *const columns[] = { "parameter",
					       ">importance",
					       ">with others",
					       ">best value",
					       ">its effect",
					       "fails most with",
					       "" };
	struct table *t = table_new();

	for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
		table_column(t, columns[i]);
	for (int p = 0; p < in->n; p++)
		add_row(t, x, in, pairs, p);
	table_print(t, stdout);
	table_free(t);
	print_pairs(x, pairs);
}

/* --- the command --- */

static int tell(struct stored *s, bool json, struct err *e)
{
	struct trials x = { 0 };
	struct interactions pairs;
	struct insight in;
	int r = stored_space(s, &x.space, e);

	if (r < 0)
		return r;
	x.inert = inert_new(space_params(x.space));
	r = store_each_trial(s->store, s->run.id, 0, on_trial, &x, e);
	if (r == 0 && x.n == 0)
		r = err_set(e, ERR_FAILED, "run %" PRId64 " has no trials yet", s->run.id);
	if (r == 0) {
		learn(&x, &in);
		interactions_learn(&pairs, x.space, x.seen, x.n);
		if (json)
			print_json(report(s, &x, &in, &pairs));
		else
			print_insights(&x, &in, &pairs);
		interactions_release(&pairs);
		insight_release(&in);
	}
	trials_release(&x);
	return r;
}

static int run(const struct invocation *v, struct err *e)
{
	struct stored s;
	int64_t id = 0;
	int r;

	if (v->n_operands && operand_run(v->operands[0], &id, e) < 0)
		return -EXIT_USAGE;
	if (stored_open(v->db, id, &s, e) < 0)
		return EXIT_BY_ERROR;
	r = tell(&s, v->json, e);
	stored_release(&s);
	return r < 0 ? EXIT_BY_ERROR : EXIT_DONE;
}

const struct command command_insights = {
	.name = "insights",
	.summary = "what the trials of a run say about its parameters",
	.operands = "[RUN]",
	.notes = "Importance is the share of the differences in log time that lies between a "
		 "parameter's values,\neach parameter by itself; with others adds what a model of "
		 "all trials says it does\ntogether with another one, over all legal "
		 "configurations. "
		 "An effect is in standard\ndeviations of log time with its 95 % interval; "
		 "negative is "
		 "faster. A search by evolution\nfollows the same figures. Few trials say little. "
		 "Without RUN: of the newest. Needs no daemon.",
	.max_operands = 1,
	.query = true,
	.run = run,
};
