#include "runtime/verify.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { CLOCK_TICK_NS = 100 };

static const char other_bits[] = "a second launch gave other bits";

/*
 * Round 1 of a floating-point type is a NaN again where the type is 1 or 2 bytes wide (but for
 * bf16) and a huge number where it is wider: neither passes for a result.
 */
uint8_t verify_poison(enum dtype type, int round)
{
	bool floating = type == DTYPE_E4M3 || type == DTYPE_F16 || type == DTYPE_BF16 ||
			type == DTYPE_F32 || type == DTYPE_F64;

	if (round == 0)
		return 0xff;
	return floating ? 0x7f : 0xa5;
}

/* Each byte equals its neighbour and the first is right: one memcmp instead of a loop. */
bool verify_all_bytes(const void *bytes, size_t len, uint8_t byte)
{
	const uint8_t *b = bytes;

	return len == 0 || (b[0] == byte && memcmp(b, b + 1, len - 1) == 0);
}

static double or_zero(double limit)
{
	return limit > 0 ? limit : 0;
}

static void count_bad(struct figures *f, int64_t i)
{
	if (f->bad++ == 0)
		f->first_bad = i;
}

/* NOLINTNEXTLINE(readability-function-size): two arrays of a type, and what to hold them to. */
void verify_compare(enum dtype type, const void *got, const void *want, int64_t n, uint8_t poison,
		    const struct gates *gates, struct figures *ret)
{
	struct figures f = { .count = n, .first_bad = -1 };
	double atol = or_zero(gates->atol), rtol = or_zero(gates->rtol);
	size_t width = dtype_bytes(type);
	const char *g = got, *w = want;

	for (int64_t i = 0; i < n; i++, g += width, w += width) {
		double x = dtype_get(type, got, i), ref = dtype_get(type, want, i);
		double diff = fabs(x - ref);

		if (verify_all_bytes(g, width, poison) && memcmp(g, w, width) != 0)
			f.unwritten++;
		if (!isfinite(x) || !isfinite(ref)) {
			f.nans++;
			count_bad(&f, i);
			continue;
		}
		if (diff > atol + rtol * fabs(ref))
			count_bad(&f, i);
		f.max_abs = fmax(f.max_abs, diff);
		f.sum_abs += diff;
		f.sum_sq_diff += diff * diff;
		f.sum_sq_ref += ref * ref;
	}
	*ret = f;
}

static double relative_l2(const struct figures *f)
{
	if (f->sum_sq_ref > 0)
		return sqrt(f->sum_sq_diff / f->sum_sq_ref);
	return f->sum_sq_diff > 0 ? INFINITY : 0;
}

static void worsen(struct check *c, const struct figures *f)
{
	double n = f->count > 0 ? (double)f->count : 1;

	c->max_abs = fmax(c->max_abs, f->max_abs);
	c->mean_abs = fmax(c->mean_abs, f->sum_abs / n);
	c->rel_l2 = fmax(c->rel_l2, relative_l2(f));
	c->bad_fraction = fmax(c->bad_fraction, (double)f->bad / n);
	c->nans = f->nans > c->nans ? f->nans : c->nans;
	c->unwritten = f->unwritten > c->unwritten ? f->unwritten : c->unwritten;
	if (c->first_bad < 0)
		c->first_bad = f->first_bad;
}

static void fail(struct check *c, const char *text)
{
	if (c->passed)
		snprintf(c->why, sizeof c->why, "%s", text);
	c->passed = false;
}

static void hold(struct check *c, const char *name, double figure, double limit)
{
	char text[sizeof c->why];

	if (limit < 0 || figure <= limit)
		return;
	snprintf(text, sizeof text, "%s %.4g over %.4g", name, figure, limit);
	fail(c, text);
}

static void hold_count(struct check *c, const char *what, int64_t count)
{
	char text[sizeof c->why];

	if (!count)
		return;
	snprintf(text, sizeof text, "%lld %s", (long long)count, what);
	fail(c, text);
}

void verify_judge(const struct figures *figures, int n, const struct gates *gates,
		  const struct verify_facts *facts, struct check *ret)
{
	bool none = gates->max_abs < 0 && gates->mean_abs < 0 && gates->rel_l2 < 0 &&
		    gates->bad_fraction < 0;

	*ret = (struct check){ .shape = ret->shape,
			       .reference = ret->reference,
			       .seed = ret->seed,
			       .first_bad = -1,
			       .guards_intact = facts->guards_intact,
			       .inputs_intact = facts->inputs_intact,
			       .deterministic = facts->deterministic,
			       .passed = true };
	for (int i = 0; i < n; i++)
		worsen(ret, &figures[i]);
	hold_count(ret, "elements not written", ret->unwritten);
	hold_count(ret, "elements are NaN or infinite", ret->nans);
	if (!facts->guards_intact)
		fail(ret, "wrote outside a buffer");
	if (!facts->inputs_intact)
		fail(ret, "wrote to an input");
	hold(ret, "max_abs", ret->max_abs, none ? 0 : gates->max_abs);
	hold(ret, "mean_abs", ret->mean_abs, gates->mean_abs);
	hold(ret, "rel_l2", ret->rel_l2, gates->rel_l2);
	hold(ret, "bad_fraction", ret->bad_fraction, gates->bad_fraction);
	if (!facts->deterministic)
		fail(ret, other_bits);
}

/* It is judged last, so that it is the reason only where nothing else is. */
enum outcome verify_outcome(const struct check *c)
{
	size_t len = strlen(c->why), end = sizeof other_bits - 1;

	if (c->passed)
		return OUTCOME_OK;
	return len >= end && strcmp(c->why + len - end, other_bits) == 0 ? OUTCOME_NONDETERMINISTIC
									 : OUTCOME_WRONG;
}

/* Fills that are made of another buffer vary with that. */
static bool is_random(const struct fill *f)
{
	if (f->kind == FILL_NORMAL)
		return f->b > 0;
	if (f->kind == FILL_SPARSE)
		return f->a != 0 && f->b > 0 && f->b < 1;
	return (f->kind == FILL_UNIFORM || f->kind == FILL_INTEGERS) && f->a < f->b;
}

static bool inputs_vary(const struct problem *p, int shape)
{
	const struct shape_buffer *buffers = p->shapes[shape].buffers;

	for (int b = 0; b < p->n_buffers; b++)
		if (buffers[b].count > 0 && is_random(&buffers[b].fill))
			return true;
	return false;
}

uint64_t verify_other_seed(const struct problem *p, int shape, uint64_t seed)
{
	if (!inputs_vary(p, shape))
		return seed;
	for (int i = 0; i < p->n_references; i++)
		if (p->references[i].files)
			return seed;
	for (int i = 0; i < p->n_seeds; i++)
		if (p->seeds[i] != seed)
			return p->seeds[i];
	return seed ^ 1;
}

static void mark(struct check *c, const char *how)
{
	char text[sizeof c->why];

	snprintf(text, sizeof text, "%s: %.96s", how, c->why);
	snprintf(c->why, sizeof c->why, "%s", text);
}

void verify_mark_after_timing(struct check *c)
{
	mark(c, "after timing");
}

void verify_mark_crowded(struct check *c)
{
	mark(c, "beside another kernel");
}

void verify_mark_remote(struct check *c)
{
	mark(c, "with inputs in host memory");
}

bool verify_keeps_answers(double differ_ns, double repeat_ns, double p50_ns)
{
	return differ_ns - repeat_ns > 0.5 * fmin(p50_ns, repeat_ns) + CLOCK_TICK_NS;
}

void verify_say_kept(char *detail, size_t size, const char *shape, double differ_ns,
		     double repeat_ns)
{
	snprintf(detail, size,
		 "shape %s: it keeps answers: a launch takes %.0f ns where its inputs are those of "
		 "the launch before, and %.0f ns where they differ",
		 shape, repeat_ns, differ_ns);
}
