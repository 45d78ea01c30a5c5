#include "tuner/task/task_space.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "tuner/task/task_params.h"
#include "tuner/task/task_scope.h"
#include "tuner/task/task_value.h"

enum { WALK_STEPS = 20 * 1000 * 1000, BLAME_STEPS = 1000 * 1000, NONE = -1 };

static const char *narrowing_of(const struct task_options *o, const char *name)
{
	for (int i = 0; i < o->n_narrow; i++)
		if (strcmp(o->narrow[i].name, name) == 0)
			return o->narrow[i].values;
	return NULL;
}

static int check_narrow_names(const struct task *t, const struct task_options *o, struct err *e)
{
	for (int i = 0; i < o->n_narrow; i++) {
		const char *name = o->narrow[i].name;
		int p = 0;

		while (p < t->n_params && strcmp(t->params[p].name, name) != 0)
			p++;
		if (p == t->n_params)
			return err_set(e, ERR_INVALID, "--set %.80s: no parameter has this name",
				       name);
		for (int j = 0; j < i; j++)
			if (strcmp(o->narrow[j].name, name) == 0)
				return err_set(e, ERR_INVALID,
					       "--set %.80s: given twice; put the values into one, "
					       "with commas between",
					       name);
	}
	return 0;
}

/* Words are compared as they would stand in the task: 64, 0.5, mma, true. */
static bool is_word(const struct value *v, const char *word, size_t len)
{
	char *text = task_value_text(v), *copy = mem_strndup(word, len), *end = copy;
	double number = strtod(copy, &end);
	bool same = strcmp(text, copy) == 0;

	if (v->kind != VALUE_TEXT && end != copy && *end == '\0')
		same |= number == value_number(v);
	if (v->kind == VALUE_INT)
		same |= strcmp(copy, v->i == 1 ? "true" : v->i == 0 ? "false" : "") == 0 && len;
	free(copy);
	free(text);
	return same;
}

static int wrong_word(const struct task_param *p, const char *word, size_t len, struct err *e)
{
	struct str list = STR_INIT;

	for (int i = 0; i < p->n_values && list.len < 300; i++) {
		char *text = task_value_text(&p->values[i]);

		str_addf(&list, "%s%s", i ? ", " : "", text);
		free(text);
	}
	err_set(e, ERR_INVALID, "--set %s: \"%.*s\" is not one of its values (%s)", p->name,
		(int)(len < 80 ? len : 80), word, list.data);
	str_release(&list);
	return ERR_INVALID;
}

/* Marks the values that stay. */
static int narrow(const struct task_param *p, const char *words, bool *keep, struct err *e)
{
	size_t len;

	for (const char *w = words;; w += len + 1) {
		bool found = false;

		len = strcspn(w, ",");
		for (int i = 0; i < p->n_values; i++) {
			if (is_word(&p->values[i], w, len))
				found = keep[i] = true;
		}
		if (!found)
			return wrong_word(p, w, len, e);
		if (!w[len])
			return 0;
	}
}

static int add_param(struct space *s, const struct task_param *p, const struct task_options *o,
		     struct err *e)
{
	struct value *values = mem_array((size_t)p->n_values, sizeof *values);
	bool *keep = mem_array((size_t)p->n_values, sizeof *keep);
	const char *words = narrowing_of(o, p->name);
	int n = 0, r = words ? narrow(p, words, keep, e) : 0;

	for (int i = 0; i < p->n_values; i++)
		if (!words || keep[i])
			values[n++] = p->values[i];
	if (r == 0)
		r = space_add_param(s, p->name, values, n, e);
	free(keep);
	free(values);
	return r;
}

/* A constraint that reads dimensions stands once for each shape. */
static int add_constraint(const struct task_bound *b, struct space *s, int index, struct err *e)
{
	const struct task_constraint *c = &b->task->constraints[index];
	int n = c->by_shape ? b->n_shapes : 1;

	for (int i = 0; i < n; i++) {
		struct scope_constants constants = {
			.task = b->task,
			.shape = &b->task->shapes[b->shapes[i]],
			.device = &b->device,
		};
		int r = space_add_constraint(s, expr_text(c->expr), scope_constant, &constants, e);

		if (r < 0)
			return err_wrap(e, "constraints[%d]", index);
	}
	return 0;
}

/* The space without constraint `skip`, or NONE. */
static int build(const struct task_bound *b, const struct task_options *o, int skip,
		 struct space **ret, struct err *e)
{
	const struct task *t = b->task;
	struct space *s = space_new();
	int r = 0;

	for (int i = 0; i < t->n_params && r == 0; i++)
		r = add_param(s, &t->params[i], o, e);
	for (int i = 0; i < t->n_constraints && r == 0; i++)
		if (i != skip)
			r = add_constraint(b, s, i, e);
	if (r < 0) {
		space_free(s);
		return r;
	}
	*ret = s;
	return 0;
}

struct finder {
	int n_params;
	uint16_t *config;
	bool found;
};

static bool stop_at_first(void *ctx, const uint16_t *config)
{
	struct finder *f = ctx;

	memcpy(f->config, config, (size_t)f->n_params * sizeof *config);
	f->found = true;
	return false;
}

/* ret_complete: the walk saw all there is. */
static bool find_legal(const struct space *s, uint64_t steps, uint16_t *config, bool *ret_complete)
{
	struct finder f = { .n_params = space_params(s), .config = config };
	struct rng rng;

	*ret_complete = space_walk(s, steps, stop_at_first, &f);
	if (f.found || *ret_complete)
		return f.found;
	rng_init(&rng, 0, rng_stream_of("task_bind"));
	return space_sample(s, &rng, config);
}

/* Names the one constraint without which something would be legal, if there is one. */
static int nothing_legal(const struct task_bound *b, const struct task_options *o, bool complete,
			 struct err *e)
{
	const struct task *t = b->task;
	uint16_t config[SPACE_PARAMS_MAX];
	bool ignored;

	for (int i = 0; i < t->n_constraints; i++) {
		struct space *s = NULL;
		bool found;

		if (build(b, o, i, &s, e) < 0)
			continue;
		found = find_legal(s, BLAME_STEPS, config, &ignored);
		space_free(s);
		if (found)
			return err_set(e, ERR_INVALID,
				       "constraints[%d]: `%s` leaves no legal configuration on %s; "
				       "without it there would be some",
				       i, expr_text(t->constraints[i].expr), b->device.name);
	}
	return err_set(e, ERR_INVALID, "constraints: no configuration %s on %s",
		       complete ? "satisfies all of them" : "that satisfies them all was found",
		       b->device.name);
}

/* False: --set has taken one of its values away. */
static bool preset_config(const struct task_bound *b, int preset, uint16_t *ret)
{
	const struct task *t = b->task;

	for (int i = 0; i < t->n_params; i++) {
		int position = t->presets[preset].positions[i];

		position = space_position(b->space, i, &t->params[i].values[position]);
		if (position < 0)
			return false;
		ret[i] = (uint16_t)position;
	}
	return true;
}

static void add_first(struct task_bound *b, const uint16_t *config)
{
	size_t n = (size_t)space_params(b->space);

	for (int i = 0; i < b->n_first; i++)
		if (memcmp(b->first + (size_t)i * n, config, n * sizeof *config) == 0)
			return;
	b->first = mem_grow(b->first, ((size_t)b->n_first + 1) * n, sizeof *b->first);
	memcpy(b->first + (size_t)b->n_first++ * n, config, n * sizeof *config);
}

static int check_baseline(const struct task_bound *b, const uint16_t *config, struct err *e)
{
	const char *text = space_violated(b->space, config);
	const char *name = b->task->presets[b->task->baseline].name;

	if (!text)
		return 0;
	return err_set(e, ERR_INVALID,
		       "presets.%s: it is the baseline, and on %s it does not meet `%s`; name "
		       "another baseline or choose other shapes",
		       name, b->device.name, text);
}

static int collect_first(struct task_bound *b, struct err *e)
{
	const struct task *t = b->task;
	uint16_t config[SPACE_PARAMS_MAX];

	if (t->baseline >= 0 && preset_config(b, t->baseline, config)) {
		int r = check_baseline(b, config, e);

		if (r < 0)
			return r;
		add_first(b, config);
	}
	for (int i = 0; i < t->n_presets; i++)
		if (task_preset(b, t->presets[i].name, config))
			add_first(b, config);
	return 0;
}

int bound_make_space(struct task_bound *b, const struct task_options *o, struct err *e)
{
	uint16_t config[SPACE_PARAMS_MAX];
	bool complete = false;
	int r = check_narrow_names(b->task, o, e);

	if (r == 0)
		r = build(b, o, NONE, &b->space, e);
	if (r < 0)
		return r;
	if (!find_legal(b->space, WALK_STEPS, config, &complete))
		return nothing_legal(b, o, complete, e);
	r = collect_first(b, e);
	if (r == 0 && b->n_first == 0)
		add_first(b, config);
	return r;
}

bool task_preset(const struct task_bound *b, const char *name, uint16_t *ret)
{
	uint16_t config[SPACE_PARAMS_MAX];

	for (int i = 0; i < b->task->n_presets; i++) {
		if (strcmp(b->task->presets[i].name, name) != 0)
			continue;
		if (!preset_config(b, i, config) || !space_legal(b->space, config))
			return false;
		memcpy(ret, config, (size_t)b->task->n_params * sizeof *config);
		return true;
	}
	return false;
}

const uint16_t *task_first(const struct task_bound *b, int *ret_n)
{
	*ret_n = b->n_first;
	return b->first;
}
