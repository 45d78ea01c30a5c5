#ifndef RUNTIME_PROBLEM_H
#define RUNTIME_PROBLEM_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/dtype.h"

/*
 * What a run measures, with every expression already worked out: the task room makes a problem from
 * a task file, a worker is opened with it, and each trial then brings only its binary and its
 * launches. Everything a struct points to is owned by it unless said otherwise.
 */

enum buffer_role {
	BUFFER_IN,	/* filled; checked to be unchanged after a launch */
	BUFFER_OUT,	/* poisoned before a check; compared with the reference */
	BUFFER_INOUT,	/* filled anew before each check; compared with the reference */
	BUFFER_SCRATCH, /* workspace: poisoned, never compared; its size may depend on parameters */
	BUFFER_ROLE_COUNT
};
const char *buffer_role_name(enum buffer_role r); /* "in", "out", "inout", "scratch" */
int buffer_role_parse(const char *name, enum buffer_role *ret);

enum fill_kind {
	FILL_NONE,	   /* out and scratch */
	FILL_CONSTANT,	   /* a */
	FILL_UNIFORM,	   /* real, in [a, b) */
	FILL_NORMAL,	   /* mean a, deviation b */
	FILL_INTEGERS,	   /* whole numbers, uniform in [a, b] */
	FILL_SPARSE,	   /* a with probability b, else 0 */
	FILL_QUANTISED_U8, /* of the buffer `of`: see fill.h */
	FILL_ABSMAX,	   /* largest |x| of each group of `of`: one element a group */
	FILL_NPY,	   /* the file `path` */
	FILL_KIND_COUNT
};
const char *fill_kind_name(enum fill_kind k); /* "constant", "uniform", ..., "npy" */
int fill_kind_parse(const char *name, enum fill_kind *ret);

struct fill {
	enum fill_kind kind;
	double a, b;
	int of;	       /* index of an earlier buffer; -1: none */
	int64_t group; /* elements that share one scale */
	char *path;    /* absolute */
};

struct problem_buffer {
	char *name;
	enum dtype type;
	enum buffer_role role;
};

struct problem_argument {
	int buffer;	 /* index; -1: a scalar */
	enum dtype type; /* of the scalar */
};

/* Correctness gates; a figure above its limit fails. Negative: not asked for. */
struct gates {
	double max_abs, mean_abs, rel_l2;
	double bad_fraction; /* share of elements with |x - ref| > atol + rtol * |ref| */
	double atol, rtol;
};

/* How one kernel is launched on one shape. On a CPU grid and block are not used. */
struct launch {
	int64_t grid[3], block[3];
	int64_t shared_bytes; /* dynamic */
	double *scalars;      /* one for each argument; unused where the argument is a buffer */
	int n_scalars;
	int64_t *scratch; /* elements of each buffer that is scratch, else 0; one a buffer */
	int n_scratch;
};

enum language { LANGUAGE_CUDA, LANGUAGE_C };

/*
 * What gives the expected outputs, once for each shape and seed, and is kept: a kernel, or golden
 * .npy files. Every reference gives every out and inout buffer of the problem.
 */
struct problem_reference {
	char *name;
	char **files; /* absolute path for each out and inout buffer, NULL for the others;
		       * n_buffers of them. NULL: it is a kernel */
	enum language language;
	char *artifact; /* path of its cubin or shared object; filled in by whoever compiled it */
	char *entry;
	struct problem_argument *arguments;
	int n_arguments;
	struct gates gates;
};

struct shape_buffer {
	int64_t count; /* elements; for scratch 0: see launch.scratch */
	struct fill fill;
};

struct problem_shape {
	char *name;
	bool check, time;
	double weight;		      /* in the geometric mean; 1 by default */
	struct shape_buffer *buffers; /* n_buffers */
	struct launch *references;    /* n_references */
};

/* RECORDED: someone else took the time; nothing here measures so. */
enum timing_mode { TIMING_GRAPH, TIMING_EVENT, TIMING_CPU, TIMING_RECORDED };
/* What a launch finds in the cache: what the one before left there; nothing; or whatever is left of
 * its own buffers after launches on others. */
enum timing_l2 { TIMING_L2_WARM, TIMING_L2_COLD, TIMING_L2_ROTATING, TIMING_L2_COUNT };

struct timing_options {
	enum timing_mode mode;
	enum timing_l2 l2;
	int warmup; /* launches before the first sample */
	int samples_min, samples_max;
	double sample_ns;    /* a sample is as many launches as last about this long */
	double noise;	     /* stop when the median's interval is within +-this share of it */
	double abort_factor; /* stop early when clearly slower than this times the best; 0: never */
};

struct problem {
	char *entry;
	struct problem_buffer *buffers;
	int n_buffers;
	struct problem_argument *arguments;
	int n_arguments;
	struct problem_reference *references;
	int n_references;
	struct problem_shape *shapes;
	int n_shapes;
	uint64_t *seeds; /* of the correctness checks; timing uses the first */
	int n_seeds;
	bool nondeterministic; /* a second launch may give other bits */
	struct timing_options timing;
};

void problem_free(struct problem *p); /* accepts NULL and half-built */
void launch_release(struct launch *l);
void launch_copy(struct launch *to, const struct launch *from);
const char *timing_mode_name(enum timing_mode m); /* "graph", "event", "cpu", "recorded" */
int timing_mode_parse(const char *name, enum timing_mode *ret);
const char *timing_l2_name(enum timing_l2 l); /* "warm", "cold", "rotating" */
int timing_l2_parse(const char *name, enum timing_l2 *ret);

/* Bytes of device memory that the shape needs at once for one seed, or -1 on overflow. */
int64_t problem_shape_bytes(const struct problem *p, int shape);

#endif
