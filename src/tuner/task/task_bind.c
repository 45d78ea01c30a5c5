#include "tuner/task/task_bind.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "tuner/task/task_problem.h"
#include "tuner/task/task_space.h"
#include "tuner/task/task_work.h"

static int unknown_shape(const struct task *t, const char *name, struct err *e)
{
	struct str list = STR_INIT;

	for (int i = 0; i < t->n_shapes; i++)
		str_addf(&list, "%s%s", i ? ", " : "", t->shapes[i].name);
	err_set(e, ERR_INVALID, "no shape is named \"%.80s\"; the task has %s", name, list.data);
	str_release(&list);
	return ERR_INVALID;
}

/* In the order of the task, whatever the order they were asked for in. */
static int choose_shapes(struct task_bound *b, const struct task_options *o, struct err *e)
{
	const struct task *t = b->task;
	bool *chosen = mem_array((size_t)t->n_shapes, sizeof *chosen);

	for (int i = 0; i < o->n_shapes; i++) {
		int shape = task_find_shape(t, o->shapes[i]);

		if (shape < 0) {
			free(chosen);
			return unknown_shape(t, o->shapes[i], e);
		}
		chosen[shape] = true;
	}
	b->shapes = mem_array((size_t)t->n_shapes, sizeof *b->shapes);
	b->check = mem_array((size_t)t->n_shapes, sizeof *b->check);
	b->time = mem_array((size_t)t->n_shapes, sizeof *b->time);
	for (int i = 0; i < t->n_shapes; i++)
		if (o->n_shapes == 0 || chosen[i])
			b->shapes[b->n_shapes++] = i;
	free(chosen);
	return 0;
}

/* A choice that leaves nothing to check, or nothing to time, means all of it. */
static void choose_uses(struct task_bound *b)
{
	bool check = false, time = false;

	for (int i = 0; i < b->n_shapes; i++) {
		b->check[i] = b->task->shapes[b->shapes[i]].check;
		b->time[i] = b->task->shapes[b->shapes[i]].time;
		check |= b->check[i];
		time |= b->time[i];
	}
	for (int i = 0; i < b->n_shapes; i++) {
		b->check[i] |= !check;
		b->time[i] |= !time;
	}
}

int task_bind(const struct task *t, const struct task_options *o, struct task_bound **ret,
	      struct err *e)
{
	struct task_bound *b = mem_alloc(sizeof *b);
	int r;

	b->task = t;
	b->device = *o->device;
	r = choose_shapes(b, o, e);
	if (r == 0) {
		choose_uses(b);
		r = bound_make_problem(b, e);
	}
	if (r == 0)
		r = bound_make_space(b, o, e);
	if (r == 0)
		r = bound_check_work(b, e);
	if (r < 0) {
		task_bound_free(b);
		return err_wrap(e, "%s", t->file);
	}
	*ret = b;
	return 0;
}

void task_bound_free(struct task_bound *b)
{
	if (!b)
		return;
	problem_free(b->problem);
	space_free(b->space);
	free(b->first);
	free(b->shapes);
	free(b->check);
	free(b->time);
	free(b);
}

const struct space *task_space(const struct task_bound *b)
{
	return b->space;
}

const struct device *task_device(const struct task_bound *b)
{
	return &b->device;
}

struct problem *task_problem(struct task_bound *b)
{
	return b->problem;
}
