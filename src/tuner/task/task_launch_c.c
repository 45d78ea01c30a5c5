#include "tuner/task/task_launch_c.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tuner/task/task_bind.h"
#include "tuner/task/task_scope.h"

struct names {
	struct expr_c how;
	struct value *slots;
	char **names; /* of the slots; owned */
	int n;
};

static void names_init(struct names *n, const struct task_bound *b, const uint16_t *config,
		       const char *prefix)
{
	const struct task *t = b->task;

	n->n = scope_slots(t);
	n->slots = mem_array((size_t)n->n, sizeof *n->slots);
	n->names = mem_array((size_t)n->n, sizeof *n->names);
	scope_fill(t, &t->shapes[b->shapes[0]], &b->device, n->slots);
	space_bind(b->space, config, n->slots);
	for (int i = 0; i < t->n_dims; i++) {
		struct str name = STR_INIT;

		str_addf(&name, "dim_%s", t->dims[i]);
		n->names[t->n_params + i] = str_detach(&name);
	}
	n->how = (struct expr_c){ n->slots, (const char *const *)n->names, prefix };
}

static void names_release(struct names *n)
{
	for (int i = 0; i < n->n; i++)
		free(n->names[i]);
	free(n->names);
	free(n->slots);
}

/* x may be NULL: `otherwise`. */
static int write_one(const struct names *n, const struct expr *x, const char *otherwise, char **ret,
		     struct err *e)
{
	struct str s = STR_INIT;
	int r = x ? expr_as_c(x, &n->how, &s, e) : 0;

	if (!x)
		str_addz(&s, otherwise);
	if (r == 0)
		*ret = str_detach(&s);
	str_release(&s);
	return r;
}

static int write_geometry(const struct names *n, const struct task_kernel *k,
			  struct task_launch_c *c, struct err *e)
{
	int r = 0;

	for (int i = 0; i < 3 && r == 0; i++) {
		r = write_one(n, k->grid[i], "1", &c->grid[i], e);
		if (r == 0)
			r = write_one(n, k->block[i], "1", &c->block[i], e);
	}
	return r < 0 ? r : write_one(n, k->shared_bytes, "0", &c->shared_bytes, e);
}

static int write_fits(const struct names *n, const struct task *t, char **ret, struct err *e)
{
	struct str all = STR_INIT;
	int r = 0;

	for (int i = 0; i < t->n_constraints && r == 0; i++) {
		struct str one = STR_INIT;

		if (!t->constraints[i].by_shape)
			continue;
		r = expr_as_c(t->constraints[i].expr, &n->how, &one, e);
		if (r < 0)
			err_wrap(e, "constraints[%d]", i);
		else if (strcmp(one.data, "1") != 0)
			str_addf(&all, "%s(%s)", all.len ? " && " : "", one.data);
		str_release(&one);
	}
	if (r == 0 && all.len == 0)
		str_addc(&all, '1');
	if (r == 0)
		*ret = str_detach(&all);
	str_release(&all);
	return r;
}

int task_launch_as_c(const struct task_bound *b, const uint16_t *config, const char *prefix,
		     struct task_launch_c *ret, struct err *e)
{
	struct task_launch_c c = { 0 };
	struct names n;
	int r = 0;

	names_init(&n, b, config, prefix);
	if (b->task->kernel.language == LANGUAGE_CUDA)
		r = write_geometry(&n, &b->task->kernel, &c, e);
	if (r == 0)
		r = write_fits(&n, b->task, &c.fits, e);
	names_release(&n);
	if (r < 0)
		task_launch_c_release(&c);
	else
		*ret = c;
	return r;
}

void task_launch_c_release(struct task_launch_c *c)
{
	for (int i = 0; i < 3; i++) {
		free(c->grid[i]);
		free(c->block[i]);
	}
	free(c->shared_bytes);
	free(c->fits);
	memset(c, 0, sizeof *c);
}
