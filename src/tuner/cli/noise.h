#ifndef CLI_NOISE_H
#define CLI_NOISE_H

#include "tuner/cli/command.h"

/*
 * `doctor --noise`: one configuration is measured many times over, each time as a trial is (checks,
 * warm-up, samples), and the scatter of what comes out says which differences can be told apart on
 * this machine. On a GPU the same is done in event mode, the other tools' way, beside it.
 */
struct noise_plan {
	const char *task, *preset; /* NULL: a shipped task that can run here; its baseline */
	const char *nvrtc;
	int64_t count; /* measurements of each mode, 2 or more */
};

/* Prints the report; the exit status as of struct command. */
int noise_report(const struct invocation *v, const struct noise_plan *plan, struct err *e);

#endif
