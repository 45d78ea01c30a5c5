/*
 * The part that every standalone program has in common: it makes the inputs of one shape from a
 * seed, runs the references and then twice the kernel, compares what they wrote, and times the
 * kernel. What is particular, the tables and the kernels, is written around it by `export --format
 * standalone`. It is C17 and C++17 at once, for cc and for nvcc.
 *
 * Numbers, fills and comparison are those of base/rng, runtime/dtype, runtime/fill and
 * runtime/verify, bit for bit; tests/unit_standalone.c holds them together.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifdef __CUDACC__
#include <cuda_runtime.h>
#elif defined(__GNUC__) && !defined(__clang__)
/* The inputs may not depend on the flags that the kernel is built with. */
#pragma GCC optimize("no-fast-math", "fp-contract=off")
#elif defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#endif

enum type { U8, I8, U16, I16, U32, I32, U64, I64, E4M3, F16, BF16, F32, F64 };
enum role { ROLE_IN, ROLE_OUT, ROLE_INOUT, ROLE_SCRATCH };
enum kind { NONE, CONSTANT, UNIFORM, NORMAL, INTEGERS, SPARSE, QUANTISED_U8, ABSMAX };
enum { BUFFERS_MAX = 64, SCALARS_MAX = 64, GUARD_BYTES = 256, GUARD_BYTE = 0xc3, ROUNDS = 2 };

struct buffer {
	const char *name;
	enum type type;
	enum role role;
};

struct fill {
	enum kind kind;
	double a, b;
	int of;	       /* the buffer that it is made from; -1: none */
	int64_t group; /* elements that share one scale */
};

struct gates { /* negative: not asked for */
	double max_abs, mean_abs, rel_l2, bad_fraction, atol, rtol;
};

struct launch {
	int64_t grid[3], block[3], shared_bytes;
	double scalars[SCALARS_MAX]; /* one an argument; unused where that is a buffer */
};

struct part { /* the kernel, or a reference */
	const char *name;
	void (*run)(const struct launch *l, void **buffers);
	struct gates gates;
};

struct program {
	const char *name;
	const struct buffer *buffers;
	int n_buffers;
	const char *const *shapes;
	int n_shapes, shape;	       /* the one that is taken by default */
	const int64_t *counts;	       /* elements, by shape and buffer */
	const struct fill *fills;      /* by shape and buffer */
	const struct part *parts;      /* the kernel, then the references */
	const struct launch *launches; /* by part and shape */
	int n_parts;
	uint64_t seed;
	int nondeterministic; /* a second launch may give other bits */
};

/* --- numbers: xoshiro256**, seeded by SplitMix64 --- */

struct random {
	uint64_t s[4];
	double spare; /* the second of a pair of normal ones */
	int has_spare;
};

static uint64_t splitmix(uint64_t *x)
{
	uint64_t z = (*x += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static void random_start(struct random *r, uint64_t seed, uint64_t stream)
{
	uint64_t x = seed, y = splitmix(&x) ^ stream;

	for (int i = 0; i < 4; i++)
		r->s[i] = splitmix(&y);
	r->has_spare = 0;
}

static uint64_t random_bits(struct random *r)
{
	uint64_t *s = r->s, five = s[1] * 5, out = ((five << 7) | (five >> 57)) * 9, t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = (s[3] << 45) | (s[3] >> 19);
	return out;
}

static uint64_t random_below(struct random *r, uint64_t n)
{
	uint64_t limit = (0 - n) % n, x;

	do {
		x = random_bits(r);
	} while (x < limit);
	return x % n;
}

static double random_unit(struct random *r)
{
	return (double)(random_bits(r) >> 11) * 0x1p-53;
}

static double random_normal(struct random *r)
{
	double u, v, q;

	r->has_spare = !r->has_spare;
	if (!r->has_spare)
		return r->spare;
	do {
		u = 2 * random_unit(r) - 1;
		v = 2 * random_unit(r) - 1;
		q = u * u + v * v;
	} while (q >= 1 || q == 0);
	q = sqrt(-2 * log(q) / q);
	r->spare = v * q;
	return u * q;
}

static uint64_t name_stream(const char *name)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (; *name; name++)
		h = (h ^ (uint8_t)*name) * 0x100000001b3u;
	return h;
}

/* --- elements: a value and its bits in memory, little end first --- */

struct format { /* a floating-point type narrower than float */
	int mantissa_bits, bias, max_exponent;
	uint32_t max_bits, inf_bits, nan_bits;
	int sign_shift;
};

static const struct format *format_of(enum type t)
{
	static const struct format f16 = { 10, 15, 30, 0x7bff, 0x7c00, 0x7e00, 15 };
	static const struct format bf16 = { 7, 127, 254, 0x7f7f, 0x7f80, 0x7fc0, 15 };
	static const struct format e4m3 = { 3, 7, 15, 0x7e, 0x7f, 0x7f, 7 };

	return t == F16 ? &f16 : t == BF16 ? &bf16 : t == E4M3 ? &e4m3 : NULL;
}

static size_t type_bytes(enum type t)
{
	static const size_t bytes[] = { 1, 1, 2, 2, 4, 4, 8, 8, 1, 2, 2, 4, 8 };

	return bytes[t];
}

static double decode(const struct format *f, uint32_t bits)
{
	uint32_t magnitude = bits & ((1u << f->sign_shift) - 1);
	double sign = bits >> f->sign_shift ? -1 : 1;
	int exponent = (int)(magnitude >> f->mantissa_bits);
	double mantissa = magnitude & ((1u << f->mantissa_bits) - 1);

	if (magnitude == f->inf_bits && f->inf_bits != f->nan_bits)
		return sign * (double)INFINITY;
	if (magnitude > f->max_bits)
		return (double)NAN;
	if (exponent == 0)
		return sign * ldexp(mantissa, 1 - f->bias - f->mantissa_bits);
	mantissa += 1 << f->mantissa_bits;
	return sign * ldexp(mantissa, exponent - f->bias - f->mantissa_bits);
}

static uint32_t encode(const struct format *f, double value)
{
	uint32_t sign = (uint32_t)(signbit(value) != 0) << f->sign_shift, bits;
	double magnitude = fabs(value);
	int exponent;

	if (isnan(value))
		return sign | f->nan_bits;
	if (isinf(value))
		return sign | f->inf_bits;
	frexp(magnitude, &exponent);
	exponent += f->bias - 1;
	if (magnitude == 0 || exponent < 1)
		exponent = 1;
	if (exponent > f->max_exponent)
		return sign | f->inf_bits;
	bits = (uint32_t)nearbyint(ldexp(magnitude, f->mantissa_bits + f->bias - exponent));
	bits += (uint32_t)(exponent - 1) << f->mantissa_bits;
	return sign | (bits > f->max_bits ? f->inf_bits : bits);
}

/* The bits of a whole number; what does not fit becomes the nearest that does. */
static uint64_t whole(enum type t, double value)
{
	int bits = 8 * (int)type_bytes(t), is_signed = t == I8 || t == I16 || t == I32 || t == I64;
	double low = is_signed ? -ldexp(1, bits - 1) : 0, past = ldexp(1, bits - is_signed);

	if (isnan(value))
		return 0;
	value = nearbyint(value);
	if (value >= past)
		return UINT64_MAX >> (64 - bits + is_signed);
	if (value < low)
		value = low;
	return is_signed ? (uint64_t)(int64_t)value : (uint64_t)value;
}

static void element_set(enum type t, void *base, int64_t i, double value)
{
	char *at = (char *)base + i * (int64_t)type_bytes(t);
	float single = (float)value;
	uint64_t bits;

	if (t == F32) {
		memcpy(at, &single, sizeof single);
	} else if (t == F64) {
		memcpy(at, &value, sizeof value);
	} else {
		bits = format_of(t) ? encode(format_of(t), value) : whole(t, value);
		memcpy(at, &bits, type_bytes(t));
	}
}

static double element_get(enum type t, const void *base, int64_t i)
{
	const char *at = (const char *)base + i * (int64_t)type_bytes(t);
	int unused = 64 - 8 * (int)type_bytes(t);
	uint64_t bits = 0;
	double value;
	float single;

	memcpy(&bits, at, type_bytes(t));
	if (t == F32) {
		memcpy(&single, at, sizeof single);
		return (double)single;
	}
	if (t == F64) {
		memcpy(&value, at, sizeof value);
		return value;
	}
	if (format_of(t))
		return decode(format_of(t), (uint32_t)bits);
	if (t == I8 || t == I16 || t == I32 || t == I64)
		return (double)((int64_t)(bits << unused) >> unused);
	return (double)bits;
}

/* --- inputs --- */

static double draw(const struct fill *f, struct random *r)
{
	if (f->kind == UNIFORM)
		return f->a + (f->b - f->a) * random_unit(r);
	if (f->kind == NORMAL)
		return f->a + f->b * random_normal(r);
	if (f->kind == INTEGERS)
		return f->a + (double)random_below(r, (uint64_t)(f->b - f->a) + 1);
	if (f->kind == SPARSE)
		return random_unit(r) < f->b ? f->a : 0;
	return f->a;
}

/* Every 65536 elements have a stream of numbers of their own. */
static void fill_drawn(enum type t, const struct fill *f, uint64_t seed, const char *name,
		       int64_t count, void *out)
{
	struct random r = { { 0 }, 0, 0 };

	for (int64_t i = 0; i < count; i++) {
		if (i % 65536 == 0)
			random_start(&r, seed,
				     name_stream(name) +
					     (uint64_t)(i / 65536) * 0x9e3779b97f4a7c15u);
		element_set(t, out, i, draw(f, &r));
	}
}

/* A group of elements and its scale, which is its largest magnitude. */
static void fill_group(enum type t, const struct fill *f, int64_t g, enum type of_type,
		       const void *of, int64_t of_count, void *out)
{
	int64_t first = g * f->group;
	int64_t past = first + f->group < of_count ? first + f->group : of_count;
	double scale = 0;

	for (int64_t i = first; i < past; i++)
		scale = fmax(scale, fabs(element_get(of_type, of, i)));
	if (scale <= 1e-6)
		scale = 1;
	if (f->kind == ABSMAX)
		element_set(t, out, g, scale);
	for (int64_t i = first; i < past && f->kind == QUANTISED_U8; i++) {
		double u = round(127 * element_get(of_type, of, i) / scale + 128);

		element_set(t, out, i, u < 0 ? 0 : u > 255 ? 255 : u);
	}
}

static void fill_buffer_of(const struct program *p, int shape, int b, uint64_t seed, void **earlier,
			   void *out)
{
	const struct fill *f = &p->fills[shape * p->n_buffers + b];
	const int64_t *counts = &p->counts[shape * p->n_buffers];

	if (f->kind == QUANTISED_U8 || f->kind == ABSMAX) {
		for (int64_t g = 0; g * f->group < counts[f->of]; g++)
			fill_group(p->buffers[b].type, f, g, p->buffers[f->of].type, earlier[f->of],
				   counts[f->of], out);
	} else if (f->kind != NONE) {
		fill_drawn(p->buffers[b].type, f, seed, p->buffers[b].name, counts[b], out);
	}
}

/* --- memory: of the device, or for cc of the same machine --- */

static void *get_memory(size_t bytes)
{
	void *m = calloc(1, bytes ? bytes : 1);

	if (!m) {
		fprintf(stderr, "out of memory: %zu bytes\n", bytes);
		exit(2);
	}
	return m;
}

#ifdef __CUDACC__
static cudaStream_t stream;

static void must(cudaError_t result, const char *what)
{
	if (result == cudaSuccess)
		return;
	fprintf(stderr, "%s: %s\n", what, cudaGetErrorString(result));
	exit(1);
}

static void *device_new(size_t bytes)
{
	void *m;

	must(cudaMalloc(&m, bytes), "allocating device memory");
	return m;
}

static void device_free(void *m)
{
	must(cudaFree(m), "freeing device memory");
}

static void device_set(void *to, int byte, size_t bytes)
{
	must(cudaMemset(to, byte, bytes), "poisoning");
}

static void device_copy(void *to, const void *from, size_t bytes)
{
	must(cudaMemcpy(to, from, bytes, cudaMemcpyDefault), "copying");
}

static void device_wait(void)
{
	must(cudaGetLastError(), "launching");
	must(cudaDeviceSynchronize(), "running");
}

/* Once a kernel: more than 48 KiB of dynamic shared memory must be asked for. */
static void device_launch(const void *function, const struct launch *l, void **arguments)
{
	dim3 grid((unsigned)l->grid[0], (unsigned)l->grid[1], (unsigned)l->grid[2]);
	dim3 block((unsigned)l->block[0], (unsigned)l->block[1], (unsigned)l->block[2]);

	if (l->shared_bytes > 48 << 10)
		must(cudaFuncSetAttribute(function, cudaFuncAttributeMaxDynamicSharedMemorySize,
					  (int)l->shared_bytes),
		     "asking for shared memory");
	must(cudaLaunchKernel(function, grid, block, arguments, (size_t)l->shared_bytes, stream),
	     "launching");
}
#else
static void *device_new(size_t bytes)
{
	void *m = aligned_alloc(GUARD_BYTES, (bytes + GUARD_BYTES - 1) / GUARD_BYTES * GUARD_BYTES);

	if (!m) {
		fprintf(stderr, "out of memory: %zu bytes\n", bytes);
		exit(2);
	}
	return m;
}

static void device_free(void *m)
{
	free(m);
}

static void device_set(void *to, int byte, size_t bytes)
{
	memset(to, byte, bytes);
}

static void device_copy(void *to, const void *from, size_t bytes)
{
	memcpy(to, from, bytes);
}

static void device_wait(void)
{
}
#endif

/* --- one shape --- */

struct stage {
	const struct program *p;
	int shape;
	size_t bytes[BUFFERS_MAX];
	void *filled[BUFFERS_MAX];  /* what inputs hold */
	void *devices[BUFFERS_MAX]; /* what kernels get; guard zones lie on both sides */
};

static int is_filled(const struct buffer *b)
{
	return b->role == ROLE_IN || b->role == ROLE_INOUT;
}

static int is_compared(const struct buffer *b)
{
	return b->role == ROLE_OUT || b->role == ROLE_INOUT;
}

static int poison_of(enum type t, int round)
{
	int floating = format_of(t) || t == F32 || t == F64;

	return round == 0 ? 0xff : floating ? 0x7f : 0xa5;
}

static void stage_open(struct stage *s, const struct program *p, int shape, uint64_t seed)
{
	s->p = p;
	s->shape = shape;
	for (int b = 0; b < p->n_buffers; b++) {
		size_t n = (size_t)p->counts[shape * p->n_buffers + b];

		s->bytes[b] = n * type_bytes(p->buffers[b].type);
		s->filled[b] = get_memory(s->bytes[b]);
		s->devices[b] = (char *)device_new(s->bytes[b] + 2 * GUARD_BYTES) + GUARD_BYTES;
		if (is_filled(&p->buffers[b]))
			fill_buffer_of(p, shape, b, seed, s->filled, s->filled[b]);
	}
}

static void stage_close(struct stage *s)
{
	for (int b = 0; b < s->p->n_buffers; b++) {
		device_free((char *)s->devices[b] - GUARD_BYTES);
		free(s->filled[b]);
	}
}

static void stage_prepare(struct stage *s, int round)
{
	for (int b = 0; b < s->p->n_buffers; b++) {
		const struct buffer *about = &s->p->buffers[b];

		device_set((char *)s->devices[b] - GUARD_BYTES, GUARD_BYTE,
			   s->bytes[b] + 2 * GUARD_BYTES);
		if (is_filled(about))
			device_copy(s->devices[b], s->filled[b], s->bytes[b]);
		else
			device_set(s->devices[b], poison_of(about->type, round), s->bytes[b]);
	}
}

static void stage_launch(struct stage *s, int part)
{
	s->p->parts[part].run(&s->p->launches[part * s->p->n_shapes + s->shape], s->devices);
}

/* Runs a part on fresh buffers and takes its outputs home: one pointer a buffer. */
static void stage_run(struct stage *s, int part, int round, void **ret)
{
	stage_prepare(s, round);
	device_wait();
	stage_launch(s, part);
	device_wait();
	for (int b = 0; b < s->p->n_buffers; b++) {
		ret[b] = NULL;
		if (!is_compared(&s->p->buffers[b]))
			continue;
		ret[b] = get_memory(s->bytes[b]);
		device_copy(ret[b], s->devices[b], s->bytes[b]);
	}
}

static int guards_intact(const char *base, size_t bytes)
{
	for (size_t i = 0; i < GUARD_BYTES; i++)
		if ((unsigned char)base[i] != GUARD_BYTE ||
		    (unsigned char)base[GUARD_BYTES + bytes + i] != GUARD_BYTE)
			return 0;
	return 1;
}

/* Says what a launch wrote that it should not have. */
static int stage_intact(struct stage *s)
{
	int intact = 1;

	for (int b = 0; b < s->p->n_buffers; b++) {
		const struct buffer *about = &s->p->buffers[b];
		size_t all = s->bytes[b] + 2 * GUARD_BYTES;
		char *base = (char *)get_memory(all);

		device_copy(base, (char *)s->devices[b] - GUARD_BYTES, all);
		if (!guards_intact(base, s->bytes[b])) {
			printf("  WRONG: wrote outside buffer %s\n", about->name);
			intact = 0;
		}
		if (about->role == ROLE_IN &&
		    memcmp(base + GUARD_BYTES, s->filled[b], s->bytes[b]) != 0) {
			printf("  WRONG: wrote to the input %s\n", about->name);
			intact = 0;
		}
		free(base);
	}
	return intact;
}

/* --- comparison --- */

struct figures { /* the worst of each over buffers and rounds */
	double max_abs, mean_abs, rel_l2, bad_fraction;
	int64_t nans, unwritten, first_bad;
};

static int all_bytes(const char *bytes, size_t n, int byte)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)bytes[i] != byte)
			return 0;
	return 1;
}

static void worsen(double *worst, double figure)
{
	if (figure > *worst)
		*worst = figure;
}

static void compare(enum type t, const void *got, const void *want, int64_t n, int poison,
		    const struct gates *g, struct figures *worst)
{
	double atol = g->atol > 0 ? g->atol : 0, rtol = g->rtol > 0 ? g->rtol : 0;
	double sum = 0, squares = 0, reference = 0;
	int64_t bad = 0, nans = 0, unwritten = 0, first_bad = -1;
	size_t width = type_bytes(t);

	for (int64_t i = 0; i < n; i++) {
		double x = element_get(t, got, i), ref = element_get(t, want, i),
		       diff = fabs(x - ref);
		const char *a = (const char *)got + i * (int64_t)width;
		const char *b = (const char *)want + i * (int64_t)width;
		int finite = isfinite(x) && isfinite(ref);

		unwritten += all_bytes(a, width, poison) && memcmp(a, b, width) != 0;
		if (!finite || diff > atol + rtol * fabs(ref)) {
			first_bad = bad++ ? first_bad : i;
			nans += !finite;
		}
		if (!finite)
			continue;
		worsen(&worst->max_abs, diff);
		sum += diff;
		squares += diff * diff;
		reference += ref * ref;
	}
	worsen(&worst->mean_abs, n ? sum / (double)n : 0);
	worsen(&worst->rel_l2, reference > 0 ? sqrt(squares / reference)
			       : squares > 0 ? (double)INFINITY
					     : 0);
	worsen(&worst->bad_fraction, n ? (double)bad / (double)n : 0);
	worst->nans = nans > worst->nans ? nans : worst->nans;
	worst->unwritten = unwritten > worst->unwritten ? unwritten : worst->unwritten;
	worst->first_bad = worst->first_bad < 0 ? first_bad : worst->first_bad;
}

static int within(double figure, double limit)
{
	return limit < 0 || figure <= limit;
}

static int passes(const struct figures *f, const struct gates *g)
{
	int none = g->max_abs < 0 && g->mean_abs < 0 && g->rel_l2 < 0 && g->bad_fraction < 0;

	return !f->nans && !f->unwritten && within(f->max_abs, none ? 0 : g->max_abs) &&
	       within(f->mean_abs, g->mean_abs) && within(f->rel_l2, g->rel_l2) &&
	       within(f->bad_fraction, g->bad_fraction);
}

static int compare_all(const struct stage *s, int part, void *got[ROUNDS][BUFFERS_MAX], void **want)
{
	const struct program *p = s->p;
	struct figures worst = { 0, 0, 0, 0, 0, 0, -1 };
	int passed;

	for (int round = 0; round < ROUNDS; round++)
		for (int b = 0; b < p->n_buffers; b++)
			if (want[b])
				compare(p->buffers[b].type, got[round][b], want[b],
					p->counts[s->shape * p->n_buffers + b],
					poison_of(p->buffers[b].type, round), &p->parts[part].gates,
					&worst);
	passed = passes(&worst, &p->parts[part].gates);
	printf("  %s, against %s: max_abs %.4g, mean_abs %.4g, rel_l2 %.4g, bad %.4g",
	       passed ? "right" : "WRONG", p->parts[part].name, worst.max_abs, worst.mean_abs,
	       worst.rel_l2, worst.bad_fraction);
	if (!passed)
		printf(", NaN or infinite %lld, not written %lld, first bad element %lld",
		       (long long)worst.nans, (long long)worst.unwritten,
		       (long long)worst.first_bad);
	printf("\n");
	return passed;
}

static int repeats(const struct stage *s, void *got[ROUNDS][BUFFERS_MAX])
{
	for (int b = 0; b < s->p->n_buffers; b++)
		if (got[0][b] && memcmp(got[0][b], got[1][b], s->bytes[b]) != 0) {
			printf("  %s: a second launch gave other bits in %s\n",
			       s->p->nondeterministic ? "allowed" : "WRONG", s->p->buffers[b].name);
			return s->p->nondeterministic;
		}
	return 1;
}

/* 1: all gates of all references are kept. */
static int check(struct stage *s)
{
	void *got[ROUNDS][BUFFERS_MAX], *want[BUFFERS_MAX];
	int passed = 1;

	for (int round = 0; round < ROUNDS; round++) {
		stage_run(s, 0, round, got[round]);
		passed &= stage_intact(s);
	}
	passed &= repeats(s, got);
	for (int part = 1; part < s->p->n_parts; part++) {
		stage_run(s, part, 0, want);
		passed &= compare_all(s, part, got, want);
		for (int b = 0; b < s->p->n_buffers; b++)
			free(want[b]);
	}
	for (int b = 0; b < s->p->n_buffers; b++) {
		free(got[0][b]);
		free(got[1][b]);
	}
	return passed;
}

/* --- timing --- */

enum { WARM_UP = 20, LAUNCHES = 100, SAMPLES = 21 };

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void print_times(const char *how, double *us, int n)
{
	qsort(us, (size_t)n, sizeof *us, by_size);
	printf("  %s: median %.4g us, fastest %.4g us of %d\n", how, us[n / 2], us[0], n);
}

#ifdef __CUDACC__
static double elapsed_us(cudaEvent_t from, cudaEvent_t to)
{
	float ms;

	must(cudaEventSynchronize(to), "running");
	must(cudaEventElapsedTime(&ms, from, to), "reading events");
	return 1000 * (double)ms;
}

static void time_events(struct stage *s, cudaEvent_t from, cudaEvent_t to)
{
	double us[LAUNCHES];

	for (int i = 0; i < LAUNCHES; i++) {
		must(cudaEventRecord(from, stream), "recording an event");
		stage_launch(s, 0);
		must(cudaEventRecord(to, stream), "recording an event");
		us[i] = elapsed_us(from, to);
	}
	print_times("an event on each side of a launch", us, LAUNCHES);
}

static void time_graph(struct stage *s, cudaEvent_t from, cudaEvent_t to)
{
	cudaGraph_t graph;
	cudaGraphExec_t ready;
	double us[SAMPLES];

	must(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "capturing");
	for (int i = 0; i < LAUNCHES; i++)
		stage_launch(s, 0);
	must(cudaStreamEndCapture(stream, &graph), "capturing");
	must(cudaGraphInstantiateWithFlags(&ready, graph, 0), "making a graph");
	must(cudaGraphLaunch(ready, stream), "launching the graph");
	for (int i = 0; i < SAMPLES; i++) {
		must(cudaEventRecord(from, stream), "recording an event");
		must(cudaGraphLaunch(ready, stream), "launching the graph");
		must(cudaEventRecord(to, stream), "recording an event");
		us[i] = elapsed_us(from, to) / LAUNCHES;
	}
	must(cudaGraphExecDestroy(ready), "freeing the graph");
	must(cudaGraphDestroy(graph), "freeing the graph");
	print_times("a launch in a graph of 100", us, SAMPLES);
}

static void time_kernel(struct stage *s)
{
	cudaEvent_t from, to;

	must(cudaStreamCreate(&stream), "making a stream");
	must(cudaEventCreate(&from), "making an event");
	must(cudaEventCreate(&to), "making an event");
	for (int i = 0; i < WARM_UP; i++)
		stage_launch(s, 0);
	time_events(s, from, to);
	time_graph(s, from, to);
	must(cudaEventDestroy(from), "freeing an event");
	must(cudaEventDestroy(to), "freeing an event");
	must(cudaStreamDestroy(stream), "freeing the stream");
	stream = NULL;
}
#else
static double now_us(void)
{
	struct timespec t;

	timespec_get(&t, TIME_UTC);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* As many calls a sample as last for a good while by this clock. */
static void time_kernel(struct stage *s)
{
	double us[SAMPLES], all = 0;
	int calls = 1;

	for (; calls < 1 << 20 && all < 1000; calls *= 2) {
		double start = now_us();

		for (int i = 0; i < calls; i++)
			stage_launch(s, 0);
		all = now_us() - start;
	}
	for (int k = 0; k < SAMPLES; k++) {
		double start = now_us();

		for (int i = 0; i < calls; i++)
			stage_launch(s, 0);
		us[k] = (now_us() - start) / calls;
	}
	print_times("a call", us, SAMPLES);
}
#endif

/* --- the command line --- */

static int run_shape(const struct program *p, int shape, uint64_t seed, int timed)
{
	struct stage s;
	int passed;

	printf("%s, shape %s, seed %llu\n", p->name, p->shapes[shape], (unsigned long long)seed);
	stage_open(&s, p, shape, seed);
	passed = check(&s);
	if (passed && timed) {
		stage_prepare(&s, 0);
		time_kernel(&s);
	}
	stage_close(&s);
	return passed;
}

static int usage(const struct program *p, const char *wrong)
{
	fprintf(stderr,
		"not understood: %s\nusage: [--check] [--seed=N] [SHAPE | all]\nshapes:", wrong);
	for (int i = 0; i < p->n_shapes; i++)
		fprintf(stderr, " %s", p->shapes[i]);
	fprintf(stderr, "\n");
	return 2;
}

static int standalone_main(const struct program *p, int argc, char **argv)
{
	uint64_t seed = p->seed;
	int first = p->shape, past = p->shape + 1, timed = 1, passed = 1;

	for (int i = 1; i < argc; i++) {
		int shape = 0;

		while (shape < p->n_shapes && strcmp(argv[i], p->shapes[shape]) != 0)
			shape++;
		if (shape < p->n_shapes) {
			first = shape;
			past = shape + 1;
		} else if (strcmp(argv[i], "all") == 0) {
			first = 0;
			past = p->n_shapes;
		} else if (strcmp(argv[i], "--check") == 0) {
			timed = 0;
		} else if (strncmp(argv[i], "--seed=", 7) == 0) {
			seed = strtoull(argv[i] + 7, NULL, 10);
		} else {
			return usage(p, argv[i]);
		}
	}
	for (int shape = first; shape < past; shape++)
		passed &= run_shape(p, shape, seed, timed);
	return passed ? 0 : 1;
}
