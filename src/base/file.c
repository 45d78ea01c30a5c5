#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

static int read_all(int fd, const char *path, size_t max, struct str *ret, struct err *e)
{
	char chunk[65536];
	ssize_t n;

	while ((n = read(fd, chunk, sizeof chunk)) > 0) {
		str_add(ret, chunk, (size_t)n);
		if (ret->len > max)
			return err_set(e, ERR_INVALID, "%s: larger than %zu bytes", path, max);
	}
	return n < 0 ? err_sys(e, "%s", path) : 0;
}

int file_read(const char *path, size_t max, char **ret, size_t *ret_len, struct err *e)
{
	struct str text = STR_INIT;
	struct stat st;
	int fd, r;

	/* A pipe that nobody writes to is opened at once, and then refused. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return err_sys(e, "%s", path);
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		r = err_set(e, ERR_INVALID, "%s: not a regular file", path);
	else
		r = read_all(fd, path, max, &text, e);
	close(fd);
	if (r < 0) {
		str_release(&text);
		return r;
	}
	if (ret_len)
		*ret_len = text.len;
	*ret = str_detach(&text);
	return 0;
}

static int write_all(int fd, const char *bytes, size_t len)
{
	while (len) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		bytes += n;
		len -= (size_t)n;
	}
	return 0;
}

int file_write(const char *path, const void *bytes, size_t len, struct err *e)
{
	struct str tmp = STR_INIT;
	int fd, r = 0;

	str_addf(&tmp, "%s.XXXXXX", path);
	fd = mkostemp(tmp.data, O_CLOEXEC);
	if (fd < 0) {
		r = err_sys(e, "%s", path);
		goto out;
	}
	if (write_all(fd, bytes, len) || fchmod(fd, 0644) || fsync(fd))
		r = err_sys(e, "%s", path);
	close(fd);
	if (r == 0 && rename(tmp.data, path))
		r = err_sys(e, "%s", path);
	if (r < 0)
		unlink(tmp.data);
out:
	str_release(&tmp);
	return r;
}

int file_mkdirs(const char *path, struct err *e)
{
	char *copy = mem_strdup(path);
	int r = 0;

	for (char *p = copy + 1; r == 0; p++) {
		char c = *p;

		if (c != '/' && c != '\0')
			continue;
		*p = '\0';
		if (mkdir(copy, 0700) && errno != EEXIST)
			r = err_sys(e, "%s", copy);
		*p = c;
		if (c == '\0')
			break;
	}
	free(copy);
	return r;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

int file_remove_tree(const char *path, struct err *e)
{
	if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) && errno != ENOENT)
		return err_sys(e, "%s", path);
	return 0;
}

char *file_join(const char *dir, const char *name)
{
	struct str s = STR_INIT;

	if (name[0] == '/')
		return mem_strdup(name);
	str_addf(&s, "%s/%s", dir, name);
	return str_detach(&s);
}

char *file_dirname(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return mem_strdup(".");
	return slash == path ? mem_strdup("/") : mem_strndup(path, (size_t)(slash - path));
}
