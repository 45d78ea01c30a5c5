#ifndef SEARCH_PROGRAM_H
#define SEARCH_PROGRAM_H

#include "tuner/search/arith.h"

/*
 * What expr.c makes of an expression: a postfix program over a stack of values. The compiler sees
 * to it that the stack never holds more than PROGRAM_STACK_MAX values, so that running checks
 * nothing, and that exactly one is left at the end.
 */
enum { PROGRAM_STACK_MAX = 128 };

enum opcode {
	OP_CONST, /* push constant[arg] */
	OP_SLOT,  /* push slots[arg] */
	OP_UNARY, /* arg: enum arith_unary */
	OP_BINARY,
	OP_TRUTH, /* of the top: 0 or 1 */
	OP_AND,	  /* pop; if false push 0 and go to arg */
	OP_OR,	  /* pop; if true push 1 and go to arg */
	OP_ELSE,  /* pop; if false go to arg */
	OP_GOTO,
};

struct op {
	enum opcode code;
	int arg;
};

struct program {
	struct op *op;
	int n;
	struct value *constant;
	int n_constant;
};

void program_release(struct program *p);
void program_emit(struct program *p, enum opcode code, int arg);
int program_constant(struct program *p, struct value v); /* its index; text is copied */

/* Returns NULL, or why there is no value. */
const char *program_run(const struct program *p, const struct value *slots, struct value *ret);

#endif
