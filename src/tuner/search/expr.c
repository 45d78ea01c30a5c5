#include "tuner/search/expr.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tuner/search/program.h"
#include "tuner/search/program_c.h"

/*
 * One pass: a recursive descent that emits the program while it reads, and keeps count of the stack
 * that it will need.
 */
enum {
	TEXT_MAX = 4096,
	NESTING_MAX = 64, /* of parentheses, operators that open a level, and ?: */
};

struct expr {
	char *text;
	struct program program;
	int max_slot;
	int *cut; /* where the outermost && stand in the text */
	int n_cut;
};

struct parser {
	struct expr *x;
	const char *at;
	expr_lookup *lookup;
	void *ctx;
	struct err *e;
	int nesting;
	int depth; /* of the stack after what was emitted so far */
};

static int parse_choice(struct parser *p);

static int fail_at(struct parser *p, const char *at, const char *what)
{
	return err_set(p->e, ERR_INVALID, "`%.200s`: %s at %d", p->x->text, what,
		       (int)(at - p->x->text) + 1);
}

static int emit(struct parser *p, enum opcode code, int arg, int stack_change)
{
	p->depth += stack_change;
	if (p->depth > PROGRAM_STACK_MAX)
		return fail_at(p, p->at, "too deeply nested");
	program_emit(&p->x->program, code, arg);
	return 0;
}

static void land_here(struct parser *p, int jump)
{
	p->x->program.op[jump].arg = p->x->program.n;
}

static int emit_constant(struct parser *p, struct value v)
{
	return emit(p, OP_CONST, program_constant(&p->x->program, v), 1);
}

static bool is_name_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static void skip_space(struct parser *p)
{
	p->at += strspn(p->at, " \t\r\n");
}

/* Takes `token` if it comes next. A shorter operator is not taken where a longer one stands. */
static bool take(struct parser *p, const char *token)
{
	size_t n = strlen(token);

	skip_space(p);
	if (strncmp(p->at, token, n) != 0)
		return false;
	if (n == 1 && strchr("<>!=", *token) && p->at[1] == '=')
		return false;
	p->at += n;
	return true;
}

static int expect(struct parser *p, const char *token)
{
	char what[40];

	if (take(p, token))
		return 0;
	if (!*p->at)
		snprintf(what, sizeof what, "expected %s, found the end", token);
	else
		snprintf(what, sizeof what, "expected %s", token);
	return fail_at(p, p->at, what);
}

static int parse_number(struct parser *p)
{
	const char *start = p->at;
	size_t digits = strspn(start, "0123456789");
	bool hex = start[0] == '0' && (start[1] == 'x' || start[1] == 'X');
	bool real = !hex && (start[digits] == '.' || start[digits] == 'e' || start[digits] == 'E');
	struct value v;
	char *end;

	errno = 0;
	if (real)
		v = value_real(strtod(start, &end));
	else
		v = value_int(strtoll(start, &end, hex ? 16 : 10));
	if (errno == ERANGE)
		return fail_at(p, start, "number out of range");
	if (end == start || is_name_start(*end) || is_digit(*end) || *end == '.')
		return fail_at(p, start, "malformed number");
	p->at = end;
	return emit_constant(p, v);
}

static int parse_text(struct parser *p)
{
	const char *start = p->at + 1;
	const char *end = strchr(start, *p->at);
	char *text;
	int r;

	if (!end)
		return fail_at(p, p->at, "text without a closing quote");
	text = mem_strndup(start, (size_t)(end - start));
	p->at = end + 1;
	r = emit_constant(p, value_text(text));
	free(text);
	return r;
}

static int parse_parenthesis(struct parser *p)
{
	int r = parse_choice(p);

	return r ? r : expect(p, ")");
}

/* The arguments of one and two place functions, and of min and max, which fold. */
static int parse_call(struct parser *p, const char *name, const char *at)
{
	enum arith_unary unary = arith_unary_find(name);
	enum arith_binary binary = arith_binary_find(name);
	int n = 1;
	int r = parse_choice(p);

	if (r == 0 && unary != ARITH_UNARY_COUNT)
		return (r = expect(p, ")")) ? r : emit(p, OP_UNARY, (int)unary, 0);
	if (r == 0 && binary == ARITH_BINARY_COUNT)
		return fail_at(p, at, "unknown function");
	while (r == 0 && take(p, ",")) {
		n++;
		r = parse_choice(p);
		if (r == 0)
			r = emit(p, OP_BINARY, (int)binary, -1);
	}
	if (r == 0)
		r = expect(p, ")");
	if (r == 0 && (n < 2 || (n > 2 && binary == ARITH_CEIL_DIV)))
		r = fail_at(p, at, n < 2 ? "too few arguments" : "too many arguments");
	return r;
}

static int emit_name(struct parser *p, const char *name, const char *at)
{
	struct value constant = value_int(0);
	char what[120];
	int slot = -1;

	if (strcmp(name, "true") == 0 || strcmp(name, "false") == 0)
		return emit_constant(p, value_int(name[0] == 't'));
	if (!p->lookup || p->lookup(p->ctx, name, &slot, &constant) != 0) {
		snprintf(what, sizeof what, "unknown name \"%.80s\"", name);
		return fail_at(p, at, what);
	}
	if (slot < 0)
		return emit_constant(p, constant);
	if (slot > p->x->max_slot)
		p->x->max_slot = slot;
	return emit(p, OP_SLOT, slot, 1);
}

static int parse_name(struct parser *p)
{
	const char *at = p->at;
	size_t n = 1;
	char *name;
	int r;

	while (is_name_start(at[n]) || is_digit(at[n]) || at[n] == '.')
		n++;
	name = mem_strndup(at, n);
	p->at = at + n;
	r = take(p, "(") ? parse_call(p, name, at) : emit_name(p, name, at);
	free(name);
	return r;
}

static int parse_primary(struct parser *p)
{
	if (take(p, "("))
		return parse_parenthesis(p);
	if (*p->at == '"' || *p->at == '\'')
		return parse_text(p);
	if (is_digit(*p->at) || (*p->at == '.' && is_digit(p->at[1])))
		return parse_number(p);
	if (is_name_start(*p->at))
		return parse_name(p);
	return fail_at(p, p->at, *p->at ? "expected a value" : "expected a value, found the end");
}

static int parse_unary(struct parser *p)
{
	bool minus = take(p, "-");
	int r;

	if (!minus && !take(p, "!"))
		return parse_primary(p);
	if (++p->nesting > NESTING_MAX)
		return fail_at(p, p->at, "too deeply nested");
	r = parse_unary(p);
	p->nesting--;
	return r ? r : emit(p, OP_UNARY, minus ? ARITH_NEGATE : ARITH_NOT, 0);
}

/* Binary operators by how tightly they bind, loosest first; longer ones before their beginnings. */
static const struct {
	const char *token;
	enum arith_binary op;
	int level;
} binaries[] = {
	{ "==", ARITH_EQ, 0 }, { "!=", ARITH_NE, 0 }, { "<=", ARITH_LE, 1 }, { ">=", ARITH_GE, 1 },
	{ "<", ARITH_LT, 1 },  { ">", ARITH_GT, 1 },  { "+", ARITH_ADD, 2 }, { "-", ARITH_SUB, 2 },
	{ "*", ARITH_MUL, 3 }, { "/", ARITH_DIV, 3 }, { "%", ARITH_MOD, 3 },
};
enum { BINARY_LEVELS = 4, N_BINARIES = sizeof binaries / sizeof *binaries };

static int accept_binary(struct parser *p, int level)
{
	for (int i = 0; i < N_BINARIES; i++)
		if (binaries[i].level == level && take(p, binaries[i].token))
			return i;
	return -1;
}

static int parse_binary(struct parser *p, int level)
{
	int r = level == BINARY_LEVELS ? parse_unary(p) : parse_binary(p, level + 1);
	int i;

	if (level == BINARY_LEVELS)
		return r;
	while (r == 0 && (i = accept_binary(p, level)) >= 0) {
		r = parse_binary(p, level + 1);
		if (r == 0)
			r = emit(p, OP_BINARY, (int)binaries[i].op, -1);
	}
	return r;
}

/* Just behind an && of the outermost level. */
static void note_cut(struct parser *p)
{
	struct expr *x = p->x;

	if (p->nesting > 1 || x->n_cut < 0)
		return;
	x->cut = mem_grow(x->cut, (size_t)x->n_cut + 1, sizeof *x->cut);
	x->cut[x->n_cut++] = (int)(p->at - x->text) - 2;
}

/* An outermost || or ?: stands above every && of its level. */
static void forget_cuts(struct parser *p)
{
	if (p->nesting == 1)
		p->x->n_cut = -1;
}

static int parse_and(struct parser *p)
{
	int r = parse_binary(p, 0);

	while (r == 0 && take(p, "&&")) {
		int jump = p->x->program.n;

		note_cut(p);
		r = emit(p, OP_AND, 0, -1);
		if (r == 0)
			r = parse_binary(p, 0);
		if (r == 0)
			r = emit(p, OP_TRUTH, 0, 0);
		if (r == 0)
			land_here(p, jump);
	}
	return r;
}

static int parse_or(struct parser *p)
{
	int r = parse_and(p);

	while (r == 0 && take(p, "||")) {
		int jump = p->x->program.n;

		forget_cuts(p);
		r = emit(p, OP_OR, 0, -1);
		if (r == 0)
			r = parse_and(p);
		if (r == 0)
			r = emit(p, OP_TRUTH, 0, 0);
		if (r == 0)
			land_here(p, jump);
	}
	return r;
}

static int parse_branches(struct parser *p)
{
	int no = p->x->program.n;
	int r = emit(p, OP_ELSE, 0, -1);
	int end;

	forget_cuts(p);
	if (r == 0)
		r = parse_choice(p);
	if (r == 0)
		r = expect(p, ":");
	if (r)
		return r;
	end = p->x->program.n;
	r = emit(p, OP_GOTO, 0, -1);
	land_here(p, no);
	if (r == 0)
		r = parse_choice(p);
	if (r == 0)
		land_here(p, end);
	return r;
}

static int parse_choice(struct parser *p)
{
	int r;

	if (++p->nesting > NESTING_MAX)
		return fail_at(p, p->at, "too deeply nested");
	r = parse_or(p);
	if (r == 0 && take(p, "?"))
		r = parse_branches(p);
	p->nesting--;
	return r;
}

int expr_compile(const char *text, expr_lookup *lookup, void *ctx, struct expr **ret, struct err *e)
{
	struct parser p = { .lookup = lookup, .ctx = ctx, .e = e };
	int r;

	if (strlen(text) > TEXT_MAX)
		return err_set(e, ERR_INVALID, "`%.60s...`: longer than %d characters", text,
			       TEXT_MAX);
	p.x = mem_alloc(sizeof *p.x);
	p.x->max_slot = -1;
	p.x->text = mem_strdup(text);
	p.at = p.x->text;
	r = parse_choice(&p);
	skip_space(&p);
	if (r == 0 && *p.at)
		r = fail_at(&p, p.at, "expected an operator or the end");
	if (r)
		expr_free(p.x);
	else
		*ret = p.x;
	return r;
}

void expr_free(struct expr *x)
{
	if (!x)
		return;
	free(x->cut);
	program_release(&x->program);
	free(x->text);
	free(x);
}

int expr_eval(const struct expr *x, const struct value *slots, struct value *ret, struct err *e)
{
	const char *why = program_run(&x->program, slots, ret);

	return why ? err_set(e, ERR_INVALID, "`%.200s`: %s", x->text, why) : 0;
}

bool expr_holds(const struct expr *x, const struct value *slots)
{
	struct value v;
	bool truth;

	return !program_run(&x->program, slots, &v) && !arith_truth(&v, &truth) && truth;
}

int expr_eval_int(const struct expr *x, const struct value *slots, int64_t min, int64_t max,
		  int64_t *ret, struct err *e)
{
	char found[80];
	struct value v;
	int r = expr_eval(x, slots, &v, e);

	if (r)
		return r;
	if (v.kind == VALUE_REAL && fabs(v.d) <= 9007199254740992.0 && v.d == floor(v.d))
		v = value_int((int64_t)v.d);
	if (v.kind == VALUE_INT && v.i >= min && v.i <= max) {
		*ret = v.i;
		return 0;
	}
	value_print(&v, found, sizeof found);
	return err_set(e, ERR_INVALID,
		       "`%.200s`: expected a whole number from %lld to %lld, found %s", x->text,
		       (long long)min, (long long)max, found);
}

int expr_as_c(const struct expr *x, const struct expr_c *how, struct str *ret, struct err *e)
{
	const char *why = program_as_c(&x->program, how, ret);

	return why ? err_set(e, ERR_INVALID, "`%.200s` as C: %s", x->text, why) : 0;
}

int expr_max_slot(const struct expr *x)
{
	return x->max_slot;
}

bool expr_uses(const struct expr *x, int slot)
{
	for (int i = 0; i < x->program.n; i++)
		if (x->program.op[i].code == OP_SLOT && x->program.op[i].arg == slot)
			return true;
	return false;
}

char *expr_term(const struct expr *x, int i)
{
	int n = x->n_cut > 0 ? x->n_cut : 0;
	int start;
	int end;

	if (i > n)
		return NULL;
	start = i > 0 ? x->cut[i - 1] + 2 : 0;
	end = i < n ? x->cut[i] : (int)strlen(x->text);
	return mem_strndup(x->text + start, (size_t)(end - start));
}

const char *expr_text(const struct expr *x)
{
	return x->text;
}
