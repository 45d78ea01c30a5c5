#include <string.h>

#include "fakecuda.h"
#include "runtime/verify.h"

/* As verify.cu has them. */
struct partial {
	double max_abs, sum_abs, sum_sq_diff, sum_sq_ref;
	int64_t bad, nans, unwritten, first_bad;
};

struct segment {
	const uint8_t *at, *want;
	uint64_t bytes, byte;
};

struct comparison {
	const void *got, *want;
	int64_t count;
	uint64_t poison;
	double atol, rtol;
	int32_t type, width, blocks, like, flag, n_flags;
};

static void *pointer(uint64_t value)
{
	return (void *)(uintptr_t)value;
}

static bool is_like_another(const struct comparison *c, const uint64_t *flags)
{
	if (c->like < 0)
		return false;
	for (int i = 0; i < c->n_flags; i++)
		if (flags[c->flag + i])
			return false;
	return true;
}

/* All in the first block's partial. */
static void run_compare(const struct fake_launch *l)
{
	const struct comparison *all = pointer(l->values[0]);
	struct partial *partials = pointer(l->values[2]);
	int first = (int)l->values[3], blocks_max = (int)l->values[4];

	for (unsigned i = 0; i < l->blocks_y; i++) {
		const struct comparison *c = &all[first + (int)i];
		struct partial *ret = &partials[(size_t)(first + (int)i) * (size_t)blocks_max];
		struct gates gates = { .atol = c->atol, .rtol = c->rtol };
		struct figures f;

		if (c->blocks == 0 || is_like_another(c, pointer(l->values[1])))
			continue;
		verify_compare((enum dtype)c->type, c->got, c->want, c->count, (uint8_t)c->poison,
			       &gates, &f);
		for (int b = 0; b < c->blocks; b++)
			ret[b] = (struct partial){ .first_bad = -1 };
		ret[0] = (struct partial){ f.max_abs, f.sum_abs, f.sum_sq_diff, f.sum_sq_ref,
					   f.bad,     f.nans,	 f.unwritten,	f.first_bad };
	}
}

static void run_fold(const struct fake_launch *l)
{
	const struct comparison *all = pointer(l->values[0]);
	const struct partial *partials = pointer(l->values[2]);
	struct partial *ret = pointer(l->values[4]);

	for (unsigned i = 0; i < l->blocks_x; i++) {
		unsigned at =
			is_like_another(&all[i], pointer(l->values[1])) ? (unsigned)all[i].like : i;

		ret[i] = all[at].blocks ? partials[(size_t)at * (size_t)l->values[3]]
					: (struct partial){ .first_bad = -1 };
	}
}

static void run_same(const struct fake_launch *l)
{
	const struct segment *s = pointer(l->values[0]);
	uint64_t *differs = pointer(l->values[1]);

	for (unsigned i = 0; i < l->blocks_y; i++)
		if (s[i].want ? memcmp(s[i].at, s[i].want, s[i].bytes) != 0
			      : !verify_all_bytes(s[i].at, s[i].bytes, (uint8_t)s[i].byte))
			differs[i] = 1;
}

static void run_add(const struct fake_launch *l)
{
	const float *a = pointer(l->values[0]), *b = pointer(l->values[1]);
	float *c = pointer(l->values[2]);

	for (int i = 0; i < (int)l->values[3]; i++)
		c[i] = a[i] + b[i];
}

static void run_transpose(const struct fake_launch *l)
{
	const float *in = pointer(l->values[0]);
	float *out = pointer(l->values[1]);
	int rows = (int)l->values[2], columns = (int)l->values[3];

	for (int r = 0; r < rows; r++)
		for (int c = 0; c < columns; c++)
			out[(size_t)c * (size_t)rows + (size_t)r] =
				in[(size_t)r * (size_t)columns + (size_t)c];
}

static void run_double(const struct fake_launch *l)
{
	const float *in = pointer(l->values[0]);
	float *out = pointer(l->values[1]);

	for (int i = 0; i < (int)l->values[2]; i++)
		out[i] = 2 * in[i];
}

bool fake_has_mark(const struct fake_launch *l, const char *mark)
{
	return memmem(l->cubin, l->bytes, mark, strlen(mark) + 1) != NULL;
}

double fake_work_ns(const struct fake_launch *l)
{
	static float kept_for;
	const float *in = pointer(l->values[0]);

	if (!fake_has_mark(l, "selftest_mode_keeping") || in[0] == kept_for)
		return 0;
	kept_for = in[0];
	return 20000;
}

/* True where the variant does nothing this time. */
static bool is_idle(const struct fake_launch *l, float last)
{
	static int tired;

	if (fake_has_mark(l, "selftest_mode_lazy"))
		return last > -100 && last < 100;
	return fake_has_mark(l, "selftest_mode_tired") && ++tired > 20;
}

static bool in_company; /* a crowd was launched, and no variant since */

/* Fault and hang are the driver's to act out. */
static void run_selftest(const struct fake_launch *l)
{
	static unsigned launches;
	int n = (int)l->values[2];
	float *in = pointer(l->values[0]), *out = pointer(l->values[1]), last = out[n - 1];

	if (is_idle(l, last))
		return;
	run_double(l);
	if (in_company && fake_has_mark(l, "selftest_mode_racing"))
		out[n / 2] += 1;
	if (in_company && fake_has_mark(l, "selftest_mode_racing_bits"))
		out[n / 2] *= 1 + 1e-6f;
	in_company = false;
	if (fake_is_remote(in) && fake_has_mark(l, "selftest_mode_hasty"))
		out[n / 2] += 1;
	if (fake_is_remote(in) && fake_has_mark(l, "selftest_mode_hasty_bits"))
		out[n / 2] *= 1 + 1e-6f;
	launches++;
	if (fake_has_mark(l, "selftest_mode_wrong"))
		out[n / 2] += 1;
	if (fake_has_mark(l, "selftest_mode_unwritten"))
		out[n - 1] = last;
	if (fake_has_mark(l, "selftest_mode_clobber"))
		memcpy(in, out, (size_t)n * sizeof *in);
	if (fake_has_mark(l, "selftest_mode_nondeterministic"))
		out[0] *= 1 + 1e-6f * (float)(launches % 16);
}

static void run_crowd(const struct fake_launch *l)
{
	(void)l;
	in_company = true;
}

/* 1800 MHz. */
static void run_stamp(const struct fake_launch *l)
{
	static int64_t microseconds;
	int64_t *ret = pointer(l->values[0]);

	microseconds++;
	for (int i = 0; i < (int)l->values[1]; i++) {
		ret[2 * i] = 1800 * microseconds;
		ret[2 * i + 1] = 1000 * microseconds;
	}
}

static void run_nothing(const struct fake_launch *l)
{
	(void)l;
}

static const struct fake_kernel kernels[] = {
	{ "evo_compare", "88844", run_compare, 0, 0 },
	{ "evo_fold", "88848", run_fold, 0, 0 },
	{ "evo_same", "88", run_same, 0, 0 },
	{ "evo_spin", "8", run_nothing, 0, 0 },
	{ "evo_stamp", "84", run_stamp, 0, 0 },
	{ "evo_crowd", "8888", run_crowd, 0, 0 },
	{ "evo_await", "848", run_nothing, 0, 0 },
	{ "vector_add", "8884", run_add, 12, 3 },
	{ "vector_add_reference", "8884", run_add, 0, 0 },
	{ "transpose", "8844", run_transpose, 0, 0 },
	{ "transpose_reference", "8844", run_transpose, 0, 0 },
	{ "selftest", "884", run_selftest, 0, 0 },
	{ "selftest_reference", "884", run_double, 0, 0 },
};

const struct fake_kernel *fake_kernel_find(const char *name)
{
	for (size_t i = 0; i < sizeof kernels / sizeof kernels[0]; i++)
		if (strcmp(kernels[i].name, name) == 0)
			return &kernels[i];
	return NULL;
}
