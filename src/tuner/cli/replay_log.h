#ifndef CLI_REPLAY_LOG_H
#define CLI_REPLAY_LOG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/*
 * What a replay evaluated: positions in the recording, one a line, each written as soon as it is
 * told, so that a replay that was killed can be resumed. What was written by then is repeated, and
 * has to be the same: the log of another search is refused. A last line that was cut short does not
 * count.
 */
struct replay_log {
	char *path;
	int fd;
	size_t *told; /* what was there when it was opened */
	size_t n;
};

int replay_log_open(const char *path, bool resume, struct replay_log *ret, struct err *e);
void replay_log_close(struct replay_log *l);

/* Evaluation `no`, counted from 0, is that of `entry`. */
int replay_log_put(struct replay_log *l, size_t no, size_t entry, struct err *e);

#endif
