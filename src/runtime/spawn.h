#ifndef RUNTIME_SPAWN_H
#define RUNTIME_SPAWN_H

#include "base/err.h"
#include "base/str.h"

/*
 * Runs a program that is looked for on PATH and waits for its end. It stays in our process group,
 * so that whoever kills the group stops it too; LC_ALL is C, so that what it says does not depend
 * on the user. `input` becomes its standard input (NULL: none); what it writes to standard output
 * and error comes to *ret_log, which keeps the first and the last half of `max` bytes. *ret_status
 * is as of waitpid. ERR_MISSING when there is no such program.
 */
int spawn_and_wait(const char *const *argv, const char *input, size_t max, struct str *ret_log,
		   int *ret_status, struct err *e);

#endif
