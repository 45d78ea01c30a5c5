#ifndef DAEMON_LINES_H
#define DAEMON_LINES_H

#include <stdbool.h>

#include "base/str.h"

/*
 * Cuts a stream of bytes into lines. Add what was read, then take lines until there is none:
 *
 *   lines_add(&l, bytes, n);
 *   while (lines_take(&l, &line, &len))
 *           use(line, len);
 *   if (lines_over(&l)) ... the peer sends a line that is too long
 */
struct lines {
	struct str bytes;
	size_t max;  /* of a line, its newline not counted */
	size_t next; /* where the next line begins */
	size_t seen; /* up to where no newline was found */
	bool over;
};

void lines_init(struct lines *l, size_t max);
void lines_release(struct lines *l);
void lines_add(struct lines *l, const void *bytes, size_t len);
/* The line without its newline, NUL-terminated; valid until the next lines_add. */
bool lines_take(struct lines *l, char **ret, size_t *ret_len);
bool lines_over(const struct lines *l);

#endif
