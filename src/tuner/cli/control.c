#include "tuner/cli/control.h"

#include <inttypes.h>

#include "tuner/cli/follow.h"
#include "tuner/cli/print.h"

int control_run(const struct invocation *v, const char *method, const char *done, struct err *e)
{
	cJSON *params = NULL;
	struct client *client;
	int64_t id = 0;
	int r;

	if (v->n_operands && operand_run(v->operands[0], &id, e) < 0)
		return -EXIT_USAGE;
	if (daemon_reach(v, &client, e) < 0)
		return -EXIT_DAEMON;
	params = json_new_object();
	if (id)
		json_add_int(params, "run", id);
	r = daemon_call_run(client, method, params, &id, e);
	if (r == 0)
		note("run %" PRId64 ": %s", id, done);
	client_free(client);
	return r < 0 ? EXIT_BY_ERROR : EXIT_DONE;
}
