#include "runtime/problem.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const char *const role_names[] = { "in", "out", "inout", "scratch" };
static const char *const fill_names[] = { "none",   "constant",	    "uniform", "normal", "integers",
					  "sparse", "quantised_u8", "absmax",  "npy" };
static const char *const mode_names[] = { "graph", "event", "cpu", "recorded" };
static const char *const l2_names[] = { "warm", "cold", "rotating" };

#define COUNT(names) ((int)(sizeof(names) / sizeof *(names)))

_Static_assert(COUNT(role_names) == BUFFER_ROLE_COUNT, "a name for each role");
_Static_assert(COUNT(fill_names) == FILL_KIND_COUNT, "a name for each kind of fill");

static int index_of(const char *const *names, int n, const char *name)
{
	for (int i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -1;
}

#define NAMED(function, type, names)                         \
	const char *function##_name(type value)              \
	{                                                    \
		return names[value];                         \
	}                                                    \
	int function##_parse(const char *name, type *ret)    \
	{                                                    \
		int i = index_of(names, COUNT(names), name); \
                                                             \
		if (i >= 0)                                  \
			*ret = (type)i;                      \
		return i < 0 ? -1 : 0;                       \
	}

NAMED(buffer_role, enum buffer_role, role_names)
NAMED(fill_kind, enum fill_kind, fill_names)
NAMED(timing_mode, enum timing_mode, mode_names)
NAMED(timing_l2, enum timing_l2, l2_names)

void launch_release(struct launch *l)
{
	free(l->scalars);
	free(l->scratch);
	memset(l, 0, sizeof *l);
}

void launch_copy(struct launch *to, const struct launch *from)
{
	*to = *from;
	to->scalars = mem_array((size_t)from->n_scalars, sizeof *to->scalars);
	to->scratch = mem_array((size_t)from->n_scratch, sizeof *to->scratch);
	if (from->n_scalars)
		memcpy(to->scalars, from->scalars, (size_t)from->n_scalars * sizeof *to->scalars);
	if (from->n_scratch)
		memcpy(to->scratch, from->scratch, (size_t)from->n_scratch * sizeof *to->scratch);
}

static void free_reference(struct problem_reference *r, int n_buffers)
{
	for (int i = 0; r->files && i < n_buffers; i++)
		free(r->files[i]);
	free(r->files);
	free(r->name);
	free(r->artifact);
	free(r->entry);
	free(r->arguments);
}

static void free_shape(struct problem_shape *s, int n_buffers, int n_references)
{
	for (int i = 0; s->buffers && i < n_buffers; i++)
		free(s->buffers[i].fill.path);
	for (int i = 0; s->references && i < n_references; i++)
		launch_release(&s->references[i]);
	free(s->buffers);
	free(s->references);
	free(s->name);
}

void problem_free(struct problem *p)
{
	if (!p)
		return;
	for (int i = 0; p->shapes && i < p->n_shapes; i++)
		free_shape(&p->shapes[i], p->n_buffers, p->n_references);
	for (int i = 0; p->references && i < p->n_references; i++)
		free_reference(&p->references[i], p->n_buffers);
	for (int i = 0; p->buffers && i < p->n_buffers; i++)
		free(p->buffers[i].name);
	free(p->shapes);
	free(p->references);
	free(p->buffers);
	free(p->arguments);
	free(p->seeds);
	free(p->entry);
	free(p);
}

/*
 * Copies of a buffer that live side by side: what a launch works on, what it is filled from, and
 * of an output the expected content for each reference and the first launch's for the comparison.
 */
static int copies_of(enum buffer_role role, int n_references)
{
	switch (role) {
	case BUFFER_IN:
		return 2;
	case BUFFER_OUT:
		return 2 + n_references;
	case BUFFER_INOUT:
		return 3 + n_references;
	case BUFFER_SCRATCH:
	case BUFFER_ROLE_COUNT:
		break;
	}
	return 1;
}

/* Scratch of a buffer that the hungriest reference wants. */
static int64_t reference_scratch(const struct problem *p, const struct problem_shape *s, int buffer)
{
	int64_t most = 0;

	for (int i = 0; s->references && i < p->n_references; i++)
		if (buffer < s->references[i].n_scratch && s->references[i].scratch[buffer] > most)
			most = s->references[i].scratch[buffer];
	return most;
}

int64_t problem_shape_bytes(const struct problem *p, int shape)
{
	const struct problem_shape *s = &p->shapes[shape];
	int64_t total = 0, bytes;

	for (int i = 0; i < p->n_buffers; i++) {
		const struct problem_buffer *b = &p->buffers[i];
		int64_t count = b->role == BUFFER_SCRATCH ? reference_scratch(p, s, i)
							  : s->buffers[i].count;

		if (__builtin_mul_overflow(count, (int64_t)dtype_bytes(b->type), &bytes) ||
		    __builtin_mul_overflow(bytes, copies_of(b->role, p->n_references), &bytes) ||
		    __builtin_add_overflow(total, bytes, &total))
			return -1;
	}
	return total;
}
