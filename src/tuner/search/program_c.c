#include "tuner/search/program_c.h"

#include <stdlib.h>
#include <string.h>

/*
 * Runs the program on terms in place of values. Both sides of a jump whose condition is not known
 * are run, one after the other; what is between a jump and its target is known from the way
 * expr.c emits && || and ?:.
 */
enum level { L_CHOICE, L_OR, L_AND, L_EQUAL, L_ORDER, L_ADD, L_MUL, L_UNARY, L_PRIMARY };

struct term {
	struct value v; /* while text.data is NULL */
	struct str text;
	enum level level; /* of the operator that the text was made with last */
};

struct writer {
	const struct program *p;
	const struct expr_c *how;
	struct term stack[PROGRAM_STACK_MAX];
	int n;
	const char *why;
};

static void run(struct writer *w, int from, int to);

static bool is_known(const struct term *t)
{
	return !t->text.data;
}

static void push_value(struct writer *w, struct value v)
{
	w->stack[w->n++] = (struct term){ .v = v };
}

static void push_text(struct writer *w, struct str text, enum level level)
{
	w->stack[w->n++] = (struct term){ .text = text, .level = level };
}

static struct term pop(struct writer *w)
{
	return w->stack[--w->n];
}

static bool truth_of(struct writer *w, const struct term *t)
{
	bool truth = false;
	const char *why = arith_truth(&t->v, &truth);

	w->why = w->why ? w->why : why;
	return truth;
}

/* The term in parentheses unless its operator binds at least as tightly as `level`. Ends it. */
static void add_term(struct writer *w, struct str *s, struct term *t, enum level level)
{
	char number[64];

	if (is_known(t)) {
		if (t->v.kind != VALUE_INT && !w->why)
			w->why = t->v.kind == VALUE_TEXT
					 ? "text beside what is not known yet"
					 : "a real number beside what is not known yet";
		value_print(&t->v, number, sizeof number);
		str_addf(s, t->v.kind == VALUE_INT && t->v.i < 0 ? "(%s)" : "%s", number);
		return;
	}
	str_addf(s, t->level < level ? "(%s)" : "%s", t->text.data);
	str_release(&t->text);
}

static const char *const functions[] = {
	[ARITH_MIN] = "min", [ARITH_MAX] = "max", [ARITH_CEIL_DIV] = "ceil_div"
};

static const struct {
	const char *text;
	enum level level;
} operators[ARITH_BINARY_COUNT] = {
	[ARITH_ADD] = { "+", L_ADD },	[ARITH_SUB] = { "-", L_ADD },
	[ARITH_MUL] = { "*", L_MUL },	[ARITH_DIV] = { "/", L_MUL },
	[ARITH_MOD] = { "%", L_MUL },	[ARITH_EQ] = { "==", L_EQUAL },
	[ARITH_NE] = { "!=", L_EQUAL }, [ARITH_LT] = { "<", L_ORDER },
	[ARITH_LE] = { "<=", L_ORDER }, [ARITH_GT] = { ">", L_ORDER },
	[ARITH_GE] = { ">=", L_ORDER },
};

static void add_binary(struct writer *w, enum arith_binary op, struct term *a, struct term *b)
{
	enum level level = operators[op].level;
	struct str s = STR_INIT;

	if (!operators[op].text) {
		str_addf(&s, "%s_%s(", w->how->prefix, functions[op]);
		add_term(w, &s, a, L_CHOICE);
		str_addz(&s, ", ");
		add_term(w, &s, b, L_CHOICE);
		str_addc(&s, ')');
		push_text(w, s, L_PRIMARY);
		return;
	}
	/* Compilers warn of a comparison that is compared. */
	add_term(w, &s, a, level == L_EQUAL || level == L_ORDER ? L_ADD : level);
	str_addf(&s, " %s ", operators[op].text);
	add_term(w, &s, b, level == L_EQUAL ? L_ADD : level + 1);
	push_text(w, s, level);
}

static void run_binary(struct writer *w, enum arith_binary op)
{
	struct term b = pop(w), a = pop(w);

	if (is_known(&a) && is_known(&b)) {
		w->why = arith_binary(op, &a.v, &b.v);
		push_value(w, a.v);
	} else {
		add_binary(w, op, &a, &b);
	}
}

static void run_unary(struct writer *w, enum arith_unary op)
{
	struct term a = pop(w);
	struct str s = STR_INIT;

	if (is_known(&a)) {
		w->why = arith_unary(op, &a.v);
		push_value(w, a.v);
		return;
	}
	if (op == ARITH_NEGATE || op == ARITH_NOT) {
		str_addc(&s, op == ARITH_NOT ? '!' : '-');
		add_term(w, &s, &a, L_PRIMARY);
		push_text(w, s, L_UNARY);
	} else {
		str_addf(&s, "%s_%s(", w->how->prefix, op == ARITH_POW2 ? "pow2" : "log2");
		add_term(w, &s, &a, L_CHOICE);
		str_addc(&s, ')');
		push_text(w, s, L_PRIMARY);
	}
}

static void run_truth(struct writer *w)
{
	struct term a = pop(w);
	struct str s = STR_INIT;

	if (is_known(&a)) {
		push_value(w, value_int(truth_of(w, &a)));
	} else if (a.level >= L_OR && a.level <= L_ORDER) {
		w->stack[w->n++] = a;
	} else {
		add_term(w, &s, &a, L_ADD);
		str_addz(&s, " != 0");
		push_text(w, s, L_EQUAL);
	}
}

/* Of && at `at`, or of ||: the terms up to its target are its right side, as 0 or 1. */
static int run_logic(struct writer *w, int at, bool is_or)
{
	int target = w->p->op[at].arg;
	struct term a = pop(w), b;
	struct str s = STR_INIT;

	if (is_known(&a)) {
		if (truth_of(w, &a) == is_or)
			push_value(w, value_int(is_or));
		else
			run(w, at + 1, target);
		return target;
	}
	run(w, at + 1, target);
	if (w->why) {
		str_release(&a.text);
		return target;
	}
	b = pop(w);
	if (is_known(&b) && (b.v.i != 0) == is_or) {
		str_release(&a.text);
		push_value(w, b.v);
	} else if (is_known(&b)) {
		w->stack[w->n++] = a;
		run_truth(w);
	} else {
		add_term(w, &s, &a, L_EQUAL);
		str_addz(&s, is_or ? " || " : " && ");
		add_term(w, &s, &b, L_EQUAL);
		push_text(w, s, is_or ? L_OR : L_AND);
	}
	return target;
}

/* Of the ? at `at`: its target is behind the GOTO that ends the first branch. */
static int run_choice(struct writer *w, int at)
{
	int other = w->p->op[at].arg, end = w->p->op[other - 1].arg;
	struct term condition = pop(w), a, b;
	struct str s = STR_INIT;

	if (is_known(&condition)) {
		if (truth_of(w, &condition))
			run(w, at + 1, other - 1);
		else
			run(w, other, end);
		return end;
	}
	run(w, at + 1, other - 1);
	run(w, other, end);
	if (w->why) {
		str_release(&condition.text);
		return end;
	}
	b = pop(w);
	a = pop(w);
	add_term(w, &s, &condition, L_OR);
	str_addz(&s, " ? ");
	add_term(w, &s, &a, L_OR);
	str_addz(&s, " : ");
	add_term(w, &s, &b, L_OR);
	push_text(w, s, L_CHOICE);
	return end;
}

/* Returns where it goes on. */
static int step(struct writer *w, int at)
{
	int arg = w->p->op[at].arg;
	struct str name = STR_INIT;

	switch (w->p->op[at].code) {
	case OP_CONST:
		push_value(w, w->p->constant[arg]);
		break;
	case OP_SLOT:
		if (w->how->names[arg]) {
			str_addz(&name, w->how->names[arg]);
			push_text(w, name, L_PRIMARY);
		} else {
			push_value(w, w->how->slots[arg]);
		}
		break;
	case OP_UNARY:
		run_unary(w, (enum arith_unary)arg);
		break;
	case OP_BINARY:
		run_binary(w, (enum arith_binary)arg);
		break;
	case OP_TRUTH:
		run_truth(w);
		break;
	case OP_AND:
	case OP_OR:
		return run_logic(w, at, w->p->op[at].code == OP_OR);
	case OP_ELSE:
		return run_choice(w, at);
	case OP_GOTO:
		return arg;
	}
	return at + 1;
}

static void run(struct writer *w, int from, int to)
{
	while (from < to && !w->why)
		from = step(w, from);
}

const char *program_as_c(const struct program *p, const struct expr_c *how, struct str *ret)
{
	struct writer w = { .p = p, .how = how };
	struct term whole;

	run(&w, 0, p->n);
	if (!w.why) {
		whole = pop(&w);
		add_term(&w, ret, &whole, L_CHOICE);
	}
	while (w.n > 0) {
		struct term left = pop(&w);

		str_release(&left.text);
	}
	return w.why;
}
