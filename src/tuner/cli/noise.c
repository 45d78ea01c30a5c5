#include "tuner/cli/noise.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "runtime/paired.h"
#include "runtime/stats.h"
#include "tuner/cli/evaluate.h"
#include "tuner/cli/figure.h"
#include "tuner/cli/paths.h"
#include "tuner/cli/print.h"
#include "tuner/cli/remeasure.h"
#include "tuner/cli/table.h"
#include "tuner/daemon/setup.h"

enum { MODES_MAX = 2 };

/* What one mode gave. */
struct scatter {
	enum timing_mode mode;
	double *p50_ns; /* plan.count */
	struct repeatability of;
	double timing_ms; /* median time that the device spent on timing, a trial */
};

struct noise {
	const struct noise_plan *plan;
	const char *preset; /* NULL: the baseline */
	struct local where;
	struct setup setup;
	uint16_t config[SPACE_PARAMS_MAX];
	char *folder;
	struct trial *trial;
	struct scatter modes[MODES_MAX];
	int n_modes;
};

/* --- what is measured --- */

/* A CPU gets the quick preset: the baseline's scatter is no other, but takes ten times as long. */
static const char *default_task(struct noise *x)
{
	struct local gpu = { "cuda", x->plan->nvrtc };
	struct device *devices = NULL;
	struct err ignored = { 0 };
	bool cuda;
	int n;

	cuda = local_probe(&gpu, &devices, &n, &ignored) == 0 &&
	       strncmp(devices[0].compiler, "NVRTC ", 6) == 0;
	free(devices);
	if (!cuda && !x->preset)
		x->preset = "vectors";
	return cuda ? "vector_add" : "sgemm_host";
}

static int load(struct noise *x, struct err *e)
{
	const char *name = x->plan->task ? x->plan->task : default_task(x);
	struct setup *s = &x->setup;
	struct task_options o = { .n_shapes = 0 };
	char *path;
	int r = path_task(name, &path, e);

	if (r < 0)
		return r;
	r = task_load(path, &s->task, e);
	free(path);
	if (r < 0)
		return r;
	x->where = (struct local){ task_runtime(s->task), x->plan->nvrtc };
	s->devices = mem_alloc(sizeof *s->devices);
	s->n_devices = 1;
	o.device = s->devices;
	r = local_device(&x->where, -1, s->devices, e);
	return r < 0 ? r : task_bind(s->task, &o, &s->bound, e);
}

static int choose(struct noise *x, struct err *e)
{
	const struct task_bound *b = x->setup.bound;
	int n;

	memcpy(x->config, task_first(b, &n),
	       (size_t)space_params(task_space(b)) * sizeof *x->config);
	if (!x->preset || task_preset(b, x->preset, x->config))
		return 0;
	return err_set(e, ERR_INVALID, "--preset: task %s has no preset %.60s that is legal here",
		       task_name(x->setup.task), x->preset);
}

static int build(struct noise *x, struct err *e)
{
	const struct setup *s = &x->setup;
	int r = local_folder(&x->folder, e);

	if (r == 0)
		r = evaluate_build(&x->where, s, x->config, x->folder, &x->trial, e);
	if (r == 0)
		r = evaluate_references(&x->where, s, x->folder, e);
	return r;
}

/* --- measuring --- */

static void list_modes(struct noise *x)
{
	enum timing_mode own = task_problem(x->setup.bound)->timing.mode;

	x->modes[x->n_modes++].mode = own;
	if (own != TIMING_CPU)
		x->modes[x->n_modes++].mode = own == TIMING_EVENT ? TIMING_GRAPH : TIMING_EVENT;
}

static int repeat(struct noise *x, struct remeasure *worker, struct scatter *ret, struct err *e)
{
	int n = (int)x->plan->count;
	double *spent = mem_array((size_t)n, sizeof *spent);
	struct stats s;
	int r = 0;

	ret->p50_ns = mem_array((size_t)n, sizeof *ret->p50_ns);
	for (int i = 0; i < n && r == 0; i++) {
		r = remeasure_time(worker, x->trial, true, &ret->p50_ns[i], e);
		spent[i] = remeasure_timing_ms(x->trial);
	}
	if (r == 0) {
		repeatability_of(ret->p50_ns, n, &ret->of);
		stats_of(spent, n, &s);
		ret->timing_ms = s.median;
	}
	free(spent);
	return r;
}

static int measure_mode(struct noise *x, struct scatter *ret, struct err *e)
{
	struct remeasure *worker;
	int r;

	task_problem(x->setup.bound)->timing.mode = ret->mode;
	r = remeasure_open(&x->where, &x->setup, &worker, e);
	if (r < 0)
		return r;
	r = repeat(x, worker, ret, e);
	remeasure_close(worker);
	return r < 0 ? err_wrap(e, "mode %s", timing_mode_name(ret->mode)) : 0;
}

static int measure(struct noise *x, struct err *e)
{
	int r = load(x, e);

	if (r == 0)
		r = choose(x, e);
	if (r == 0)
		r = build(x, e);
	if (r < 0)
		return r;
	list_modes(x);
	for (int i = 0; i < x->n_modes && r == 0; i++)
		r = measure_mode(x, &x->modes[i], e);
	return r;
}

/* --- telling --- */

static cJSON *scatter_json(const struct scatter *s, int64_t count)
{
	cJSON *o = json_new_object(), *list;

	json_add_string(o, "mode", timing_mode_name(s->mode));
	json_add_double(o, "median_us", s->of.median / 1000);
	json_add_double(o, "spread_percent", 100 * s->of.spread);
	json_add_double(o, "deviation_percent", 100 * s->of.deviation);
	json_add_double(o, "told_apart_percent", 100 * s->of.limit);
	json_add_double(o, "timing_ms", s->timing_ms);
	list = json_add_list(o, "p50_us");
	for (int64_t i = 0; i < count; i++)
		json_push(list, cJSON_CreateNumber(s->p50_ns[i] / 1000));
	return o;
}

static cJSON *to_json(const struct noise *x, const char *config)
{
	cJSON *o = json_new_object(), *list, *tree;
	struct err ignored = { 0 };

	json_add_string(o, "task", task_name(x->setup.task));
	json_add_string(o, "device", x->setup.devices->name);
	json_add_string(o, "preset", x->preset);
	if (json_parse(config, strlen(config), &tree, &ignored) == 0)
		json_add(o, "config", tree);
	json_add_string(o, "l2", timing_l2_name(task_problem(x->setup.bound)->timing.l2));
	json_add_int(o, "count", x->plan->count);
	list = json_add_list(o, "modes");
	for (int i = 0; i < x->n_modes; i++)
		json_push(list, scatter_json(&x->modes[i], x->plan->count));
	return o;
}

static void print_modes(const struct noise *x)
{
	struct table *t = table_new();

	table_column(t, "mode");
	table_column(t, ">p50");
	table_column(t, ">spread");
	table_column(t, ">deviation");
	table_column(t, ">told apart");
	table_column(t, ">timing a trial");
	for (int i = 0; i < x->n_modes; i++) {
		const struct scatter *s = &x->modes[i];
		char time[FIGURE_MAX];

		table_cell(t, timing_mode_name(s->mode));
		table_cell(t, figure_time(s->of.median, time));
		table_cellf(t, "%.2f %%", 100 * s->of.spread);
		table_cellf(t, "%.2f %%", 100 * s->of.deviation);
		table_cellf(t, "%.2f %%", 100 * s->of.limit);
		table_cellf(t, "%.1f ms", s->timing_ms);
	}
	table_print(t, stdout);
	table_free(t);
}

static void print_text(const struct noise *x, const char *config)
{
	const struct repeatability *own = &x->modes[0].of;

	printf("task    %s %s\ndevice  %s, L2 %s\ntrials  %lld of each mode\n\n",
	       task_name(x->setup.task), config, x->setup.devices->name,
	       timing_l2_name(task_problem(x->setup.bound)->timing.l2), (long long)x->plan->count);
	print_modes(x);
	printf("\nspread: largest minus smallest, over the median. Two single trials of this task "
	       "that differ by\nmore than %.2f %% differ at 95 %%; `evo-tuned compare A B` tells "
	       "smaller differences apart.\n",
	       100 * own->limit);
}

int noise_report(const struct invocation *v, const struct noise_plan *plan, struct err *e)
{
	struct noise x = { .plan = plan, .preset = plan->preset };
	int status = EXIT_BY_ERROR;

	if (measure(&x, e) == 0) {
		char *config = task_config_json(task_space(x.setup.bound), x.config);

		if (v->json)
			print_json(to_json(&x, config));
		else
			print_text(&x, config);
		free(config);
		status = EXIT_DONE;
	}
	for (int i = 0; i < x.n_modes; i++)
		free(x.modes[i].p50_ns);
	trial_free(x.trial);
	local_folder_remove(x.folder);
	setup_release(&x.setup);
	return status;
}
