#include "runtime/cuda_turns.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { ALIGNMENT = 256, CACHE_BYTES_MIN = 16 << 20 };

static int count_for(const struct session *s, int64_t bytes)
{
	int64_t l2 = s->device.attr[DEVICE_L2_BYTES], n;

	if (l2 < CACHE_BYTES_MIN)
		l2 = CACHE_BYTES_MIN;
	n = bytes > 0 ? (2 * l2 + bytes - 1) / bytes : 2;
	return n < 2 ? 2 : n > TURNS_MAX ? TURNS_MAX : (int)n;
}

static void shift(const struct session *s, const struct place *from, cuda_ptr base,
		  struct place *to)
{
	for (int b = 0; b < s->p->n_buffers; b++) {
		to[b] = from[b];
		if (s->p->buffers[b].role != BUFFER_SCRATCH)
			to[b].at = base + (from[b].at - s->arena.at);
	}
}

int turns_init(struct turns *t, struct session *s, const struct dataset *set,
	       struct cuda_function *function, const struct launch *l, const struct place *places)
{
	int64_t passed = s->layouts[set->shape].passed;
	int64_t stride = (passed + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	struct place *moved = mem_array((size_t)s->p->n_buffers + 1, sizeof *moved);
	int n = count_for(s, stride), result = room_reserve(s, &s->turns, n * stride);

	*t = (struct turns){ .calls = mem_array((size_t)n, sizeof *t->calls) };
	for (; t->n < n && result == CUDA_OK; t->n++) {
		cuda_ptr base = s->turns.at + (cuda_ptr)(t->n * stride);

		shift(s, places, base, moved);
		cuda_call_init(&t->calls[t->n], function, s->p->arguments, s->p->n_arguments, l,
			       moved);
		if (passed)
			result = s->cu.copy(base, set->image, (size_t)passed, s->stream);
	}
	free(moved);
	return result;
}

void turns_release(struct turns *t)
{
	for (int i = 0; i < t->n; i++)
		cuda_call_release(&t->calls[i]);
	free(t->calls);
	memset(t, 0, sizeof *t);
}

int turns_go(struct turns *t, struct session *s)
{
	int i = t->next;

	t->next = (i + 1) % t->n;
	return cuda_call_go(s, &t->calls[i]);
}
