#ifndef BASE_UNPACK_H
#define BASE_UNPACK_H

#include <stddef.h>

#include "base/err.h"

/*
 * Files that may be compressed: gzip (zlib) and xz (liblzma) are told by their first bytes, not by
 * a name, and everything else is left as it is. Several streams one after the other are one file.
 *
 * Replaces *bytes, which free() takes, by what it unpacks to, with a NUL behind it. Errors: data
 * that is damaged, that ends too early, or that is larger than max bytes when unpacked; *bytes is
 * then as it was.
 */
int unpack(char **bytes, size_t *len, size_t max, struct err *e);

#endif
