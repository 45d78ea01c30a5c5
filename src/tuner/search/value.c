#include "tuner/search/value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct value value_int(int64_t i)
{
	return (struct value){ .kind = VALUE_INT, .i = i };
}

struct value value_real(double d)
{
	return (struct value){ .kind = VALUE_REAL, .d = d };
}

struct value value_text(const char *borrowed)
{
	return (struct value){ .kind = VALUE_TEXT, .s = borrowed };
}

bool value_equal(const struct value *a, const struct value *b)
{
	if (a->kind == VALUE_TEXT || b->kind == VALUE_TEXT)
		return a->kind == b->kind && strcmp(a->s, b->s) == 0;
	if (a->kind == VALUE_INT && b->kind == VALUE_INT)
		return a->i == b->i;
	return value_number(a) == value_number(b);
}

double value_number(const struct value *v)
{
	switch (v->kind) {
	case VALUE_INT:
		return (double)v->i;
	case VALUE_REAL:
		return v->d;
	case VALUE_TEXT:
		return NAN;
	}
	return NAN;
}

/* The shortest decimal form that reads back as the same number, so that 0.1 stays 0.1. A whole
 * number keeps a point: -DALPHA=2.0 must not become an integer division in the kernel. */
static void print_real(double d, char *ret, int size)
{
	char text[40];

	for (int digits = 6; digits <= 17; digits++) {
		snprintf(text, sizeof text, "%.*g", digits, d);
		if (strtod(text, NULL) == d)
			break;
	}
	snprintf(ret, (size_t)size, "%s%s", text, strpbrk(text, ".eni") ? "" : ".0");
}

void value_print(const struct value *v, char *ret, int size)
{
	switch (v->kind) {
	case VALUE_INT:
		snprintf(ret, (size_t)size, "%lld", (long long)v->i);
		break;
	case VALUE_REAL:
		print_real(v->d, ret, size);
		break;
	case VALUE_TEXT:
		snprintf(ret, (size_t)size, "%s", v->s);
		break;
	}
}
