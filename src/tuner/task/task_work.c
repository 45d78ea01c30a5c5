#include "tuner/task/task_work.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "tuner/task/task_bind.h"
#include "tuner/task/task_read.h"
#include "tuner/task/task_scope.h"

/* --- reading --- */

static int read_operations(struct task *t, const struct json_node *work, struct err *e)
{
	const char *keys[WORK_UNIT_COUNT + 1] = { NULL };
	struct json_node list, n;
	int r;

	if (!json_get(work, "operations", &list))
		return 0;
	for (int u = 0; u < WORK_UNIT_COUNT; u++)
		keys[u] = work_unit_name((enum work_unit)u);
	r = json_only(&list, keys, e);
	if (r == 0)
		r = read_members(&list, true, WORK_UNIT_COUNT, e);
	for (int u = 0; u < WORK_UNIT_COUNT && r == 0; u++)
		if (json_get(&list, keys[u], &n))
			r = scope_compile(t, &n, SCOPE_ALL, &t->work.operations[u], e);
	return r;
}

int work_read(struct task *t, const struct json_node *root, struct err *e)
{
	static const char *const keys[] = { "bytes", "operations", NULL };
	struct json_node n, m;
	int r;

	if (!json_get(root, "work", &n))
		return 0;
	r = json_only(&n, keys, e);
	if (r == 0)
		r = read_members(&n, true, 2, e);
	if (r == 0 && json_get(&n, "bytes", &m))
		r = scope_compile(t, &m, SCOPE_ALL, &t->work.bytes, e);
	if (r == 0)
		r = read_operations(t, &n, e);
	t->work.given = r == 0;
	return r;
}

void work_release(struct task *t)
{
	expr_free(t->work.bytes);
	for (int u = 0; u < WORK_UNIT_COUNT; u++)
		expr_free(t->work.operations[u]);
}

/* --- evaluating --- */

static int amount(const struct expr *x, const struct value *slots, double *ret, struct err *e)
{
	struct value v = { 0 };
	double number;

	if (!x)
		return 0;
	if (expr_eval(x, slots, &v, e) < 0)
		return e->code;
	number = value_number(&v);
	if (!isfinite(number) || number < 0)
		return err_set(e, ERR_INVALID, "`%s`: expected a number of 0 or more, found %g",
			       expr_text(x), number);
	*ret = number;
	return 0;
}

/* Of the buffers that the kernel takes; scratch, which depends on the launch, is left out: a
 * footprint that is too small only makes the floor lower. */
static double footprint_of(const struct problem *p, int shape)
{
	double bytes = 0;

	for (int i = 0; i < p->n_arguments; i++) {
		int b = p->arguments[i].buffer;

		if (b >= 0)
			bytes += (double)p->shapes[shape].buffers[b].count *
				 (double)dtype_bytes(p->buffers[b].type);
	}
	return bytes;
}

static int evaluate(const struct task_bound *b, const uint16_t *config, int shape, struct work *ret,
		    struct err *e)
{
	const struct task *t = b->task;
	const struct task_shape *s = &t->shapes[b->shapes[shape]];
	struct value *slots = mem_array((size_t)scope_slots(t), sizeof *slots);
	struct work w = { .footprint = footprint_of(b->problem, shape),
			  .cold = b->problem->timing.l2 != TIMING_L2_WARM };
	int r;

	space_bind(b->space, config, slots);
	scope_fill(t, s, &b->device, slots);
	r = amount(t->work.bytes, slots, &w.bytes, e);
	if (r < 0)
		err_wrap(e, "work.bytes");
	for (int u = 0; u < WORK_UNIT_COUNT && r == 0; u++) {
		r = amount(t->work.operations[u], slots, &w.operations[u], e);
		if (r < 0)
			err_wrap(e, "work.operations.%s", work_unit_name((enum work_unit)u));
	}
	free(slots);
	if (r < 0)
		return err_wrap(e, "shape %s", s->name);
	*ret = w;
	return 0;
}

bool task_tells_work(const struct task *t)
{
	return t->work.given;
}

bool task_work(const struct task_bound *b, const uint16_t *config, int shape, struct work *ret)
{
	struct err ignored;

	return b->task->work.given && evaluate(b, config, shape, ret, &ignored) == 0;
}

int bound_check_work(const struct task_bound *b, struct err *e)
{
	struct work ignored;
	int r = 0;

	for (int i = 0; b->task->work.given && i < b->n_shapes && r == 0; i++)
		r = evaluate(b, b->first, i, &ignored, e);
	return r;
}
