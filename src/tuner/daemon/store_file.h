#ifndef DAEMON_STORE_FILE_H
#define DAEMON_STORE_FILE_H

#include "base/err.h"
#include "tuner/daemon/store.h"

/*
 * The database as a file: who may open it, whether it is ours, which version it is. Rows are none
 * of its business.
 *
 * Ours is a file whose application_id is "EVOT"; its user_version counts the upgrade steps that
 * made it. Step i makes version i + 1 of version i, in a transaction of its own: one that is
 * interrupted leaves the version before it.
 */
struct sqlite3;

/*
 * A writer holds *ret_lock, an open PATH.lock with its pid inside, for as long as it has the file
 * open; it is -1 for a reader. A reader changes nothing: not the file, not its version.
 * Errors as in store.h.
 */
int store_file_open(const char *path, enum store_mode mode, struct sqlite3 **ret, int *ret_lock,
		    struct err *e);

/* Brings db to version n, where steps are texts of SQL: an empty one at once, any other step by
 * step. `path` heads messages. */
int store_file_upgrade(struct sqlite3 *db, const char *path, const char *const *steps, int n,
		       struct err *e);

/* The version that this program makes and reads. */
int store_file_version(void);

#endif
