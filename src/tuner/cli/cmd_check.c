#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cuda.h"
#include "tuner/cli/check.h"
#include "tuner/cli/command.h"
#include "tuner/cli/figure.h"
#include "tuner/cli/local.h"
#include "tuner/cli/paths.h"
#include "tuner/cli/print.h"
#include "tuner/cli/table.h"

struct check_command {
	const char *arch, *nvrtc;
};

static const struct option_spec options[] = {
	{ .name = "arch",
	  .kind = OPTION_TEXT,
	  .value = "sm_XY",
	  .help = "check against this GPU architecture (default: the GPU here, else sm_90a)",
	  .offset = offsetof(struct check_command, arch) },
	{ .name = "nvrtc",
	  .kind = OPTION_TEXT,
	  .value = "PATH",
	  .help = "libnvrtc.so to use (default: looked for in the usual places)",
	  .offset = offsetof(struct check_command, nvrtc) },
	{ 0 },
};

/* A CUDA task is checked without a GPU as well: against the published limits. */
static int find_device(const struct check_command *c, const struct task *t, struct device *ret,
		       struct err *e)
{
	bool cuda = strcmp(task_runtime(t), "cuda") == 0;
	struct local where = { task_runtime(t), c->nvrtc };
	struct err none = { 0 };

	if (c->arch && !cuda)
		return err_set(e, ERR_INVALID, "--arch: %s runs on the CPU", task_name(t));
	if (!cuda)
		return local_device(&where, -1, ret, e);
	if (c->arch)
		return cuda_assumed_device(c->arch, ret, e);
	if (local_device(&where, -1, ret, &none) == 0)
		return 0;
	note("no GPU can be used here (%s): checked against the published limits of sm_90a",
	     none.msg);
	return cuda_assumed_device("sm_90a", ret, e);
}

/* --- text --- */

static const cJSON *member(const cJSON *o, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(o, key);
}

static const char *text_of(const cJSON *o, const char *key)
{
	const char *text = cJSON_GetStringValue(member(o, key));

	return text ? text : "";
}

static void print_space(const cJSON *o)
{
	const cJSON *space = member(o, "space");
	bool exact = cJSON_IsTrue(member(space, "exact"));
	char a[FIGURE_MAX], b[FIGURE_MAX];

	printf("space    %s combinations, %s%s valid\n",
	       figure_large(cJSON_GetNumberValue(member(space, "cartesian")), a), exact ? "" : "~",
	       figure_large(cJSON_GetNumberValue(member(space, "valid")), b));
}

static void print_parameters(const cJSON *o)
{
	struct table *t = table_new();
	const cJSON *p;

	table_column(t, "");
	table_column(t, "");
	cJSON_ArrayForEach(p, member(o, "parameters"))
	{
		char *values = json_render(p);

		table_cellf(t, "  %s", p->string);
		table_cell(t, values);
		free(values);
	}
	puts("\nparameters");
	table_print(t, stdout);
	table_free(t);
}

static void print_shapes(const cJSON *o)
{
	struct table *t = table_new();
	char text[FIGURE_MAX];
	const cJSON *s;

	table_column(t, "");
	table_column(t, "");
	table_column(t, ">");
	cJSON_ArrayForEach(s, member(o, "shapes"))
	{
		bool check = cJSON_IsTrue(member(s, "check")),
		     time = cJSON_IsTrue(member(s, "time"));

		table_cellf(t, "  %s", text_of(s, "name"));
		table_cell(t, check && time ? "checked and timed" : check ? "checked" : "timed");
		table_cell(t,
			   figure_bytes((int64_t)cJSON_GetNumberValue(member(s, "bytes")), text));
	}
	puts("\nshapes, with the memory they need");
	table_print(t, stdout);
	table_free(t);
}

static void print_references(const cJSON *o)
{
	const cJSON *r;
	char *gates;

	puts("\nreferences, with the gates that an answer must pass");
	cJSON_ArrayForEach(r, member(o, "references"))
	{
		gates = json_render(member(r, "gates"));
		printf("  %s (%s) %s\n", text_of(r, "name"), text_of(r, "kind"), gates);
		free(gates);
	}
	if (member(o, "resource_gates")->child) {
		gates = json_render(member(o, "resource_gates"));
		printf("  resources %s\n", gates);
		free(gates);
	}
}

static void print_presets(const cJSON *o)
{
	const cJSON *p;

	puts("\npresets");
	cJSON_ArrayForEach(p, member(o, "presets"))
	{
		const cJSON *launch = member(p, "launches")->child;
		char *config = json_render(member(p, "config"));

		printf("  %s %s\n", text_of(p, "name"), config);
		free(config);
		if (launch && strcmp(text_of(o, "runtime"), "cuda") == 0) {
			char *grid = json_render(member(launch, "grid"));
			char *block = json_render(member(launch, "block"));

			printf("    launched on shape %s as grid %s, block %s, %.0f B dynamic "
			       "shared\n",
			       text_of(launch, "shape"), grid, block,
			       cJSON_GetNumberValue(member(launch, "shared_bytes")));
			free(grid);
			free(block);
		}
	}
}

static void print_report(const cJSON *o)
{
	const cJSON *device = member(o, "device"), *w;

	printf("task     %s: %s\n", text_of(o, "task"), text_of(o, "description"));
	printf("device   %s, %s%s\n", text_of(device, "name"), text_of(device, "arch"),
	       cJSON_IsTrue(member(device, "assumed")) ? " (assumed)" : "");
	print_space(o);
	print_parameters(o);
	print_shapes(o);
	print_references(o);
	print_presets(o);
	cJSON_ArrayForEach(w, member(o, "warnings"))
	{
		note("warning: %s", w->valuestring);
	}
}

static int check(const struct invocation *v, const struct task *t, struct err *e)
{
	struct device device;
	struct task_options o = { .device = &device };
	struct task_bound *b = NULL;
	cJSON *report;

	if (find_device(v->options, t, &device, e) < 0 || task_bind(t, &o, &b, e) < 0)
		return -EXIT_USAGE;
	report = check_report(t, b);
	if (v->json) {
		print_json(report);
	} else {
		print_report(report);
		cJSON_Delete(report);
	}
	task_bound_free(b);
	return EXIT_DONE;
}

static int run(const struct invocation *v, struct err *e)
{
	struct task *t;
	char *path;
	int status = -EXIT_USAGE;

	if (path_task(v->operands[0], &path, e) < 0)
		return -EXIT_USAGE;
	if (task_load(path, &t, e) == 0) {
		status = check(v, t, e);
		task_free(t);
	}
	free(path);
	return status;
}

const struct command command_check = {
	.name = "check",
	.summary = "validate a task and say what it is, without running it",
	.operands = "TASK",
	.min_operands = 1,
	.max_operands = 1,
	.query = true,
	.options = options,
	.size = sizeof(struct check_command),
	.run = run,
};
