#include <string.h>

#include "runtime/nvrtc.h"
#include "tuner/cli/command.h"
#include "tuner/worker/serve.h"

struct worker_command {
	int64_t parent, cpu, avoid_cpu;
	const char *nvrtc;
};

static const struct worker_command defaults = { .cpu = -1, .avoid_cpu = -1 };

static const struct option_spec options[] = {
	{ .name = "parent",
	  .kind = OPTION_INT,
	  .value = "PID",
	  .help = "end when this process ends",
	  .offset = offsetof(struct worker_command, parent),
	  .min = 1,
	  .max = 1 << 30 },
	{ .name = "cpu",
	  .kind = OPTION_INT,
	  .value = "N",
	  .help = "run on this core only",
	  .offset = offsetof(struct worker_command, cpu),
	  .max = 65535 },
	{ .name = "avoid-cpu",
	  .kind = OPTION_INT,
	  .value = "N",
	  .help = "run on any core but this",
	  .offset = offsetof(struct worker_command, avoid_cpu),
	  .max = 65535 },
	{ .name = "nvrtc",
	  .kind = OPTION_TEXT,
	  .value = "PATH",
	  .help = "libnvrtc.so to use",
	  .offset = offsetof(struct worker_command, nvrtc) },
	{ 0 },
};

static int run(const struct invocation *v, struct err *e)
{
	const struct worker_command *c = v->options;
	struct serve_options o = {
		.role = v->operands[0],
		.parent = (pid_t)c->parent,
		.cpu = (int)c->cpu,
		.avoid_cpu = (int)c->avoid_cpu,
	};

	if (strcmp(o.role, "compile") != 0 && strcmp(o.role, "measure") != 0) {
		err_set(e, ERR_INVALID, "worker: expected compile or measure, found \"%.60s\"",
			o.role);
		return -EXIT_USAGE;
	}
	if (c->nvrtc)
		nvrtc_set_path(c->nvrtc);
	return worker_serve(&o);
}

const struct command command_worker = {
	.name = "worker",
	.summary = "a worker of the service: requests on stdin, answers on stdout",
	.operands = "compile|measure",
	.notes = "One JSON object a line, both ways. The daemon starts its own; by hand, for "
		 "example:\n  echo '{\"id\":1,\"do\":\"probe\",\"runtime\":\"host\"}' | evo-tuned "
		 "worker compile",
	.min_operands = 1,
	.max_operands = 1,
	.options = options,
	.defaults = &defaults,
	.size = sizeof(struct worker_command),
	.run = run,
};
