#ifndef DAEMON_CONN_H
#define DAEMON_CONN_H

#include <uv.h>

#include "tuner/daemon/rpc.h"
#include "tuner/daemon/store.h"

/*
 * One client of the control socket. Lines that are too long end it, and so does a queue of answers
 * that it does not read: a slow client is dropped, never waited for.
 *
 * A subscriber first gets the stored events from its number on, in pieces and only as fast as it
 * reads, and each new event from then on.
 */
enum { CONN_QUEUE_MAX = 4 << 20, CONN_STALL_S = 30 };

struct conn;

struct conn_io {
	void *ctx;
	void (*line)(void *ctx, struct conn *c, const char *line, size_t len);
	void (*closed)(void *ctx, struct conn *c); /* it is freed after this */
};

struct conn *conn_new(uv_loop_t *loop, int64_t id, struct store *s, const struct conn_io *io);
uv_stream_t *conn_stream(struct conn *c); /* for uv_accept, before conn_begin */
void conn_begin(struct conn *c);
void conn_close(struct conn *c); /* asynchronous */

int64_t conn_id(const struct conn *c);
int conn_fd(const struct conn *c);
void conn_send(struct conn *c, char *line); /* with its newline; taken over */
void conn_subscribe(struct conn *c, int64_t from);
void conn_publish(struct conn *c, const struct event_record *v);
void conn_check_stall(struct conn *c); /* now and then: drops one that has read nothing for long */

#endif
