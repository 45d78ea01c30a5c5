#include "tuner/worker/call.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"

struct call {
	pid_t pid; /* 0: reaped */
	int fd;
	struct str buffer;
};

static int start(const char *role, const char *nvrtc, int theirs, pid_t *ret, struct err *e)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	char parent[32];
	const char *argv[] = {
		"evo-tuned", "worker", role, "--parent", parent, nvrtc ? "--nvrtc" : NULL,
		nvrtc,	     NULL,
	};
	sigset_t all, none;
	int rc;

	snprintf(parent, sizeof parent, "%ld", (long)getpid());
	sigfillset(&all);
	sigemptyset(&none);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, theirs, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, theirs, STDOUT_FILENO);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF |
						POSIX_SPAWN_SETSIGMASK);
	rc = posix_spawn(ret, "/proc/self/exe", &actions, &attr, (char **)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	errno = rc;
	return rc ? err_sys(e, "a %s worker cannot be started", role) : 0;
}

int call_new(const char *role, const char *nvrtc, struct call **ret, struct err *e)
{
	int fds[2], r;
	struct call *c;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds))
		return err_sys(e, "socketpair");
	r = start(role, nvrtc, fds[1], &pid, e);
	close(fds[1]);
	if (r < 0) {
		close(fds[0]);
		return r;
	}
	c = mem_alloc(sizeof *c);
	c->pid = pid;
	c->fd = fds[0];
	str_init(&c->buffer);
	*ret = c;
	return 0;
}

/* Its group too: a compiler that it started. */
static int kill_and_reap(struct call *c)
{
	int status = 0;

	if (!c->pid)
		return 0;
	kill(-c->pid, SIGKILL);
	while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
		;
	c->pid = 0;
	return status;
}

void call_free(struct call *c)
{
	if (!c)
		return;
	kill_and_reap(c);
	close(c->fd);
	str_release(&c->buffer);
	free(c);
}

/* 1 when fd is ready, 0 when the deadline has passed. */
static int await(const struct call *c, short events, int64_t until_ns)
{
	struct pollfd p = { .fd = c->fd, .events = events };

	for (;;) {
		int64_t left_ms = (until_ns - clock_mono_ns() + 999999) / 1000000;
		int n;

		if (left_ms <= 0)
			return 0;
		n = poll(&p, 1, left_ms > 60000 ? 60000 : (int)left_ms);
		if (n > 0)
			return 1;
	}
}

static enum call_end send_line(struct call *c, const char *line, int64_t until_ns)
{
	size_t left = strlen(line);

	while (left) {
		ssize_t n;

		if (!await(c, POLLOUT, until_ns))
			return CALL_TIMEOUT;
		n = send(c->fd, line, left, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return CALL_DIED;
		if (n > 0) {
			line += n;
			left -= (size_t)n;
		}
	}
	return CALL_REPLIED;
}

static enum call_end receive_line(struct call *c, int64_t until_ns)
{
	static char chunk[1 << 16];

	str_clear(&c->buffer);
	while (c->buffer.len <= WIRE_LINE_MAX) {
		ssize_t n;

		if (!await(c, POLLIN, until_ns))
			return CALL_TIMEOUT;
		n = recv(c->fd, chunk, sizeof chunk, MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
			return CALL_DIED;
		if (n > 0)
			str_add(&c->buffer, chunk, (size_t)n);
		if (n > 0 && chunk[n - 1] == '\n')
			return CALL_REPLIED;
	}
	return CALL_DIED;
}

/* It closed its end, so it is on its way out: how it ends is worth the rest of the deadline. */
static int reap(struct call *c, int64_t until_ns)
{
	int status = 0;

	while (c->pid && clock_mono_ns() < until_ns) {
		siginfo_t info = { .si_pid = 0 };

		if (waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
		    info.si_pid) {
			/* Dead, but the group's other members may not be. */
			kill(-c->pid, SIGKILL);
			waitpid(c->pid, &status, 0);
			c->pid = 0;
			return status;
		}
		poll(NULL, 0, 1);
	}
	kill_and_reap(c);
	return 0;
}

/* NOLINTNEXTLINE(readability-function-size): see call.h. */
int call_exchange(struct call *c, char *line, int64_t deadline_ms, enum call_end *ret_end,
		  int *ret_signal, struct wire_reply *ret, struct err *e)
{
	int64_t until_ns = clock_mono_ns() + deadline_ms * 1000000;
	enum call_end end = c->pid ? send_line(c, line, until_ns) : CALL_DIED;
	int status = 0;

	free(line);
	if (end == CALL_REPLIED)
		end = receive_line(c, until_ns);
	*ret_end = end;
	*ret_signal = 0;
	switch (end) {
	case CALL_TIMEOUT:
		kill_and_reap(c);
		return 0;
	case CALL_DIED:
		status = reap(c, until_ns);
		*ret_signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
		return 0;
	case CALL_REPLIED:
		break;
	}
	if (wire_reply_parse(c->buffer.data, c->buffer.len, ret, e) < 0)
		return err_wrap(e, "a worker's reply");
	return 0;
}
