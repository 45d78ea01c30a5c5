/* A small problem for the tests of runtimes and workers: y = 2 x + bias, with a scratch buffer. */
#ifndef TESTS_PROBLEM_FIXTURE_H
#define TESTS_PROBLEM_FIXTURE_H

#include <stdint.h>

#include "base/mem.h"
#include "runtime/problem.h"

enum { FIXTURE_X, FIXTURE_Y, FIXTURE_SCRATCH, FIXTURE_BUFFERS };

static inline struct problem_argument *fixture_arguments(int *ret_n)
{
	static const struct problem_argument arguments[] = {
		{ FIXTURE_X, DTYPE_F32 }, { FIXTURE_Y, DTYPE_F32 }, { FIXTURE_SCRATCH, DTYPE_F32 },
		{ -1, DTYPE_I32 },	  { -1, DTYPE_F32 },
	};

	*ret_n = 5;
	return mem_copy(arguments, sizeof arguments);
}

static inline struct launch fixture_launch(int64_t n, int64_t scratch)
{
	struct launch l = { .grid = { 1, 1, 1 },
			    .block = { 1, 1, 1 },
			    .n_scalars = 5,
			    .n_scratch = FIXTURE_BUFFERS };

	l.scalars = mem_array(5, sizeof *l.scalars);
	l.scalars[3] = (double)n;
	l.scalars[4] = 0.5;
	l.scratch = mem_array(FIXTURE_BUFFERS, sizeof *l.scratch);
	l.scratch[FIXTURE_SCRATCH] = scratch;
	return l;
}

static inline void fixture_shape(struct problem_shape *s, const char *name, int64_t n, bool check,
				 bool time)
{
	s->name = mem_strdup(name);
	s->check = check;
	s->time = time;
	s->weight = 1;
	s->buffers = mem_array(FIXTURE_BUFFERS, sizeof *s->buffers);
	s->buffers[FIXTURE_X].count = n;
	s->buffers[FIXTURE_X].fill = (struct fill){ .kind = FILL_NORMAL, .b = 1, .of = -1 };
	s->buffers[FIXTURE_Y].count = n;
	s->buffers[FIXTURE_Y].fill.of = -1;
	s->buffers[FIXTURE_SCRATCH].fill.of = -1;
	s->references = mem_array(1, sizeof *s->references);
	s->references[0] = fixture_launch(n, 1);
}

/* Two shapes, two seeds, one reference whose artifact is the caller's to set. */
static inline struct problem *fixture_problem(void)
{
	struct problem *p = mem_alloc(sizeof *p);
	static const struct problem_buffer buffers[] = {
		[FIXTURE_X] = { NULL, DTYPE_F32, BUFFER_IN },
		[FIXTURE_Y] = { NULL, DTYPE_F32, BUFFER_OUT },
		[FIXTURE_SCRATCH] = { NULL, DTYPE_F32, BUFFER_SCRATCH },
	};
	static const char *const names[] = { "x", "y", "scratch" };

	p->entry = mem_strdup("scale");
	p->buffers = mem_copy(buffers, sizeof buffers);
	p->n_buffers = FIXTURE_BUFFERS;
	for (int i = 0; i < FIXTURE_BUFFERS; i++)
		p->buffers[i].name = mem_strdup(names[i]);
	p->arguments = fixture_arguments(&p->n_arguments);
	p->references = mem_alloc(sizeof *p->references);
	p->n_references = 1;
	p->references[0].name = mem_strdup("exact");
	p->references[0].language = LANGUAGE_C;
	p->references[0].entry = mem_strdup("scale");
	p->references[0].arguments = fixture_arguments(&p->references[0].n_arguments);
	p->references[0].gates = (struct gates){ 1e-6, -1, -1, -1, -1, -1 };
	p->shapes = mem_array(2, sizeof *p->shapes);
	p->n_shapes = 2;
	fixture_shape(&p->shapes[0], "odd", 37, true, false);
	fixture_shape(&p->shapes[1], "large", 4096, true, true);
	p->seeds = mem_array(2, sizeof *p->seeds);
	p->n_seeds = 2;
	p->seeds[1] = UINT64_MAX;
	p->timing = (struct timing_options){ .mode = TIMING_CPU,
					     .warmup = 1,
					     .samples_min = 3,
					     .samples_max = 9,
					     .sample_ns = 20000,
					     .noise = 0.05 };
	return p;
}

#endif
