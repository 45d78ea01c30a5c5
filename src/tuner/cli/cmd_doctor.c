#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tuner/cli/doctor.h"
#include "tuner/cli/print.h"
#include "tuner/cli/table.h"

struct doctor_command {
	const char *nvrtc;
};

static const struct option_spec options[] = {
	{ .name = "nvrtc",
	  .kind = OPTION_TEXT,
	  .value = "PATH",
	  .help = "libnvrtc.so to use (default: looked for in the usual places)",
	  .offset = offsetof(struct doctor_command, nvrtc) },
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
	struct findings *f = mem_alloc(sizeof *f);
	int status;

	(void)e;
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
	.size = sizeof(struct doctor_command),
	.run = run,
};
