#include "tuner/cli/ceilings.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "tuner/cli/figure.h"
#include "tuner/cli/local.h"
#include "tuner/cli/print.h"
#include "tuner/cli/table.h"

enum { DEADLINE_MS = 60000 };

static void add_some(cJSON *o, const char *key, double v)
{
	json_add_double(o, key, v > 0 ? v : (double)NAN);
}

cJSON *ceilings_json(const struct ceilings *c)
{
	cJSON *o = json_new_object();

	add_some(o, "dram_bytes_per_s", c->dram_bytes_per_s);
	add_some(o, "cache_bytes_per_s", c->cache_bytes_per_s);
	add_some(o, "cache_bytes", c->cache_bytes);
	for (int u = 0; u < WORK_UNIT_COUNT; u++)
		add_some(o, work_unit_name((enum work_unit)u), c->operations_per_s[u]);
	return o;
}

/* What it took counts the start of a worker and of CUDA in it. */
static int measure(const struct local *where, int ordinal, struct ceilings *ret, double *ret_ms,
		   struct err *e)
{
	int64_t start = clock_mono_ns();
	struct wire_reply reply = { 0 };
	struct call *c;
	int r = call_new("measure", where->nvrtc, &c, e);

	if (r < 0)
		return r;
	r = local_ask(c, wire_ask_ceilings(1, where->runtime, ordinal), DEADLINE_MS,
		      "measuring the ceilings", &reply, e);
	call_free(c);
	if (r < 0)
		return r;
	*ret = reply.ceilings;
	*ret_ms = (double)(clock_mono_ns() - start) / 1e6;
	wire_reply_release(&reply);
	return 0;
}

/* --- telling --- */

static void row(struct table *t, const char *name, const char *unit, double measured, double limit,
		const char *how)
{
	char a[FIGURE_MAX], b[FIGURE_MAX];

	if (!(measured > 0) && !(limit > 0))
		return;
	table_cellf(t, "  %s", name);
	table_cell(t, figure_rate(measured, unit, a));
	table_cell(t, figure_rate(limit, unit, b));
	table_cell(t, measured > 0 ? how : "not measured");
}

static void print_device(const struct device *d, const struct ceilings *c,
			 const struct ceilings *limits, double ms)
{
	bool gpu = d->attr[DEVICE_COMPUTE_MAJOR] != 0;
	struct table *t = table_new();

	printf("%s (%s): measured in %.0f ms\n", d->name, d->arch, ms);
	table_column(t, "");
	table_column(t, ">measured");
	table_column(t, ">limit");
	table_column(t, "");
	row(t, "dram", "B/s", c->dram_bytes_per_s, limits->dram_bytes_per_s,
	    "a large copy, read and written");
	row(t, "cache", "B/s", c->cache_bytes_per_s, limits->cache_bytes_per_s,
	    gpu ? "reading what stays in L2" : "a small copy, read and written");
	for (int u = 0; u < WORK_UNIT_COUNT; u++)
		row(t, work_unit_name((enum work_unit)u), "op/s", c->operations_per_s[u],
		    limits->operations_per_s[u],
		    u == UNIT_F32 ? "fused multiply-adds" : "with mma.sync");
	table_print(t, stdout);
	table_free(t);
}

static cJSON *device_json(const struct device *d, const struct ceilings *c,
			  const struct ceilings *limits, double ms)
{
	cJSON *o = json_new_object();

	json_add_string(o, "device", d->name);
	json_add_string(o, "uuid", d->uuid);
	json_add_string(o, "arch", d->arch);
	json_add_string(o, "driver", d->driver);
	json_add(o, "measured", ceilings_json(c));
	json_add(o, "limits", ceilings_json(limits));
	json_add_double(o, "ms", ms);
	return o;
}

/* Adds to list, or prints where that is NULL; how many devices there were. */
static int report_runtime(const struct local *where, cJSON *list, struct err *e)
{
	struct device *devices;
	int n, r = local_probe(where, &devices, &n, e);

	if (r < 0)
		return r;
	for (int i = 0; i < n && r == 0; i++) {
		struct ceilings c, limits;
		double ms;

		r = measure(where, devices[i].ordinal, &c, &ms, e);
		if (r < 0)
			break;
		roofline_limits(&devices[i], &limits);
		if (list)
			json_push(list, device_json(&devices[i], &c, &limits, ms));
		else
			print_device(&devices[i], &c, &limits, ms);
	}
	free(devices);
	return r < 0 ? r : n;
}

int ceilings_report(const struct invocation *v, const char *nvrtc, struct err *e)
{
	static const char *const runtimes[] = { "cuda", "host" };
	cJSON *list = v->json ? json_new_list() : NULL;
	bool any = false;

	for (size_t i = 0; i < sizeof runtimes / sizeof runtimes[0]; i++) {
		struct local where = { runtimes[i], nvrtc };

		if (report_runtime(&where, list, e) > 0)
			any = true;
		else
			note("%s: %.*s", runtimes[i], (int)strcspn(e->msg, "\n"), e->msg);
	}
	if (list)
		print_json(list);
	return any ? EXIT_DONE : EXIT_WORK;
}
