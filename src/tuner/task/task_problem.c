#include "tuner/task/task_problem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tuner/task/task_launch.h"
#include "tuner/task/task_scope.h"

static struct problem_argument *copy_arguments(const struct task_kernel *k)
{
	struct problem_argument *arguments = mem_array((size_t)k->n_arguments, sizeof *arguments);

	for (int i = 0; i < k->n_arguments; i++)
		arguments[i] =
			(struct problem_argument){ k->arguments[i].buffer, k->arguments[i].type };
	return arguments;
}

static void copy_reference(const struct task *t, const struct task_reference *from,
			   struct problem_reference *to)
{
	to->name = mem_strdup(from->name);
	to->gates = from->gates;
	to->language = from->kernel.language;
	to->entry = mem_strdup(from->kernel.entry);
	to->arguments = copy_arguments(&from->kernel);
	to->n_arguments = from->kernel.n_arguments;
	if (!from->files)
		return;
	to->files = mem_array((size_t)t->n_buffers, sizeof *to->files);
	for (int i = 0; i < t->n_buffers; i++)
		to->files[i] = mem_strdup(from->files[i]);
}

/* What does not depend on the shape. */
static struct problem *copy_task(const struct task *t)
{
	struct problem *p = mem_alloc(sizeof *p);

	p->entry = mem_strdup(t->kernel.entry);
	p->n_buffers = t->n_buffers;
	p->buffers = mem_array((size_t)t->n_buffers, sizeof *p->buffers);
	for (int i = 0; i < t->n_buffers; i++) {
		p->buffers[i].name = mem_strdup(t->buffers[i].name);
		p->buffers[i].type = t->buffers[i].type;
		p->buffers[i].role = t->buffers[i].role;
	}
	p->arguments = copy_arguments(&t->kernel);
	p->n_arguments = t->kernel.n_arguments;
	p->n_references = t->n_references;
	p->references = mem_array((size_t)t->n_references, sizeof *p->references);
	for (int i = 0; i < t->n_references; i++)
		copy_reference(t, &t->references[i], &p->references[i]);
	p->seeds = mem_copy(t->seeds, (size_t)t->n_seeds * sizeof *t->seeds);
	p->n_seeds = t->n_seeds;
	p->nondeterministic = t->nondeterministic;
	p->timing = t->timing;
	return p;
}

static int64_t divide_up(int64_t a, int64_t b)
{
	assert(b > 0);
	return a / b + (a % b != 0);
}

static int check_count(const struct task_fill *f, const struct shape_buffer *buffers,
		       const struct shape_buffer *self, struct err *e)
{
	int64_t wanted = self->count;

	if (f->fill.kind == FILL_NPY)
		wanted = f->npy_count;
	else if (f->fill.kind == FILL_QUANTISED_U8)
		wanted = buffers[f->fill.of].count;
	else if (f->fill.kind == FILL_ABSMAX)
		wanted = divide_up(buffers[f->fill.of].count, self->fill.group);
	if (wanted == self->count)
		return 0;
	return err_set(e, ERR_INVALID, "size: the buffer has %lld elements, its %s fill gives %lld",
		       (long long)self->count, fill_kind_name(f->fill.kind), (long long)wanted);
}

static int work_out_fill(const struct task_fill *f, const struct value *slots,
			 struct shape_buffer *buffers, int self, struct err *e)
{
	struct shape_buffer *b = &buffers[self];

	b->fill = f->fill;
	b->fill.path = mem_strdup(f->fill.path);
	b->fill.group = f->fill.of < 0 ? 0 : buffers[f->fill.of].count;
	if (f->group && expr_eval_int(f->group, slots, 1, INT64_MAX, &b->fill.group, e) < 0)
		return err_wrap(e, "fill.group");
	return check_count(f, buffers, b, e);
}

static int work_out_buffer(const struct task *t, const struct task_shape *shape, int buffer,
			   const struct value *slots, struct problem_shape *ret, struct err *e)
{
	const struct task_buffer *b = &t->buffers[buffer];
	const struct task_fill *f = &shape->fills[buffer];
	int64_t most = INT64_MAX / (int64_t)dtype_bytes(b->type);
	int r;

	if (f->fill.kind == FILL_NONE)
		f = &b->fill;
	ret->buffers[buffer].fill.of = -1;
	if (b->role == BUFFER_SCRATCH)
		return 0;
	r = expr_eval_int(b->size, slots, 1, most, &ret->buffers[buffer].count, e);
	if (r < 0)
		err_wrap(e, "size");
	else
		r = work_out_fill(f, slots, ret->buffers, buffer, e);
	return r < 0 ? err_wrap(e, "buffers.%s", b->name) : 0;
}

/* Golden files do not grow with the shape. */
static int check_files(const struct task *t, const struct problem_shape *s, struct err *e)
{
	for (int i = 0; i < t->n_references; i++) {
		const struct task_reference *ref = &t->references[i];

		for (int b = 0; ref->files && s->check && b < t->n_buffers; b++)
			if (ref->files[b] && ref->file_counts[b] != s->buffers[b].count)
				return err_set(e, ERR_INVALID,
					       "reference \"%s\": %s holds %lld elements, buffer "
					       "%s has %lld",
					       ref->name, ref->files[b],
					       (long long)ref->file_counts[b], t->buffers[b].name,
					       (long long)s->buffers[b].count);
	}
	return 0;
}

static int work_out_references(const struct task_bound *b, const struct value *slots,
			       struct problem_shape *s, struct err *e)
{
	const struct task *t = b->task;

	s->references = mem_array((size_t)t->n_references, sizeof *s->references);
	for (int i = 0; i < t->n_references; i++) {
		if (launch_work_out(t, &t->references[i].kernel, &b->device, slots,
				    &s->references[i], e) < 0)
			return err_wrap(e, "reference \"%s\"", t->references[i].name);
	}
	return check_files(t, s, e);
}

static int check_memory(const struct task_bound *b, int shape, struct err *e)
{
	int64_t bytes = problem_shape_bytes(b->problem, shape);
	int64_t memory = b->device.attr[DEVICE_MEMORY_BYTES];
	double gib = 1024.0 * 1024 * 1024;

	if (bytes < 0)
		return err_set(e, ERR_INVALID, "its buffers together overflow 2^63 bytes");
	if (b->device.assumed || memory <= 0 || bytes <= memory)
		return 0;
	return err_set(e, ERR_INVALID,
		       "it needs %lld bytes (%.2f GiB, with reference outputs), %s has %lld "
		       "(%.2f GiB); choose smaller dimensions",
		       (long long)bytes, (double)bytes / gib, b->device.name, (long long)memory,
		       (double)memory / gib);
}

static int work_out_shape(struct task_bound *b, int i, struct err *e)
{
	const struct task *t = b->task;
	const struct task_shape *shape = &t->shapes[b->shapes[i]];
	struct problem_shape *s = &b->problem->shapes[i];
	struct value *slots = mem_array((size_t)scope_slots(t), sizeof *slots);
	int r = 0;

	s->name = mem_strdup(shape->name);
	s->check = b->check[i];
	s->time = b->time[i];
	s->weight = shape->weight;
	s->buffers = mem_array((size_t)t->n_buffers, sizeof *s->buffers);
	scope_fill(t, shape, &b->device, slots);
	for (int j = 0; j < t->n_buffers && r == 0; j++)
		r = work_out_buffer(t, shape, j, slots, s, e);
	if (r == 0)
		r = work_out_references(b, slots, s, e);
	if (r == 0)
		r = check_memory(b, i, e);
	free(slots);
	return r < 0 ? err_wrap(e, "shapes.%s", shape->name) : 0;
}

int bound_make_problem(struct task_bound *b, struct err *e)
{
	int r = 0;

	b->problem = copy_task(b->task);
	b->problem->n_shapes = b->n_shapes;
	b->problem->shapes = mem_array((size_t)b->n_shapes, sizeof *b->problem->shapes);
	for (int i = 0; i < b->n_shapes && r == 0; i++)
		r = work_out_shape(b, i, e);
	return r;
}
