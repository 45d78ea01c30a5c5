#ifndef DAEMON_CUBINS_H
#define DAEMON_CUBINS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/*
 * The cache of compiled binaries: a folder of files named HASH.cubin or HASH.so by the SHA-256 of
 * their content, so that a name says all and files never change. Compile workers write them (all or
 * nothing), the daemon finds and evicts them. A file may go at any time while nothing is pinned:
 * whoever misses one compiles again.
 *
 * Least recently used goes first; a file's mtime is when it was last found. What is not named as
 * above is somebody else's and left alone, except what a writer killed mid-way has left: a name as
 * above followed by a dot and six characters, once it is an hour old.
 */
struct cubins;

struct cubins_evicted {
	int files;
	int64_t bytes;	    /* of these files */
	int64_t bytes_left; /* in the cache, afterwards */
};

/* Makes the folder where missing. limit_bytes: what cubins_trim brings the cache down to. */
int cubins_open(const char *dir, int64_t limit_bytes, struct cubins **ret, struct err *e);
void cubins_close(struct cubins *c); /* accepts NULL */
const char *cubins_dir(const struct cubins *c);

/* The file counts as used now; false where it is gone. What lies elsewhere is none of the cache's
 * business, and true. */
bool cubins_use(const struct cubins *c, const char *path);

/* The file of this hash, which counts as used now; false: the cache has none. free() the path. */
bool cubins_find(const struct cubins *c, const char *hash, char **ret_path);

/* A pinned file is not evicted. Pins count; a hash may be pinned before its file exists. */
void cubins_pin(struct cubins *c, const char *hash);
void cubins_unpin(struct cubins *c, const char *hash);

/* Evicts what is above the limit and not pinned. A file that cannot be removed is left and the
 * next one tried; only a folder that cannot be read is an error. */
int cubins_trim(struct cubins *c, struct cubins_evicted *ret, struct err *e);

#endif
