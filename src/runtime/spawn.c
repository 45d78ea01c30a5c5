#include "runtime/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

enum { NOTE_MAX = 64 }; /* room for the line that stands for what was left out */

/* The environment with LC_ALL=C in front, where it hides any other; the caller's to free. */
static char **plain_locale(void)
{
	static char locale[] = "LC_ALL=C";
	char **env;
	size_t n = 0, kept = 1;

	while (environ[n])
		n++;
	env = mem_array(n + 2, sizeof *env);
	env[0] = locale;
	for (size_t i = 0; i < n; i++)
		if (strncmp(environ[i], "LC_ALL=", 7) != 0)
			env[kept++] = environ[i];
	return env;
}

/* A file in memory rather than a pipe: the child may read as late as it likes. */
static int open_input(const char *input, struct err *e)
{
	size_t len = input ? strlen(input) : 0;
	int fd;

	if (!input) {
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		return fd < 0 ? err_sys(e, "/dev/null") : fd;
	}
	fd = memfd_create("stdin", MFD_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "memfd_create");
	if (write(fd, input, len) != (ssize_t)len || lseek(fd, 0, SEEK_SET) != 0) {
		err_sys(e, "input of a program");
		close(fd);
		return e->code;
	}
	return fd;
}

static int start(const char *const *argv, int in, int out, pid_t *ret, struct err *e)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	char **env = plain_locale();
	sigset_t all;
	int rc;

	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, out, STDERR_FILENO);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
	rc = posix_spawnp(ret, argv[0], &actions, &attr, (char *const *)argv, env);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	free(env);
	if (rc == 0)
		return 0;
	errno = rc;
	return rc == ENOENT ? err_set(e, ERR_MISSING, "%s: not found on PATH", argv[0])
			    : err_sys(e, "%s: cannot be started", argv[0]);
}

/* Half of max at the start, and of the rest the last half. */
static void read_bounded(int fd, size_t max, struct str *ret)
{
	size_t half = (max - NOTE_MAX) / 2, left_out = 0;
	struct str tail = STR_INIT;
	char chunk[4096];
	ssize_t n;

	while ((n = read(fd, chunk, sizeof chunk)) != 0) {
		size_t got = n > 0 ? (size_t)n : 0, head;

		if (n < 0 && errno != EINTR)
			break;
		head = half - ret->len < got ? half - ret->len : got;
		str_add(ret, chunk, head);
		str_add(&tail, chunk + head, got - head);
		if (tail.len > half) {
			left_out += tail.len - half;
			str_drop(&tail, tail.len - half);
		}
	}
	if (left_out)
		str_addf(ret, "\n[%zu bytes left out]\n", left_out);
	str_add(ret, tail.data, tail.len);
	str_release(&tail);
}

int spawn_and_wait(const char *const *argv, const char *input, size_t max, struct str *ret_log,
		   int *ret_status, struct err *e)
{
	int pipe_fds[2], in, r;
	pid_t pid = -1;

	in = open_input(input, e);
	if (in < 0)
		return in;
	if (pipe2(pipe_fds, O_CLOEXEC)) {
		r = err_sys(e, "pipe");
		close(in);
		return r;
	}
	r = start(argv, in, pipe_fds[1], &pid, e);
	close(in);
	close(pipe_fds[1]);
	if (r == 0)
		read_bounded(pipe_fds[0], max, ret_log);
	close(pipe_fds[0]);
	while (r == 0 && waitpid(pid, ret_status, 0) < 0)
		if (errno != EINTR)
			r = err_sys(e, "%s: cannot be waited for", argv[0]);
	return r;
}
