#ifndef CLI_HOLDER_H
#define CLI_HOLDER_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Whether a daemon has this database open for writing: the pid in PATH.lock is a live process of
 * our name. Only looks; the lock itself is not tried, since that could turn a starting daemon away.
 */
bool holder_alive(const char *db, pid_t *ret_pid); /* ret_pid may be NULL */

#endif
