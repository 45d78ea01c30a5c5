#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tuner/cli/follow.h"
#include "tuner/cli/local.h"
#include "tuner/cli/narrow.h"
#include "tuner/cli/paths.h"
#include "tuner/cli/print.h"
#include "tuner/cli/stop_options.h"
#include "tuner/cli/strategies.h"
#include "tuner/cli/warm_start.h"
#include "tuner/daemon/warm_json.h"

struct start_command {
	struct strategy_options search;
	struct stop_options stop;
	const char *runtime, *device, *nvrtc;
	int64_t jobs, priority;
	struct option_list shapes, set;
	bool fresh, detach;
};

static const struct start_command defaults = { .search = { .budget = 128, .warm = WARM_DEFAULT },
					       .stop = STOP_OPTIONS_DEFAULT };

#define AT(field) .offset = offsetof(struct start_command, field)

static const struct option_spec options[] = {
	STRATEGY_OPTIONS(offsetof(struct start_command, search), "new evaluations (default 128)",
			 "of all that is random in the search", "RUN|FILE",
			 "try the best of an earlier run or a recording first (default: of the "
			 "newest run of this task on another device, shape, compiler or source)"),
	STOP_OPTIONS(offsetof(struct start_command, stop)),
	{ .name = "runtime",
	  .kind = OPTION_TEXT,
	  .value = "cuda|host",
	  .help = "where it runs (default: what the task asks for)",
	  AT(runtime) },
	{ .name = "device",
	  .kind = OPTION_TEXT,
	  .value = "0,1|all",
	  .help = "devices to measure on (default 0)",
	  AT(device) },
	{ .name = "jobs",
	  .letter = 'j',
	  .kind = OPTION_INT,
	  .value = "N",
	  .help = "compile workers at most (default: the daemon's)",
	  AT(jobs),
	  .min = 1,
	  .max = 1024 },
	{ .name = "shape",
	  .kind = OPTION_LIST,
	  .value = "NAME",
	  .help = "only this shape; may be repeated",
	  AT(shapes) },
	{ .name = "set",
	  .kind = OPTION_LIST,
	  .value = "NAME=V[,V...]",
	  .help = "only these values of a parameter; may be repeated",
	  AT(set) },
	{ .name = "priority",
	  .kind = OPTION_INT,
	  .value = "N",
	  .help = "higher ones run first (default 0)",
	  AT(priority),
	  .min = -1000,
	  .max = 1000 },
	{ .name = "fresh",
	  .kind = OPTION_FLAG,
	  .help = "measure again what an earlier run has measured, begin with nothing of it",
	  AT(fresh) },
	{ .name = "detach",
	  .letter = 'd',
	  .kind = OPTION_FLAG,
	  .help = "print the run's number and leave it to the daemon",
	  AT(detach) },
	{ .name = "nvrtc",
	  .kind = OPTION_TEXT,
	  .value = "PATH",
	  .help = "libnvrtc.so to use, also by a daemon that is started",
	  AT(nvrtc) },
	{ 0 },
};

/* What is to be started, checked here so that bad input fails before a daemon is bothered. */
struct submission {
	char *path;
	char *runtime;
	struct task *task;
	struct device *devices;
	int n_devices;
	struct narrow narrow;
	struct settings settings;
	struct task_bound *bound; /* on the first device */
	cJSON *warm;		  /* NULL: nothing */
};

static void submission_release(struct submission *s)
{
	cJSON_Delete(s->warm);
	task_bound_free(s->bound);
	narrow_release(&s->narrow);
	task_free(s->task);
	free(s->devices);
	free(s->runtime);
	free(s->path);
}

/* Without TASK: attention where a GPU can be used, a matrix product on the CPU elsewhere. */
static const char *default_task(const char *nvrtc)
{
	struct device *devices = NULL;
	struct err e = { 0 };
	const char *name = "sgemm_host";
	struct local gpu = { "cuda", nvrtc };
	int n = 0;

	if (local_probe(&gpu, &devices, &n, &e) < 0) {
		note("no task named and no usable GPU (%s): tuning %s on the CPU", e.msg, name);
	} else if (strncmp(devices[0].compiler, "NVRTC ", 6) != 0) {
		note("no task named and no NVRTC for %s (`evo-tuned doctor` says more): tuning %s "
		     "on the CPU",
		     devices[0].name, name);
	} else {
		name = "sdpa_u8";
		note("no task named: tuning %s on %s", name, devices[0].name);
	}
	free(devices);
	return name;
}

/* --device as a JSON list. NULL stands for device 0. */
static int parse_devices(const char *text, cJSON **ret, struct err *e)
{
	cJSON *list;
	const char *p = text ? text : "0";

	if (strcmp(p, "all") == 0) {
		*ret = cJSON_CreateString("all");
		return 0;
	}
	list = json_new_list();
	for (;; p++) {
		char *end;
		long v = strtol(p, &end, 10);

		if (end == p || *p < '0' || *p > '9' || v > 1023 || (*end && *end != ',')) {
			cJSON_Delete(list);
			return err_set(e, ERR_INVALID,
				       "--device: expected device numbers such as 0,1 or all, "
				       "found \"%.60s\"",
				       text);
		}
		json_push(list, cJSON_CreateNumber((double)v));
		p = end;
		if (!*p)
			break;
	}
	*ret = list;
	return 0;
}

static int find_device(const struct submission *s, int ordinal, const struct device **ret,
		       struct err *e)
{
	for (int i = 0; i < s->n_devices; i++) {
		if (ordinal < 0 || s->devices[i].ordinal == ordinal) {
			*ret = &s->devices[i];
			return 0;
		}
	}
	return err_set(e, ERR_MISSING,
		       "--device: runtime %s has no device %d; it has %d, counted from 0",
		       s->runtime, ordinal, s->n_devices);
}

/* Everything that can be known to be wrong without running anything. */
static int try_bind(const struct start_command *c, struct submission *s, const cJSON *devices,
		    struct err *e)
{
	struct task_options o = { .shapes = c->shapes.items,
				  .n_shapes = c->shapes.n,
				  .narrow = s->narrow.sets,
				  .n_narrow = s->narrow.n };
	int n = cJSON_IsArray(devices) ? cJSON_GetArraySize(devices) : 1;
	int r = 0;

	for (int i = 0; i < n && r == 0; i++) {
		const cJSON *item = cJSON_IsArray(devices) ? cJSON_GetArrayItem(devices, i) : NULL;
		struct task_bound *bound = NULL;

		r = find_device(s, item ? item->valueint : -1, &o.device, e);
		if (r == 0)
			r = task_bind(s->task, &o, &bound, e);
		if (s->bound)
			task_bound_free(bound);
		else
			s->bound = bound;
	}
	return r;
}

static int prepare(const struct start_command *c, const char *operand, const cJSON *devices,
		   struct submission *s, struct err *e)
{
	struct local where;
	int r = strategies_parse(&c->search, &s->settings, e);

	if (r == 0)
		r = narrow_parse(&c->set, &s->narrow, e);
	if (r == 0)
		r = path_task(operand ? operand : default_task(c->nvrtc), &s->path, e);
	if (r == 0)
		r = task_load(s->path, &s->task, e);
	if (r < 0)
		return r;
	s->runtime = mem_strdup(c->runtime ? c->runtime : task_runtime(s->task));
	if (!runtime_find(s->runtime))
		return err_set(e, ERR_INVALID, "--runtime: expected cuda or host, found \"%.60s\"",
			       s->runtime);
	where = (struct local){ s->runtime, c->nvrtc };
	r = local_probe(&where, &s->devices, &s->n_devices, e);
	return r < 0 ? r : try_bind(c, s, devices, e);
}

static int take_warm(const struct invocation *v, struct submission *s, struct err *e)
{
	const struct start_command *c = v->options;
	const struct warm_wish wish = { .from = c->search.from,
					.fresh = c->fresh,
					.limit = (int)c->search.warm,
					.db = v->db,
					.bound = s->bound,
					.task = task_name(s->task) };

	return warm_start(&wish, &s->warm, e);
}

static cJSON *request(const struct start_command *c, struct submission *s, cJSON *devices)
{
	cJSON *p = json_new_object(), *shapes, *set;

	json_add_string(p, "task", s->path);
	json_add_string(p, "runtime", s->runtime);
	json_add(p, "devices", devices);
	json_add_int(p, "priority", c->priority);
	json_add_bool(p, "fresh", c->fresh);
	stop_add(&c->stop, p);
	strategies_add(&c->search, &s->settings, p);
	if (c->jobs)
		json_add_int(p, "jobs", c->jobs);
	shapes = json_add_list(p, "shapes");
	for (int i = 0; i < c->shapes.n; i++)
		json_push(shapes, cJSON_CreateString(c->shapes.items[i]));
	set = json_add_object(p, "set");
	for (int i = 0; i < s->narrow.n; i++)
		json_add_string(set, s->narrow.sets[i].name, s->narrow.sets[i].values);
	if (s->warm)
		json_add(p, "warm", s->warm);
	s->warm = NULL;
	return p;
}

static int submit(const struct invocation *v, const struct submission *s, cJSON *params,
		  struct err *e)
{
	const struct start_command *c = v->options;
	struct client *client = NULL;
	int64_t run = 0;
	int status = -EXIT_DAEMON;

	if (daemon_reach_or_start(v, c->nvrtc, 0, &client, e) < 0) {
		cJSON_Delete(params);
		return -EXIT_DAEMON;
	}
	if (follow_subscribe(client, e) < 0)
		cJSON_Delete(params);
	else if (daemon_call_run(client, "search.start", params, &run, e) < 0)
		status = EXIT_BY_ERROR;
	else if (c->detach)
		status = printf("%" PRId64 "\n", run) < 0 ? EXIT_WORK : EXIT_DONE;
	else {
		note("run %" PRId64 ": %s on %s, budget %" PRId64, run, task_name(s->task),
		     s->devices[0].name, c->search.budget);
		status = follow_run(v, client, run, e);
	}
	client_free(client);
	return status;
}

static int run(const struct invocation *v, struct err *e)
{
	const struct start_command *c = v->options;
	struct submission s = { 0 };
	cJSON *devices = NULL;
	int status = -EXIT_USAGE;

	if (parse_devices(c->device, &devices, e) < 0)
		return -EXIT_USAGE;
	if (prepare(c, v->n_operands ? v->operands[0] : NULL, devices, &s, e) < 0 ||
	    take_warm(v, &s, e) < 0)
		cJSON_Delete(devices);
	else
		status = submit(v, &s, request(c, &s, devices), e);
	submission_release(&s);
	return status;
}

const struct command command_start = {
	.name = "start",
	.summary = "search for the fastest correct configuration of a task",
	.operands = "[TASK]",
	.notes = "TASK is a file or the name of a shipped task, such as sgemm_host. Without it: "
		 "sdpa_u8 on a GPU,\nsgemm_host on the CPU where there is none. Ctrl-C leaves the "
		 "search to the daemon.",
	.max_operands = 1,
	.more = strategies_help,
	.options = options,
	.defaults = &defaults,
	.size = sizeof(struct start_command),
	.run = run,
};
