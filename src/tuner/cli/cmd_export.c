#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "tuner/cli/command.h"
#include "tuner/cli/export.h"
#include "tuner/cli/export_standalone.h"
#include "tuner/cli/print.h"
#include "tuner/cli/report.h"

struct export_command {
	const char *format, *output, *nvrtc;
	int64_t trial;
	bool per_shape;
};

enum { RUNS_MAX = 64 };

static const struct export_command defaults = { .format = "header" };

static const struct option_spec options[] = {
	{ .name = "format",
	  .letter = 'f',
	  .kind = OPTION_CHOICE,
	  .value = "header|json|csv|standalone|kernel-tuner|t4",
	  .help = "a C header (default), all about the trial, all trials, a program, or all "
		  "trials for others",
	  .offset = offsetof(struct export_command, format) },
	{ .name = "trial",
	  .kind = OPTION_INT,
	  .value = "N",
	  .help = "this trial (default: the best)",
	  .offset = offsetof(struct export_command, trial),
	  .min = 1,
	  .max = 1e15 },
	{ .name = "per-shape",
	  .kind = OPTION_FLAG,
	  .help = "one header of the best of each timed shape of the runs, which selects by shape",
	  .offset = offsetof(struct export_command, per_shape) },
	{ .name = "output",
	  .letter = 'o',
	  .kind = OPTION_TEXT,
	  .value = "FILE",
	  .help = "write there, all or nothing (default: standard output)",
	  .offset = offsetof(struct export_command, output) },
	{ .name = "nvrtc",
	  .kind = OPTION_TEXT,
	  .value = "PATH",
	  .help = "libnvrtc.so to use (default: looked for in the usual places)",
	  .offset = offsetof(struct export_command, nvrtc) },
	{ 0 },
};

/* The program is told what it will be called, for the command line in its comment. */
static int export_program(struct stored *s, const struct trial_record *t, const char *output,
			  struct str *text, struct err *e)
{
	uint16_t config[SPACE_PARAMS_MAX];
	struct standalone program = { 0 };
	const char *slash = output ? strrchr(output, '/') : NULL, *file;
	char origin[80];
	int r = s->setup.bound ? 0 : stored_bind(s, e);

	if (r == 0)
		r = task_config_parse(task_space(s->setup.bound), t->config, config, e);
	if (r < 0)
		return r;
	snprintf(origin, sizeof origin, "trial %" PRId64 ":%" PRId64 ", %s", t->run, t->no,
		 outcome_name(t->outcome));
	file = task_language(s->setup.task) == LANGUAGE_CUDA ? "x.cu" : "x.c";
	if (output && strcmp(output, "-") != 0)
		file = slash ? slash + 1 : output;
	r = standalone_make(s->setup.task, s->setup.bound, config, file, origin, &program, e);
	if (r == 0) {
		str_addz(text, program.text.data);
		standalone_release(&program);
	}
	return r;
}

static int export_trial(struct stored *s, const struct export_command *c, struct str *text,
			struct err *e)
{
	struct trial_record t;
	struct err ignored = { 0 };
	int r = report_find(s, c->trial, &t, e);

	if (r < 0)
		return r;
	if (strcmp(c->format, "standalone") == 0) {
		r = export_program(s, &t, c->output, text, e);
	} else if (strcmp(c->format, "json") == 0) {
		stored_bind(s, &ignored); /* for names; without it numbers do */
		r = export_json(s, &t, text, e);
	} else {
		r = export_header(s, c->nvrtc, &t, text, e);
	}
	trial_record_release(&t);
	return r;
}

static int deliver(const struct export_command *c, const struct str *text, struct err *e)
{
	if (!c->output || strcmp(c->output, "-") == 0) {
		fwrite(text->data, 1, text->len, stdout);
		return 0;
	}
	if (file_write(c->output, text->data, text->len, e) < 0)
		return e->code;
	note("wrote %s", c->output);
	return 0;
}

/* The formats of all trials; any other is of one. */
static const struct run_format {
	const char *name;
	int (*export)(struct stored *s, struct str *ret, struct err *e);
} run_formats[] = {
	{ "csv", export_csv },
	{ "kernel-tuner", export_kt },
	{ "t4", export_t4 },
};

static const struct run_format *find_run_format(const char *name)
{
	for (size_t i = 0; i < sizeof run_formats / sizeof *run_formats; i++)
		if (strcmp(run_formats[i].name, name) == 0)
			return &run_formats[i];
	return NULL;
}

static int export_runs(const struct export_command *c, struct stored *runs, int n, struct str *text,
		       struct err *e)
{
	const struct run_format *all = find_run_format(c->format);

	if (c->per_shape)
		return export_shapes(runs, n, c->nvrtc, text, e);
	return all ? all->export(&runs[0], text, e) : export_trial(&runs[0], c, text, e);
}

static int check_options(const struct export_command *c, int n_runs, struct err *e)
{
	if (c->trial && find_run_format(c->format))
		return err_set(e, ERR_INVALID, "--trial: %s has all trials of the run", c->format);
	if (c->per_shape && (c->trial || strcmp(c->format, "header") != 0))
		return err_set(e, ERR_INVALID,
			       "--per-shape: a header of the best of each shape; expected neither "
			       "--trial nor another --format");
	if (n_runs > 1 && !c->per_shape)
		return err_set(e, ERR_INVALID,
			       "several runs: only a header with --per-shape is of more than one");
	return 0;
}

static int run(const struct invocation *v, struct err *e)
{
	const struct export_command *c = v->options;
	int n = v->n_operands > 0 ? v->n_operands : 1, opened = 0, r = 0;
	struct stored runs[RUNS_MAX];
	int64_t ids[RUNS_MAX] = { 0 };
	struct str text = STR_INIT;

	for (int i = 0; i < v->n_operands; i++)
		if (operand_run(v->operands[i], &ids[i], e) < 0)
			return -EXIT_USAGE;
	if (check_options(c, n, e) < 0)
		return -EXIT_USAGE;
	for (; opened < n && r == 0; opened += r == 0)
		r = stored_open(v->db, ids[opened], &runs[opened], e);
	if (r == 0)
		r = export_runs(c, runs, n, &text, e);
	if (r == 0)
		r = deliver(c, &text, e);
	str_release(&text);
	while (opened > 0)
		stored_release(&runs[--opened]);
	return r < 0 ? EXIT_BY_ERROR : EXIT_DONE;
}

const struct command command_export = {
	.name = "export",
	.summary = "the best configuration as a C header, JSON or a program, or all trials as CSV",
	.operands = "[RUN...]",
	.notes = "Without RUN: of the newest. Needs no daemon. The header is compiled with the "
		 "task's source before it\nis written. The program is one .cu or .c file that "
		 "makes inputs, "
		 "runs, checks and times\nthe kernel; its first lines say how it is built. "
		 "Several runs: with --per-shape.",
	.max_operands = RUNS_MAX,
	.options = options,
	.defaults = &defaults,
	.size = sizeof(struct export_command),
	.run = run,
};
