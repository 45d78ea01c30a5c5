#include "tuner/cli/control.h"

static int run(const struct invocation *v, struct err *e)
{
	return control_run(v, "search.pause",
			   "held when what is in flight has ended; `evo-tuned resume` carries on",
			   e);
}

const struct command command_pause = {
	.name = "pause",
	.summary = "hold a run",
	.operands = "[RUN]",
	.notes = "Without RUN: the one that is running.",
	.max_operands = 1,
	.run = run,
};
