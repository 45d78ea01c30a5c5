#include "tuner/daemon/conn.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "tuner/daemon/lines.h"

enum {
	PIECE = 128,	     /* events read from the store at once */
	PUMP_BELOW = 1 << 18 /* bytes queued, under which more is read */
};

struct conn {
	uv_pipe_t pipe;
	struct conn_io io;
	struct store *store;
	int64_t id;
	struct lines in;
	size_t queued;	   /* bytes that wait to be read by the client */
	uint64_t moved_ms; /* when it last read something, on the loop's clock */
	bool subscribed;
	bool caught_up; /* every stored event has been sent */
	int64_t seen;	/* number of the last event sent */
	bool pumping;
	char chunk[16384];
};

struct out {
	uv_write_t write;
	struct conn *conn;
	char *line;
	size_t len;
};

static void pump(struct conn *c);

static void on_closed(uv_handle_t *h)
{
	struct conn *c = h->data;

	c->io.closed(c->io.ctx, c);
	lines_release(&c->in);
	free(c);
}

void conn_close(struct conn *c)
{
	if (!uv_is_closing((uv_handle_t *)&c->pipe))
		uv_close((uv_handle_t *)&c->pipe, on_closed);
}

static void on_written(uv_write_t *w, int status)
{
	struct out *o = w->data;
	struct conn *c = o->conn;

	c->queued -= o->len;
	c->moved_ms = uv_now(c->pipe.loop);
	free(o->line);
	free(o);
	if (status < 0)
		conn_close(c);
	else if (c->subscribed && !c->caught_up && c->queued < PUMP_BELOW)
		pump(c);
}

void conn_send(struct conn *c, char *line)
{
	struct out *o;
	uv_buf_t buf;

	if (uv_is_closing((uv_handle_t *)&c->pipe)) {
		free(line);
		return;
	}
	o = mem_alloc(sizeof *o);
	o->conn = c;
	o->line = line;
	o->len = strlen(line);
	o->write.data = o;
	if (!c->queued)
		c->moved_ms = uv_now(c->pipe.loop);
	c->queued += o->len;
	buf = uv_buf_init(line, (unsigned)o->len);
	if (uv_write(&o->write, (uv_stream_t *)&c->pipe, &buf, 1, on_written) < 0) {
		c->queued -= o->len;
		free(line);
		free(o);
		conn_close(c);
	} else if (c->queued > CONN_QUEUE_MAX) {
		log_warn("client %" PRId64 " does not read what it asked for; it is dropped",
			 c->id);
		conn_close(c);
	}
}

void conn_check_stall(struct conn *c)
{
	if (!c->queued || uv_now(c->pipe.loop) - c->moved_ms < CONN_STALL_S * (uint64_t)1000)
		return;
	log_warn("client %" PRId64 " has read nothing for %d s; it is dropped", c->id,
		 CONN_STALL_S);
	conn_close(c);
}

/* --- events --- */

static void send_event(struct conn *c, const struct event_record *v)
{
	struct str s = STR_INIT;

	str_addf(&s,
		 "{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{\"no\":%" PRId64
		 ",\"at_ms\":%" PRId64 ",\"run\":%" PRId64 ",\"kind\":\"%s\",\"body\":%s}}\n",
		 v->no, v->at_ms, v->run, v->kind, v->body);
	c->seen = v->no;
	conn_send(c, str_detach(&s));
}

struct piece {
	struct conn *conn;
	int n;
};

static int on_event(void *ctx, const struct event_record *v, struct err *e)
{
	struct piece *p = ctx;

	(void)e;
	p->n++;
	send_event(p->conn, v);
	return 0;
}

static void pump(struct conn *c)
{
	struct err e;

	if (c->pumping)
		return;
	c->pumping = true;
	while (!c->caught_up && c->queued < PUMP_BELOW && !uv_is_closing((uv_handle_t *)&c->pipe)) {
		struct piece p = { c, 0 };

		if (store_each_event(c->store, c->seen, PIECE, on_event, &p, &e) < 0) {
			log_error("events for client %" PRId64 ": %s", c->id, e.msg);
			conn_close(c);
		}
		c->caught_up = p.n < PIECE;
	}
	c->pumping = false;
}

void conn_subscribe(struct conn *c, int64_t from)
{
	c->subscribed = true;
	c->caught_up = false;
	c->seen = from - 1;
	pump(c);
}

void conn_publish(struct conn *c, const struct event_record *v)
{
	if (c->subscribed && c->caught_up && v->no > c->seen)
		send_event(c, v);
}

/* --- reading --- */

static void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *ret)
{
	struct conn *c = h->data;

	(void)hint;
	*ret = uv_buf_init(c->chunk, sizeof c->chunk);
}

static bool is_open(const struct conn *c)
{
	return !uv_is_closing((const uv_handle_t *)&c->pipe);
}

static void refuse_long_line(struct conn *c)
{
	/* The rest of the line cannot be told from a new one, so this is the last answer. */
	char *text = mem_strdup("{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32600,"
				"\"message\":\"the line is longer than 1048576 bytes\"}}\n");
	uv_buf_t buf = uv_buf_init(text, (unsigned)strlen(text));

	uv_try_write((uv_stream_t *)&c->pipe, &buf, 1);
	free(text);
	conn_close(c);
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
	struct conn *c = s->data;
	char *line;
	size_t len;

	if (n < 0) {
		conn_close(c);
		return;
	}
	lines_add(&c->in, buf->base, (size_t)n);
	while (is_open(c) && lines_take(&c->in, &line, &len))
		if (line[strspn(line, " \t\r")])
			c->io.line(c->io.ctx, c, line, len);
	if (is_open(c) && lines_over(&c->in))
		refuse_long_line(c);
}

struct conn *conn_new(uv_loop_t *loop, int64_t id, struct store *s, const struct conn_io *io)
{
	struct conn *c = mem_alloc(sizeof *c);

	c->io = *io;
	c->id = id;
	c->store = s;
	lines_init(&c->in, RPC_LINE_MAX);
	uv_pipe_init(loop, &c->pipe, 0);
	c->pipe.data = c;
	return c;
}

uv_stream_t *conn_stream(struct conn *c)
{
	return (uv_stream_t *)&c->pipe;
}

void conn_begin(struct conn *c)
{
	uv_read_start((uv_stream_t *)&c->pipe, on_alloc, on_read);
}

int64_t conn_id(const struct conn *c)
{
	return c->id;
}

int conn_fd(const struct conn *c)
{
	uv_os_fd_t fd = -1;

	return uv_fileno((const uv_handle_t *)&c->pipe, &fd) == 0 ? fd : -1;
}
