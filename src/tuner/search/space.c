#include "tuner/search/space.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tuner/search/count.h"
#include "tuner/search/cursor.h"
#include "tuner/search/draw.h"
#include "tuner/search/walk.h"

enum {
	TABLE_MAX = 1 << 16, /* combinations of a constraint that is tabled */
	PROBES = 4096,	     /* of an estimate */
	DRAW_STEPS = 2000,   /* bindings before a fresh start */
	DRAW_TRIES = 64,
	LIST_STEPS = 30000000, /* bindings; a second or so */
};

struct space *space_new(void)
{
	return mem_alloc(sizeof(struct space));
}

static void param_release(struct param *p)
{
	for (int i = 0; i < p->n; i++)
		if (p->value[i].kind == VALUE_TEXT)
			free((char *)p->value[i].s);
	free(p->value);
	free(p->name);
}

static void constraint_release(struct constraint *x)
{
	expr_free(x->expr);
	free(x->text);
	free(x->uses);
	free(x->met);
}

void space_free(struct space *s)
{
	if (!s)
		return;
	for (int i = 0; i < s->n; i++)
		param_release(&s->param[i]);
	for (int i = 0; i < s->n_constraint; i++)
		constraint_release(&s->constraint[i]);
	free(s->constraint);
	rows_free(s->rows);
	free(s);
}

static int check_values(const char *name, const struct value *values, int n, struct err *e)
{
	char text[80];

	if (n < 1)
		return err_set(e, ERR_INVALID, "parameter %s: expected at least one value", name);
	if (n > SPACE_VALUES_MAX)
		return err_set(e, ERR_INVALID, "parameter %s: %d values, at most %d are possible",
			       name, n, SPACE_VALUES_MAX);
	for (int i = 1; i < n; i++)
		for (int j = 0; j < i; j++)
			if (value_equal(&values[i], &values[j])) {
				value_print(&values[i], text, sizeof text);
				return err_set(e, ERR_INVALID, "parameter %s: value %s twice", name,
					       text);
			}
	return 0;
}

int space_add_param(struct space *s, const char *name, const struct value *values, int n,
		    struct err *e)
{
	struct param *p;
	int r;

	if (s->rows)
		return err_set(e, ERR_INVALID, "parameter %s: the space is restricted already",
			       name);
	if (s->n == SPACE_PARAMS_MAX)
		return err_set(e, ERR_INVALID, "parameter %s: at most %d parameters are possible",
			       name, SPACE_PARAMS_MAX);
	if (space_find(s, name) >= 0)
		return err_set(e, ERR_INVALID, "parameter %s: declared twice", name);
	r = check_values(name, values, n, e);
	if (r)
		return r;
	p = &s->param[s->n++];
	*p = (struct param){ .name = mem_strdup(name), .n = n, .first_due = -1 };
	p->value = mem_copy(values, (size_t)n * sizeof *values);
	for (int i = 0; i < n; i++)
		if (p->value[i].kind == VALUE_TEXT)
			p->value[i].s = mem_strdup(p->value[i].s);
	return 0;
}

struct names {
	const struct space *s;
	expr_lookup *constants;
	void *ctx;
};

static int find_name(void *ctx, const char *name, int *ret_slot, struct value *ret_constant)
{
	const struct names *n = ctx;
	int param = space_find(n->s, name);

	if (param >= 0) {
		*ret_slot = param;
		return 0;
	}
	return n->constants ? n->constants(n->ctx, name, ret_slot, ret_constant) : -1;
}

static void find_uses(const struct space *s, struct constraint *x)
{
	x->uses = mem_alloc((size_t)s->n);
	for (int i = 0; i < s->n; i++)
		if (expr_uses(x->expr, i))
			x->uses[x->n_uses++] = (uint8_t)i;
}

static size_t combinations(const struct space *s, const struct constraint *x)
{
	size_t product = 1;

	for (int i = 0; i < x->n_uses && product <= TABLE_MAX; i++)
		product *= (size_t)s->param[x->uses[i]].n;
	return product;
}

static void fill_table(const struct space *s, struct constraint *x, size_t n)
{
	struct value slot[SPACE_PARAMS_MAX];

	x->met = mem_alloc(n);
	for (size_t row = 0; row < n; row++) {
		size_t rest = row;

		for (int i = x->n_uses - 1; i >= 0; i--) {
			const struct param *p = &s->param[x->uses[i]];

			slot[x->uses[i]] = p->value[rest % (size_t)p->n];
			rest /= (size_t)p->n;
		}
		x->met[row] = expr_holds(x->expr, slot);
	}
}

static void make_due(struct space *s, int constraint)
{
	const struct constraint *x = &s->constraint[constraint];
	int *link = &s->param[x->n_uses ? x->uses[x->n_uses - 1] : 0].first_due;

	while (*link >= 0)
		link = &s->constraint[*link].next_due;
	*link = constraint;
}

static void add_term(struct space *s, const char *text, struct expr *term)
{
	struct constraint x = { .text = mem_strdup(text), .expr = term, .next_due = -1 };
	size_t n;

	find_uses(s, &x);
	n = combinations(s, &x);
	if (n <= TABLE_MAX)
		fill_table(s, &x, n);
	s->constraint = mem_grow(s->constraint, (size_t)s->n_constraint + 1, sizeof x);
	s->constraint[s->n_constraint++] = x;
	make_due(s, s->n_constraint - 1);
}

static int add_terms(struct space *s, const struct expr *whole, struct names *names, struct err *e)
{
	char *part;
	int r = 0;

	for (int i = 0; r == 0 && (part = expr_term(whole, i)); i++) {
		struct expr *term;

		r = expr_compile(part, find_name, names, &term, e);
		if (r == 0)
			add_term(s, expr_text(whole), term);
		free(part);
	}
	return r;
}

int space_add_constraint(struct space *s, const char *text, expr_lookup *constants, void *ctx,
			 struct err *e)
{
	struct names names = { s, constants, ctx };
	struct expr *whole;
	int r;

	if (s->n == 0 || s->rows)
		return err_set(e, ERR_INVALID, "constraint `%.200s`: %s", text,
			       s->rows ? "the space is restricted already"
				       : "the space has no parameters yet");
	r = expr_compile(text, find_name, &names, &whole, e);
	if (r)
		return r;
	r = add_terms(s, whole, &names, e);
	expr_free(whole);
	return r;
}

static int check_rows(const struct space *s, const uint16_t *rows, size_t n, struct err *e)
{
	if (s->n == 0 || n == 0 || n > UINT32_MAX / 4)
		return err_set(e, ERR_INVALID,
			       "listed configurations: expected parameters and 1 to %u of them",
			       UINT32_MAX / 4);
	if (s->rows)
		return err_set(e, ERR_INVALID, "the space is restricted already");
	for (size_t i = 0; i < n; i++)
		if (!space_legal(s, rows + i * (size_t)s->n))
			return err_set(e, ERR_INVALID,
				       "listed configuration %zu: breaks a constraint or has a "
				       "position past the end of a value list",
				       i);
	return 0;
}

int space_restrict(struct space *s, const uint16_t *rows, size_t n, struct err *e)
{
	int r = check_rows(s, rows, n, e);

	if (r == 0)
		s->rows = rows_new(rows, n, s->n);
	return r;
}

int space_params(const struct space *s)
{
	return s->n;
}

const char *space_name(const struct space *s, int param)
{
	return s->param[param].name;
}

int space_find(const struct space *s, const char *name)
{
	for (int i = 0; i < s->n; i++)
		if (strcmp(s->param[i].name, name) == 0)
			return i;
	return -1;
}

int space_values(const struct space *s, int param)
{
	return s->param[param].n;
}

const struct value *space_value(const struct space *s, int param, int position)
{
	return &s->param[param].value[position];
}

int space_position(const struct space *s, int param, const struct value *v)
{
	for (int i = 0; i < s->param[param].n; i++)
		if (value_equal(&s->param[param].value[i], v))
			return i;
	return -1;
}

double space_cartesian(const struct space *s)
{
	double product = s->n > 0;

	for (int i = 0; i < s->n; i++)
		product *= s->param[i].n;
	return product;
}

bool space_legal(const struct space *s, const uint16_t *config)
{
	struct cursor c;

	for (int i = 0; i < s->n; i++)
		if (config[i] >= s->param[i].n)
			return false;
	if (s->rows)
		return rows_find(s->rows, config);
	cursor_init(&c, s);
	for (int i = 0; i < s->n; i++)
		if (!cursor_bind(&c, i, config[i]))
			return false;
	return s->n > 0;
}

const char *space_violated(const struct space *s, const uint16_t *config)
{
	struct cursor c;

	cursor_init(&c, s);
	space_bind(s, config, c.slot);
	memcpy(c.config, config, (size_t)s->n * sizeof *config);
	for (int i = 0; i < s->n_constraint; i++)
		if (!cursor_meets(&c, &s->constraint[i]))
			return s->constraint[i].text;
	return space_legal(s, config) ? NULL : "not one of the listed configurations";
}

void space_bind(const struct space *s, const uint16_t *config, struct value *ret)
{
	for (int i = 0; i < s->n; i++)
		ret[i] = s->param[i].value[config[i]];
}

bool space_walk(const struct space *s, uint64_t steps, space_visit *visit, void *ctx)
{
	const uint16_t *config;
	struct walk w;

	walk_init(&w, s);
	while ((config = walk_next(&w, steps)))
		if (!visit(ctx, config))
			return false;
	return !walk_paused(&w);
}

double space_count(const struct space *s, uint64_t steps, bool *ret_exact)
{
	double n = 0;

	*ret_exact = true;
	if (s->rows)
		return (double)s->rows->n;
	if (count_exact(s, steps, &n))
		return n;
	*ret_exact = false;
	return count_estimate(s, PROBES);
}

static uint64_t every_param(const struct space *s)
{
	return s->n == 64 ? UINT64_MAX : ((uint64_t)1 << s->n) - 1;
}

bool space_sample(const struct space *s, struct rng *r, uint16_t *ret)
{
	struct draw d = { .open = every_param(s), .avoid = -1, .steps = DRAW_STEPS };

	if (s->rows) {
		memcpy(ret, rows_at(s->rows, rng_below(r, s->rows->n)), (size_t)s->n * sizeof *ret);
		return true;
	}
	for (int i = 0; i < DRAW_TRIES; i++, d.steps += DRAW_STEPS)
		if (draw_fill(s, r, &d, ret))
			return true;
	return false;
}

/* Opens `count` parameters; the first one drawn is named in *ret_first. */
static uint64_t open_some(const struct space *s, struct rng *r, int count, int *ret_first)
{
	uint64_t open = 0;

	*ret_first = -1;
	while (count > 0) {
		int param = (int)rng_below(r, (uint64_t)s->n);

		if (open >> param & 1)
			continue;
		if (*ret_first < 0)
			*ret_first = param;
		open |= (uint64_t)1 << param;
		count--;
	}
	return open;
}

bool space_neighbour(const struct space *s, struct rng *r, const uint16_t *config, int distance,
		     uint16_t *ret)
{
	uint16_t draft[SPACE_PARAMS_MAX];
	struct draw d = { .steps = DRAW_STEPS };

	if (distance > s->n)
		distance = s->n;
	for (int i = 0; distance > 0 && i < DRAW_TRIES * s->n; i++) {
		int count = 1 + (int)rng_below(r, (uint64_t)distance);

		d.open = open_some(s, r, count, &d.avoid);
		memcpy(draft, config, (size_t)s->n * sizeof *draft);
		if (!draw_fill(s, r, &d, draft))
			continue;
		memcpy(ret, draft, (size_t)s->n * sizeof *ret);
		return true;
	}
	return false;
}

bool space_repair(const struct space *s, struct rng *r, uint16_t *config)
{
	struct draw d = { .steps = DRAW_STEPS, .avoid = -1 };
	int unused;

	if (space_legal(s, config))
		return true;
	for (int count = 1; count <= s->n; count++)
		for (int i = 0; i < 2 * s->n; i++) {
			d.open = open_some(s, r, count, &unused);
			if (draw_fill(s, r, &d, config))
				return true;
		}
	return space_sample(s, r, config);
}

uint64_t space_hash(const struct space *s, const uint16_t *config)
{
	return rows_hash(config, s->n);
}

struct listing {
	size_t width;
	uint64_t n;
	uint64_t limit;
	uint64_t room;
	uint16_t *row;
};

static bool list_one(void *ctx, const uint16_t *config)
{
	struct listing *l = ctx;

	if (l->n == l->limit)
		return false;
	if (l->n == l->room) {
		l->room = l->room ? 2 * l->room : 64;
		l->row = mem_grow(l->row, l->room * l->width, sizeof *l->row);
	}
	memcpy(l->row + l->n++ * l->width, config, l->width * sizeof *config);
	return true;
}

uint16_t *space_list(const struct space *s, uint64_t limit, uint64_t *ret_count)
{
	struct listing l = { .width = (size_t)s->n, .limit = limit };

	if (!space_walk(s, LIST_STEPS, list_one, &l)) {
		free(l.row);
		return NULL;
	}
	*ret_count = l.n;
	return l.row ? l.row : mem_alloc(1);
}
