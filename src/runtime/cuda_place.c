#include "runtime/cuda_place.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "runtime/verify.h"

enum { ALIGNMENT = 256 };

/* Moves *cursor behind a buffer and its guards; returns where its data start, -1 on overflow. */
static int64_t lay(int64_t *cursor, int64_t count, size_t width, int64_t *ret_bytes)
{
	int64_t at, end;

	if (count < 0 || __builtin_mul_overflow(count, (int64_t)width, ret_bytes) ||
	    __builtin_add_overflow(*cursor, VERIFY_GUARD_BYTES + ALIGNMENT - 1, &at))
		return -1;
	at -= at % ALIGNMENT;
	if (__builtin_add_overflow(at, *ret_bytes, &end) ||
	    __builtin_add_overflow(end, VERIFY_GUARD_BYTES, cursor))
		return -1;
	return at;
}

bool buffer_in_scope(const struct problem *p, int buffer, enum scope scope)
{
	if (scope == SCOPE_REFERENCE || buffer_is_output(&p->buffers[buffer]))
		return true;
	for (int i = 0; i < p->n_arguments; i++)
		if (p->arguments[i].buffer == buffer)
			return true;
	return false;
}

/* Those that a variant is given, or the others. */
static int lay_out(struct layout *l, const struct problem *p, int shape, bool passed, struct err *e)
{
	for (int b = 0; b < p->n_buffers; b++) {
		if (p->buffers[b].role == BUFFER_SCRATCH ||
		    buffer_in_scope(p, b, SCOPE_VARIANT) != passed)
			continue;
		l->offsets[b] = lay(&l->total, p->shapes[shape].buffers[b].count,
				    dtype_bytes(p->buffers[b].type), &l->bytes[b]);
		if (l->offsets[b] < 0)
			return err_set(e, ERR_INVALID,
				       "shape %s: the size of buffer %s is out of range",
				       p->shapes[shape].name, p->buffers[b].name);
	}
	return 0;
}

int layout_init(struct layout *l, const struct problem *p, int shape, struct err *e)
{
	int r;

	l->offsets = mem_array((size_t)p->n_buffers, sizeof *l->offsets);
	l->bytes = mem_array((size_t)p->n_buffers, sizeof *l->bytes);
	l->total = 0;
	r = lay_out(l, p, shape, true, e);
	l->passed = l->total;
	return r < 0 ? r : lay_out(l, p, shape, false, e);
}

int64_t layout_guard(const struct layout *l, int buffer)
{
	int64_t at = l->offsets[buffer] - VERIFY_GUARD_BYTES - ALIGNMENT;

	return at < 0 ? 0 : at;
}

void layout_release(struct layout *l)
{
	free(l->offsets);
	free(l->bytes);
}

static int64_t scratch_count(const struct launch *l, int buffer)
{
	return buffer < l->n_scratch ? l->scratch[buffer] : 0;
}

int cuda_place(struct session *s, int shape, const struct launch *l, struct place *ret)
{
	const struct problem *p = s->p;
	const struct layout *layout = &s->layouts[shape];
	int64_t cursor = 0;
	int result;

	for (int b = 0; b < p->n_buffers; b++) {
		struct place *place = &ret[b];

		if (p->buffers[b].role != BUFFER_SCRATCH) {
			place->at = s->arena.at + (cuda_ptr)layout->offsets[b];
			place->bytes = layout->bytes[b];
			place->count = p->shapes[shape].buffers[b].count;
			continue;
		}
		int64_t at, width = (int64_t)dtype_bytes(p->buffers[b].type);

		place->count = scratch_count(l, b);
		at = lay(&cursor, place->count, (size_t)width, &place->bytes);
		if (at < 0)
			return CUDA_OUT_OF_MEMORY;
		place->at = (cuda_ptr)at;
	}
	result = room_reserve(s, &s->scratch, cursor);
	for (int b = 0; b < p->n_buffers && result == CUDA_OK; b++)
		if (p->buffers[b].role == BUFFER_SCRATCH)
			ret[b].at += s->scratch.at;
	return result;
}

static int poison_scratch(struct session *s, const struct place *place, enum dtype type, int round)
{
	cuda_ptr before = place->at - VERIFY_GUARD_BYTES;
	size_t bytes = (size_t)place->bytes, guards = (size_t)2 * VERIFY_GUARD_BYTES;
	int result;

	result = s->cu.set8(before, VERIFY_GUARD_BYTE, guards + bytes, s->stream);
	if (result == CUDA_OK && bytes)
		result = s->cu.set8(place->at, verify_poison(type, round), bytes, s->stream);
	return result;
}

int cuda_restore(struct session *s, const struct dataset *set, const struct place *places,
		 enum scope scope, int round)
{
	const struct problem *p = s->p;
	const struct layout *l = &s->layouts[set->shape];
	int64_t bytes = scope == SCOPE_VARIANT ? l->passed : l->total;
	int result = CUDA_OK;

	if (bytes && round == 0)
		result = s->cu.copy(s->arena.at, set->image, (size_t)bytes, s->stream);
	for (int b = 0; b < p->n_buffers && result == CUDA_OK; b++) {
		enum buffer_role role = p->buffers[b].role;
		enum dtype type = p->buffers[b].type;
		size_t n = (size_t)places[b].bytes;

		if (role == BUFFER_SCRATCH)
			result = poison_scratch(s, &places[b], type, round);
		else if (role == BUFFER_OUT && round > 0 && n)
			result = s->cu.set8(places[b].at, verify_poison(type, round), n, s->stream);
		else if (role == BUFFER_INOUT && round > 0 && n)
			result = s->cu.copy(places[b].at, set->image + (cuda_ptr)l->offsets[b], n,
					    s->stream);
	}
	return result;
}

int cuda_keep_outputs(struct session *s, int shape, const struct place *places, cuda_ptr base)
{
	int result = CUDA_OK;

	for (int b = 0; b < s->p->n_buffers && result == CUDA_OK; b++)
		if (buffer_is_output(&s->p->buffers[b]) && places[b].bytes)
			result = s->cu.copy(base + (cuda_ptr)s->layouts[shape].offsets[b],
					    places[b].at, (size_t)places[b].bytes, s->stream);
	return result;
}

void cuda_call_init(struct cuda_call *c, struct cuda_function *function,
		    const struct problem_argument *arguments, int n, const struct launch *launch,
		    const struct place *places)
{
	c->function = function;
	c->launch = launch;
	c->values = mem_array((size_t)n + 1, sizeof *c->values);
	c->arguments = mem_array((size_t)n + 1, sizeof *c->arguments);
	for (int i = 0; i < n; i++) {
		if (arguments[i].buffer >= 0)
			c->values[i] = places[arguments[i].buffer].at;
		else
			dtype_set(arguments[i].type, &c->values[i], 0, launch->scalars[i]);
		c->arguments[i] = &c->values[i];
	}
}

void cuda_call_release(struct cuda_call *c)
{
	free(c->values);
	free(c->arguments);
}

static bool fits(const int64_t dim[3])
{
	for (int i = 0; i < 3; i++)
		if (dim[i] < 1 || dim[i] > INT_MAX)
			return false;
	return true;
}

int cuda_call_go(struct session *s, const struct cuda_call *c)
{
	const struct launch *l = c->launch;

	if (!fits(l->grid) || !fits(l->block) || l->shared_bytes < 0 || l->shared_bytes > INT_MAX)
		return CUDA_INVALID_VALUE;
	return s->cu.launch(c->function, (unsigned)l->grid[0], (unsigned)l->grid[1],
			    (unsigned)l->grid[2], (unsigned)l->block[0], (unsigned)l->block[1],
			    (unsigned)l->block[2], (unsigned)l->shared_bytes, s->stream,
			    c->arguments, NULL);
}

int cuda_allow_shared(struct session *s, struct cuda_function *f, int64_t bytes)
{
	if (bytes <= 0)
		return CUDA_OK;
	if (bytes > INT_MAX)
		return CUDA_INVALID_VALUE;
	return s->cu.function_set(f, CUDA_FUNCTION_MAX_DYNAMIC_SHARED, (int)bytes);
}
