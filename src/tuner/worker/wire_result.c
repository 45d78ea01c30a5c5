#include "tuner/worker/wire_result.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tuner/worker/wire_fields.h"

static const char *name_of_outcome(int value)
{
	return outcome_name((enum outcome)value);
}

static const struct wire_names outcomes = { name_of_outcome, OUTCOME_COUNT };

static const struct wire_field device_fields[] = {
	WIRE_RANGE(struct device, ordinal, WIRE_INT, 0, 65535),
	WIRE_CHARS(struct device, name),
	WIRE_CHARS(struct device, uuid),
	WIRE_CHARS(struct device, arch),
	WIRE_CHARS(struct device, driver),
	WIRE_CHARS(struct device, compiler),
	WIRE_PLAIN(struct device, assumed, WIRE_BOOL),
#define X(id, name, help)                                                                 \
	{ name, WIRE_I64,  offsetof(struct device, attr) + DEVICE_##id * sizeof(int64_t), \
	  0,	INT64_MAX, NULL },
	DEVICE_ATTR_MAP(X)
#undef X
		WIRE_END,
};

static const struct wire_field ceilings_fields[] = {
	WIRE_PLAIN(struct ceilings, dram_bytes_per_s, WIRE_DOUBLE),
	WIRE_PLAIN(struct ceilings, cache_bytes_per_s, WIRE_DOUBLE),
	WIRE_PLAIN(struct ceilings, cache_bytes, WIRE_DOUBLE),
#define X(id, name, help)                                                           \
	{ name,                                                                     \
	  WIRE_DOUBLE,                                                              \
	  offsetof(struct ceilings, operations_per_s) + UNIT_##id * sizeof(double), \
	  0,                                                                        \
	  0,                                                                        \
	  NULL },
	WORK_UNIT_MAP(X)
#undef X
		WIRE_END,
};

static const struct wire_field artifact_fields[] = {
	WIRE_NAMED(struct artifact, outcome, &outcomes),
	WIRE_CHARS(struct artifact, hash),
	WIRE_PLAIN(struct artifact, path, WIRE_STRING),
	WIRE_RANGE(struct artifact, bytes, WIRE_I64, 0, INT64_MAX),
	WIRE_RANGE(struct artifact, log, WIRE_STRING, 1, 0),
#define X(field) WIRE_RANGE(struct artifact, ptxas.field, WIRE_I64, -1, INT64_MAX),
	PTXAS_MAP(X)
#undef X
		WIRE_PLAIN(struct artifact, compile_ms, WIRE_DOUBLE),
	WIRE_CHARS(struct artifact, lowered),
	WIRE_END,
};

static const struct wire_field timing_fields[] = {
	WIRE_RANGE(struct timing, shape, WIRE_INT, 0, WIRE_LIST_MAX),
	WIRE_NAMED(struct timing, mode, &wire_modes),
	WIRE_NAMED(struct timing, l2, &wire_l2s),
	WIRE_PLAIN(struct timing, p50_ns, WIRE_DOUBLE),
	WIRE_PLAIN(struct timing, mean_ns, WIRE_DOUBLE),
	WIRE_PLAIN(struct timing, stddev_ns, WIRE_DOUBLE),
	WIRE_PLAIN(struct timing, min_ns, WIRE_DOUBLE),
	WIRE_PLAIN(struct timing, p90_ns, WIRE_DOUBLE),
	WIRE_PLAIN(struct timing, p99_ns, WIRE_DOUBLE),
	WIRE_PLAIN(struct timing, ci_low_ns, WIRE_DOUBLE),
	WIRE_PLAIN(struct timing, ci_high_ns, WIRE_DOUBLE),
	WIRE_RANGE(struct timing, launches_per_sample, WIRE_INT, 0, INT32_MAX),
	WIRE_PLAIN(struct timing, aborted, WIRE_BOOL),
	WIRE_RANGE(struct timing, throttled, WIRE_INT, 0, INT32_MAX),
	WIRE_END,
};

static const struct wire_field check_fields[] = {
	WIRE_RANGE(struct check, shape, WIRE_INT, 0, WIRE_LIST_MAX),
	WIRE_RANGE(struct check, reference, WIRE_INT, 0, WIRE_LIST_MAX),
	WIRE_PLAIN(struct check, seed, WIRE_U64),
	WIRE_PLAIN(struct check, max_abs, WIRE_DOUBLE),
	WIRE_PLAIN(struct check, mean_abs, WIRE_DOUBLE),
	WIRE_PLAIN(struct check, rel_l2, WIRE_DOUBLE),
	WIRE_PLAIN(struct check, bad_fraction, WIRE_DOUBLE),
	WIRE_RANGE(struct check, nans, WIRE_I64, 0, INT64_MAX),
	WIRE_RANGE(struct check, unwritten, WIRE_I64, 0, INT64_MAX),
	WIRE_RANGE(struct check, first_bad, WIRE_I64, -1, INT64_MAX),
	WIRE_PLAIN(struct check, guards_intact, WIRE_BOOL),
	WIRE_PLAIN(struct check, inputs_intact, WIRE_BOOL),
	WIRE_PLAIN(struct check, deterministic, WIRE_BOOL),
	WIRE_PLAIN(struct check, passed, WIRE_BOOL),
	WIRE_CHARS(struct check, why),
	WIRE_END,
};

static const struct wire_field measurement_fields[] = {
	WIRE_NAMED(struct measurement, outcome, &outcomes),
	WIRE_CHARS(struct measurement, detail),
	WIRE_PLAIN(struct measurement, poisoned, WIRE_BOOL),
#define X(field) WIRE_RANGE(struct measurement, function.field, WIRE_I64, -1, INT64_MAX),
	FUNCTION_MAP(X)
#undef X
		WIRE_PLAIN(struct measurement, load_ms, WIRE_DOUBLE),
	WIRE_PLAIN(struct measurement, verify_ms, WIRE_DOUBLE),
	WIRE_PLAIN(struct measurement, warm_ms, WIRE_DOUBLE),
	WIRE_PLAIN(struct measurement, time_ms, WIRE_DOUBLE),
	WIRE_PLAIN(struct measurement, clocks.sm_mhz, WIRE_DOUBLE),
	WIRE_PLAIN(struct measurement, clocks.memory_mhz, WIRE_DOUBLE),
	WIRE_PLAIN(struct measurement, clocks.celsius, WIRE_DOUBLE),
	WIRE_PLAIN(struct measurement, clocks.watts, WIRE_DOUBLE),
	WIRE_RANGE(struct measurement, clocks.throttle, WIRE_I64, -1, INT64_MAX),
	WIRE_END,
};

cJSON *wire_put_devices(const struct device *d, int n)
{
	return wire_put_table(d, sizeof *d, n, device_fields);
}

int wire_get_devices(const struct json_node *n, struct device **ret, int *ret_n, struct err *e)
{
	void *list = NULL;
	int r = wire_get_table(n, sizeof **ret, device_fields, &list, ret_n, e);

	if (r < 0)
		free(list);
	else
		*ret = list;
	return r;
}

cJSON *wire_put_ceilings(const struct ceilings *c)
{
	return wire_put(c, ceilings_fields);
}

static double sound(double figure)
{
	return isfinite(figure) && figure > 0 ? figure : 0;
}

/* A ceiling that is no number bounds nothing, as one that is unknown. */
int wire_get_ceilings(const struct json_node *n, struct ceilings *ret, struct err *e)
{
	double *figures[] = { &ret->dram_bytes_per_s, &ret->cache_bytes_per_s, &ret->cache_bytes };
	int r = wire_get(n, ret, ceilings_fields, e);

	for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
		*figures[i] = sound(*figures[i]);
	for (int u = 0; u < WORK_UNIT_COUNT; u++)
		ret->operations_per_s[u] = sound(ret->operations_per_s[u]);
	return r;
}

cJSON *wire_put_artifact(const struct artifact *a)
{
	return wire_put(a, artifact_fields);
}

int wire_get_artifact(const struct json_node *n, struct artifact *ret, struct err *e)
{
	int r = wire_get(n, ret, artifact_fields, e);

	if (r == 0 && ret->outcome == OUTCOME_OK && !ret->path)
		r = json_wrong(n, e, "path: it is ok and has none");
	if (r < 0)
		artifact_release(ret);
	return r;
}

cJSON *wire_put_measurement(const struct measurement *m)
{
	cJSON *o = json_new_object(), *samples;

	json_add(o, "head", wire_put(m, measurement_fields));
	json_add(o, "timings",
		 wire_put_table(m->timings, sizeof *m->timings, m->n_timings, timing_fields));
	samples = json_add_list(o, "samples_ns");
	for (int i = 0; i < m->n_timings; i++)
		json_push(samples,
			  wire_put_doubles(m->timings[i].samples_ns, m->timings[i].n_samples));
	json_add(o, "checks",
		 wire_put_table(m->checks, sizeof *m->checks, m->n_checks, check_fields));
	return o;
}

static int get_samples(const struct json_node *n, struct measurement *m, struct err *e)
{
	struct json_node list, one;
	int count, i = 0, r = wire_need_list(n, "samples_ns", &list, &count, e);

	if (r == 0 && count != m->n_timings)
		r = json_wrong(&list, e, "expected %d lists, one a timing", m->n_timings);
	if (r < 0 || !m->timings)
		return r;
	for (bool more = json_first(&list, &one); more && r == 0; more = json_next(&one), i++) {
		m->timings[i].n_samples = -1;
		r = wire_get_doubles(&one, &m->timings[i].samples_ns, &m->timings[i].n_samples, e);
	}
	return r;
}

static int get_measurement(const struct json_node *n, struct measurement *m, struct err *e)
{
	static const char *const keys[] = { "head", "timings", "samples_ns", "checks", NULL };
	struct json_node part;
	void *list = NULL;
	int r = json_only(n, keys, e);

	if (r < 0 || (r = json_need(n, "head", &part, e)) < 0 ||
	    (r = wire_get(&part, m, measurement_fields, e)) < 0)
		return r;
	r = json_need(n, "timings", &part, e);
	if (r == 0)
		r = wire_get_table(&part, sizeof *m->timings, timing_fields, &list, &m->n_timings,
				   e);
	m->timings = list;
	if (r < 0 || (r = get_samples(n, m, e)) < 0 || (r = json_need(n, "checks", &part, e)) < 0)
		return r;
	list = NULL;
	r = wire_get_table(&part, sizeof *m->checks, check_fields, &list, &m->n_checks, e);
	m->checks = list;
	return r;
}

int wire_get_measurement(const struct json_node *n, struct measurement *ret, struct err *e)
{
	int r = get_measurement(n, ret, e);

	if (r < 0)
		measurement_release(ret);
	return r;
}

static int bad_index(struct err *e, const char *what, int found, int n)
{
	return err_set(e, ERR_PROTOCOL, "%s: expected 0 .. %d, found %d", what, n - 1, found);
}

int wire_measurement_fits(const struct measurement *m, const struct problem *p, struct err *e)
{
	for (int i = 0; i < m->n_timings; i++)
		if (m->timings[i].shape < 0 || m->timings[i].shape >= p->n_shapes)
			return bad_index(e, "shape of a timing", m->timings[i].shape, p->n_shapes);
	for (int i = 0; i < m->n_checks; i++) {
		const struct check *c = &m->checks[i];

		if (c->shape < 0 || c->shape >= p->n_shapes)
			return bad_index(e, "shape of a check", c->shape, p->n_shapes);
		if (c->reference < 0 || c->reference >= p->n_references)
			return bad_index(e, "reference of a check", c->reference, p->n_references);
	}
	return 0;
}
