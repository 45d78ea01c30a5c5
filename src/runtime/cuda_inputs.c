#include "runtime/cuda_inputs.h"

#include <stdlib.h>

#include "base/mem.h"
#include "runtime/cuda_crowd.h"
#include "runtime/cuda_data.h"
#include "runtime/cuda_place.h"
#include "runtime/cuda_remote.h"
#include "runtime/verify.h"

static int lay_out(struct session *s, struct err *e)
{
	const struct problem *p = s->p;
	int64_t largest = 0;
	int result;

	s->layouts = mem_array((size_t)p->n_shapes + 1, sizeof *s->layouts);
	for (int i = 0; i < p->n_shapes; i++) {
		if (layout_init(&s->layouts[i], p, i, e) < 0)
			return (int)e->code;
		if (s->layouts[i].total > largest)
			largest = s->layouts[i].total;
	}
	result = room_reserve(s, &s->arena, largest);
	if (result == CUDA_OK)
		result = room_reserve(s, &s->first, largest);
	if (result == CUDA_OK)
		result = crowds_reserve(s);
	return cuda_check(&s->cu, result, e, "allocating the buffers");
}

static int fill_set(struct session *s, int shape, uint64_t seed, struct err *e)
{
	int r;

	if (dataset_find(s, shape, seed))
		return 0;
	r = dataset_fill(s, shape, seed, &s->sets[s->n_sets], e);
	if (r == 0)
		s->n_sets++;
	return r;
}

static int fill_sets(struct session *s, struct err *e)
{
	const struct problem *p = s->p;
	int r = 0;

	s->fresh = mem_array((size_t)p->n_shapes + 1, sizeof *s->fresh);
	s->sets = mem_array((size_t)p->n_shapes * ((size_t)p->n_seeds + 1), sizeof *s->sets);
	for (int shape = 0; shape < p->n_shapes && r == 0; shape++) {
		const struct problem_shape *ps = &p->shapes[shape];
		int seeds = ps->check ? p->n_seeds : ps->time ? 1 : 0;

		for (int i = 0; i < seeds && r == 0; i++)
			r = fill_set(s, shape, p->seeds[i], e);
		if (r == 0 && ps->time)
			r = fill_set(s, shape, verify_other_seed(p, shape, p->seeds[0]), e);
	}
	return r;
}

void inputs_drop(struct session *s)
{
	for (int i = 0; i < s->n_sets; i++)
		dataset_release(s, &s->sets[i]);
	for (int i = 0; s->fresh && i < s->p->n_shapes; i++)
		dataset_release(s, &s->fresh[i]);
	remotes_release(s);
	for (int i = 0; s->layouts && i < s->p->n_shapes; i++)
		layout_release(&s->layouts[i]);
	free(s->layouts);
	free(s->sets);
	free(s->fresh);
	free(s->draft);
	s->layouts = NULL;
	s->draft = NULL;
	s->draft_bytes = 0;
	s->sets = s->fresh = NULL;
	s->n_sets = 0;
	s->p = NULL;
}

int inputs_fill(struct session *s, const struct problem *p, struct err *e)
{
	int r;

	if (p->n_seeds < 1)
		return err_set(e, ERR_INVALID, "gates.seeds: at least one seed is needed");
	s->p = p;
	r = lay_out(s, e);
	if (r == 0)
		r = fill_sets(s, e);
	if (r < 0)
		inputs_drop(s);
	return r;
}
