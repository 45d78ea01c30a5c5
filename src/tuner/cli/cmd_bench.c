#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tuner/cli/command.h"
#include "tuner/cli/evaluate.h"
#include "tuner/cli/local.h"
#include "tuner/cli/narrow.h"
#include "tuner/cli/paths.h"
#include "tuner/cli/print.h"
#include "tuner/cli/report.h"
#include "tuner/cli/sanitize.h"
#include "tuner/cli/show.h"

struct bench_command {
	const char *preset, *runtime, *nvrtc;
	struct option_list set, shapes;
	int64_t device;
	bool sanitize;
};

static const struct bench_command defaults = { .device = -1 };

static const struct option_spec options[] = {
	{ .name = "preset",
	  .kind = OPTION_TEXT,
	  .value = "NAME",
	  .help = "start from this preset (default: the baseline)",
	  .offset = offsetof(struct bench_command, preset) },
	{ .name = "set",
	  .kind = OPTION_LIST,
	  .value = "NAME=V",
	  .help = "then set a parameter; may be repeated",
	  .offset = offsetof(struct bench_command, set) },
	{ .name = "shape",
	  .kind = OPTION_LIST,
	  .value = "NAME",
	  .help = "only this shape; may be repeated",
	  .offset = offsetof(struct bench_command, shapes) },
	{ .name = "runtime",
	  .kind = OPTION_TEXT,
	  .value = "cuda|host",
	  .help = "where it runs (default: what the task asks for)",
	  .offset = offsetof(struct bench_command, runtime) },
	{ .name = "device",
	  .kind = OPTION_INT,
	  .value = "N",
	  .help = "device to measure on (default: the first)",
	  .offset = offsetof(struct bench_command, device),
	  .max = 1023 },
	{ .name = "nvrtc",
	  .kind = OPTION_TEXT,
	  .value = "PATH",
	  .help = "libnvrtc.so to use (default: looked for in the usual places)",
	  .offset = offsetof(struct bench_command, nvrtc) },
	{ .name = "sanitize",
	  .kind = OPTION_FLAG,
	  .help = "instead: run memcheck and racecheck of compute-sanitizer on it",
	  .offset = offsetof(struct bench_command, sanitize) },
	{ 0 },
};

/* The position of a value as it was typed, -1: not in the list. */
static int position_of(const struct space *s, int param, const char *text)
{
	for (int i = 0; i < space_values(s, param); i++) {
		char value[256];

		value_print(space_value(s, param, i), value, sizeof value);
		if (strcmp(value, text) == 0)
			return i;
	}
	return -1;
}

static int set_one(const struct space *s, const struct task_narrow *set, uint16_t *config,
		   struct err *e)
{
	int param = space_find(s, set->name);
	int position = param < 0 ? -1 : position_of(s, param, set->values);

	if (param < 0)
		return err_set(e, ERR_INVALID, "--set: the task has no parameter %.60s", set->name);
	if (position < 0)
		return err_set(
			e, ERR_INVALID,
			"--set: %.60s has no value %.60s; `evo-tuned check` lists its values",
			set->name, set->values);
	config[param] = (uint16_t)position;
	return 0;
}

static int choose(const struct bench_command *c, const struct task_bound *b, uint16_t *config,
		  struct err *e)
{
	const struct space *s = task_space(b);
	struct narrow sets;
	const uint16_t *first;
	int n, r = narrow_parse(&c->set, &sets, e);

	if (r < 0)
		return r;
	first = task_first(b, &n);
	memcpy(config, first, (size_t)space_params(s) * sizeof *config);
	if (c->preset && !task_preset(b, c->preset, config))
		r = err_set(e, ERR_INVALID, "--preset: the task has no preset %.60s", c->preset);
	for (int i = 0; i < sets.n && r == 0; i++)
		r = set_one(s, &sets.sets[i], config, e);
	if (r == 0 && !space_legal(s, config))
		r = err_set(e, ERR_INVALID, "this configuration violates the constraint %s",
			    space_violated(s, config));
	narrow_release(&sets);
	return r;
}

static int bind(const struct invocation *v, const struct local *where, struct stored *s,
		struct err *e)
{
	const struct bench_command *c = v->options;
	struct task_options o = { .shapes = c->shapes.items, .n_shapes = c->shapes.n };

	s->setup.devices = mem_alloc(sizeof *s->setup.devices);
	s->setup.n_devices = 1;
	o.device = s->setup.devices;
	if (local_device(where, (int)c->device, s->setup.devices, e) < 0)
		return e->code;
	return task_bind(s->setup.task, &o, &s->setup.bound, e);
}

static int examine(const struct invocation *v, const struct stored *s, const uint16_t *config,
		   struct err *e)
{
	struct sanitized found[SANITIZE_TOOLS];
	int status;

	if (sanitize(s->setup.task, s->setup.bound, config, found, e) < 0)
		return EXIT_BY_ERROR;
	if (v->json)
		print_json(sanitized_report(found));
	else
		sanitized_print(found);
	status = sanitized_passed(found) ? EXIT_DONE : EXIT_WORK;
	sanitized_release(found);
	return status;
}

/* s is a run that was never stored: its task alone. */
static int bench(const struct invocation *v, struct stored *s, struct err *e)
{
	const struct bench_command *c = v->options;
	struct local where = { c->runtime ? c->runtime : task_runtime(s->setup.task), c->nvrtc };
	uint16_t config[SPACE_PARAMS_MAX];
	struct trial_record t;
	int status;

	if (!runtime_find(where.runtime)) {
		err_set(e, ERR_INVALID, "--runtime: expected cuda or host, found \"%.60s\"",
			where.runtime);
		return -EXIT_USAGE;
	}
	if (bind(v, &where, s, e) < 0 || choose(c, s->setup.bound, config, e) < 0)
		return EXIT_BY_ERROR;
	if (c->sanitize)
		return examine(v, s, config, e);
	if (evaluate(&where, s->setup.task, s->setup.bound, config, &t, e) < 0)
		return EXIT_BY_ERROR;
	if (v->json)
		print_json(report_trial(s, &t));
	else
		show_trial_text(s, &t, stdout);
	status = t.outcome == OUTCOME_OK ? EXIT_DONE : EXIT_WORK;
	trial_record_release(&t);
	return status;
}

static int run(const struct invocation *v, struct err *e)
{
	struct stored s = { 0 };
	char *path;
	int status = -EXIT_USAGE;

	if (path_task(v->operands[0], &path, e) < 0)
		return -EXIT_USAGE;
	if (task_load(path, &s.setup.task, e) == 0) {
		s.run.task_name = mem_strdup(task_name(s.setup.task));
		status = bench(v, &s, e);
	}
	stored_release(&s);
	free(path);
	return status;
}

const struct command command_bench = {
	.name = "bench",
	.summary = "verify and time one configuration, without a daemon",
	.operands = "TASK",
	.notes = "Exit status 1 unless it is correct. --sanitize needs nvcc and compute-sanitizer; "
		 "status 1 when either tool\nfinds something.",
	.min_operands = 1,
	.max_operands = 1,
	.query = true,
	.options = options,
	.defaults = &defaults,
	.size = sizeof(struct bench_command),
	.run = run,
};
