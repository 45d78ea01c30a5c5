#ifndef SEARCH_ARITH_H
#define SEARCH_ARITH_H

#include "tuner/search/value.h"

/*
 * The arithmetic of expressions, one operation at a time; expr.h says what each one means. Each
 * returns NULL when it went well, else why there is no result ("division by zero"), a constant.
 */
enum arith_unary { ARITH_NEGATE, ARITH_NOT, ARITH_POW2, ARITH_LOG2, ARITH_UNARY_COUNT };

enum arith_binary {
	ARITH_ADD,
	ARITH_SUB,
	ARITH_MUL,
	ARITH_DIV,
	ARITH_MOD,
	ARITH_EQ,
	ARITH_NE,
	ARITH_LT,
	ARITH_LE,
	ARITH_GT,
	ARITH_GE,
	ARITH_MIN,
	ARITH_MAX,
	ARITH_CEIL_DIV,
	ARITH_BINARY_COUNT
};

/* By the name of the function; COUNT: there is none. */
enum arith_unary arith_unary_find(const char *name);
enum arith_binary arith_binary_find(const char *name);

const char *arith_unary(enum arith_unary op, struct value *v); /* in place */
const char *arith_binary(enum arith_binary op, struct value *a, const struct value *b); /* into a */
const char *arith_truth(const struct value *v, bool *ret);

#endif
