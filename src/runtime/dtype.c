#include "runtime/dtype.h"

#include <math.h>
#include <string.h>

static const struct {
	const char *name, *c_name;
	size_t bytes;
} types[] = {
#define X(id, name, c, bytes) { name, c, bytes },
	DTYPE_MAP(X)
#undef X
};

/* A binary floating-point format narrower than float. */
struct format {
	int mantissa_bits, bias;
	int max_exponent;  /* of the largest finite value, biased */
	uint32_t max_bits; /* the largest finite value */
	uint32_t inf_bits; /* what larger values become */
	uint32_t nan_bits;
	int sign_shift;
};

/* E4M3 has no infinity; by OCP's conversion rule without saturation an overflow becomes NaN. */
static const struct format format_f16 = { 10, 15, 30, 0x7bff, 0x7c00, 0x7e00, 15 };
static const struct format format_bf16 = { 7, 127, 254, 0x7f7f, 0x7f80, 0x7fc0, 15 };
static const struct format format_e4m3 = { 3, 7, 15, 0x7e, 0x7f, 0x7f, 7 };

const char *dtype_name(enum dtype t)
{
	return types[t].name;
}

const char *dtype_c_name(enum dtype t)
{
	return types[t].c_name;
}

size_t dtype_bytes(enum dtype t)
{
	return types[t].bytes;
}

int dtype_parse(const char *name, enum dtype *ret)
{
	for (int i = 0; i < DTYPE_COUNT; i++) {
		if (strcmp(types[i].name, name) == 0) {
			*ret = (enum dtype)i;
			return 0;
		}
	}
	return -1;
}

static double decode(const struct format *f, uint32_t bits)
{
	uint32_t magnitude = bits & ((1u << f->sign_shift) - 1);
	double sign = bits >> f->sign_shift ? -1 : 1;
	int exponent = (int)(magnitude >> f->mantissa_bits);
	double mantissa = magnitude & ((1u << f->mantissa_bits) - 1);

	if (magnitude > f->max_bits)
		return magnitude == f->inf_bits && f->inf_bits != f->nan_bits ? sign * INFINITY
									      : NAN;
	if (exponent == 0)
		return sign * ldexp(mantissa, 1 - f->bias - f->mantissa_bits);
	return sign *
	       ldexp(mantissa + (1 << f->mantissa_bits), exponent - f->bias - f->mantissa_bits);
}

/*
 * One rounding from the double, so that nothing is rounded twice: the value is scaled to whole
 * units of its last place and rounded there by nearbyint, to nearest even. A carry into the next
 * binade then falls out of the sum of exponent and mantissa.
 */
static uint32_t encode(const struct format *f, double value)
{
	uint32_t sign = (uint32_t)(signbit(value) != 0) << f->sign_shift, bits;
	double magnitude = fabs(value);
	int exponent;

	if (isnan(value))
		return sign | f->nan_bits;
	if (isinf(value))
		return sign | f->inf_bits;
	frexp(magnitude, &exponent);
	exponent += f->bias - 1; /* biased; 0 and below are subnormal */
	if (magnitude == 0 || exponent < 1)
		exponent = 1;
	if (exponent > f->max_exponent)
		return sign | f->inf_bits;
	bits = (uint32_t)nearbyint(ldexp(magnitude, f->mantissa_bits + f->bias - exponent));
	bits += (uint32_t)(exponent - 1) << f->mantissa_bits;
	return sign | (bits > f->max_bits ? f->inf_bits : bits);
}

static uint32_t bits_at(enum dtype t, const void *base, int64_t i)
{
	const uint8_t *b = base;

	if (types[t].bytes == 1)
		return b[i];
	return ((const uint16_t *)base)[i];
}

double dtype_get(enum dtype t, const void *base, int64_t i)
{
	switch (t) {
	case DTYPE_U8:
		return ((const uint8_t *)base)[i];
	case DTYPE_I8:
		return ((const int8_t *)base)[i];
	case DTYPE_U16:
		return ((const uint16_t *)base)[i];
	case DTYPE_I16:
		return ((const int16_t *)base)[i];
	case DTYPE_U32:
		return ((const uint32_t *)base)[i];
	case DTYPE_I32:
		return ((const int32_t *)base)[i];
	case DTYPE_U64:
		return (double)((const uint64_t *)base)[i];
	case DTYPE_I64:
		return (double)((const int64_t *)base)[i];
	case DTYPE_E4M3:
		return decode(&format_e4m3, bits_at(t, base, i));
	case DTYPE_F16:
		return decode(&format_f16, bits_at(t, base, i));
	case DTYPE_BF16:
		return decode(&format_bf16, bits_at(t, base, i));
	case DTYPE_F32:
		return (double)((const float *)base)[i];
	case DTYPE_F64:
		return ((const double *)base)[i];
	case DTYPE_COUNT:
		break;
	}
	return NAN;
}

/* To the nearest whole number in [low, high]; NaN gives 0. Exact for limits that are doubles. */
static double whole(double value, double low, double high)
{
	if (isnan(value))
		return 0;
	value = nearbyint(value);
	return value < low ? low : value > high ? high : value;
}

/* 2^63 and 2^64 are doubles, the largest integers below them are not: hence the two tests. */
static int64_t whole_i64(double value)
{
	return value >= 0x1p63 ? INT64_MAX : (int64_t)whole(value, -0x1p63, 0x1p63);
}

static uint64_t whole_u64(double value)
{
	return value >= 0x1p64 ? UINT64_MAX : (uint64_t)whole(value, 0, 0x1p64);
}

void dtype_set(enum dtype t, void *base, int64_t i, double value)
{
	switch (t) {
	case DTYPE_U8:
		((uint8_t *)base)[i] = (uint8_t)whole(value, 0, UINT8_MAX);
		break;
	case DTYPE_I8:
		((int8_t *)base)[i] = (int8_t)whole(value, INT8_MIN, INT8_MAX);
		break;
	case DTYPE_U16:
		((uint16_t *)base)[i] = (uint16_t)whole(value, 0, UINT16_MAX);
		break;
	case DTYPE_I16:
		((int16_t *)base)[i] = (int16_t)whole(value, INT16_MIN, INT16_MAX);
		break;
	case DTYPE_U32:
		((uint32_t *)base)[i] = (uint32_t)whole(value, 0, UINT32_MAX);
		break;
	case DTYPE_I32:
		((int32_t *)base)[i] = (int32_t)whole(value, INT32_MIN, INT32_MAX);
		break;
	case DTYPE_U64:
		((uint64_t *)base)[i] = whole_u64(value);
		break;
	case DTYPE_I64:
		((int64_t *)base)[i] = whole_i64(value);
		break;
	case DTYPE_E4M3:
		((uint8_t *)base)[i] = (uint8_t)encode(&format_e4m3, value);
		break;
	case DTYPE_F16:
		((uint16_t *)base)[i] = (uint16_t)encode(&format_f16, value);
		break;
	case DTYPE_BF16:
		((uint16_t *)base)[i] = (uint16_t)encode(&format_bf16, value);
		break;
	case DTYPE_F32:
		((float *)base)[i] = (float)value;
		break;
	case DTYPE_F64:
		((double *)base)[i] = value;
		break;
	case DTYPE_COUNT:
		break;
	}
}

void dtype_load(enum dtype t, const void *base, int64_t first, int n, double *ret)
{
	const float *floats = base;

	if (t == DTYPE_F32)
		for (int i = 0; i < n; i++)
			ret[i] = (double)floats[first + i];
	else
		for (int i = 0; i < n; i++)
			ret[i] = dtype_get(t, base, first + i);
}

/* What is in range is rounded by adding 2^52, beyond which a double has no fraction. */
static uint8_t to_byte(double value)
{
	double sum = value + 0x1p52;
	uint64_t bits;

	if (!(value >= 0 && value <= UINT8_MAX))
		return (uint8_t)whole(value, 0, UINT8_MAX);
	memcpy(&bits, &sum, sizeof bits);
	return (uint8_t)bits;
}

void dtype_store(enum dtype t, void *base, int64_t first, int n, const double *values)
{
	float *floats = base;
	uint8_t *bytes = base;

	if (t == DTYPE_F32)
		for (int i = 0; i < n; i++)
			floats[first + i] = (float)values[i];
	else if (t == DTYPE_U8)
		for (int i = 0; i < n; i++)
			bytes[first + i] = to_byte(values[i]);
	else
		for (int i = 0; i < n; i++)
			dtype_set(t, base, first + i, values[i]);
}
