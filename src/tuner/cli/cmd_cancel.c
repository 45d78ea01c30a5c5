#include "tuner/cli/control.h"

static int run(const struct invocation *v, struct err *e)
{
	return control_run(v, "search.cancel", "cancelled; its trials are kept", e);
}

const struct command command_cancel = {
	.name = "cancel",
	.summary = "end a run, keeping its trials",
	.operands = "[RUN]",
	.notes = "Without RUN: the one that is running.",
	.max_operands = 1,
	.run = run,
};
