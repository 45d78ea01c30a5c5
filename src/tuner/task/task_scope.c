#include "tuner/task/task_scope.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct lookup {
	const struct task *task;
	enum scope scope;
};

int scope_slots(const struct task *t)
{
	return t->n_params + t->n_dims + DEVICE_ATTR_COUNT;
}

static bool reads_any(const struct expr *x, int from, int to)
{
	for (int slot = from; slot < to; slot++)
		if (expr_uses(x, slot))
			return true;
	return false;
}

bool scope_reads_params(const struct task *t, const struct expr *x)
{
	return reads_any(x, 0, t->n_params);
}

bool scope_reads_dims(const struct task *t, const struct expr *x)
{
	return reads_any(x, t->n_params, t->n_params + t->n_dims);
}

void scope_fill(const struct task *t, const struct task_shape *shape, const struct device *d,
		struct value *slots)
{
	struct value *dims = slots + t->n_params, *attrs = dims + t->n_dims;

	for (int i = 0; i < t->n_dims; i++)
		dims[i] = value_int(shape->dims[i]);
	for (int i = 0; i < DEVICE_ATTR_COUNT; i++)
		attrs[i] = value_int(d->attr[i]);
}

static int find_param(const struct task *t, const char *name)
{
	for (int i = 0; i < t->n_params; i++)
		if (strcmp(t->params[i].name, name) == 0)
			return i;
	return -1;
}

static int find_dim(const struct task *t, const char *name)
{
	for (int i = 0; i < t->n_dims; i++)
		if (strcmp(t->dims[i], name) == 0)
			return i;
	return -1;
}

static int find_attr(const char *name, enum device_attr *ret)
{
	static const char prefix[] = "device.";

	if (strncmp(name, prefix, sizeof prefix - 1) != 0)
		return -1;
	return device_attr_parse(name + sizeof prefix - 1, ret);
}

static int slot_of(void *ctx, const char *name, int *ret_slot, struct value *ret_constant)
{
	const struct lookup *l = ctx;
	const struct task *t = l->task;
	int param = l->scope == SCOPE_ALL ? find_param(t, name) : -1, dim = find_dim(t, name);
	enum device_attr attr;

	(void)ret_constant;
	if (param >= 0)
		*ret_slot = param;
	else if (dim >= 0)
		*ret_slot = t->n_params + dim;
	else if (find_attr(name, &attr) == 0)
		*ret_slot = t->n_params + t->n_dims + (int)attr;
	else
		return -1;
	return 0;
}

int scope_constant(void *ctx, const char *name, int *ret_slot, struct value *ret_constant)
{
	const struct scope_constants *c = ctx;
	int dim = find_dim(c->task, name);
	enum device_attr attr;

	*ret_slot = -1;
	if (dim >= 0)
		*ret_constant = value_int(c->shape->dims[dim]);
	else if (find_attr(name, &attr) == 0)
		*ret_constant = value_int(c->device->attr[attr]);
	else
		return -1;
	return 0;
}

static const char *hint(const struct task *t, const char *text, enum scope scope)
{
	struct lookup all = { t, SCOPE_ALL };
	struct expr *x = NULL;
	struct err ignored;

	if (scope == SCOPE_ALL)
		return "; parameters, dimensions and device.NAME are known here";
	if (expr_compile(text, slot_of, &all, &x, &ignored) == 0) {
		expr_free(x);
		return "; a parameter cannot stand here, only dimensions and device.NAME";
	}
	return "; dimensions and device.NAME are known here";
}

int scope_compile(const struct task *t, const struct json_node *n, enum scope scope,
		  struct expr **ret, struct err *e)
{
	struct lookup l = { t, scope };
	struct err why = { 0 };
	char number[32];
	const char *text = number;
	double d = n->value->valuedouble;

	if (cJSON_IsNumber(n->value) && d == floor(d) && fabs(d) <= 0x1p53)
		snprintf(number, sizeof number, "%lld", (long long)d);
	else if (cJSON_IsNumber(n->value) && isfinite(d))
		snprintf(number, sizeof number, "%.17g", d);
	else if (cJSON_IsString(n->value))
		text = n->value->valuestring;
	else
		return json_expected(n, e, "a number or an expression");
	if (expr_compile(text, slot_of, &l, ret, &why) == 0)
		return 0;
	return json_wrong(n, e, "%s%s", why.msg,
			  strstr(why.msg, "unknown name") ? hint(t, text, scope) : "");
}

bool scope_reserved(const char *name)
{
	static const char *const words[] = { "min",  "max",  "ceil_div", "pow2",
					     "log2", "true", "false" };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(words[i], name) == 0)
			return true;
	return false;
}
