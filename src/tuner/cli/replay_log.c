#include "tuner/cli/replay_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

static const size_t log_max = (size_t)1 << 30;

static int wrong_line(const struct replay_log *l, struct err *e)
{
	return err_set(e, ERR_INVALID,
		       "%s:%zu: expected a position in the recording, the number alone", l->path,
		       l->n + 1);
}

/* *ret_used: bytes of whole lines. */
static int read_lines(struct replay_log *l, const char *text, size_t *ret_used, struct err *e)
{
	const char *line = text;

	for (const char *end; (end = strchr(line, '\n')); line = end + 1) {
		char *after;

		errno = 0;
		if (line[0] < '0' || line[0] > '9')
			return wrong_line(l, e);
		l->told = mem_grow(l->told, l->n + 1, sizeof *l->told);
		l->told[l->n] = strtoull(line, &after, 10);
		if (after != end || errno)
			return wrong_line(l, e);
		l->n++;
	}
	*ret_used = (size_t)(line - text);
	return 0;
}

static int read_log(struct replay_log *l, size_t *ret_used, struct err *e)
{
	size_t len;
	char *text;
	int r = file_read(l->path, log_max, &text, &len, e);

	*ret_used = 0;
	if (r == ERR_MISSING)
		return 0;
	if (r < 0)
		return r;
	r = read_lines(l, text, ret_used, e);
	free(text);
	return r;
}

int replay_log_open(const char *path, bool resume, struct replay_log *ret, struct err *e)
{
	struct replay_log l = { .path = mem_strdup(path), .fd = -1 };
	size_t used = 0;
	int r = resume ? read_log(&l, &used, e) : 0;

	if (r == 0) {
		int fresh = resume ? 0 : O_TRUNC;

		l.fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | fresh, 0666);
		if (l.fd < 0 || (resume && ftruncate(l.fd, (off_t)used) < 0))
			r = err_sys(e, "%s", path);
	}
	if (r < 0) {
		replay_log_close(&l);
		return r;
	}
	*ret = l;
	return 0;
}

void replay_log_close(struct replay_log *l)
{
	if (l->fd >= 0)
		close(l->fd);
	free(l->told);
	free(l->path);
}

int replay_log_put(struct replay_log *l, size_t no, size_t entry, struct err *e)
{
	if (no < l->n) {
		if (l->told[no] == entry)
			return 0;
		return err_set(e, ERR_INVALID,
			       "%s:%zu: this search evaluates %zu, not %zu: the log is of another "
			       "recording, strategy, seed or version",
			       l->path, no + 1, entry, l->told[no]);
	}
	return dprintf(l->fd, "%zu\n", entry) < 0 ? err_sys(e, "%s", l->path) : 0;
}
