#include "runtime/roofline.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

static const char *const unit_names[] = {
#define X(id, name, help) name,
	WORK_UNIT_MAP(X)
#undef X
};

const char *work_unit_name(enum work_unit u)
{
	return unit_names[u];
}

int work_unit_parse(const char *name, enum work_unit *ret)
{
	for (int i = 0; i < WORK_UNIT_COUNT; i++) {
		if (strcmp(unit_names[i], name) == 0) {
			*ret = (enum work_unit)i;
			return 0;
		}
	}
	return -1;
}

const char *roofline_bound_name(enum roofline_bound b)
{
	static const char *const names[] = { "unknown", "dram", "cache", "compute" };

	return names[b];
}

/* --- limits --- */

/*
 * Operations a clock and multiprocessor, a fused multiply-add being two; 0: no source, no limit.
 *
 * f32 and f64: "Throughput of Native Arithmetic Instructions", CUDA C++ Best Practices Guide 13.0
 * (results there are half of these). Tensor cores: NVIDIA's dense peaks over multiprocessors x
 * boost clock, rounded to the power of two that they are within 2 % of:
 *
 *   7.5  Turing white paper: RTX 2080 Ti (68 x 1.635 GHz) 113.8 T f16, 227.7 T int8
 *   8.0  A100 white paper (108 x 1.41 GHz): 19.5 T f64, 156 T tf32, 312 T f16 and bf16, 624 T int8
 *   8.6  A40 data sheet (84 x 1.74 GHz): 74.8 T tf32, 149.7 T f16 and bf16, 299.3 T int8
 *   8.7  Jetson AGX Orin technical brief (16 x 1.3 GHz): 170 T int8, sparse
 *   8.9  L40S data sheet (142 x 2.52 GHz): 183 T tf32, 366 T f16 and bf16, 733 T e4m3; Ada white
 *        paper: RTX 4090 (128 x 2.52 GHz) 660.6 T int8
 *   9.0  H100 white paper, table 3, SXM5 (132 x 1.98 GHz, all but f64 at 1.83 GHz): 66.9 T f64,
 *        494.7 T tf32, 989.4 T f16 and bf16, 1978.9 T int8 and e4m3
 *  10.0  Blackwell technical brief, HGX B200 (148 x 1.85 GHz): 37 T f64 (at 1.96 GHz), 1.1 P tf32,
 *        2.25 P f16 and bf16, 4.5 P int8 and e4m3
 *  12.0  RTX Blackwell white paper: RTX 5090 (170 x 2.407 GHz) 104.8 T tf32, 419 T f16 with f16
 *        sums, 209.5 T bf16, 838 T int8 and e4m3. GeForce cards do sums in f32 at half the rate of
 *        others of their capability (8.6, 8.9), so tf32 and bf16 count twice.
 */
static const struct rates {
	int capability;
	double per_clock[WORK_UNIT_COUNT];
} rates[] = {
	/*      f64  f32  f64t  tf32  f16    bf16   s8     e4m3 */
	{ 75, { 4, 128, 0, 0, 1024, 0, 2048, 0 } },
	{ 80, { 64, 128, 128, 1024, 2048, 2048, 4096, 0 } },
	{ 86, { 4, 256, 0, 512, 1024, 1024, 2048, 0 } },
	{ 87, { 4, 256, 0, 0, 0, 0, 4096, 0 } },
	{ 89, { 4, 256, 0, 512, 1024, 1024, 2048, 2048 } },
	{ 90, { 128, 256, 256, 2048, 4096, 4096, 8192, 8192 } },
	{ 100, { 128, 256, 128, 4096, 8192, 8192, 16384, 16384 } },
	{ 120, { 4, 256, 0, 512, 1024, 1024, 2048, 2048 } },
	{ 121, { 4, 256, 0, 0, 0, 0, 0, 0 } },
};

static const struct rates fastest = { 0, { 128, 256, 256, 4096, 8192, 8192, 16384, 16384 } };

static const double *rates_of(const struct device *d)
{
	int64_t capability = d->attr[DEVICE_COMPUTE_MAJOR] * 10 + d->attr[DEVICE_COMPUTE_MINOR];

	for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++)
		if (rates[i].capability == capability)
			return rates[i].per_clock;
	return fastest.per_clock;
}

static void limits_of_gpu(const struct device *d, struct ceilings *ret)
{
	enum { CACHE_BYTES_PER_CLOCK = 128 };
	double clocks = (double)d->attr[DEVICE_SM_COUNT] * (double)d->attr[DEVICE_CLOCK_KHZ] * 1e3;
	const double *per_clock = rates_of(d);

	for (int u = 0; u < WORK_UNIT_COUNT; u++)
		ret->operations_per_s[u] = clocks * per_clock[u];
	ret->cache_bytes_per_s = clocks * CACHE_BYTES_PER_CLOCK;
	ret->dram_bytes_per_s = (double)d->attr[DEVICE_MEMORY_CLOCK_KHZ] * 1e3 * 2 *
				(double)d->attr[DEVICE_MEMORY_BUS_BITS] / 8;
}

static void limits_of_core(const struct device *d, struct ceilings *ret)
{
	enum { F32_PER_CYCLE = 64, BYTES_PER_CYCLE = 192 };
	double clock = (double)d->attr[DEVICE_CLOCK_KHZ] * 1e3 * 2;

	ret->operations_per_s[UNIT_F32] = clock * F32_PER_CYCLE;
	ret->operations_per_s[UNIT_F64] = clock * F32_PER_CYCLE / 2;
	ret->cache_bytes_per_s = clock * BYTES_PER_CYCLE;
}

void roofline_limits(const struct device *d, struct ceilings *ret)
{
	*ret = (struct ceilings){ .cache_bytes = (double)d->attr[DEVICE_L2_BYTES] };
	if (d->attr[DEVICE_COMPUTE_MAJOR])
		limits_of_gpu(d, ret);
	else
		limits_of_core(d, ret);
}

static void fill(double *figure, double limit)
{
	if (!(*figure > 0))
		*figure = limit;
}

void roofline_complete(struct ceilings *measured, const struct ceilings *limits)
{
	fill(&measured->dram_bytes_per_s, limits->dram_bytes_per_s);
	fill(&measured->cache_bytes_per_s, limits->cache_bytes_per_s);
	fill(&measured->cache_bytes, limits->cache_bytes);
	for (int u = 0; u < WORK_UNIT_COUNT; u++)
		fill(&measured->operations_per_s[u], limits->operations_per_s[u]);
}

void roofline_join(struct ceilings *to, const struct ceilings *other)
{
	to->dram_bytes_per_s = fmax(to->dram_bytes_per_s, other->dram_bytes_per_s);
	to->cache_bytes_per_s = fmax(to->cache_bytes_per_s, other->cache_bytes_per_s);
	to->cache_bytes = fmax(to->cache_bytes, other->cache_bytes);
	for (int u = 0; u < WORK_UNIT_COUNT; u++)
		to->operations_per_s[u] = fmax(to->operations_per_s[u], other->operations_per_s[u]);
}

/* --- times --- */

static double ns_at(double amount, double per_s)
{
	return per_s > 0 ? amount / per_s * 1e9 : 0;
}

static double compute_ns(const struct work *w, const struct ceilings *c)
{
	double plain = 0, tensor = 0;

	for (int u = 0; u < WORK_UNIT_COUNT; u++) {
		double ns = ns_at(w->operations[u], c->operations_per_s[u]);

		if (u == UNIT_F32 || u == UNIT_F64)
			plain = fmax(plain, ns);
		else
			tensor += ns;
	}
	return fmax(plain, tensor);
}

static bool stays_in_cache(const struct work *w, const struct ceilings *c)
{
	return !w->cold && w->footprint > 0 && w->footprint <= c->cache_bytes;
}

static double bandwidth(const struct work *w, const struct ceilings *c)
{
	return stays_in_cache(w, c) ? c->cache_bytes_per_s : c->dram_bytes_per_s;
}

double roofline_ns(const struct work *w, const struct ceilings *c, enum roofline_bound *ret_bound)
{
	double memory = ns_at(w->bytes, bandwidth(w, c)), compute = compute_ns(w, c);
	enum roofline_bound bound = BOUND_UNKNOWN;

	if (compute > memory)
		bound = BOUND_COMPUTE;
	else if (memory > 0)
		bound = stays_in_cache(w, c) ? BOUND_CACHE : BOUND_DRAM;
	if (ret_bound)
		*ret_bound = bound;
	return fmax(memory, compute);
}

double roofline_floor_ns(const struct work *w, const struct ceilings *limits)
{
	double beyond = fmax(w->bytes - limits->cache_bytes, 0);
	double memory = fmax(ns_at(w->bytes, limits->cache_bytes_per_s),
			     ns_at(beyond, limits->dram_bytes_per_s));

	return fmax(memory, compute_ns(w, limits)) * (1 - ROOFLINE_MARGIN);
}

void roofline_of(const struct work *w, const struct ceilings *c, double ns, struct roofline *ret)
{
	double operations = 0, compute = compute_ns(w, c), reach = bandwidth(w, c);

	*ret = (struct roofline){ 0 };
	ret->best_ns = roofline_ns(w, c, &ret->bound);
	if (!(ns > 0))
		return;
	for (int u = 0; u < WORK_UNIT_COUNT; u++)
		operations += w->operations[u];
	ret->bytes_per_s = w->bytes / ns * 1e9;
	ret->operations_per_s = operations / ns * 1e9;
	ret->memory_share = reach > 0 ? ret->bytes_per_s / reach : 0;
	ret->compute_share = compute / ns;
}
