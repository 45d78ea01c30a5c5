#include "tuner/daemon/proc.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "tuner/daemon/lines.h"

enum state { DOWN, IDLE, BUSY, ENDING, STATE_COUNT };

static const unsigned may_go_to[STATE_COUNT] = {
	[DOWN] = 1u << IDLE,
	[IDLE] = 1u << BUSY | 1u << ENDING,
	[BUSY] = 1u << IDLE | 1u << ENDING,
	[ENDING] = 1u << DOWN,
};

static const char *const role_names[] = {
	[PROC_COMPILE] = "compile",
	[PROC_MEASURE] = "measure",
};

static const char self_path[] = "/proc/self/exe";

static const int back_off_ms[] = { 0, 50, 200, 1000 };

struct proc {
	struct proc_options o;
	struct proc_owner owner;
	uv_loop_t *loop;
	enum state state;
	uv_process_t process;
	uv_pipe_t pipe;
	uv_timer_t timer; /* the deadline when BUSY, the back-off when DOWN */
	int open;	  /* handles of this start that are not closed yet */
	bool exited, eof; /* what has been seen of its end */
	bool asked;	  /* a request is outstanding */
	bool hush;	  /* we wanted this end: no back-off, no word to the owner */
	bool closing;	  /* it is not to come up again */
	enum proc_end why;
	int status, signal, fails;
	int64_t id; /* of the last request */
	struct lines in;
	char chunk[65536];
};

static void tick(struct proc *p);

static void move(struct proc *p, enum state to)
{
	if (!(may_go_to[p->state] & (1u << to)))
		abort();
	p->state = to;
}

/* The group outlives its leader as long as a compiler in it runs. */
static void kill_group(const struct proc *p)
{
	if (p->process.pid > 0)
		kill(-p->process.pid, SIGKILL);
}

static void begin_end(struct proc *p, enum proc_end why)
{
	p->why = why;
	uv_timer_stop(&p->timer);
	move(p, ENDING);
	if (!p->exited)
		kill_group(p);
}

static void on_process_exit(uv_process_t *h, int64_t status, int signal)
{
	struct proc *p = h->data;

	kill_group(p);
	p->exited = true;
	p->status = (int)status;
	p->signal = signal;
	tick(p);
}

static void on_closed(uv_handle_t *h)
{
	struct proc *p = h->data;

	p->open--;
	tick(p);
}

static void on_timer(uv_timer_t *h);

static void on_timer_closed(uv_handle_t *h)
{
	struct proc *p = h->data;

	lines_release(&p->in);
	free(p);
}

static void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *ret)
{
	struct proc *p = h->data;

	(void)hint;
	*ret = uv_buf_init(p->chunk, sizeof p->chunk);
}

static void garbled(struct proc *p, const char *what)
{
	log_error("%s worker %d: %s; it is replaced", role_names[p->o.role], (int)p->process.pid,
		  what);
	begin_end(p, PROC_GARBLED);
}

static void on_line(struct proc *p, const char *line, size_t len)
{
	struct wire_reply r;
	struct err e;

	if (p->state != BUSY) {
		garbled(p, "spoke without being asked");
		return;
	}
	if (wire_reply_parse(line, len, &r, &e) < 0) {
		garbled(p, e.msg);
		return;
	}
	if (r.id == p->id) {
		uv_timer_stop(&p->timer);
		p->asked = false;
		p->fails = 0;
		move(p, IDLE);
		p->owner.reply(p->owner.ctx, &r);
	} else {
		garbled(p, "answered another request");
	}
	wire_reply_release(&r);
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
	struct proc *p = s->data;
	char *line;
	size_t len;

	if (n < 0) {
		p->eof = true;
		uv_read_stop(s);
		tick(p);
		return;
	}
	lines_add(&p->in, buf->base, (size_t)n);
	while ((p->state == IDLE || p->state == BUSY) && lines_take(&p->in, &line, &len))
		on_line(p, line, len);
	if ((p->state == IDLE || p->state == BUSY) && lines_over(&p->in))
		garbled(p, "sent a line that is too long");
}

static int open_pipe(struct proc *p, int *ret_child)
{
	int fds[2], r;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds))
		return uv_translate_sys_error(errno);
	r = uv_pipe_open(&p->pipe, fds[0]);
	if (r < 0) {
		close(fds[0]);
		close(fds[1]);
		return r;
	}
	*ret_child = fds[1];
	return 0;
}

static int start_process(struct proc *p, int child_fd)
{
	const char *argv[12] = { self_path, "worker", role_names[p->o.role], "--parent" };
	char parent[16], cpu[16];
	uv_stdio_container_t io[3] = {
		{ .flags = UV_INHERIT_FD, .data.fd = child_fd },
		{ .flags = UV_INHERIT_FD, .data.fd = child_fd },
		{ .flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO },
	};
	uv_process_options_t o = {
		.exit_cb = on_process_exit,
		.file = self_path,
		.args = (char **)argv,
		.flags = UV_PROCESS_DETACHED,
		.stdio = io,
		.stdio_count = 3,
	};
	int pin = p->o.role == PROC_MEASURE ? p->o.cpu : p->o.avoid_cpu, n = 4;

	snprintf(parent, sizeof parent, "%d", (int)getpid());
	argv[n++] = parent;
	if (pin >= 0) {
		snprintf(cpu, sizeof cpu, "%d", pin);
		argv[n++] = p->o.role == PROC_MEASURE ? "--cpu" : "--avoid-cpu";
		argv[n++] = cpu;
	}
	if (p->o.nvrtc) {
		argv[n++] = "--nvrtc";
		argv[n++] = p->o.nvrtc;
	}
	return uv_spawn(p->loop, &p->process, &o);
}

static void spawn(struct proc *p)
{
	int child = -1, r;

	p->exited = p->eof = p->asked = p->hush = false;
	p->status = p->signal = 0;
	lines_release(&p->in);
	lines_init(&p->in, WIRE_LINE_MAX);
	memset(&p->process, 0, sizeof p->process);
	uv_pipe_init(p->loop, &p->pipe, 0);
	p->pipe.data = p;
	p->open = 1;
	move(p, IDLE);
	r = open_pipe(p, &child);
	if (r == 0) {
		r = start_process(p, child);
		p->process.data = p;
		p->open++; /* a failed uv_spawn leaves a handle to close, too */
		close(child);
	}
	if (r < 0) {
		log_error("cannot start a %s worker: %s", role_names[p->o.role], uv_strerror(r));
		p->exited = p->eof = true;
		begin_end(p, PROC_NOT_BEGUN);
		tick(p);
		return;
	}
	uv_read_start((uv_stream_t *)&p->pipe, on_alloc, on_read);
	p->owner.up(p->owner.ctx);
}

static void on_timer(uv_timer_t *h)
{
	struct proc *p = h->data;

	if (p->state == BUSY)
		begin_end(p, PROC_LATE);
	else if (p->state == DOWN)
		spawn(p);
	tick(p);
}

static void close_handles(struct proc *p)
{
	uv_handle_t *pipe = (uv_handle_t *)&p->pipe, *process = (uv_handle_t *)&p->process;

	if (!uv_is_closing(pipe))
		uv_close(pipe, on_closed);
	if (p->process.data && !uv_is_closing(process))
		uv_close(process, on_closed);
}

static void go_down(struct proc *p)
{
	struct proc_loss l = { p->why, p->signal, p->status, p->asked, 0 };
	int last = (int)(sizeof back_off_ms / sizeof back_off_ms[0]) - 1;
	int step = p->fails < last ? p->fails : last;

	move(p, DOWN);
	p->asked = false;
	if (p->closing)
		return;
	if (p->hush) {
		uv_timer_start(&p->timer, on_timer, 0, 0);
		return;
	}
	l.fails = ++p->fails;
	uv_timer_start(&p->timer, on_timer, (uint64_t)back_off_ms[step], 0);
	p->owner.lost(p->owner.ctx, &l);
}

/* Draws the consequences of what has been seen. Each callback ends in a call of this. */
static void tick(struct proc *p)
{
	bool up = p->state == IDLE || p->state == BUSY;

	if (up && (p->exited || p->eof))
		begin_end(p, PROC_DIED);
	if (p->state == ENDING && p->exited && p->eof) {
		close_handles(p);
		if (p->open == 0)
			go_down(p);
	}
	if (p->state == DOWN && p->closing && !uv_is_closing((uv_handle_t *)&p->timer))
		uv_close((uv_handle_t *)&p->timer, on_timer_closed);
}

struct proc *proc_new(uv_loop_t *loop, const struct proc_options *o, const struct proc_owner *w)
{
	struct proc *p = mem_alloc(sizeof *p);

	p->o = *o;
	p->owner = *w;
	p->loop = loop;
	lines_init(&p->in, WIRE_LINE_MAX);
	uv_timer_init(loop, &p->timer);
	p->timer.data = p;
	uv_timer_start(&p->timer, on_timer, 0, 0);
	return p;
}

void proc_close(struct proc *p)
{
	if (!p || p->closing)
		return;
	p->closing = true;
	if (p->state == IDLE || p->state == BUSY)
		begin_end(p, PROC_DIED);
	tick(p);
}

void proc_hand_over(struct proc *p, const struct proc_owner *w)
{
	assert(p->state == IDLE);
	p->owner = *w;
}

bool proc_idle(const struct proc *p)
{
	return p->state == IDLE;
}

bool proc_busy(const struct proc *p)
{
	return p->state == BUSY;
}

pid_t proc_pid(const struct proc *p)
{
	return p->state == IDLE || p->state == BUSY ? p->process.pid : 0;
}

int64_t proc_next_id(struct proc *p)
{
	return p->id + 1;
}

struct request {
	uv_write_t write;
	char *line;
};

static void on_written(uv_write_t *w, int status)
{
	struct request *q = w->data;

	(void)status; /* a worker that cannot be written to is seen by its end */
	free(q->line);
	free(q);
}

void proc_ask(struct proc *p, char *line, double deadline_s)
{
	uv_stream_t *s = (uv_stream_t *)&p->pipe;
	uv_buf_t buf = uv_buf_init(line, (unsigned)strlen(line));
	struct request *q;
	int n;

	p->id++;
	p->asked = true;
	move(p, BUSY);
	uv_update_time(p->loop); /* a commit may have held it up */
	uv_timer_start(&p->timer, on_timer, (uint64_t)(deadline_s * 1000) + 1, 0);
	n = uv_try_write(s, &buf, 1);
	if (n == (int)buf.len) {
		free(line);
		return;
	}
	if (n > 0) {
		buf.base += n;
		buf.len -= (unsigned)n;
	}
	q = mem_alloc(sizeof *q);
	q->write.data = q;
	q->line = line;
	if (uv_write(&q->write, s, &buf, 1, on_written) < 0)
		on_written(&q->write, 0);
}

void proc_restart(struct proc *p)
{
	p->fails = 0;
	if (p->state == DOWN) {
		uv_timer_start(&p->timer, on_timer, 0, 0);
		return;
	}
	p->hush = true;
	if (p->state == IDLE || p->state == BUSY)
		begin_end(p, PROC_DIED);
	tick(p);
}

void proc_set_avoid(struct proc *p, int cpu)
{
	p->o.avoid_cpu = cpu;
}
