#include "tuner/task/task_gates.h"

#include <float.h>
#include <stdlib.h>

#include "base/mem.h"
#include "tuner/task/task_read.h"

static const char *const figure_names[] = {
	[GATE_REGISTERS] = "registers",
	[GATE_SHARED_BYTES] = "shared_bytes",
	[GATE_SPILL_BYTES] = "spill_bytes",
};

const char *gate_figure_name(enum gate_figure g)
{
	return figure_names[g];
}

#define CORRECTNESS_KEYS "max_abs", "mean_abs", "rel_l2", "bad_fraction", "atol", "rtol"

static const struct gates gates_none = {
	.max_abs = -1, .mean_abs = -1, .rel_l2 = -1, .bad_fraction = -1
};

bool gates_ask(const struct gates *g)
{
	return g->max_abs >= 0 || g->mean_abs >= 0 || g->rel_l2 >= 0 || g->bad_fraction >= 0;
}

int gates_read_correctness(const struct json_node *n, bool only, struct gates *ret, struct err *e)
{
	static const char *const keys[] = { CORRECTNESS_KEYS, NULL };
	struct gates g = gates_none;
	struct json_node m;
	int r = only ? json_only(n, keys, e) : json_object(n, e);

	if (r == 0)
		r = json_opt_double(n, "max_abs", 0, DBL_MAX, &g.max_abs, e);
	if (r == 0)
		r = json_opt_double(n, "mean_abs", 0, DBL_MAX, &g.mean_abs, e);
	if (r == 0)
		r = json_opt_double(n, "rel_l2", 0, DBL_MAX, &g.rel_l2, e);
	if (r == 0)
		r = json_opt_double(n, "bad_fraction", 0, 1, &g.bad_fraction, e);
	if (r == 0)
		r = json_opt_double(n, "atol", 0, DBL_MAX, &g.atol, e);
	if (r == 0)
		r = json_opt_double(n, "rtol", 0, DBL_MAX, &g.rtol, e);
	if (r < 0)
		return r;
	if (g.bad_fraction < 0 && (json_get(n, "atol", &m) || json_get(n, "rtol", &m)))
		g.bad_fraction = 0;
	*ret = g;
	return 0;
}

static int read_resource(struct task *t, const struct json_node *gates, enum gate_figure figure,
			 struct err *e)
{
	static const char *const keys[] = { "limit", "kind", "penalty", NULL };
	static const char *const kinds[] = { "soft", "hard" };
	struct resource_gate *g = &t->resource[figure];
	struct json_node n, m;
	int kind = 0, r;

	if (!json_get(gates, figure_names[figure], &n))
		return 0;
	if (t->kernel.language == LANGUAGE_C)
		return json_wrong(&n, e, "no compiler reports this for C: only CUDA tasks have it");
	r = json_only(&n, keys, e);
	if (r == 0)
		r = json_need(&n, "limit", &m, e);
	if (r == 0)
		r = json_int(&m, 0, (int64_t)1 << 40, &g->limit, e);
	if (r == 0)
		r = read_opt_choice(&n, "kind", kinds, 2, &kind, e);
	if (r < 0)
		return r;
	g->hard = kind == 1;
	if (g->hard && json_get(&n, "penalty", &m))
		return json_wrong(&m, e, "a hard gate rejects: only a soft one has a penalty");
	g->penalty = g->hard ? 0 : 0.01;
	return json_opt_double(&n, "penalty", 0, 1000, &g->penalty, e);
}

static int read_seeds(struct task *t, const struct json_node *gates, struct err *e)
{
	struct json_node list, n;
	int64_t seed = 0;
	int r;

	if (!json_get(gates, "seeds", &list))
		return 0;
	r = read_members(&list, false, TASK_LIST_MAX, e);
	if (r < 0)
		return r;
	t->seeds = mem_grow(t->seeds, (size_t)json_count(&list), sizeof *t->seeds);
	t->n_seeds = 0;
	for (bool ok = json_first(&list, &n); ok && r == 0; ok = json_next(&n)) {
		r = json_int(&n, 0, (int64_t)1 << 53, &seed, e);
		for (int i = 0; i < t->n_seeds && r == 0; i++)
			if (t->seeds[i] == (uint64_t)seed)
				r = json_wrong(&n, e, "this seed stands twice");
		t->seeds[t->n_seeds++] = (uint64_t)seed;
	}
	return r;
}

static void set_defaults(struct task *t)
{
	t->gates = gates_none;
	t->n_seeds = 3;
	t->seeds = mem_array(3, sizeof *t->seeds);
	for (int i = 0; i < t->n_seeds; i++)
		t->seeds[i] = (uint64_t)i;
	for (int i = 0; i < GATE_FIGURE_COUNT; i++)
		t->resource[i] = (struct resource_gate){ .limit = -1 };
}

int gates_read(struct task *t, const struct json_node *root, struct err *e)
{
	static const char *const keys[] = {
		CORRECTNESS_KEYS, "registers", "shared_bytes", "spill_bytes", "nondeterministic",
		"seeds",	  NULL
	};
	struct json_node n;
	int r;

	set_defaults(t);
	if (!json_get(root, "gates", &n))
		return 0;
	r = json_only(&n, keys, e);
	if (r == 0)
		r = gates_read_correctness(&n, false, &t->gates, e);
	for (int i = 0; i < GATE_FIGURE_COUNT && r == 0; i++)
		r = read_resource(t, &n, (enum gate_figure)i, e);
	if (r == 0)
		r = json_opt_bool(&n, "nondeterministic", &t->nondeterministic, e);
	return r < 0 ? r : read_seeds(t, &n, e);
}

static int read_objective(const struct json_node *root, struct err *e)
{
	static const char *const keys[] = { "figure", "combine", NULL };
	static const char *const figures[] = { "p50" }, *const combines[] = { "geomean" };
	struct json_node n;
	int which = 0, r;

	if (!json_get(root, "objective", &n))
		return 0;
	r = json_only(&n, keys, e);
	if (r == 0)
		r = read_opt_choice(&n, "figure", figures, 1, &which, e);
	return r < 0 ? r : read_opt_choice(&n, "combine", combines, 1, &which, e);
}

static int read_modes(struct task *t, const struct json_node *n, struct err *e)
{
	bool cuda = t->kernel.language == LANGUAGE_CUDA;
	const char *modes[2] = { timing_mode_name(TIMING_GRAPH), timing_mode_name(TIMING_EVENT) };
	const char *l2s[TIMING_L2_COUNT];
	int mode = 0, l2 = 0, r;

	if (!cuda)
		modes[0] = timing_mode_name(TIMING_CPU);
	for (int i = 0; i < TIMING_L2_COUNT; i++)
		l2s[i] = timing_l2_name((enum timing_l2)i);
	r = read_opt_choice(n, "mode", modes, cuda ? 2 : 1, &mode, e);
	if (r == 0)
		r = read_opt_choice(n, "l2", l2s, cuda ? TIMING_L2_COUNT : TIMING_L2_ROTATING, &l2,
				    e);
	if (r < 0)
		return r;
	t->timing.mode = !cuda ? TIMING_CPU : mode == 0 ? TIMING_GRAPH : TIMING_EVENT;
	t->timing.l2 = (enum timing_l2)l2;
	return 0;
}

static int read_samples(struct task *t, const struct json_node *n, struct err *e)
{
	int64_t warmup = t->timing.warmup, least = t->timing.samples_min,
		most = t->timing.samples_max;
	int r = json_opt_int(n, "warmup", 0, 10000, &warmup, e);

	if (r == 0)
		r = json_opt_int(n, "samples_min", 1, 10000, &least, e);
	if (r == 0)
		r = json_opt_int(n, "samples_max", 1, 10000, &most, e);
	if (r == 0 && least > most)
		r = json_wrong(n, e, "\"samples_min\" %lld is above \"samples_max\" %lld",
			       (long long)least, (long long)most);
	t->timing.warmup = (int)warmup;
	t->timing.samples_min = (int)least;
	t->timing.samples_max = (int)most;
	return r;
}

static int read_rules(struct task *t, const struct json_node *n, struct err *e)
{
	double sample_us = t->timing.sample_ns / 1000;
	struct json_node m;
	int r = json_opt_double(n, "sample_us", 1, 1e7, &sample_us, e);

	t->timing.sample_ns = sample_us * 1000;
	if (r == 0)
		r = json_opt_double(n, "noise", 0, 1, &t->timing.noise, e);
	if (r == 0)
		r = json_opt_double(n, "abort_factor", 0, 1e6, &t->timing.abort_factor, e);
	if (r == 0 && t->timing.abort_factor > 0 && t->timing.abort_factor < 1 &&
	    json_get(n, "abort_factor", &m))
		r = json_expected(&m, e, "0 (never) or a factor of 1 or more");
	return r;
}

int measure_read(struct task *t, const struct json_node *root, struct err *e)
{
	static const char *const keys[] = { "mode",	    "l2",	   "warmup",
					    "samples_min",  "samples_max", "noise",
					    "abort_factor", "sample_us",   NULL };
	struct json_node n;
	int r = read_objective(root, e);

	t->timing = (struct timing_options){
		.mode = t->kernel.language == LANGUAGE_C ? TIMING_CPU : TIMING_GRAPH,
		.l2 = TIMING_L2_WARM,
		.warmup = 3,
		.samples_min = 5,
		.samples_max = 50,
		.sample_ns = 500e3,
		.noise = 0.005,
		.abort_factor = 1.5,
	};
	if (r < 0 || !json_get(root, "measure", &n))
		return r;
	r = json_only(&n, keys, e);
	if (r == 0)
		r = read_modes(t, &n, e);
	if (r == 0)
		r = read_samples(t, &n, e);
	return r < 0 ? r : read_rules(t, &n, e);
}
