#include "tuner/daemon/client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "tuner/daemon/endpoint.h"
#include "tuner/daemon/lines.h"
#include "tuner/daemon/rpc.h"

enum {
	CALL_MS = 60 * 1000,
	SPAWN_MS = 15 * 1000,
	SPAWN_POLL_MS = 10,
	REPLY_MAX = 64 << 20, /* a list of very many runs */
	IDLE_EXIT_S = 600,
};

struct kept {
	cJSON *params;
	struct kept *next;
};

struct client {
	int fd;
	int64_t id;
	struct lines in;
	struct kept *kept, **end; /* notifications that came during a call */
};

/* --- connecting --- */

static int check_owner(const char *path, struct err *e)
{
	struct stat st;

	if (lstat(path, &st))
		return errno == ENOENT || errno == ENOTDIR
			       ? err_set(e, ERR_MISSING, "no daemon answers on %s", path)
			       : err_sys(e, "%s", path);
	if (!S_ISSOCK(st.st_mode))
		return err_set(e, ERR_INVALID, "%s: expected a socket; name another with --socket",
			       path);
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return err_set(e, ERR_INVALID,
			       "socket %s belongs to another user (uid %u); name one of yours with "
			       "--socket",
			       path, (unsigned)st.st_uid);
	return 0;
}

static int open_socket(const char *path, int *ret, struct err *e)
{
	struct sockaddr_un a;
	int fd, r = endpoint_address(path, &a, e);

	if (r == 0)
		r = check_owner(path, e);
	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(e, "socket");
	if (connect(fd, (const struct sockaddr *)&a, sizeof a)) {
		r = errno == ECONNREFUSED || errno == ENOENT
			    ? err_set(e, ERR_MISSING, "no daemon answers on %s", path)
			    : err_sys(e, "socket %s", path);
		close(fd);
		return r;
	}
	*ret = fd;
	return 0;
}

int client_connect(const char *socket, struct client **ret, struct err *e)
{
	struct client *c;
	int fd = -1, r = open_socket(socket, &fd, e);

	if (r < 0)
		return r;
	c = mem_alloc(sizeof *c);
	c->fd = fd;
	c->end = &c->kept;
	lines_init(&c->in, REPLY_MAX);
	*ret = c;
	return 0;
}

void client_free(struct client *c)
{
	if (!c)
		return;
	for (struct kept *k; (k = c->kept);) {
		c->kept = k->next;
		cJSON_Delete(k->params);
		free(k);
	}
	lines_release(&c->in);
	close(c->fd);
	free(c);
}

int client_fd(const struct client *c)
{
	return c->fd;
}

/* --- starting a daemon --- */

static int open_log(const char *path, off_t *ret_begin, struct err *e)
{
	char *dir = file_dirname(path);
	int fd = -1, r = file_mkdirs(dir, e);

	if (r == 0) {
		fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
		if (fd < 0)
			err_sys(e, "%s", path);
		else
			*ret_begin = lseek(fd, 0, SEEK_END);
	}
	free(dir);
	return fd;
}

static int start_process(const struct client_spawn *o, int log, pid_t *ret, struct err *e)
{
	extern char **environ;
	const char *argv[20] = { "evo-tuned", "daemon",	  "--background", "--db",
				 o->db,	      "--socket", o->socket,	  "--idle-exit" };
	char idle[16], jobs[16];
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	int n = 8, r;

	snprintf(idle, sizeof idle, "%d", IDLE_EXIT_S);
	argv[n++] = idle;
	if (o->jobs) {
		snprintf(jobs, sizeof jobs, "%d", o->jobs);
		argv[n++] = "--jobs";
		argv[n++] = jobs;
	}
	if (o->nvrtc) {
		argv[n++] = "--nvrtc";
		argv[n++] = o->nvrtc;
	}
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&files, log, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&files, log, STDERR_FILENO);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSID);
	r = posix_spawn(ret, "/proc/self/exe", &files, &attr, (char **)argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	errno = r;
	return r ? err_sys(e, "cannot start the daemon") : 0;
}

/* What the new daemon wrote, to its last line. */
static void add_log(struct str *s, const char *path, off_t begin)
{
	enum { ENOUGH = 2000 };
	char text[ENOUGH + 1];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : pread(fd, text, ENOUGH, begin);

	if (fd >= 0)
		close(fd);
	while (n > 0 && text[n - 1] == '\n')
		n--;
	if (n > 0)
		str_add(s, text, (size_t)n);
}

static int did_not_start(const struct client_spawn *o, off_t begin, bool gone, struct err *e)
{
	struct str said = STR_INIT;

	add_log(&said, o->log, begin);
	err_set(e, ERR_MISSING, "the daemon %s; see %s%s%s",
		gone ? "ended at once" : "does not answer", o->log,
		said.len ? ", which says: " : "", said.data);
	str_release(&said);
	return ERR_MISSING;
}

static void nap(void)
{
	poll(NULL, 0, SPAWN_POLL_MS);
}

/* A second daemon that lost the race for the lock has ended; the first one answers. */
static int wait_until_up(const struct client_spawn *o, pid_t pid, off_t begin, struct client **ret,
			 struct err *e)
{
	int64_t deadline = clock_mono_ns() + (int64_t)SPAWN_MS * 1000000;
	int r;

	for (;;) {
		bool gone = waitpid(pid, NULL, WNOHANG) == pid;

		r = client_connect(o->socket, ret, e);
		if (r != ERR_MISSING)
			return r;
		if (gone || clock_mono_ns() > deadline)
			return did_not_start(o, begin, gone, e);
		nap();
	}
}

int client_spawn(const struct client_spawn *o, struct client **ret, struct err *e)
{
	off_t begin = 0;
	pid_t pid;
	int log, r = client_connect(o->socket, ret, e);

	if (r != ERR_MISSING)
		return r;
	log = open_log(o->log, &begin, e);
	if (log < 0)
		return e->code;
	r = start_process(o, log, &pid, e);
	close(log);
	return r < 0 ? r : wait_until_up(o, pid, begin, ret, e);
}

/* --- talking --- */

static int write_all(struct client *c, const char *text, size_t len, struct err *e)
{
	while (len) {
		ssize_t n = send(c->fd, text, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(e, ERR_PROTOCOL, "the daemon went away: %s",
				       strerror(errno));
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Reads what is there. 1: something; 0: nothing within wait_ms, or a signal came. */
static int fill(struct client *c, int wait_ms, struct err *e)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };
	char chunk[65536];
	ssize_t n;
	int r = poll(&p, 1, wait_ms);

	if (r == 0 || (r < 0 && errno == EINTR))
		return 0;
	if (r < 0)
		return err_sys(e, "poll");
	n = read(c->fd, chunk, sizeof chunk);
	if (n < 0 && errno == EINTR)
		return 0;
	if (n <= 0)
		return err_set(e, ERR_PROTOCOL, "the daemon went away");
	lines_add(&c->in, chunk, (size_t)n);
	return 1;
}

/* The next message that is there already: 1 with *ret, 0 none. */
static int take_message(struct client *c, cJSON **ret, struct err *e)
{
	char *line;
	size_t len;
	int r;

	if (!lines_take(&c->in, &line, &len))
		return lines_over(&c->in)
			       ? err_set(e, ERR_PROTOCOL, "the daemon's answer is too long")
			       : 0;
	r = json_parse(line, len, ret, e);
	if (r < 0)
		return err_set(e, ERR_PROTOCOL, "the daemon's answer is garbled");
	return 1;
}

static cJSON *params_of(cJSON *message)
{
	cJSON *params = cJSON_DetachItemFromObjectCaseSensitive(message, "params");

	cJSON_Delete(message);
	return params ? params : json_new_object();
}

static bool is_notification(const cJSON *message)
{
	return cJSON_GetObjectItemCaseSensitive(message, "method") != NULL;
}

static void keep(struct client *c, cJSON *message)
{
	struct kept *k = mem_alloc(sizeof *k);

	k->params = params_of(message);
	*c->end = k;
	c->end = &k->next;
}

static int take_error(const cJSON *error, struct err *e)
{
	const cJSON *code = cJSON_GetObjectItemCaseSensitive(error, "code");
	const cJSON *text = cJSON_GetObjectItemCaseSensitive(error, "message");

	return err_set(e, rpc_err_code(cJSON_IsNumber(code) ? code->valueint : 0), "%s",
		       cJSON_IsString(text) ? text->valuestring : "the daemon gave no reason");
}

/* Takes message over, the answer to our one call. */
static int take_answer(cJSON *message, cJSON **ret, struct err *e)
{
	const cJSON *error = cJSON_GetObjectItemCaseSensitive(message, "error");
	int r = 0;

	if (error) {
		r = take_error(error, e);
	} else {
		*ret = cJSON_DetachItemFromObjectCaseSensitive(message, "result");
		if (!*ret)
			r = err_set(e, ERR_PROTOCOL, "the daemon's answer has no result");
	}
	cJSON_Delete(message);
	return r;
}

static int send_call(struct client *c, const char *method, cJSON *params, struct err *e)
{
	cJSON *o = json_new_object();
	struct str line = STR_INIT;
	char *text;
	int r;

	json_add_string(o, "jsonrpc", "2.0");
	json_add_int(o, "id", ++c->id);
	json_add_string(o, "method", method);
	json_add(o, "params", params ? params : json_new_object());
	text = json_render(o);
	str_addf(&line, "%s\n", text);
	r = write_all(c, line.data, line.len, e);
	str_release(&line);
	free(text);
	cJSON_Delete(o);
	return r;
}

int client_call(struct client *c, const char *method, cJSON *params, cJSON **ret, struct err *e)
{
	int64_t deadline = clock_mono_ns() + (int64_t)CALL_MS * 1000000;
	int r = send_call(c, method, params, e);
	cJSON *message = NULL;

	if (r < 0)
		return r;
	for (;;) {
		int64_t left_ms = (deadline - clock_mono_ns()) / 1000000;

		r = take_message(c, &message, e);
		if (r < 0)
			return r;
		if (r == 1 && !is_notification(message))
			return take_answer(message, ret, e);
		if (r == 1) {
			keep(c, message);
			continue;
		}
		if (left_ms <= 0)
			return err_set(e, ERR_PROTOCOL, "the daemon did not answer %s within %d s",
				       method, CALL_MS / 1000);
		r = fill(c, (int)left_ms, e);
		if (r < 0)
			return r;
	}
}

static bool take_kept(struct client *c, cJSON **ret)
{
	struct kept *k = c->kept;

	if (!k)
		return false;
	c->kept = k->next;
	if (!c->kept)
		c->end = &c->kept;
	*ret = k->params;
	free(k);
	return true;
}

int client_next(struct client *c, int timeout_ms, cJSON **ret, struct err *e)
{
	int64_t deadline = clock_mono_ns() + (int64_t)timeout_ms * 1000000;
	cJSON *message = NULL;
	int r;

	if (take_kept(c, ret))
		return 1;
	for (;;) {
		int64_t left_ms = (deadline - clock_mono_ns()) / 1000000;

		r = take_message(c, &message, e);
		if (r < 0)
			return r;
		if (r == 1 && is_notification(message)) {
			*ret = params_of(message);
			return 1;
		}
		if (r == 1) {
			cJSON_Delete(message); /* the late answer to a call that was given up */
			continue;
		}
		r = fill(c, left_ms > 0 ? (int)left_ms : 0, e);
		if (r <= 0)
			return r;
	}
}
