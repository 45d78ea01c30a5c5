#include "tuner/cli/follow.h"
#include "tuner/cli/print.h"

static int run(const struct invocation *v, struct err *e)
{
	struct client *client;
	cJSON *result = NULL;
	int r;

	if (daemon_reach(v, &client, e) < 0)
		return -EXIT_DAEMON;
	r = client_call(client, "daemon.stop", NULL, &result, e);
	if (r == 0)
		note("the daemon ends when what is in flight has ended; `evo-tuned resume` "
		     "carries unfinished runs on");
	cJSON_Delete(result);
	client_free(client);
	return r < 0 ? EXIT_BY_ERROR : EXIT_DONE;
}

const struct command command_stop = {
	.name = "stop",
	.summary = "end the daemon after what is in flight",
	.run = run,
};
