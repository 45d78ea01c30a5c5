#ifndef DAEMON_DAEMON_H
#define DAEMON_DAEMON_H

#include <stdbool.h>

#include "base/err.h"

/*
 * The service: one thread, one libuv loop, the only writer of the database. It holds the queue of
 * runs, the pool of worker processes and the control socket, whose JSON-RPC 2.0 methods are listed
 * in control.h. Cubins are kept in DB_DIR/cache and the sources of runs below DB_DIR/sources.
 */
struct daemon_options {
	const char *db;	     /* made where missing */
	const char *socket;  /* made, mode 0600; its folder too, mode 0700 */
	const char *configs; /* folder of the shipped tasks, to find bare names; NULL: paths only */
	const char *nvrtc;   /* NULL: looked for in the usual places */
	int jobs;	     /* compile workers; 0: one for each core this process may use */
	bool foreground;     /* a terminal or a service manager holds it: log without a file */
	double idle_exit_s;  /* ends by itself after so long without runs or clients; 0: never */
};

/*
 * Serves until it is told to stop: SIGTERM or SIGINT once ends when what is in flight has ended,
 * twice at once; so does the method daemon.stop. 0 then. ERR_BUSY: another daemon holds the socket
 * or the database, and the message says which process; other codes: it could not start.
 */
int daemon_main(const struct daemon_options *o, struct err *e);

#endif
