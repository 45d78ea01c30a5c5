#include <inttypes.h>
#include <stdio.h>

#include "tuner/cli/follow.h"
#include "tuner/cli/stop_options.h"
#include "tuner/cli/stored.h"

struct resume_command {
	int64_t budget; /* 0: as it was */
	struct stop_options stop;
	const char *nvrtc;
	bool detach;
};

static const struct resume_command defaults = { .stop = STOP_OPTIONS_DEFAULT };

static const struct option_spec options[] = {
	{ .name = "budget",
	  .letter = 'b',
	  .kind = OPTION_INT,
	  .value = "N",
	  .help = "the new total of evaluations",
	  .offset = offsetof(struct resume_command, budget),
	  .min = 1,
	  .max = 1e9 },
	STOP_OPTIONS(offsetof(struct resume_command, stop)),
	{ .name = "detach",
	  .letter = 'd',
	  .kind = OPTION_FLAG,
	  .help = "print the run's number and leave it to the daemon",
	  .offset = offsetof(struct resume_command, detach) },
	{ .name = "nvrtc",
	  .kind = OPTION_TEXT,
	  .value = "PATH",
	  .help = "libnvrtc.so to use by a daemon that is started",
	  .offset = offsetof(struct resume_command, nvrtc) },
	{ 0 },
};

/* The run to carry on, looked up before a daemon is started for nothing: without RUN the newest
 * unfinished one, or with a new budget the newest. */
static int choose(const struct invocation *v, int64_t *id, struct err *e)
{
	const struct resume_command *c = v->options;
	struct run_record run = { 0 };
	struct store *store;
	int r = stored_upgraded(v->db, &store, e);

	if (r < 0)
		return r;
	if (*id) {
		r = store_run(store, *id, &run, e);
	} else {
		r = store_newest_run(store, true, id, e);
		if ((r == ERR_MISSING || (r == 0 && !*id)) && c->budget)
			r = store_newest_run(store, false, id, e);
		if (r == ERR_MISSING || (r == 0 && !*id))
			r = err_set(e, ERR_MISSING,
				    "no unfinished run; `evo-tuned resume RUN --budget N` carries "
				    "a finished one on, `evo-tuned start` makes a new one");
	}
	run_record_release(&run);
	store_close(store);
	return r;
}

static int carry_on(const struct invocation *v, struct client *client, int64_t id, struct err *e)
{
	const struct resume_command *c = v->options;
	cJSON *params = json_new_object();

	json_add_int(params, "run", id);
	if (c->budget)
		json_add_int(params, "budget", c->budget);
	stop_add(&c->stop, params);
	if (follow_subscribe(client, e) < 0) {
		cJSON_Delete(params);
		return -EXIT_DAEMON;
	}
	if (daemon_call_run(client, "search.resume", params, &id, e) < 0)
		return EXIT_BY_ERROR;
	if (c->detach) {
		printf("%" PRId64 "\n", id);
		return EXIT_DONE;
	}
	return follow_run(v, client, id, e);
}

static int run(const struct invocation *v, struct err *e)
{
	const struct resume_command *c = v->options;
	struct client *client;
	int64_t id = 0;
	int status;

	if (v->n_operands && operand_run(v->operands[0], &id, e) < 0)
		return -EXIT_USAGE;
	if (choose(v, &id, e) < 0)
		return -EXIT_USAGE;
	if (daemon_reach_or_start(v, c->nvrtc, 0, &client, e) < 0)
		return -EXIT_DAEMON;
	status = carry_on(v, client, id, e);
	client_free(client);
	return status;
}

const struct command command_resume = {
	.name = "resume",
	.summary = "carry a run on: after a crash, a pause, or with a larger budget",
	.operands = "[RUN]",
	.notes = "Without RUN: the newest unfinished one. No finished trial is lost or repeated.",
	.max_operands = 1,
	.options = options,
	.defaults = &defaults,
	.size = sizeof(struct resume_command),
	.run = run,
};
