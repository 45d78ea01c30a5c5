#ifndef RUNTIME_DTYPE_H
#define RUNTIME_DTYPE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Element types of buffers and scalar arguments. The third column is the C spelling that a host
 * shim uses (half types travel as their bits). e4m3 is OCP FP8 E4M3 ("fn": no infinity, 0x7f NaN).
 */
#define DTYPE_MAP(X)                   \
	X(U8, "u8", "uint8_t", 1)      \
	X(I8, "i8", "int8_t", 1)       \
	X(U16, "u16", "uint16_t", 2)   \
	X(I16, "i16", "int16_t", 2)    \
	X(U32, "u32", "uint32_t", 4)   \
	X(I32, "i32", "int32_t", 4)    \
	X(U64, "u64", "uint64_t", 8)   \
	X(I64, "i64", "int64_t", 8)    \
	X(E4M3, "e4m3", "uint8_t", 1)  \
	X(F16, "f16", "uint16_t", 2)   \
	X(BF16, "bf16", "uint16_t", 2) \
	X(F32, "f32", "float", 4)      \
	X(F64, "f64", "double", 8)

enum dtype {
#define X(id, name, c, bytes) DTYPE_##id,
	DTYPE_MAP(X)
#undef X
		DTYPE_COUNT
};

const char *dtype_name(enum dtype t);
const char *dtype_c_name(enum dtype t);
size_t dtype_bytes(enum dtype t);
int dtype_parse(const char *name, enum dtype *ret); /* 0, or -1 */

/* Element i of a buffer as a double and back; rounds to nearest even, integers saturate. */
double dtype_get(enum dtype t, const void *base, int64_t i);
void dtype_set(enum dtype t, void *base, int64_t i, double value);

/* The same of n elements from `first` on, for those who go through many. */
void dtype_load(enum dtype t, const void *base, int64_t first, int n, double *ret);
void dtype_store(enum dtype t, void *base, int64_t first, int n, const double *values);

#endif
