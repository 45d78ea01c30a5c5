#ifndef SEARCH_VALUE_H
#define SEARCH_VALUE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A value of a parameter or an expression. Booleans are the integers 0 and 1 (and are passed to the
 * compiler so); text is borrowed from whoever declared it.
 */
enum value_kind { VALUE_INT, VALUE_REAL, VALUE_TEXT };

struct value {
	enum value_kind kind;
	int64_t i;
	double d;
	const char *s;
};

struct value value_int(int64_t i);
struct value value_real(double d);
struct value value_text(const char *borrowed);
bool value_equal(const struct value *a, const struct value *b); /* 2 == 2.0; text only with text */
double value_number(const struct value *v);			/* text gives NAN */

/* As it stands after -DNAME=: 16, 0.5, mma. At most size bytes with the NUL. */
void value_print(const struct value *v, char *ret, int size);

#endif
