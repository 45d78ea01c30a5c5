#ifndef CLI_LOCAL_H
#define CLI_LOCAL_H

#include <stdint.h>

#include "runtime/runtime.h"
#include "tuner/worker/call.h"

enum { LOCAL_OPEN_MS = 120000 }; /* until a measuring worker has opened a problem */

/*
 * This machine without a daemon: devices, compiles and measurements by worker processes, which may
 * crash or hang without harm. Everything blocks and has a deadline.
 */

/* What is used of it. */
struct local {
	const char *runtime;
	const char *nvrtc; /* libnvrtc.so of --nvrtc; NULL: looked for in the usual places */
};

/* Its devices; *ret is malloc'ed. ERR_MISSING says what to install. */
int local_probe(const struct local *l, struct device **ret, int *ret_n, struct err *e);

/* The device with this ordinal; -1: the first. */
int local_device(const struct local *l, int ordinal, struct device *ret, struct err *e);

/* The device with this ordinal must still be of this name and architecture. what was made on it
 * heads the message: ERR_MISSING. */
int local_check_device(const struct local *l, const struct device *then, const char *what,
		       struct err *e);

/* A folder for sources and binaries of this process alone; free with local_folder_remove. */
int local_folder(char **ret, struct err *e);
void local_folder_remove(char *folder); /* accepts NULL */

/* Compiles one job, whose cache must be set. A deadline that passes and a worker that dies are
 * outcomes: COMPILE_TIMEOUT, LOST. */
int local_compile(const struct local *l, const struct compile_job *job, double timeout_s,
		  struct artifact *ret, struct err *e);

/* A request to a worker with a deadline. Anything but the reply asked for is an error: `what`
 * heads its message. */
int local_ask(struct call *c, char *line, int64_t deadline_ms, const char *what,
	      struct wire_reply *ret, struct err *e);

#endif
