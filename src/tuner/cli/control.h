#ifndef CLI_CONTROL_H
#define CLI_CONTROL_H

#include "tuner/cli/command.h"

/* Asks the daemon for something about the run that the operand names, or its own choice without
 * one, and says on stderr what was done: "run 3: paused". The exit status. */
int control_run(const struct invocation *v, const char *method, const char *done, struct err *e);

#endif
