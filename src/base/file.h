#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stddef.h>

#include "base/err.h"

/* Whole files and folders. Errors name the path. */

/* Reads a regular file of at most max bytes; *ret is NUL-terminated, the caller's to free. */
int file_read(const char *path, size_t max, char **ret, size_t *ret_len, struct err *e);

/* Writes all or nothing: a temporary beside path, fsync, rename. */
int file_write(const char *path, const void *bytes, size_t len, struct err *e);

int file_mkdirs(const char *path, struct err *e);      /* like mkdir -p, new folders are 0700 */
int file_remove_tree(const char *path, struct err *e); /* a missing one is fine */

char *file_join(const char *dir, const char *name); /* an absolute name is returned as it is */
char *file_dirname(const char *path);		    /* "." where there is no slash */

#endif
