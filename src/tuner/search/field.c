#include "tuner/search/field.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { QUARTERS = 4 };

/* The one function that takes time comes in two versions, chosen when the program starts. */
#ifdef __x86_64__
#define WIDE __attribute__((target_clones("avx2", "default")))
#else
#define WIDE
#endif
#define PART inline __attribute__((always_inline)) /* of a wide function */

static const double least_improvement = 1e-9;

/* GCC and clang extensions: whatever vectors the machine has, the same results on all, since each
 * lane is rounded by itself and nothing is contracted. */
typedef float quarter __attribute__((vector_size(32), aligned(4), may_alias));
_Static_assert(QUARTERS * sizeof(quarter) == FIELD_LANES * sizeof(float), "lanes");

void field_init(struct field *f, int params, int room_rows)
{
	*f = (struct field){ .params = params, .room_rows = room_rows };
}

void field_release(struct field *f)
{
	free(f->position);
	free(f->alike);
	free(f->v);
	free(f->square);
	free(f->mean);
}

void field_clear(struct field *f)
{
	f->n = 0;
	f->n_row = 0;
}

void field_forget(struct field *f)
{
	f->n_row = 0;
}

static void grow(struct field *f)
{
	size_t block = f->room_block ? 2 * (size_t)f->room_block : 16;
	size_t lanes = block * FIELD_LANES;

	f->room_block = (int)block;
	f->position = mem_grow(f->position, lanes * (size_t)f->params, sizeof *f->position);
	f->alike = mem_grow(f->alike, block * (size_t)f->params, sizeof *f->alike);
	f->square = mem_grow(f->square, lanes, sizeof *f->square);
	f->mean = mem_grow(f->mean, lanes, sizeof *f->mean);
	free(f->v);
	f->v = mem_array(lanes * (size_t)f->room_rows, sizeof *f->v);
	f->n_row = 0;
}

static uint16_t *positions(const struct field *f, int block)
{
	return f->position + (size_t)block * (size_t)f->params * FIELD_LANES;
}

void field_add(struct field *f, const uint16_t *config)
{
	int block = f->n / FIELD_LANES;
	int lane = f->n % FIELD_LANES;
	uint16_t *to;
	bool *alike;

	assert(f->n_row == 0);
	if (block == f->room_block)
		grow(f);
	to = positions(f, block);
	alike = f->alike + (size_t)block * (size_t)f->params;
	for (int i = 0; i < f->params; i++) {
		alike[i] = lane == 0 || (alike[i] && *to == config[i]);
		for (int k = lane; k < FIELD_LANES; k++) /* the rest of the block repeats it */
			to[k] = config[i];
		to += FIELD_LANES;
	}
	f->n++;
}

void field_get(const struct field *f, int candidate, uint16_t *ret)
{
	const uint16_t *from = positions(f, candidate / FIELD_LANES) + candidate % FIELD_LANES;

	for (int i = 0; i < f->params; i++, from += FIELD_LANES)
		ret[i] = *from;
}

static PART void covary(const struct field *f, const struct gp *g, int block, const uint16_t *point,
			float ret[FIELD_LANES])
{
	const uint16_t *position = positions(f, block);
	const bool *alike = f->alike + (size_t)block * (size_t)f->params;

	for (int k = 0; k < FIELD_LANES; k++)
		ret[k] = 1;
	for (int i = 0; i < f->params; i++, position += FIELD_LANES) {
		const struct covariance_param *p = &g->covariance.param[i];
		const float *factor = p->factor + (size_t)point[i] * (size_t)p->values;

		if (alike[i]) /* so are most, in a list in order; looking up is what takes time */
			for (int k = 0; k < FIELD_LANES; k++)
				ret[k] *= factor[*position];
		else
			for (int k = 0; k < FIELD_LANES; k++)
				ret[k] *= factor[position[k]];
	}
}

/* ret += scale of row n times the rows above it. */
static PART void add_rows(const quarter *v, const float *scale, int n, quarter *ret)
{
	quarter a = ret[0];
	quarter b = ret[1];
	quarter c = ret[2];
	quarter d = ret[3];

	for (int i = 0; i < n; i++, v += QUARTERS) {
		float s = scale[i];

		a += s * v[0];
		b += s * v[1];
		c += s * v[2];
		d += s * v[3];
	}
	ret[0] = a;
	ret[1] = b;
	ret[2] = c;
	ret[3] = d;
}

static quarter *rows(const struct field *f, int block)
{
	return (quarter *)(f->v + (size_t)block * (size_t)f->room_rows * FIELD_LANES);
}

/* `minus` is row n of the factor, negated. */
static PART void add_row(struct field *f, const struct gp *g, int block, int n, const float *minus)
{
	quarter *v = rows(f, block);
	quarter *square = (quarter *)(f->square + (size_t)block * FIELD_LANES);
	float inverse = -1 / minus[n];
	quarter sum[QUARTERS];
	float covariance[FIELD_LANES];

	covary(f, g, block, g->point[n], covariance);
	memcpy(sum, covariance, sizeof sum);
	add_rows(v, minus, n, sum);
	v += (size_t)n * QUARTERS;
	for (int k = 0; k < QUARTERS; k++) {
		v[k] = sum[k] * inverse;
		square[k] = n == 0 ? v[k] * v[k] : square[k] + v[k] * v[k];
	}
}

WIDE static void predict(struct field *f, const struct gp *g, const double *whitened)
{
	size_t room = (size_t)f->room_rows;
	float *minus = mem_array(room * (size_t)(g->n - f->n_row) + 1, sizeof *minus);
	float *scale = mem_array((size_t)g->n + 1, sizeof *scale);

	assert(g->n <= f->room_rows);
	for (int n = f->n_row; n < g->n; n++)
		for (int i = 0; i <= n; i++)
			minus[(size_t)(n - f->n_row) * room + (size_t)i] =
				(float)-g->factor[(size_t)n * (size_t)g->room + (size_t)i];
	for (int i = 0; i < g->n; i++)
		scale[i] = (float)whitened[i];
	for (int block = 0; block * FIELD_LANES < f->n; block++) {
		quarter *mean = (quarter *)(f->mean + (size_t)block * FIELD_LANES);

		for (int n = f->n_row; n < g->n; n++)
			add_row(f, g, block, n, minus + (size_t)(n - f->n_row) * room);
		memset(mean, 0, QUARTERS * sizeof *mean);
		add_rows(rows(f, block), scale, g->n, mean);
	}
	f->n_row = g->n;
	free(minus);
	free(scale);
}

void field_predict(struct field *f, const struct gp *g, const double *whitened)
{
	predict(f, g, whitened); /* clang 14 gives a wide function another name outside its file */
}

/* z Phi(z) + phi(z), for a normal variable of deviation 1. Near 0 Phi by its series, far from it
 * by the continued fraction of Mills' ratio: below -5, subtracting would leave nothing. */
static double improvement(double z)
{
	double density = 0.3989422804014327 * exp(-0.5 * z * z);
	double t = fabs(z);
	double ratio = 0;
	double tail;

	if (t < 2) {
		double term = z;
		double sum = z;

		for (int i = 3; i < 40; i += 2) {
			term *= z * z / i;
			sum += term;
		}
		return z * (0.5 + density * sum) + density;
	}
	for (int i = 40; i > 0; i--)
		ratio = i / (t + ratio);
	tail = density * ratio / (t + ratio); /* phi - t (1 - Phi(t)), as 1 - t / (t + r) */
	return z < 0 ? tail : z + tail;
}

struct pick {
	int candidate;
	float mean;
	float variance;
	double gain;
};

/* What improvement() is at most, without its cost: its value at the next multiple of a step. */
enum { BOUND_REACH = 8, BOUND_STEPS = 16, BOUNDS = 2 * BOUND_REACH * BOUND_STEPS + 1 };

static void find_bounds(double ret[BOUNDS])
{
	for (int i = 0; i < BOUNDS; i++)
		ret[i] = improvement((double)i / BOUND_STEPS - BOUND_REACH);
}

static double bound(const double bounds[BOUNDS], double z)
{
	if (z >= BOUND_REACH)
		return z + 1;
	return z <= -BOUND_REACH ? bounds[0] : bounds[(int)((z + BOUND_REACH) * BOUND_STEPS) + 1];
}

int field_choose(const struct field *f, const struct field_aim *aim)
{
	struct pick best = { .candidate = -1, .gain = least_improvement };
	double bounds[BOUNDS];

	find_bounds(bounds);
	for (int i = 0; i < f->n; i++) {
		uint16_t config[SPACE_PARAMS_MAX];
		float variance = fmaxf(1 - f->square[i], 1e-6F) + (float)aim->nugget;
		double deviation;
		double gain;
		double z;

		if (best.candidate >= 0 && f->mean[i] >= best.mean && variance <= best.variance)
			continue;
		deviation = aim->greed * sqrt((double)variance * aim->variance);
		z = (aim->best - (double)f->mean[i]) / deviation;
		if (deviation * bound(bounds, z) <= best.gain)
			continue;
		gain = deviation * improvement(z);
		if (gain <= best.gain)
			continue;
		field_get(f, i, config);
		if (!aim->taken(aim->ctx, config))
			best = (struct pick){ i, f->mean[i], variance, gain };
	}
	return best.candidate;
}
