#ifndef DAEMON_CLIENT_H
#define DAEMON_CLIENT_H

#include "base/json.h"

/*
 * The other end of the control socket for programs that may wait: a blocking JSON-RPC 2.0 client.
 * One call at a time; notifications that arrive meanwhile are kept for client_next.
 */
struct client;

/* ERR_MISSING: no daemon answers there. ERR_INVALID: the path is too long for a socket, or it
 * belongs to another user. */
int client_connect(const char *socket, struct client **ret, struct err *e);

/* The same, but starts `evo-tuned daemon` in the background when none answers and waits until it
 * does. When it does not come up, the message has the last lines of its log. */
struct client_spawn {
	const char *db, *socket;
	const char *log;   /* file the daemon's messages are appended to; its folder is made */
	const char *nvrtc; /* may be NULL */
	int jobs;	   /* 0: the daemon's default */
};
int client_spawn(const struct client_spawn *o, struct client **ret, struct err *e);

void client_free(struct client *c); /* accepts NULL */
int client_fd(const struct client *c);

/* Calls a method; params are taken over and may be NULL. *ret is the result, cJSON_Delete it.
 * An error from the daemon comes back with its code and message; ERR_PROTOCOL when it went away or
 * did not answer within 60 s. */
int client_call(struct client *c, const char *method, cJSON *params, cJSON **ret, struct err *e);

/* Waits up to timeout_ms for a notification. 1: *ret is its params (cJSON_Delete); 0: none came,
 * or a signal arrived; ERR_PROTOCOL: the daemon went away. */
int client_next(struct client *c, int timeout_ms, cJSON **ret, struct err *e);

#endif
