/*
 * Measures nothing. It compiles and times no code: it answers at once with made-up figures, so that
 * what the rest of the service costs can be measured by itself. Its name is "noop" wherever a
 * result of it is stored or shown, and nothing chooses it unless asked by that name.
 *
 * The figures are a fixed function of the -D options, with one best value for each -DNAME, so
 * that a search has a slope to follow: 1 us times the product over all numeric macros of
 * 1 + (log2(1 + value) - t)^2 / 16, where t in [0, 8) is a hash of the macro's name.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "runtime/runtime.h"

enum { SAMPLES = 5 };

struct session {
	const struct problem *p;
};

static int probe(struct device **ret, int *ret_n, struct err *e)
{
	struct device *d = mem_alloc(sizeof *d);

	(void)e;
	snprintf(d->name, sizeof d->name, "noop (synthetic figures)");
	snprintf(d->uuid, sizeof d->uuid, "noop");
	snprintf(d->arch, sizeof d->arch, "noop");
	snprintf(d->driver, sizeof d->driver, "noop");
	snprintf(d->compiler, sizeof d->compiler, "noop");
	d->attr[DEVICE_SM_COUNT] = 1;
	d->attr[DEVICE_WARP_SIZE] = 32;
	d->attr[DEVICE_MAX_THREADS] = 1024;
	d->attr[DEVICE_MAX_SHARED_BYTES] = 232448;
	d->attr[DEVICE_MEMORY_BYTES] = (int64_t)1 << 40;
	d->attr[DEVICE_MAX_GRID_X] = INT32_MAX;
	d->attr[DEVICE_MAX_GRID_Y] = 65535;
	*ret = d;
	*ret_n = 1;
	return 0;
}

static double factor_of(const char *macro)
{
	const char *value = strchr(macro, '=');
	char name[64], *end;
	double number, away;

	if (!value || value - macro >= (ptrdiff_t)sizeof name)
		return 1;
	number = strtod(value + 1, &end);
	if (end == value + 1 || *end || !(number >= 0) || !isfinite(number))
		return 1;
	snprintf(name, sizeof name, "%.*s", (int)(value - macro), macro);
	away = log2(1 + number) - (double)(rng_stream_of(name) >> 40) * 0x1p-21;
	return 1 + away * away / 16;
}

/* The time travels in the entry's lowered name, which is all of an artifact that measure sees. */
static int compile(const struct compile_job *job, struct artifact *ret, struct err *e)
{
	struct artifact a = { .outcome = OUTCOME_OK };
	struct hash *h = hash_new();
	double ns = 1000;

	(void)e;
	hash_text(h, job->entry);
	for (int i = 0; i < job->n_options; i++) {
		if (strncmp(job->options[i], "-D", 2) != 0)
			continue;
		hash_text(h, job->options[i]);
		ns *= factor_of(job->options[i] + 2);
	}
	hash_finish(h, a.hash);
#define X(field) a.ptxas.field = -1;
	PTXAS_MAP(X)
#undef X
	a.path = mem_strdup("/dev/null");
	a.log = mem_strdup("");
	snprintf(a.lowered, sizeof a.lowered, "noop_%.3f", ns);
	*ret = a;
	return 0;
}

static int open_session(int ordinal, const struct problem *p, struct session **ret, struct err *e)
{
	if (ordinal != 0)
		return err_set(e, ERR_MISSING, "noop device %d: there is only device 0", ordinal);
	*ret = mem_alloc(sizeof **ret);
	(*ret)->p = p;
	return 0;
}

static void add_timing(struct measurement *m, const struct problem *p, int shape, double ns)
{
	struct timing *t = &m->timings[m->n_timings++];

	*t = (struct timing){ .shape = shape,
			      .mode = p->timing.mode,
			      .l2 = p->timing.l2,
			      .p50_ns = ns,
			      .mean_ns = ns,
			      .min_ns = ns,
			      .p90_ns = ns,
			      .p99_ns = ns,
			      .ci_low_ns = ns,
			      .ci_high_ns = ns,
			      .launches_per_sample = 1,
			      .n_samples = SAMPLES };
	t->samples_ns = mem_array(SAMPLES, sizeof *t->samples_ns);
	for (int i = 0; i < SAMPLES; i++)
		t->samples_ns[i] = ns;
}

/* Rows as many as a real measurement has, for what storing them costs. */
static void add_checks(struct measurement *m, const struct problem *p, int shape,
		       uint64_t fresh_seed)
{
	int n_seeds = fresh_seed ? 1 : p->n_seeds;

	for (int i = 0; i < n_seeds * p->n_references; i++)
		m->checks[m->n_checks++] = (struct check){
			.shape = shape,
			.reference = i % p->n_references,
			.seed = fresh_seed ? fresh_seed : p->seeds[i / p->n_references],
			.first_bad = -1,
			.guards_intact = true,
			.inputs_intact = true,
			.deterministic = true,
			.passed = true,
		};
}

static int measure(struct session *s, const struct measure_job *job, struct measurement *ret,
		   struct err *e)
{
	const struct problem *p = s->p;
	struct measurement m = { .outcome = OUTCOME_OK, .clocks = { -1, -1, -1, -1, -1 } };
	double ns;

	if (strncmp(job->entry, "noop_", 5) != 0)
		return err_set(e, ERR_INVALID, "%s: not compiled by the noop runtime", job->entry);
	ns = strtod(job->entry + 5, NULL);
#define X(field) m.function.field = -1;
	FUNCTION_MAP(X)
#undef X
	m.timings = mem_array((size_t)p->n_shapes, sizeof *m.timings);
	m.checks = mem_array((size_t)p->n_shapes * (size_t)p->n_seeds * (size_t)p->n_references,
			     sizeof *m.checks);
	for (int i = 0; i < p->n_shapes; i++) {
		if (job->verify && p->shapes[i].check)
			add_checks(&m, p, i, job->fresh_seed);
		if (job->time && p->shapes[i].time)
			add_timing(&m, p, i, ns);
	}
	*ret = m;
	return 0;
}

static void close_session(struct session *s)
{
	free(s);
}

/* There is nothing that opens have in common. */
static int warm(int ordinal, const struct problem *p, struct err *e)
{
	(void)ordinal;
	(void)p;
	(void)e;
	return 0;
}

/* Nothing is known of what is not there. */
static int ceilings(int ordinal, struct ceilings *ret, struct err *e)
{
	(void)ordinal;
	(void)e;
	*ret = (struct ceilings){ 0 };
	return 0;
}

const struct runtime runtime_noop = {
	.name = "noop",
	.probe = probe,
	.compile = compile,
	.warm = warm,
	.open = open_session,
	.measure = measure,
	.close = close_session,
	.ceilings = ceilings,
};
