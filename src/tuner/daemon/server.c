#include "tuner/daemon/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

enum { STALL_CHECK_MS = 5000 };

struct server {
	uv_loop_t *loop;
	uv_pipe_t pipe;
	uv_timer_t timer;
	struct store *store;
	struct server_io io;
	struct conn *clients[SERVER_CLIENTS_MAX];
	int n_clients;
	int64_t next_id;
};

static void send_to(void *ctx, int64_t peer, char *line)
{
	struct server *s = ctx;

	for (int i = 0; i < s->n_clients; i++)
		if (conn_id(s->clients[i]) == peer) {
			conn_send(s->clients[i], line);
			return;
		}
	free(line);
}

static void on_line(void *ctx, struct conn *c, const char *line, size_t len)
{
	struct server *s = ctx;
	struct rpc_peer peer = { s, send_to, conn_id(c) };

	rpc_receive(&peer, line, len, s->io.call, s->io.ctx);
}

static void on_conn_closed(void *ctx, struct conn *c)
{
	struct server *s = ctx;

	for (int i = 0; i < s->n_clients; i++)
		if (s->clients[i] == c) {
			s->n_clients--;
			memmove(&s->clients[i], &s->clients[i + 1],
				(size_t)(s->n_clients - i) * sizeof(struct conn *));
			return;
		}
}

static bool is_trusted(const struct conn *c)
{
	struct ucred peer;
	socklen_t len = sizeof peer;

	if (getsockopt(conn_fd(c), SOL_SOCKET, SO_PEERCRED, &peer, &len))
		return false;
	if (peer.uid == geteuid() || peer.uid == 0)
		return true;
	log_warn("process %d of user %u is not served", (int)peer.pid, (unsigned)peer.uid);
	return false;
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct server *s = listener->data;
	struct conn_io io = { s, on_line, on_conn_closed };
	struct conn *c;

	if (status < 0) {
		log_error("control socket: %s", uv_strerror(status));
		return;
	}
	c = conn_new(s->loop, ++s->next_id, s->store, &io);
	if (uv_accept(listener, conn_stream(c)) < 0 || !is_trusted(c) ||
	    s->n_clients >= SERVER_CLIENTS_MAX) {
		conn_close(c);
		return;
	}
	s->clients[s->n_clients++] = c;
	conn_begin(c);
}

static void on_timer(uv_timer_t *h)
{
	struct server *s = h->data;

	for (int i = 0; i < s->n_clients; i++)
		conn_check_stall(s->clients[i]);
}

int server_new(uv_loop_t *loop, int fd, struct store *st, const struct server_io *io,
	       struct server **ret, struct err *e)
{
	struct server *s = mem_alloc(sizeof *s);
	int r;

	s->loop = loop;
	s->store = st;
	s->io = *io;
	uv_pipe_init(loop, &s->pipe, 0);
	uv_timer_init(loop, &s->timer);
	s->pipe.data = s->timer.data = s;
	*ret = s;
	r = uv_pipe_open(&s->pipe, fd);
	if (r < 0)
		close(fd);
	else
		r = uv_listen((uv_stream_t *)&s->pipe, SERVER_CLIENTS_MAX, on_connection);
	if (r < 0)
		return err_set(e, ERR_IO, "control socket: %s", uv_strerror(r));
	uv_timer_start(&s->timer, on_timer, STALL_CHECK_MS, STALL_CHECK_MS);
	return 0;
}

void server_close(struct server *s)
{
	if (!s || uv_is_closing((uv_handle_t *)&s->pipe))
		return;
	uv_close((uv_handle_t *)&s->pipe, NULL);
	uv_close((uv_handle_t *)&s->timer, NULL);
	for (int i = 0; i < s->n_clients; i++)
		conn_close(s->clients[i]);
}

void server_free(struct server *s)
{
	free(s);
}

void server_publish(struct server *s, const struct event_record *v)
{
	for (int i = 0; i < s->n_clients; i++)
		conn_publish(s->clients[i], v);
}

void server_subscribe(struct server *s, int64_t peer, int64_t from)
{
	for (int i = 0; i < s->n_clients; i++)
		if (conn_id(s->clients[i]) == peer)
			conn_subscribe(s->clients[i], from);
}

int server_clients(const struct server *s)
{
	return s->n_clients;
}
