#ifndef SEARCH_EXPR_H
#define SEARCH_EXPR_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"
#include "tuner/search/value.h"

/*
 * Expressions of task files, compiled once to a small stack program.
 *
 *   + - * / %   == != < <= > >=   && || !   ?:   ( )   min max ceil_div pow2 log2
 *
 * with C's precedence, associativity and short circuits. Integers are 64 bit and an overflow is an
 * error, as is division by zero; / and % truncate as in C. A real operand makes the operation real
 * (% is then an error). Text compares with == and != only; literals are "quoted" or 'quoted'.
 * pow2(n) is 2 to the n; log2(n) the floor for integers. Names may hold dots: device.sm_count.
 * `true` and `false` are 1 and 0. ceil_div(a, b) needs a >= 0 and b > 0. min and max take two or
 * more.
 */
struct expr;

/* Says what a name is: 0 and *ret_slot >= 0 for a variable; 0 and *ret_slot = -1 with *ret_constant
 * for a known constant; -1 if there is no such name. */
typedef int expr_lookup(void *ctx, const char *name, int *ret_slot, struct value *ret_constant);

/* Errors quote the text and point at the offence: `TILE_X * 2`: unknown name "TILE_X" at 1. */
int expr_compile(const char *text, expr_lookup *lookup, void *ctx, struct expr **ret,
		 struct err *e);
void expr_free(struct expr *x); /* accepts NULL */

/* slots[i] is the value of variable i. */
int expr_eval(const struct expr *x, const struct value *slots, struct value *ret, struct err *e);

/* True when it evaluates without failing to a number that is not 0; cheaper than asking why. */
bool expr_holds(const struct expr *x, const struct value *slots);

/* Evaluates and insists on a whole number in [min, max]. */
int expr_eval_int(const struct expr *x, const struct value *slots, int64_t min, int64_t max,
		  int64_t *ret, struct err *e);

/*
 * As C over the variables that are not known yet; what follows from those that are known is worked
 * out. names[i] is how C calls variable i, NULL where slots[i] is its value. The functions of the
 * language become calls of PREFIX_min, _max, _ceil_div, _pow2 and _log2 over whole numbers, which
 * whoever compiles the text has to have. ERR_INVALID where there is no such text: C has none to
 * compare, and with real numbers beside a variable the functions would have other types.
 */
struct expr_c {
	const struct value *slots;
	const char *const *names;
	const char *prefix;
};
int expr_as_c(const struct expr *x, const struct expr_c *how, struct str *ret, struct err *e);

int expr_max_slot(const struct expr *x); /* the highest variable it reads, -1: none */
bool expr_uses(const struct expr *x, int slot);

/* The i-th of the terms of `a && b && c`, which may each be tested as soon as its own variables are
 * known: the whole holds exactly when each term does. The caller's to free(); NULL past the last.
 */
char *expr_term(const struct expr *x, int i);
const char *expr_text(const struct expr *x); /* borrowed */

#endif
