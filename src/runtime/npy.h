#ifndef RUNTIME_NPY_H
#define RUNTIME_NPY_H

#include <stdint.h>

#include "base/err.h"
#include "runtime/dtype.h"

/*
 * NumPy's .npy files, for fills and golden results: format versions 1.0 to 3.0 (described in the
 * manual page of numpy.lib.format), little-endian, C order, no objects or records. '<f2' reads as
 * f16; bf16 is taken from '<u2' and e4m3 from '|u1', since NumPy has no such types.
 */
struct npy {
	enum dtype type;
	int64_t count;	/* elements, all dimensions multiplied */
	int64_t offset; /* of the first element's byte */
};

/* Also checks that the file is as long as the header says. Errors name the path. */
int npy_read_header(const char *path, struct npy *ret, struct err *e);

/* Reads exactly count elements of the type to out; any other type or count is ERR_INVALID. */
int npy_load(const char *path, enum dtype type, int64_t count, void *out, struct err *e);

#endif
