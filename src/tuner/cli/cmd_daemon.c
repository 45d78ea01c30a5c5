#include <stdlib.h>

#include "tuner/cli/command.h"
#include "tuner/cli/paths.h"
#include "tuner/daemon/daemon.h"

struct daemon_command {
	const char *nvrtc;
	int64_t jobs;
	double idle_exit_s;
	bool background;
};

static const struct option_spec options[] = {
	{ .name = "jobs",
	  .letter = 'j',
	  .kind = OPTION_INT,
	  .value = "N",
	  .help = "compile workers (default: one for each core)",
	  .offset = offsetof(struct daemon_command, jobs),
	  .min = 1,
	  .max = 1024 },
	{ .name = "nvrtc",
	  .kind = OPTION_TEXT,
	  .value = "PATH",
	  .help = "libnvrtc.so to use (default: looked for in the usual places)",
	  .offset = offsetof(struct daemon_command, nvrtc) },
	{ .name = "idle-exit",
	  .kind = OPTION_REAL,
	  .value = "SECONDS",
	  .help = "end after so long without runs and clients (default: never)",
	  .offset = offsetof(struct daemon_command, idle_exit_s),
	  .max = 1e9 },
	{ .name = "background",
	  .kind = OPTION_FLAG,
	  .help = "how `start` starts it: no terminal, the log is a file",
	  .offset = offsetof(struct daemon_command, background) },
	{ 0 },
};

static int run(const struct invocation *v, struct err *e)
{
	const struct daemon_command *c = v->options;
	char *configs = path_configs();
	struct daemon_options o = {
		.db = v->db,
		.socket = v->socket,
		.configs = configs,
		.nvrtc = c->nvrtc,
		.jobs = (int)c->jobs,
		.foreground = !c->background,
		.idle_exit_s = c->idle_exit_s,
	};
	int r = daemon_main(&o, e);

	free(configs);
	return r < 0 ? -EXIT_DAEMON : EXIT_DONE;
}

const struct command command_daemon = {
	.name = "daemon",
	.summary = "the service in the foreground",
	.notes =
		"SIGTERM or SIGINT ends it when what is in flight has ended, a second one at once. "
		"Under systemd use Type=notify.",
	.options = options,
	.size = sizeof(struct daemon_command),
	.run = run,
};
