#include "tuner/task/task_params.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "tuner/task/task_read.h"
#include "tuner/task/task_scope.h"
#include "tuner/task/task_value.h"

enum json_kind { KIND_NUMBER, KIND_STRING, KIND_BOOLEAN };

static enum json_kind kind_of(const struct json_node *n)
{
	if (cJSON_IsBool(n->value))
		return KIND_BOOLEAN;
	return cJSON_IsString(n->value) ? KIND_STRING : KIND_NUMBER;
}

int param_position(const struct task_param *p, const struct value *v)
{
	for (int i = 0; i < p->n_values; i++)
		if (value_equal(&p->values[i], v))
			return i;
	return -1;
}

static int add_value(struct task_param *p, const struct json_node *n, struct err *e)
{
	struct value v = { 0 };
	int r = task_value_read(n, &v, e);

	if (r < 0)
		return r;
	if (param_position(p, &v) >= 0)
		return json_wrong(n, e, "this value stands twice");
	if (v.kind == VALUE_TEXT) {
		p->text[p->n_values] = mem_strdup(v.s);
		v.s = p->text[p->n_values];
	}
	p->values[p->n_values++] = v;
	return 0;
}

/* Numbers are whole or real together: [1, 0.5] is a list of reals. */
static void make_real_together(struct task_param *p)
{
	bool real = false;

	for (int i = 0; i < p->n_values; i++)
		real |= p->values[i].kind == VALUE_REAL;
	for (int i = 0; real && i < p->n_values; i++)
		p->values[i] = value_real(value_number(&p->values[i]));
}

static int read_values(struct task_param *p, const struct json_node *list, struct err *e)
{
	struct json_node first, n;
	int r = read_members(list, false, SPACE_VALUES_MAX, e);

	if (r < 0)
		return r;
	p->values = mem_array((size_t)json_count(list), sizeof *p->values);
	p->text = mem_array((size_t)json_count(list), sizeof *p->text);
	json_first(list, &first);
	n = first;
	do {
		r = add_value(p, &n, e);
		if (r == 0 && kind_of(&n) != kind_of(&first))
			r = json_wrong(&n, e,
				       "values of one parameter are of one kind: all numbers, "
				       "all strings or all booleans");
	} while (r == 0 && json_next(&n));
	make_real_together(p);
	return r;
}

static int check_name(const struct task *t, const struct json_node *n, struct err *e)
{
	int r = read_identifier(n, n->key, e);

	if (r < 0)
		return r;
	if (scope_reserved(n->key))
		return json_wrong(n, e, "the name belongs to the expression language");
	for (int i = 0; i < t->n_dims; i++)
		if (strcmp(t->dims[i], n->key) == 0)
			return json_wrong(n, e, "a dimension of the shapes has this name too");
	return 0;
}

static int read_param(struct task *t, const struct json_node *n, struct err *e)
{
	static const char *const keys[] = { "values", "description", NULL };
	struct task_param *p = &t->params[t->n_params++];
	const char *description;
	struct json_node values;
	int r = check_name(t, n, e);

	p->name = mem_strdup(n->key);
	if (r < 0)
		return r;
	if (cJSON_IsArray(n->value))
		return read_values(p, n, e);
	if (!cJSON_IsObject(n->value))
		return json_expected(n, e, "a list of values, or an object with \"values\"");
	r = json_only(n, keys, e);
	if (r == 0)
		r = json_opt_string(n, "description", &description, e);
	if (r == 0)
		r = json_need(n, "values", &values, e);
	return r < 0 ? r : read_values(p, &values, e);
}

int params_read(struct task *t, const struct json_node *root, struct err *e)
{
	struct json_node params;
	int r = json_need(root, "parameters", &params, e);

	if (r == 0)
		r = read_members(&params, true, SPACE_PARAMS_MAX, e);
	if (r < 0)
		return r;
	t->params = mem_array((size_t)json_count(&params), sizeof *t->params);
	return read_each(t, &params, read_param, e);
}

static int read_constraint(struct task *t, const struct json_node *n, struct err *e)
{
	static const char *const keys[] = { "expression", "description", NULL };
	struct task_constraint *c = &t->constraints[t->n_constraints++];
	struct json_node text = *n;
	const char *s = NULL;
	int r = 0;

	if (cJSON_IsObject(n->value)) {
		r = json_only(n, keys, e);
		if (r == 0)
			r = json_opt_string(n, "description", &s, e);
		if (r == 0)
			r = json_need(n, "expression", &text, e);
	}
	if (r == 0)
		r = json_string(&text, &s, e);
	if (r == 0)
		r = scope_compile(t, &text, SCOPE_ALL, &c->expr, e);
	if (r < 0)
		return r;
	if (!scope_reads_params(t, c->expr))
		return json_wrong(&text, e, "`%s` names no parameter", expr_text(c->expr));
	c->by_shape = scope_reads_dims(t, c->expr);
	return 0;
}

int constraints_read(struct task *t, const struct json_node *root, struct err *e)
{
	struct json_node list;
	int r;

	if (!json_get(root, "constraints", &list))
		return 0;
	r = json_list(&list, e);
	if (r < 0)
		return r;
	t->constraints = mem_array((size_t)json_count(&list), sizeof *t->constraints);
	return read_each(t, &list, read_constraint, e);
}

static int list_values(const struct json_node *n, const struct task_param *p, struct err *e)
{
	struct str list = STR_INIT;

	for (int i = 0; i < p->n_values && list.len < 300; i++) {
		char *text = task_value_quoted(&p->values[i]);

		str_addf(&list, "%s%s", i ? ", " : "", text);
		free(text);
	}
	json_expected(n, e, "one of the parameter's values (%s)", list.data);
	str_release(&list);
	return ERR_INVALID;
}

static int read_choice_of(const struct task_param *p, const struct json_node *preset, int *ret,
			  struct err *e)
{
	struct value v = { 0 };
	struct json_node n;
	int r;

	if (!json_get(preset, p->name, &n))
		return json_wrong(preset, e, "\"%s\" is missing: a preset sets every parameter",
				  p->name);
	r = task_value_read(&n, &v, e);
	if (r < 0)
		return r;
	*ret = param_position(p, &v);
	return *ret < 0 ? list_values(&n, p, e) : 0;
}

/* What can be said without a device or a shape is said here; the rest when the task is bound. */
static int check_preset(const struct task *t, const struct task_preset *p,
			const struct json_node *n, struct err *e)
{
	struct value *slots = mem_array((size_t)scope_slots(t), sizeof *slots);
	int r = 0;

	for (int i = 0; i < t->n_params; i++)
		slots[i] = t->params[i].values[p->positions[i]];
	for (int i = 0; i < t->n_constraints && r == 0; i++) {
		const struct expr *x = t->constraints[i].expr;

		if (expr_max_slot(x) < t->n_params && !expr_holds(x, slots))
			r = json_wrong(n, e, "the preset does not meet constraints[%d] `%s`", i,
				       expr_text(x));
	}
	free(slots);
	return r;
}

static int read_preset(struct task *t, const struct json_node *n, struct err *e)
{
	struct task_preset *p = &t->presets[t->n_presets++];
	const char *names[SPACE_PARAMS_MAX + 1] = { NULL };
	int r;

	p->name = mem_strdup(n->key);
	p->positions = mem_array((size_t)t->n_params, sizeof *p->positions);
	for (int i = 0; i < t->n_params; i++)
		names[i] = t->params[i].name;
	r = read_identifier(n, n->key, e);
	if (r == 0)
		r = json_only(n, names, e);
	for (int i = 0; i < t->n_params && r == 0; i++)
		r = read_choice_of(&t->params[i], n, &p->positions[i], e);
	return r < 0 ? r : check_preset(t, p, n, e);
}

static int read_baseline(struct task *t, const struct json_node *root, struct err *e)
{
	const char *names[TASK_LIST_MAX];
	struct json_node n;

	t->baseline = t->n_presets ? 0 : -1;
	if (!json_get(root, "baseline", &n))
		return 0;
	if (t->n_presets == 0)
		return json_wrong(&n, e, "it names a preset, and the task has no \"presets\"");
	for (int i = 0; i < t->n_presets; i++)
		names[i] = t->presets[i].name;
	return read_choice(&n, names, t->n_presets, &t->baseline, e);
}

int presets_read(struct task *t, const struct json_node *root, struct err *e)
{
	struct json_node list;
	int r = 0;

	if (json_get(root, "presets", &list)) {
		r = read_members(&list, true, TASK_LIST_MAX, e);
		if (r < 0)
			return r;
		t->presets = mem_array((size_t)json_count(&list), sizeof *t->presets);
		r = read_each(t, &list, read_preset, e);
	}
	return r < 0 ? r : read_baseline(t, root, e);
}

void params_release(struct task *t)
{
	for (int i = 0; i < t->n_params; i++) {
		read_free_strings(t->params[i].text, t->params[i].n_values);
		free(t->params[i].values);
		free(t->params[i].name);
	}
	for (int i = 0; i < t->n_constraints; i++)
		expr_free(t->constraints[i].expr);
	for (int i = 0; i < t->n_presets; i++) {
		free(t->presets[i].positions);
		free(t->presets[i].name);
	}
	free(t->params);
	free(t->constraints);
	free(t->presets);
}
