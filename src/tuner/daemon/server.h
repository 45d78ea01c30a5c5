#ifndef DAEMON_SERVER_H
#define DAEMON_SERVER_H

#include "tuner/daemon/conn.h"

/*
 * The listening end of the control socket and its clients. Only processes of our own user or root
 * are served.
 */
enum { SERVER_CLIENTS_MAX = 64 };

struct server_io {
	void *ctx;
	rpc_on_call *call; /* gets every well-formed call */
};

struct server;

/* Takes the listening descriptor over, also when it fails. */
int server_new(uv_loop_t *loop, int fd, struct store *s, const struct server_io *io,
	       struct server **ret, struct err *e);
void server_close(struct server *s); /* asynchronous; NULL is fine */
void server_free(struct server *s);  /* when the loop has run out */

void server_publish(struct server *s, const struct event_record *v);
void server_subscribe(struct server *s, int64_t peer, int64_t from);
int server_clients(const struct server *s);

#endif
