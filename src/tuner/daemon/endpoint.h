#ifndef DAEMON_ENDPOINT_H
#define DAEMON_ENDPOINT_H

#include <sys/un.h>

#include "base/err.h"

/*
 * The socket's place in the file system. PATH.lock is held for as long as the daemon lives, so that
 * a socket file found while holding it is a dead daemon's and may be replaced.
 */
struct endpoint {
	char *path;
	int lock_fd; /* -1: not held */
	int fd;	     /* the listening socket; -1: none, or given away */
};

/* ERR_INVALID when the path is too long for a socket address. */
int endpoint_address(const char *path, struct sockaddr_un *ret, struct err *e);

/* Makes the folder (0700) where missing, takes the lock, binds (0600) and listens. ERR_BUSY names
 * the process that holds the lock; ERR_INVALID: the path is too long, or the folder is somebody
 * else's. */
int endpoint_open(const char *path, struct endpoint *ret, struct err *e);
void endpoint_close(struct endpoint *p); /* removes the socket's file, if it is ours */

#endif
