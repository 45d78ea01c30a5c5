#include "tuner/search/program.h"

#include <stdlib.h>

#include "base/mem.h"

void program_release(struct program *p)
{
	for (int i = 0; i < p->n_constant; i++)
		if (p->constant[i].kind == VALUE_TEXT)
			free((char *)p->constant[i].s);
	free(p->constant);
	free(p->op);
}

void program_emit(struct program *p, enum opcode code, int arg)
{
	if ((p->n & (p->n - 1)) == 0)
		p->op = mem_grow(p->op, p->n ? 2 * (size_t)p->n : 1, sizeof *p->op);
	p->op[p->n++] = (struct op){ code, arg };
}

int program_constant(struct program *p, struct value v)
{
	p->constant = mem_grow(p->constant, (size_t)p->n_constant + 1, sizeof *p->constant);
	if (v.kind == VALUE_TEXT)
		v.s = mem_strdup(v.s);
	p->constant[p->n_constant] = v;
	return p->n_constant++;
}

const char *program_run(const struct program *p, const struct value *slots, struct value *ret)
{
	struct value stack[PROGRAM_STACK_MAX];
	const char *why = NULL;
	bool truth = false;
	int top = -1;

	stack[0] = value_int(0);
	for (int i = 0; i < p->n && !why; i++) {
		int arg = p->op[i].arg;

		switch (p->op[i].code) {
		case OP_CONST:
			stack[++top] = p->constant[arg];
			break;
		case OP_SLOT:
			stack[++top] = slots[arg];
			break;
		case OP_UNARY:
			why = arith_unary((enum arith_unary)arg, &stack[top]);
			break;
		case OP_BINARY:
			top--;
			why = arith_binary((enum arith_binary)arg, &stack[top], &stack[top + 1]);
			break;
		case OP_TRUTH:
			why = arith_truth(&stack[top], &truth);
			stack[top] = value_int(truth);
			break;
		case OP_AND:
		case OP_OR:
			why = arith_truth(&stack[top], &truth);
			if (truth == (p->op[i].code == OP_OR)) {
				stack[top] = value_int(truth);
				i = arg - 1;
			} else {
				top--;
			}
			break;
		case OP_ELSE:
			why = arith_truth(&stack[top--], &truth);
			i = truth ? i : arg - 1;
			break;
		case OP_GOTO:
			i = arg - 1;
			break;
		}
	}
	if (!why)
		*ret = stack[0];
	return why;
}
