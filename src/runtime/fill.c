#include "runtime/fill.h"

#include <math.h>
#include <string.h>

#include "base/parallel.h"
#include "base/rng.h"
#include "runtime/npy.h"

enum {
	BLOCK = 1 << 16, /* elements that are drawn from one stream */
	CHUNK = 256,	 /* that are converted at a time */
};

struct job { /* one buffer to fill */
	uint64_t seed, stream;
	const struct fill *fill;
	enum dtype type;
	int64_t count;
	void *out;
	enum dtype of_type; /* of the buffer it is made from */
	const void *of;
	int64_t of_count;
};

static double draw(const struct fill *f, struct rng *r)
{
	switch (f->kind) {
	case FILL_CONSTANT:
		return f->a;
	case FILL_UNIFORM:
		return f->a + (f->b - f->a) * rng_unit(r);
	case FILL_NORMAL:
		return f->a + f->b * rng_normal(r);
	case FILL_INTEGERS:
		return f->a + (double)rng_below(r, (uint64_t)(f->b - f->a) + 1);
	case FILL_SPARSE:
		return rng_unit(r) < f->b ? f->a : 0;
	case FILL_NONE:
	case FILL_QUANTISED_U8:
	case FILL_ABSMAX:
	case FILL_NPY:
	case FILL_KIND_COUNT:
		break;
	}
	return 0;
}

static int chunk_of(int64_t i, int64_t past)
{
	return past - i < CHUNK ? (int)(past - i) : CHUNK;
}

/* Every block has a stream of its own, so that blocks can be filled side by side and a buffer's
 * content does not depend on how many cores did it. */
static void draw_block(void *ctx, int64_t block)
{
	const struct job *j = ctx;
	int64_t first = block * BLOCK, past = first + BLOCK < j->count ? first + BLOCK : j->count;
	struct rng r;

	rng_init(&r, j->seed, j->stream + (uint64_t)block * 0x9e3779b97f4a7c15u);
	for (int64_t i = first; i < past; i += CHUNK) {
		int n = chunk_of(i, past);
		double x[CHUNK];

		for (int k = 0; k < n; k++)
			x[k] = draw(j->fill, &r);
		dtype_store(j->type, j->out, i, n, x);
	}
}

static void fill_drawn(struct job *j)
{
	parallel_for((j->count + BLOCK - 1) / BLOCK, draw_block, j);
}

/* The scale of a group: see fill.h for the 1. */
static double absmax(const struct job *j, int64_t first, int64_t past)
{
	double most = 0;

	for (int64_t i = first; i < past; i += CHUNK) {
		int n = chunk_of(i, past);
		double x[CHUNK];

		dtype_load(j->of_type, j->of, i, n, x);
		for (int k = 0; k < n; k++)
			if (fabs(x[k]) > most)
				most = fabs(x[k]);
	}
	return most <= 1e-6 ? 1 : most;
}

/* Rounded half away from zero, which is up: the scale is such that u is positive. */
static double quantise(double x, double scale)
{
	double u = 127 * x / scale + 128;

	return !(u > 0) ? 0 : u >= 255 ? 255 : (double)(int)(u + 0.5);
}

static void fill_group(void *ctx, int64_t g)
{
	const struct job *j = ctx;
	int64_t first = g * j->fill->group;
	int64_t past = first + j->fill->group < j->of_count ? first + j->fill->group : j->of_count;
	double scale = absmax(j, first, past);

	if (j->fill->kind == FILL_ABSMAX) {
		dtype_set(j->type, j->out, g, scale);
		return;
	}
	for (int64_t i = first; i < past; i += CHUNK) {
		int n = chunk_of(i, past);
		double x[CHUNK];

		dtype_load(j->of_type, j->of, i, n, x);
		for (int k = 0; k < n; k++)
			x[k] = quantise(x[k], scale);
		dtype_store(j->type, j->out, i, n, x);
	}
}

/* Starting threads takes longer than a few elements do. */
static void fill_groups(struct job *j)
{
	int64_t group = j->fill->group, n = j->of_count / group + (j->of_count % group != 0);

	if (j->of_count > BLOCK)
		parallel_for(n, fill_group, j);
	else
		for (int64_t g = 0; g < n; g++)
			fill_group(j, g);
}

static int check_groups(const struct job *j, const char *name, struct err *e)
{
	int64_t group = j->fill->group, want = j->of_count;

	if (!j->of || group < 1 || group > (int64_t)1 << 53)
		return err_set(e, ERR_INVALID,
			       "buffer %s: its fill needs an earlier buffer and a group of at "
			       "least 1 element",
			       name);
	if (j->fill->kind == FILL_ABSMAX)
		want = j->of_count / group + (j->of_count % group != 0);
	if (j->count != want)
		return err_set(e, ERR_INVALID,
			       "buffer %s: its fill gives %lld elements, but its size is %lld",
			       name, (long long)want, (long long)j->count);
	return 0;
}

static int check_range(const struct fill *f, const char *name, struct err *e)
{
	if (f->kind != FILL_INTEGERS || (f->a <= f->b && f->b - f->a <= 0x1p53))
		return 0;
	return err_set(e, ERR_INVALID,
		       "buffer %s: integers from %.17g to %.17g: expected low <= high and at most "
		       "2^53 of them",
		       name, f->a, f->b);
}

static struct job job_of(const struct problem *p, int shape, int buffer, void *const *earlier,
			 void *out)
{
	const struct shape_buffer *b = p->shapes[shape].buffers;
	int of = b[buffer].fill.of;
	struct job j = {
		.fill = &b[buffer].fill,
		.type = p->buffers[buffer].type,
		.count = b[buffer].count,
		.out = out,
	};

	if (of >= 0 && of < buffer) {
		j.of_type = p->buffers[of].type;
		j.of = earlier[of];
		j.of_count = b[of].count;
	}
	return j;
}

/* NOLINTNEXTLINE(readability-function-size): which buffer, made of what, to where. */
int fill_buffer(const struct problem *p, int shape, int buffer, uint64_t seed, void *const *earlier,
		void *out, struct err *e)
{
	const char *name = p->buffers[buffer].name;
	struct job j = job_of(p, shape, buffer, earlier, out);
	int rc;

	j.seed = seed;
	j.stream = rng_stream_of(name);
	switch (j.fill->kind) {
	case FILL_CONSTANT:
	case FILL_UNIFORM:
	case FILL_NORMAL:
	case FILL_INTEGERS:
	case FILL_SPARSE:
		rc = check_range(j.fill, name, e);
		if (rc == 0)
			fill_drawn(&j);
		return rc;
	case FILL_QUANTISED_U8:
	case FILL_ABSMAX:
		rc = check_groups(&j, name, e);
		if (rc == 0)
			fill_groups(&j);
		return rc;
	case FILL_NPY:
		rc = npy_load(j.fill->path, j.type, j.count, out, e);
		return rc < 0 ? err_wrap(e, "buffer %s", name) : 0;
	case FILL_NONE:
	case FILL_KIND_COUNT:
		break;
	}
	return 0;
}
