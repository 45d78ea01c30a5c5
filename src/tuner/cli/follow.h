#ifndef CLI_FOLLOW_H
#define CLI_FOLLOW_H

#include "tuner/cli/command.h"
#include "tuner/daemon/client.h"

/*
 * Talks to the daemon on behalf of the commands: reaches it, and follows a run to its end with a
 * live line on a terminal, or a plain line now and then elsewhere, always on stderr.
 */

/* A daemon that already runs; ERR_MISSING says how to start one. */
int daemon_reach(const struct invocation *v, struct client **ret, struct err *e);

/* The same, but starts one when none answers. ERR_BUSY when the one that answers keeps another
 * database than the one asked for. */
int daemon_reach_or_start(const struct invocation *v, const char *nvrtc, int jobs,
			  struct client **ret, struct err *e);

/* A call whose result names a run. */
int daemon_call_run(struct client *c, const char *method, cJSON *params, int64_t *ret_run,
		    struct err *e);

/* To be called before the run is started or looked up, so that no event is missed. */
int follow_subscribe(struct client *c, struct err *e);

/* Until the run ends, then prints its top table on stdout. The exit status; 130 after SIGINT, with
 * a message how to watch, cancel and resume; 3 with e set when the daemon went away. */
int follow_run(const struct invocation *v, struct client *c, int64_t run, struct err *e);

#endif
