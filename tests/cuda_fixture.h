#ifndef TESTS_CUDA_FIXTURE_H
#define TESTS_CUDA_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "runtime/runtime.h"

/*
 * A problem small enough to write by hand, for the tests of the cuda runtime: float buffers in,
 * one out, and their element count, on two shapes. The first is checked, both are timed.
 */
static const char vector_add[] = "src/kernels/vector_add.cu";
static const char selftest[] = "src/kernels/selftest.cu";
static char bench_folder[64]; /* of binaries */

static inline void bench_folder_make(void)
{
	strcpy(bench_folder, "/tmp/evo-tuned-cuda-XXXXXX");
	assert_non_null(mkdtemp(bench_folder));
}

static inline void bench_folder_remove(void)
{
	struct err e;

	assert_int_equal(file_remove_tree(bench_folder, &e), 0);
}

static inline struct artifact compile(const char *source, const char *entry, const char *option)
{
	const char *const options[] = { option };
	struct compile_job job = { .language = LANGUAGE_CUDA,
				   .source = source,
				   .entry = entry,
				   .arch = "sm_90a",
				   .options = options,
				   .n_options = option ? 1 : 0,
				   .cache = bench_folder };
	struct artifact a;
	struct err e;

	if (runtime_cuda.compile(&job, &a, &e) < 0)
		fail_msg("%s", e.msg);
	return a;
}

static inline struct launch make_launch(int64_t blocks, int64_t threads, int n_arguments, double n)
{
	struct launch l = { .grid = { blocks, 1, 1 }, .block = { threads, 1, 1 } };

	l.n_scalars = n_arguments;
	l.scalars = mem_array((size_t)n_arguments, sizeof(double));
	l.scalars[n_arguments - 1] = n;
	return l;
}

static inline struct problem_argument *make_arguments(int n_buffers)
{
	struct problem_argument *a = mem_array((size_t)n_buffers + 1, sizeof *a);

	for (int i = 0; i < n_buffers; i++)
		a[i].buffer = i;
	a[n_buffers].buffer = -1;
	a[n_buffers].type = DTYPE_I32;
	return a;
}

/* n_inputs float buffers in, one out, and the element count: both kernels look like that. Takes
 * the reference's binary over. */
static inline struct problem *make_problem(const char *entry, int n_inputs,
					   struct artifact *reference, const char *reference_entry)
{
	static const char *const names[] = { "a", "b", "c" };
	static const int64_t sizes[] = { 1000, 4096 };
	struct problem *p = mem_alloc(sizeof *p);
	int n = n_inputs + 1;

	p->entry = mem_strdup(entry);
	p->n_buffers = n;
	p->buffers = mem_array((size_t)n, sizeof *p->buffers);
	for (int i = 0; i < n; i++)
		p->buffers[i] = (struct problem_buffer){ mem_strdup(names[i]), DTYPE_F32,
							 i < n_inputs ? BUFFER_IN : BUFFER_OUT };
	p->n_arguments = n + 1;
	p->arguments = make_arguments(n);
	p->n_references = 1;
	p->references = mem_array(1, sizeof *p->references);
	p->references[0] = (struct problem_reference){
		.name = mem_strdup("exact"),
		.artifact = mem_strdup(reference->path),
		.entry = mem_strdup(reference_entry),
		.arguments = make_arguments(n),
		.n_arguments = n + 1,
		.gates = { .max_abs = 0, .mean_abs = -1, .rel_l2 = -1, .bad_fraction = -1 },
	};
	p->n_shapes = 2;
	p->shapes = mem_array(2, sizeof *p->shapes);
	for (int s = 0; s < 2; s++) {
		struct problem_shape *shape = &p->shapes[s];

		*shape = (struct problem_shape){ .name = mem_strdup(s ? "large" : "small"),
						 .check = s == 0,
						 .time = true,
						 .weight = 1 };
		shape->buffers = mem_array((size_t)n, sizeof *shape->buffers);
		for (int i = 0; i < n; i++)
			shape->buffers[i] =
				(struct shape_buffer){ sizes[s],
						       { i < n_inputs ? FILL_UNIFORM : FILL_NONE, 1,
							 2, -1, 0, NULL } };
		shape->references = mem_array(1, sizeof *shape->references);
		shape->references[0] = make_launch(16, 256, n + 1, (double)sizes[s]);
	}
	p->n_seeds = 2;
	p->seeds = mem_array(2, sizeof *p->seeds);
	p->seeds[1] = 1;
	p->timing = (struct timing_options){ .mode = TIMING_GRAPH,
					     .warmup = 1,
					     .samples_min = 3,
					     .samples_max = 5,
					     .sample_ns = 50000,
					     .noise = 0.01 };
	artifact_release(reference);
	return p;
}

/* Everything one trial needs. */
struct bench {
	struct problem *p;
	struct artifact variant;
	struct launch launches[2];
	struct measure_job job;
};

static inline void bench_init(struct bench *b, const char *source, const char *entry,
			      const char *reference_entry, const char *option, int n_inputs)
{
	struct artifact reference = compile(source, reference_entry, NULL);

	memset(b, 0, sizeof *b);
	b->p = make_problem(entry, n_inputs, &reference, reference_entry);
	b->variant = compile(source, entry, option);
	b->launches[0] = make_launch(8, 128, n_inputs + 2, 1000);
	b->launches[1] = make_launch(32, 128, n_inputs + 2, 4096);
	b->job = (struct measure_job){ .artifact = b->variant.path,
				       .entry = b->variant.lowered,
				       .launches = b->launches,
				       .n_launches = 2,
				       .verify = true,
				       .time = true };
}

static inline void bench_init_add(struct bench *b)
{
	bench_init(b, vector_add, "vector_add", "vector_add_reference", "-DBLOCK=128", 2);
}

static inline void bench_release(struct bench *b)
{
	problem_free(b->p);
	artifact_release(&b->variant);
	launch_release(&b->launches[0]);
	launch_release(&b->launches[1]);
}

static inline int try_measure(const struct bench *b, struct measurement *ret, struct err *e)
{
	struct session *s;
	int r = runtime_cuda.open(0, b->p, &s, e);

	if (r < 0)
		return r;
	r = runtime_cuda.measure(s, &b->job, ret, e);
	runtime_cuda.close(s);
	return r;
}

#endif
