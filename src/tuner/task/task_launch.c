#include "tuner/task/task_launch.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "tuner/task/task_bind.h"
#include "tuner/task/task_buffers.h"
#include "tuner/task/task_kernel.h"
#include "tuner/task/task_scope.h"

static int work_out_extent(struct expr *const exprs[3], const char *name, const struct value *slots,
			   int64_t ret[3], struct err *e)
{
	for (int i = 0; i < 3; i++) {
		ret[i] = 1;
		if (exprs[i] && expr_eval_int(exprs[i], slots, 1, INT64_MAX, &ret[i], e) < 0)
			return err_wrap(e, "%s[%d]", name, i);
	}
	return 0;
}

static int over(struct err *e, const char *what, int64_t found, int64_t limit)
{
	return err_set(e, ERR_INVALID, "%s %lld is over the device's limit of %lld", what,
		       (long long)found, (long long)limit);
}

/* The block's extents are the same on every CUDA device (CUDA C++ Programming Guide, "Technical
 * Specifications per Compute Capability"). */
static int check_limits(const struct launch *l, const struct device *d, struct err *e)
{
	static const int64_t block_max[3] = { 1024, 1024, 64 };
	int64_t grid_max[3] = { d->attr[DEVICE_MAX_GRID_X], d->attr[DEVICE_MAX_GRID_Y],
				d->attr[DEVICE_MAX_GRID_Y] };
	static const char *const block_names[3] = { "block[0]", "block[1]", "block[2]" };
	static const char *const grid_names[3] = { "grid[0]", "grid[1]", "grid[2]" };
	int64_t threads_max = d->attr[DEVICE_MAX_THREADS],
		shared_max = d->attr[DEVICE_MAX_SHARED_BYTES];
	int64_t threads = 1;

	for (int i = 0; i < 3; i++) {
		if (l->block[i] > block_max[i])
			return over(e, block_names[i], l->block[i], block_max[i]);
		if (grid_max[i] > 0 && l->grid[i] > grid_max[i])
			return over(e, grid_names[i], l->grid[i], grid_max[i]);
		threads *= l->block[i];
	}
	if (threads_max > 0 && threads > threads_max)
		return over(e, "block: threads", threads, threads_max);
	if (shared_max > 0 && l->shared_bytes > shared_max)
		return over(e, "shared_bytes", l->shared_bytes, shared_max);
	return 0;
}

static int work_out_geometry(const struct task_kernel *k, const struct device *d,
			     const struct value *slots, struct launch *l, struct err *e)
{
	int r = work_out_extent(k->grid, "grid", slots, l->grid, e);

	if (r == 0)
		r = work_out_extent(k->block, "block", slots, l->block, e);
	if (r == 0 && k->shared_bytes) {
		r = expr_eval_int(k->shared_bytes, slots, 0, INT64_MAX, &l->shared_bytes, e);
		if (r < 0)
			return err_wrap(e, "shared_bytes");
	}
	return r < 0 || k->language == LANGUAGE_C ? r : check_limits(l, d, e);
}

static int work_out_scalar(const struct task_argument *a, const struct value *slots, double *ret,
			   struct err *e)
{
	struct value v = { 0 };
	int64_t low, high, whole = 0;
	int r;

	if (dtype_range(a->type, &low, &high)) {
		r = expr_eval_int(a->value, slots, low, high, &whole, e);
		*ret = (double)whole;
		return r;
	}
	r = expr_eval(a->value, slots, &v, e);
	if (r < 0)
		return r;
	*ret = value_number(&v);
	if (!isfinite(*ret))
		return err_set(e, ERR_INVALID, "`%s` is not a finite number", expr_text(a->value));
	return 0;
}

static int work_out_arguments(const struct task *t, const struct task_kernel *k,
			      const struct value *slots, struct launch *l, struct err *e)
{
	for (int i = 0; i < k->n_arguments; i++) {
		const struct task_argument *a = &k->arguments[i];

		if (a->buffer < 0 && work_out_scalar(a, slots, &l->scalars[i], e) < 0)
			return err_wrap(e, "arguments[%d]", i);
	}
	for (int b = 0; b < t->n_buffers; b++) {
		const struct task_buffer *buffer = &t->buffers[b];
		int64_t most = INT64_MAX / (int64_t)dtype_bytes(buffer->type);

		if (buffer->role == BUFFER_SCRATCH && kernel_takes(k, b) &&
		    expr_eval_int(buffer->size, slots, 1, most, &l->scratch[b], e) < 0)
			return err_wrap(e, "buffers.%s.size", buffer->name);
	}
	return 0;
}

int launch_work_out(const struct task *t, const struct task_kernel *k, const struct device *d,
		    const struct value *slots, struct launch *ret, struct err *e)
{
	struct launch l = { .n_scalars = k->n_arguments, .n_scratch = t->n_buffers };
	int r;

	l.scalars = mem_array((size_t)l.n_scalars, sizeof *l.scalars);
	l.scratch = mem_array((size_t)l.n_scratch, sizeof *l.scratch);
	r = work_out_geometry(k, d, slots, &l, e);
	if (r == 0)
		r = work_out_arguments(t, k, slots, &l, e);
	if (r < 0) {
		launch_release(&l);
		return r;
	}
	*ret = l;
	return 0;
}

/* Scratch of a configuration comes on top of what the problem holds anyway. */
static int check_memory(const struct task_bound *b, int shape, const struct launch *l,
			struct err *e)
{
	int64_t memory = b->device.attr[DEVICE_MEMORY_BYTES];
	int64_t total = problem_shape_bytes(b->problem, shape), bytes;

	if (b->device.assumed || memory <= 0)
		return 0;
	for (int i = 0; i < l->n_scratch; i++) {
		int64_t one = (int64_t)dtype_bytes(b->task->buffers[i].type);

		if (__builtin_mul_overflow(l->scratch[i], one, &bytes) ||
		    __builtin_add_overflow(total, bytes, &total) || total > memory)
			return err_set(e, ERR_INVALID,
				       "buffers.%s: scratch of %lld elements is over the device's "
				       "memory of %lld bytes",
				       b->task->buffers[i].name, (long long)l->scratch[i],
				       (long long)memory);
	}
	return 0;
}

int task_launches(const struct task_bound *b, const uint16_t *config, struct launch **ret,
		  struct err *e)
{
	const struct task *t = b->task;
	struct value *slots = mem_array((size_t)scope_slots(t), sizeof *slots);
	struct launch *launches = mem_array((size_t)b->n_shapes, sizeof *launches);
	int r = 0;

	space_bind(b->space, config, slots);
	for (int i = 0; i < b->n_shapes && r == 0; i++) {
		const struct task_shape *shape = &t->shapes[b->shapes[i]];

		scope_fill(t, shape, &b->device, slots);
		r = launch_work_out(t, &t->kernel, &b->device, slots, &launches[i], e);
		if (r == 0)
			r = check_memory(b, i, &launches[i], e);
		if (r < 0)
			err_wrap(e, "shape %s: kernel", shape->name);
	}
	free(slots);
	if (r < 0) {
		for (int i = 0; i < b->n_shapes; i++)
			launch_release(&launches[i]);
		free(launches);
		return r;
	}
	*ret = launches;
	return 0;
}
