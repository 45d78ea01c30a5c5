#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tuner/cli/ceilings.h"
#include "tuner/cli/doctor.h"
#include "tuner/cli/noise.h"
#include "tuner/cli/print.h"
#include "tuner/cli/table.h"

struct doctor_command {
	const char *nvrtc, *task, *preset;
	bool noise, ceilings;
	int64_t count;
};

static const struct doctor_command defaults = { .count = 20 };

static const struct option_spec options[] = {
	{ .name = "nvrtc",
	  .kind = OPTION_TEXT,
	  .value = "PATH",
	  .help = "libnvrtc.so to use (default: looked for in the usual places)",
	  .offset = offsetof(struct doctor_command, nvrtc) },
	{ .name = "noise",
	  .kind = OPTION_FLAG,
	  .help = "instead: measure one configuration many times, as trials are, and say which "
		  "differences can be told apart",
	  .offset = offsetof(struct doctor_command, noise) },
	{ .name = "ceilings",
	  .kind = OPTION_FLAG,
	  .help = "instead: measure what each device can do at best (bandwidths, operations a "
		  "second), beside the limits that follow from its clocks",
	  .offset = offsetof(struct doctor_command, ceilings) },
	{ .name = "task",
	  .kind = OPTION_TEXT,
	  .value = "TASK",
	  .help = "of --noise (default: vector_add on a GPU, sgemm_host's vectors without)",
	  .offset = offsetof(struct doctor_command, task) },
	{ .name = "preset",
	  .kind = OPTION_TEXT,
	  .value = "NAME",
	  .help = "of --noise (default: the baseline of TASK)",
	  .offset = offsetof(struct doctor_command, preset) },
	{ .name = "count",
	  .kind = OPTION_INT,
	  .value = "N",
	  .help = "of --noise: measurements of each mode (default 20)",
	  .offset = offsetof(struct doctor_command, count),
	  .min = 2,
	  .max = 4096 },
	{ 0 },
};

static void print_table(const struct findings *f)
{
	struct table *t = table_new();

	for (int i = 0; i < 3; i++)
		table_column(t, "");
	for (int i = 0; i < f->n; i++) {
		const struct finding *x = &f->all[i];

		if (x->state == FINDING_BROKEN)
			table_paint(t, PAINT_BAD);
		table_cell(t, x->subject);
		table_cell(t, finding_state_name(x->state));
		table_cellf(t, "%.*s", (int)strcspn(x->detail, "\n"), x->detail);
		if (!x->mend[0])
			continue;
		table_cell(t, "");
		table_cell(t, "");
		table_cellf(t, "  to mend it: %s", x->mend);
	}
	table_print(t, stdout);
	table_free(t);
	printf("\ntasks in CUDA %s here, tasks in C %s\n", f->cuda ? "can run" : "cannot run",
	       f->host ? "can run" : "cannot run");
}

static cJSON *to_json(const struct findings *f)
{
	cJSON *o = json_new_object(), *list = json_add_list(o, "findings");
	cJSON *runtimes = json_add_object(o, "runtimes");

	for (int i = 0; i < f->n; i++) {
		cJSON *one = json_new_object();

		json_add_string(one, "subject", f->all[i].subject);
		json_add_string(one, "state", finding_state_name(f->all[i].state));
		json_add_string(one, "detail", f->all[i].detail);
		json_add_string(one, "mend", f->all[i].mend[0] ? f->all[i].mend : NULL);
		json_push(list, one);
	}
	json_add_bool(runtimes, "cuda", f->cuda);
	json_add_bool(runtimes, "host", f->host);
	return o;
}

static int run(const struct invocation *v, struct err *e)
{
	const struct doctor_command *c = v->options;
	struct noise_plan noise = { c->task, c->preset, c->nvrtc, c->count };
	struct findings *f;
	int status;

	if (c->noise && c->ceilings) {
		err_set(e, ERR_INVALID, "--noise and --ceilings: one of them at a time");
		return -EXIT_USAGE;
	}
	if (c->ceilings)
		return ceilings_report(v, c->nvrtc, e);
	if (c->noise)
		return noise_report(v, &noise, e);
	if (c->task || c->preset) {
		err_set(e, ERR_INVALID, "--task and --preset belong to --noise");
		return -EXIT_USAGE;
	}
	f = mem_alloc(sizeof *f);
	doctor_examine(v, c->nvrtc, f);
	if (v->json)
		print_json(to_json(f));
	else
		print_table(f);
	status = f->cuda || f->host ? EXIT_DONE : EXIT_WORK;
	free(f);
	return status;
}

const struct command command_doctor = {
	.name = "doctor",
	.summary = "what works on this machine, and how to mend what does not",
	.query = true,
	.options = options,
	.defaults = &defaults,
	.size = sizeof(struct doctor_command),
	.run = run,
};
