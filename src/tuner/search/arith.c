#include "tuner/search/arith.h"

#include <math.h>
#include <string.h>

static const char overflow[] = "overflow";
static const char division[] = "division by zero";
static const char text[] = "text where a number is expected";

enum arith_unary arith_unary_find(const char *name)
{
	if (strcmp(name, "pow2") == 0)
		return ARITH_POW2;
	return strcmp(name, "log2") == 0 ? ARITH_LOG2 : ARITH_UNARY_COUNT;
}

enum arith_binary arith_binary_find(const char *name)
{
	if (strcmp(name, "min") == 0)
		return ARITH_MIN;
	if (strcmp(name, "max") == 0)
		return ARITH_MAX;
	return strcmp(name, "ceil_div") == 0 ? ARITH_CEIL_DIV : ARITH_BINARY_COUNT;
}

const char *arith_truth(const struct value *v, bool *ret)
{
	if (v->kind == VALUE_TEXT)
		return text;
	*ret = v->kind == VALUE_INT ? v->i != 0 : v->d != 0;
	return NULL;
}

static const char *set_real(struct value *v, double d)
{
	if (!isfinite(d))
		return overflow;
	*v = value_real(d);
	return NULL;
}

static const char *negate(struct value *v)
{
	if (v->kind == VALUE_REAL)
		return set_real(v, -v->d);
	return __builtin_sub_overflow(0, v->i, &v->i) ? overflow : NULL;
}

static const char *pow2(struct value *v)
{
	if (v->kind == VALUE_REAL)
		return set_real(v, exp2(v->d));
	if (v->i < 0)
		return "pow2 of a negative integer";
	if (v->i > 62)
		return overflow;
	v->i = (int64_t)1 << v->i;
	return NULL;
}

static const char *floor_log2(struct value *v)
{
	if (value_number(v) <= 0)
		return "log2 of a number that is not positive";
	if (v->kind == VALUE_REAL)
		return set_real(v, log2(v->d));
	v->i = 63 - __builtin_clzll((unsigned long long)v->i);
	return NULL;
}

const char *arith_unary(enum arith_unary op, struct value *v)
{
	bool truth = false;

	if (v->kind == VALUE_TEXT)
		return text;
	switch (op) {
	case ARITH_NEGATE:
		return negate(v);
	case ARITH_NOT:
		arith_truth(v, &truth);
		*v = value_int(!truth);
		return NULL;
	case ARITH_POW2:
		return pow2(v);
	case ARITH_LOG2:
		return floor_log2(v);
	case ARITH_UNARY_COUNT:
		break;
	}
	return "unknown operation";
}

static const char *ceil_div(int64_t a, int64_t b, int64_t *ret)
{
	if (a < 0 || b < 0)
		return "ceil_div of a negative number";
	if (b == 0)
		return division;
	*ret = a / b + (a % b != 0);
	return NULL;
}

static const char *divide(int64_t a, int64_t b, bool remainder, int64_t *ret)
{
	if (b == 0)
		return division;
	if (b == -1) /* INT64_MIN / -1 traps */
		return remainder ? (*ret = 0, NULL)
				 : (__builtin_sub_overflow(0, a, ret) ? overflow : NULL);
	*ret = remainder ? a % b : a / b;
	return NULL;
}

static const char *integers(enum arith_binary op, int64_t a, int64_t b, int64_t *ret)
{
	switch (op) {
	case ARITH_ADD:
		return __builtin_add_overflow(a, b, ret) ? overflow : NULL;
	case ARITH_SUB:
		return __builtin_sub_overflow(a, b, ret) ? overflow : NULL;
	case ARITH_MUL:
		return __builtin_mul_overflow(a, b, ret) ? overflow : NULL;
	case ARITH_DIV:
	case ARITH_MOD:
		return divide(a, b, op == ARITH_MOD, ret);
	case ARITH_CEIL_DIV:
		return ceil_div(a, b, ret);
	case ARITH_MIN:
		*ret = a < b ? a : b;
		break;
	case ARITH_MAX:
		*ret = a > b ? a : b;
		break;
	case ARITH_LT:
		*ret = a < b;
		break;
	case ARITH_LE:
		*ret = a <= b;
		break;
	case ARITH_GT:
		*ret = a > b;
		break;
	case ARITH_GE:
		*ret = a >= b;
		break;
	case ARITH_EQ:
	case ARITH_NE:
	case ARITH_BINARY_COUNT:
		return "unknown operation";
	}
	return NULL;
}

static const char *compared(struct value *v, bool truth)
{
	*v = value_int(truth);
	return NULL;
}

static const char *reals(enum arith_binary op, double a, double b, struct value *ret)
{
	switch (op) {
	case ARITH_ADD:
		return set_real(ret, a + b);
	case ARITH_SUB:
		return set_real(ret, a - b);
	case ARITH_MUL:
		return set_real(ret, a * b);
	case ARITH_DIV:
		return b == 0 ? division : set_real(ret, a / b);
	case ARITH_MIN:
		return set_real(ret, a < b ? a : b);
	case ARITH_MAX:
		return set_real(ret, a > b ? a : b);
	case ARITH_LT:
		return compared(ret, a < b);
	case ARITH_LE:
		return compared(ret, a <= b);
	case ARITH_GT:
		return compared(ret, a > b);
	case ARITH_GE:
		return compared(ret, a >= b);
	case ARITH_MOD:
		return "% of a number that is not an integer";
	case ARITH_CEIL_DIV:
		return "ceil_div of a number that is not an integer";
	case ARITH_EQ:
	case ARITH_NE:
	case ARITH_BINARY_COUNT:
		break;
	}
	return "unknown operation";
}

const char *arith_binary(enum arith_binary op, struct value *a, const struct value *b)
{
	if (op == ARITH_EQ || op == ARITH_NE)
		return compared(a, value_equal(a, b) == (op == ARITH_EQ));
	if (a->kind == VALUE_TEXT || b->kind == VALUE_TEXT)
		return text;
	if (a->kind == VALUE_INT && b->kind == VALUE_INT)
		return integers(op, a->i, b->i, &a->i);
	return reals(op, value_number(a), value_number(b), a);
}
