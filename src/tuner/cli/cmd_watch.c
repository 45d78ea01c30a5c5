#include "tuner/cli/follow.h"
#include "tuner/cli/stored.h"

/* The run that is going on, or else the newest. */
static int choose(const struct invocation *v, int64_t *id, struct err *e)
{
	struct store *store;
	int r = store_open(v->db, STORE_READ, &store, e);

	if (r < 0)
		return r;
	r = store_newest_run(store, true, id, e);
	if (r == ERR_MISSING || (r == 0 && !*id)) {
		r = store_newest_run(store, false, id, e);
	}
	store_close(store);
	return r;
}

static int run(const struct invocation *v, struct err *e)
{
	struct client *client;
	int64_t id = 0;
	int status;

	if (v->n_operands && operand_run(v->operands[0], &id, e) < 0)
		return -EXIT_USAGE;
	if (daemon_reach(v, &client, e) < 0)
		return -EXIT_DAEMON;
	if (!id && choose(v, &id, e) < 0)
		status = -EXIT_USAGE;
	else if (follow_subscribe(client, e) < 0)
		status = -EXIT_DAEMON;
	else
		status = follow_run(v, client, id, e);
	client_free(client);
	return status;
}

const struct command command_watch = {
	.name = "watch",
	.summary = "follow a run that the daemon works on",
	.operands = "[RUN]",
	.notes = "Without RUN: the newest unfinished one. Ctrl-C ends the watching, not the run.",
	.max_operands = 1,
	.run = run,
};
