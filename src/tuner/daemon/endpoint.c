#include "tuner/daemon/endpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"

enum { BACKLOG = 64 };

int endpoint_address(const char *path, struct sockaddr_un *ret, struct err *e)
{
	size_t len = strlen(path);

	if (len >= sizeof ret->sun_path)
		return err_set(e, ERR_INVALID,
			       "socket %s: the path has %zu bytes, but a socket's may have %zu; "
			       "name a shorter one with --socket",
			       path, len, sizeof ret->sun_path - 1);
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(ret->sun_path, path, len + 1);
	return 0;
}

/* Who may write to the folder may put a socket of his own in the place of ours. */
static int check_folder(const char *dir, struct err *e)
{
	struct stat st;
	int r = file_mkdirs(dir, e);

	if (r < 0)
		return err_wrap(e, "folder of the socket");
	if (stat(dir, &st))
		return err_sys(e, "folder of the socket: %s", dir);
	if (!S_ISDIR(st.st_mode))
		return err_set(e, ERR_INVALID, "%s: expected a folder for the socket", dir);
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return err_set(e, ERR_INVALID,
			       "%s: the folder belongs to another user (uid %u); name a socket in "
			       "a folder of yours with --socket",
			       dir, (unsigned)st.st_uid);
	if ((st.st_mode & S_IWOTH) && !(st.st_mode & S_ISVTX))
		return err_set(e, ERR_INVALID,
			       "%s: everybody may write to the folder; name a socket in a folder "
			       "of yours with --socket",
			       dir);
	return 0;
}

static int busy(int fd, const char *path, struct err *e)
{
	char pid[32] = "";
	ssize_t n = pread(fd, pid, sizeof pid - 1, 0);

	pid[n > 0 ? strcspn(pid, "\n") : 0] = '\0';
	return err_set(e, ERR_BUSY,
		       "another daemon (process %s) answers on %s; `evo-tuned stop` ends it",
		       pid[0] ? pid : "unknown", path);
}

static int take_lock(struct endpoint *p, struct err *e)
{
	struct str name = STR_INIT;
	char pid[32];
	int r = 0, n;

	str_addf(&name, "%s.lock", p->path);
	p->lock_fd = open(name.data, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (p->lock_fd < 0) {
		r = err_sys(e, "%s", name.data);
	} else if (flock(p->lock_fd, LOCK_EX | LOCK_NB)) {
		r = errno == EWOULDBLOCK ? busy(p->lock_fd, p->path, e)
					 : err_sys(e, "%s", name.data);
		close(p->lock_fd);
		p->lock_fd = -1;
	} else {
		n = snprintf(pid, sizeof pid, "%d\n", (int)getpid());
		if (ftruncate(p->lock_fd, 0) || pwrite(p->lock_fd, pid, (size_t)n, 0) != n)
			r = err_sys(e, "%s", name.data);
	}
	str_release(&name);
	return r;
}

/* Only a socket is ever removed: the user may have named some file by mistake. */
static int remove_stale(const char *path, struct err *e)
{
	struct stat st;

	if (lstat(path, &st))
		return errno == ENOENT ? 0 : err_sys(e, "%s", path);
	if (!S_ISSOCK(st.st_mode))
		return err_set(e, ERR_INVALID,
			       "%s: there is something else than a socket; name another --socket",
			       path);
	return unlink(path) && errno != ENOENT ? err_sys(e, "%s", path) : 0;
}

static int bind_socket(struct endpoint *p, const struct sockaddr_un *a, struct err *e)
{
	mode_t before;
	int r;

	p->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (p->fd < 0)
		return err_sys(e, "socket");
	before = umask(0177);
	r = bind(p->fd, (const struct sockaddr *)a, sizeof *a);
	umask(before);
	if (r || listen(p->fd, BACKLOG))
		return err_sys(e, "socket %s", p->path);
	return 0;
}

int endpoint_open(const char *path, struct endpoint *ret, struct err *e)
{
	struct endpoint p = { NULL, -1, -1 };
	char *dir = file_dirname(path);
	struct sockaddr_un a;
	int r = endpoint_address(path, &a, e);

	p.path = mem_strdup(path);
	if (r == 0)
		r = check_folder(dir, e);
	if (r == 0)
		r = take_lock(&p, e);
	if (r == 0)
		r = remove_stale(path, e);
	if (r == 0)
		r = bind_socket(&p, &a, e);
	free(dir);
	if (r < 0)
		endpoint_close(&p);
	else
		*ret = p;
	return r;
}

void endpoint_close(struct endpoint *p)
{
	struct err ignored;

	if (p->lock_fd >= 0)
		remove_stale(p->path, &ignored);
	if (p->fd >= 0)
		close(p->fd);
	if (p->lock_fd >= 0)
		close(p->lock_fd);
	free(p->path);
	*p = (struct endpoint){ NULL, -1, -1 };
}
