#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "tuner/cli/command.h"
#include "tuner/cli/compare.h"
#include "tuner/cli/figure.h"
#include "tuner/cli/print.h"
#include "tuner/cli/table.h"

struct compare_command {
	const char *task, *nvrtc, *mode;
	struct option_list shapes;
	bool stored;
	int64_t rounds, device;
	double threshold, precision; /* per cent */
	struct option_seed seed;
};

static const struct compare_command defaults = {
	.rounds = 100,
	.device = -1,
	.threshold = 0.5,
	.precision = 0.25,
};

static const struct option_spec options[] = {
	{ .name = "task",
	  .kind = OPTION_TEXT,
	  .value = "TASK",
	  .help = "the task whose presets A and B may name",
	  .offset = offsetof(struct compare_command, task) },
	{ .name = "shape",
	  .kind = OPTION_LIST,
	  .value = "NAME",
	  .help = "of --task, only this shape; may be repeated",
	  .offset = offsetof(struct compare_command, shapes) },
	{ .name = "stored",
	  .kind = OPTION_FLAG,
	  .help = "compare what the database has; nothing is measured",
	  .offset = offsetof(struct compare_command, stored) },
	{ .name = "mode",
	  .kind = OPTION_CHOICE,
	  .value = "graph|event|cpu",
	  .help = "time both this way (default: as the task says)",
	  .offset = offsetof(struct compare_command, mode) },
	{ .name = "threshold",
	  .kind = OPTION_REAL,
	  .value = "PERCENT",
	  .help = "a smaller difference is SAME (default 0.5)",
	  .offset = offsetof(struct compare_command, threshold),
	  .max = 100 },
	{ .name = "precision",
	  .kind = OPTION_REAL,
	  .value = "PERCENT",
	  .help = "stop when the ratio is known to this, or to a tenth of the difference "
		  "(default 0.25; 0: take all rounds)",
	  .offset = offsetof(struct compare_command, precision),
	  .max = 100 },
	{ .name = "rounds",
	  .kind = OPTION_INT,
	  .value = "N",
	  .help = "rounds at most (default 100)",
	  .offset = offsetof(struct compare_command, rounds),
	  .min = PAIRED_ROUNDS_MIN,
	  .max = 4096 },
	{ .name = "seed",
	  .kind = OPTION_SEED,
	  .value = "N",
	  .help = "of the inputs that both are verified with first (default: the time)",
	  .offset = offsetof(struct compare_command, seed) },
	{ .name = "device",
	  .kind = OPTION_INT,
	  .value = "N",
	  .help = "for --task, the device to measure on (default: the first)",
	  .offset = offsetof(struct compare_command, device),
	  .max = 1023 },
	{ .name = "nvrtc",
	  .kind = OPTION_TEXT,
	  .value = "PATH",
	  .help = "libnvrtc.so to use (default: looked for in the usual places)",
	  .offset = offsetof(struct compare_command, nvrtc) },
	{ 0 },
};

struct answer {
	struct comparison c;
	enum paired_verdict verdict;
	uint64_t seed;
	bool stored;
};

/* Of every round, in order; none from the store. */
static void add_times(cJSON *o, const struct comparison *c, int side)
{
	cJSON *list = json_add_list(o, "times_us"), *clocks = json_add_list(o, "sm_mhz");

	for (int i = 0; c->times_ns[side] && i < c->ratio.rounds; i++)
		json_push(list, cJSON_CreateNumber(c->times_ns[side][i] / 1000));
	for (int i = 0; c->sm_mhz[side] && i < c->ratio.rounds; i++)
		if (c->sm_mhz[side][i] > 0)
			json_push(clocks, cJSON_CreateNumber(c->sm_mhz[side][i]));
	json_add_double(o, "timing_ms", c->times_ns[side] ? c->timing_ms[side] : (double)NAN);
}

static cJSON *side_json(const struct compare_side *s, const struct comparison *c, int side)
{
	struct err ignored = { 0 };
	char *config = task_config_json(task_space(s->stored.setup.bound), s->config);
	cJSON *o = json_new_object(), *tree = NULL;

	json_add_string(o, "name", s->name);
	json_add_string(o, "task", task_name(s->stored.setup.task));
	json_add_double(o, "run", s->trial.run ? (double)s->trial.run : (double)NAN);
	json_add_double(o, "trial", s->trial.run ? (double)s->trial.no : (double)NAN);
	if (json_parse(config, strlen(config), &tree, &ignored) == 0)
		json_add(o, "config", tree);
	json_add_double(o, "p50_us", c->p50_ns[side] / 1000);
	add_times(o, c, side);
	free(config);
	return o;
}

static cJSON *to_json(const struct compare_command *c, const struct compare_side sides[2],
		      const struct answer *a)
{
	cJSON *o = json_new_object(), *ci;
	char seed[24];

	snprintf(seed, sizeof seed, "%" PRIu64, a->seed);
	json_add(o, "a", side_json(&sides[0], &a->c, 0));
	json_add(o, "b", side_json(&sides[1], &a->c, 1));
	json_add_double(o, "ratio", a->c.ratio.ratio);
	ci = json_add_list(o, "ratio_ci");
	json_push(ci, cJSON_CreateNumber(a->c.ratio.ci_low));
	json_push(ci, cJSON_CreateNumber(a->c.ratio.ci_high));
	json_add_double(o, "coverage", a->c.coverage);
	json_add_double(o, "percent", 100 * (a->c.ratio.ratio - 1));
	json_add_string(o, "verdict", paired_verdict_name(a->verdict));
	json_add_double(o, "threshold_percent", c->threshold);
	json_add_int(o, "rounds", a->c.ratio.rounds);
	json_add_bool(o, "stored", a->stored);
	json_add_string(o, "mode", timing_mode_name(a->c.mode));
	json_add_string(o, "l2", timing_l2_name(a->c.l2));
	json_add_string(o, "seed", a->stored ? NULL : seed);
	return o;
}

static void print_sides(const struct compare_side sides[2], const struct answer *a)
{
	struct table *t = table_new();

	table_column(t, "");
	table_column(t, "what");
	table_column(t, ">p50");
	table_column(t, "configuration");
	for (int i = 0; i < 2; i++) {
		const struct space *space = task_space(sides[i].stored.setup.bound);
		char *config = task_config_json(space, sides[i].config);
		char time[FIGURE_MAX];

		table_cell(t, i == 0 ? "A" : "B");
		table_cell(t, sides[i].name);
		table_cell(t, figure_time(a->c.p50_ns[i], time));
		table_cell(t, config);
		free(config);
	}
	table_print(t, stdout);
	table_free(t);
}

static void print_answer(const struct compare_command *c, const struct compare_side sides[2],
			 const struct answer *a)
{
	const struct paired *p = &a->c.ratio;
	double percent = 100 * (p->ratio - 1);

	print_sides(sides, a);
	printf("\ntime ratio A/B  %.4f (%.0f %%: %.4f .. %.4f), ", p->ratio, 100 * a->c.coverage,
	       p->ci_low, p->ci_high);
	if (a->stored)
		printf("from the database");
	else
		printf("from %d interleaved rounds", p->rounds);
	printf(", mode %s, L2 %s\npercentage      A takes %.2f %% %s time than B\n",
	       timing_mode_name(a->c.mode), timing_l2_name(a->c.l2), fabs(percent),
	       percent < 0 ? "less" : "more");
	if (a->verdict == PAIRED_SAME)
		printf("verdict         SAME: the interval includes 1, or the difference is under "
		       "%g %%\n",
		       c->threshold);
	else
		printf("verdict         %s: A is %s than B\n", paired_verdict_name(a->verdict),
		       a->verdict == PAIRED_FASTER ? "faster" : "slower");
}

static int compare(const struct invocation *v, struct compare_side sides[2], struct err *e)
{
	const struct compare_command *c = v->options;
	struct answer a = { .stored = c->stored };
	struct compare_plan plan = { .rounds_max = (int)c->rounds,
				     .precision = c->precision / 100,
				     .seed = c->seed.value,
				     .nvrtc = c->nvrtc,
				     .mode_given = c->mode != NULL };
	int r;

	if (c->mode)
		timing_mode_parse(c->mode, &plan.mode);

	if (!c->seed.given || plan.seed == 0)
		plan.seed = (uint64_t)clock_wall_ms();
	a.seed = plan.seed;
	r = c->stored ? compare_stored(sides, &a.c, e) : compare_measured(sides, &plan, &a.c, e);
	if (r < 0)
		return EXIT_BY_ERROR;
	a.verdict = paired_judge(&a.c.ratio, c->threshold / 100);
	if (a.stored)
		note("the two were not interleaved: what drifted between them is part of the "
		     "ratio");
	else if (plan.precision > 0 && !paired_settled(&a.c.ratio, plan.precision))
		note("the interval is wider than asked for after %d rounds; --rounds N allows "
		     "more",
		     a.c.ratio.rounds);
	if (v->json)
		print_json(to_json(c, sides, &a));
	else
		print_answer(c, sides, &a);
	comparison_release(&a.c);
	return a.verdict == PAIRED_SLOWER ? EXIT_WORK : EXIT_DONE;
}

static int run(const struct invocation *v, struct err *e)
{
	const struct compare_command *c = v->options;
	struct compare_where w = { v->db, c->task, &c->shapes, c->nvrtc, (int)c->device };
	struct compare_side sides[2] = { { .runtime = NULL }, { .runtime = NULL } };
	int status = EXIT_BY_ERROR;

	if (c->mode && c->stored) {
		err_set(e, ERR_INVALID,
			"--mode says how to measure, and --stored measures nothing");
		return -EXIT_USAGE;
	}
	if (compare_side_open(&w, v->operands[0], v->operands[1], &sides[0], e) == 0 &&
	    compare_side_open(&w, v->operands[1], v->operands[0], &sides[1], e) == 0)
		status = compare(v, sides, e);
	compare_side_release(&sides[0]);
	compare_side_release(&sides[1]);
	return status;
}

const struct command command_compare = {
	.name = "compare",
	.summary = "is A faster or slower than B, or the same?",
	.operands = "A B",
	.notes = "A and B are each a run (3: its best trial), a trial (3:17) or the name of a "
		 "preset, of --task or of\nthe other's run. Both are built, verified with fresh "
		 "inputs, and measured in rounds A B, B A, ...\nuntil the 95 % interval of the "
		 "median ratio of their times is tight enough.\n"
		 "FASTER and SLOWER say what A is. SAME: the interval includes 1, or the "
		 "difference is below the threshold.\n"
		 "Exit status: 0 FASTER or SAME; 1 SLOWER, or one of them is not correct; 2 bad "
		 "usage.",
	.min_operands = 2,
	.max_operands = 2,
	.query = true,
	.options = options,
	.defaults = &defaults,
	.size = sizeof(struct compare_command),
	.run = run,
};
