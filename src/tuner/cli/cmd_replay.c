#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tuner/cli/command.h"
#include "tuner/cli/figure.h"
#include "tuner/cli/print.h"
#include "tuner/cli/replay.h"
#include "tuner/cli/strategies.h"
#include "tuner/cli/table.h"
#include "tuner/cli/warm_start.h"
#include "tuner/search/search.h"

enum { BUDGET = 128, SEED = 1 };

struct replay_command {
	struct strategy_options search;
	const char *log, *t1;
	int64_t repeat, jobs;
	bool resume, until_optimum;
};

static const struct replay_command defaults = { .search = { .warm = WARM_DEFAULT }, .repeat = 1 };

#define AT(field) .offset = offsetof(struct replay_command, field)

static const struct option_spec options[] = {
	STRATEGY_OPTIONS(offsetof(struct replay_command, search),
			 "evaluations (default: the file's own budget, else 128)",
			 "of the first repeat, one more for each other (default: the file's, else "
			 "1)",
			 "FILE", "begin with the best of another recording, as of another device"),
	{ .name = "repeat",
	  .kind = OPTION_INT,
	  .value = "R",
	  .help = "how many searches to run (default 1)",
	  AT(repeat),
	  .min = 1,
	  .max = 1e6 },
	{ .name = "jobs",
	  .letter = 'j',
	  .kind = OPTION_INT,
	  .value = "W",
	  .help = "compile workers beside one device, with W + 2 trials on their way as in a "
		  "real run (default: one trial at a time)",
	  AT(jobs),
	  .min = 1,
	  .max = 1024 },
	{ .name = "until-optimum",
	  .kind = OPTION_FLAG,
	  .help = "end a search once it has found the best of the recording",
	  AT(until_optimum) },
	{ .name = "t1",
	  .kind = OPTION_TEXT,
	  .value = "FILE",
	  .help = "the T1 description of T4 results (default: the one beside them, if any)",
	  AT(t1) },
	{ .name = "log",
	  .kind = OPTION_TEXT,
	  .value = "FILE",
	  .help = "write what was evaluated: positions in the recording, one a line",
	  AT(log) },
	{ .name = "resume",
	  .kind = OPTION_FLAG,
	  .help = "go on where the log ends, as after a kill; the same search is repeated up to "
		  "there",
	  AT(resume) },
	{ 0 },
};

static uint64_t first_seed(const struct replay_command *c, const struct recording *r)
{
	if (c->search.seed.given)
		return c->search.seed.value;
	return r->has_seed ? r->seed : SEED;
}

static struct replay_options options_of(const struct replay_command *c, const struct recording *r)
{
	struct replay_options o = {
		.strategy = c->search.strategy,
		.elite_k = (int)c->search.elite_k,
		.jobs = (int)c->jobs,
		.max_evals = c->search.budget ? c->search.budget : BUDGET,
		.max_cost = HUGE_VAL,
		.until_optimum = c->until_optimum,
	};

	if (r->has_budget && !c->search.budget) {
		o.max_evals = r->max_evals;
		o.min_evals = r->min_evals;
		o.max_cost = r->max_cost;
	}
	return o;
}

/* --- results --- */

static void print_line(const struct recording *r, uint64_t seed, const struct replay_result *x)
{
	cJSON *o = json_new_object(), *keys;
	char digits[24], *text;

	if (seed <= UINT64_C(1) << 53) {
		json_add_int(o, "seed", (int64_t)seed);
	} else {
		snprintf(digits, sizeof digits, "%" PRIu64, seed);
		json_add_string(o, "seed", digits);
	}
	keys = json_add_list(o, "keys");
	for (size_t i = 0; i < x->n; i++)
		json_push(keys, cJSON_CreateString(r->entry[x->order[i]].key));
	json_add_double(o, "best", x->best < r->n ? r->entry[x->best].value : NAN);
	json_add_double(o, "virtual_seconds", x->virtual_s);
	text = json_render(o);
	puts(text);
	free(text);
	cJSON_Delete(o);
}

static void print_recording(const struct recording *r)
{
	size_t best = recording_best(r), ok = 0;
	char text[FIGURE_MAX];

	for (size_t i = 0; i < r->n; i++)
		ok += r->entry[i].ok;
	printf("%s", r->format);
	if (r->kernel && *r->kernel)
		printf(": %s", r->kernel);
	if (r->device && *r->device)
		printf(" on %s", r->device);
	printf("\n%s configurations, ", figure_large((double)r->n, text));
	printf("%s of them ok", figure_large((double)ok, text));
	if (best < r->n)
		printf("; best %s %.6g (%s)", r->objective, r->entry[best].value,
		       r->entry[best].key);
	puts("\n");
}

static struct table *new_table(const struct recording *r)
{
	static const char *const columns[] = { ">evaluations", ">failed", ">of the optimum",
					       ">virtual time", ">search per trial" };
	struct table *t = table_new();
	char best[80];

	snprintf(best, sizeof best, ">best %s", r->objective);
	table_column(t, ">seed");
	table_column(t, best);
	for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
		table_column(t, columns[i]);
	return t;
}

static void add_row(struct table *t, const struct recording *r, uint64_t seed,
		    const struct replay_result *x)
{
	char text[FIGURE_MAX];
	double optimum, best;

	table_cellf(t, "%" PRIu64, seed);
	if (x->best < r->n) {
		best = recording_score(r, &r->entry[x->best]);
		optimum = recording_optimum(r);
		table_cellf(t, "%.6g", r->entry[x->best].value);
	} else {
		best = optimum = NAN;
		table_cell(t, "-");
	}
	table_cellf(t, "%zu", x->n);
	table_cellf(t, "%zu", x->n_failed);
	if (isnan(best))
		table_cell(t, "-");
	else
		table_cellf(t, "%.1f %%", 100 * optimum / best);
	table_cell(t, figure_seconds(x->virtual_s, text));
	table_cell(t, x->n ? figure_time(x->search_s * 1e9 / (double)x->n, text) : "-");
}

/* --- the command --- */

static int replay_once(const struct invocation *v, const struct recording *r,
		       const struct replay_options *o, struct table *t, struct err *e)
{
	struct replay_result x = { 0 };
	int status = replay_run(r, o, &x, e);

	if (status == 0 && v->json)
		print_line(r, o->seed, &x);
	else if (status == 0)
		add_row(t, r, o->seed, &x);
	replay_result_release(&x);
	return status;
}

static int replay_all(const struct invocation *v, const struct recording *r,
		      struct replay_options *o, struct err *e)
{
	const struct replay_command *c = v->options;
	struct table *t = new_table(r);
	int status = 0;

	o->seed = first_seed(c, r);
	for (int64_t i = 0; i < c->repeat && status == 0; i++, o->seed++)
		status = replay_once(v, r, o, t, e);
	if (status == 0 && !v->json) {
		print_recording(r);
		table_print(t, stdout);
	}
	table_free(t);
	return status;
}

static int replay_logged(const struct invocation *v, const struct recording *r,
			 const struct replay_options *o, struct err *e)
{
	const struct replay_command *c = v->options;
	struct replay_options logged = *o;
	struct replay_log log;
	int status = replay_log_open(c->log, c->resume, &log, e);

	if (status < 0)
		return err_wrap(e, "--log");
	logged.log = &log;
	status = replay_all(v, r, &logged, e);
	replay_log_close(&log);
	return status;
}

/* What the other recording has no value for is as in the first recorded configuration. */
static int take_warm(const struct replay_command *c, struct warm *w, struct err *e)
{
	struct recording *other;
	int status = recording_load(c->search.from, NULL, &other, e);

	if (status < 0)
		return err_wrap(e, "--from");
	warm_from_recording(other, w);
	recording_free(other);
	note("%d configurations taken from %s: %d of them mended; %d others dropped", w->n,
	     c->search.from, w->mended, w->dropped);
	if (w->n == 0)
		return err_set(e, ERR_INVALID, "--from: nothing in %s fits this space",
			       c->search.from);
	return 0;
}

static int replay(const struct invocation *v, const struct recording *r, struct err *e)
{
	const struct replay_command *c = v->options;
	struct replay_options o = options_of(c, r);
	struct settings settings;
	struct warm w;
	int status = strategies_parse(&c->search, &settings, e);

	if (status < 0)
		return status;
	o.settings = &settings;
	warm_init(&w, r->space, r->config, (int)c->search.warm);
	if (c->search.from)
		status = take_warm(c, &w, e);
	o.warm = w.config;
	o.n_warm = w.n;
	o.past = w.past;
	o.n_past = w.n_past;
	if (status == 0)
		status = c->log ? replay_logged(v, r, &o, e) : replay_all(v, r, &o, e);
	warm_release(&w);
	return status;
}

static int run(const struct invocation *v, struct err *e)
{
	const struct replay_command *c = v->options;
	struct recording *r = NULL;
	int status;

	if (c->log && c->repeat > 1) {
		err_set(e, ERR_INVALID, "--log takes one search: leave out --repeat");
		return -EXIT_USAGE;
	}
	if (c->resume && !c->log) {
		err_set(e, ERR_INVALID, "--resume goes on where --log FILE ends: name the file");
		return -EXIT_USAGE;
	}
	status = recording_load(v->operands[0], c->t1, &r, e);
	if (status == 0)
		status = replay(v, r, e);
	recording_free(r);
	return status < 0 ? -EXIT_USAGE : EXIT_DONE;
}

const struct command command_replay = {
	.name = "replay",
	.summary = "run a search over a recorded space, on a virtual clock",
	.operands = "FILE",
	.notes = "FILE is a Kernel Tuner cache, T4 results or a searchbench task; it may be packed "
		 "by gzip or xz.\n--json prints one line a search: seed, keys in the order "
		 "evaluated, best, virtual_seconds.",
	.min_operands = 1,
	.max_operands = 1,
	.query = true,
	.more = strategies_help,
	.options = options,
	.defaults = &defaults,
	.size = sizeof(struct replay_command),
	.run = run,
};
