#include "tuner/daemon/score.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

/* -1: the compiler does not say. */
static int64_t figure_of(const struct trial *t, enum gate_figure g)
{
	const struct ptxas *x = &t->artifact.ptxas;
	int64_t dynamic = 0;

	switch (g) {
	case GATE_REGISTERS:
		return x->registers;
	case GATE_SHARED_BYTES:
		if (x->shared_bytes < 0)
			return -1;
		for (int i = 0; i < t->n_launches; i++)
			if (t->launches[i].shared_bytes > dynamic)
				dynamic = t->launches[i].shared_bytes;
		return x->shared_bytes + dynamic;
	case GATE_SPILL_BYTES:
		if (x->spill_store_bytes < 0 || x->spill_load_bytes < 0)
			return -1;
		return x->spill_store_bytes + x->spill_load_bytes;
	case GATE_FIGURE_COUNT:
		break;
	}
	abort();
}

bool score_gates(struct trial *t, const struct resource_gate *gates)
{
	cJSON *missed = NULL;
	bool pass = true;

	t->penalty = 1;
	for (int g = 0; g < GATE_FIGURE_COUNT && pass; g++) {
		const struct resource_gate *gate = &gates[g];
		int64_t figure = figure_of(t, (enum gate_figure)g);
		struct str text = STR_INIT;

		if (gate->limit < 0 || figure <= gate->limit)
			continue;
		str_addf(&text, "%s %" PRId64 " over %" PRId64,
			 gate_figure_name((enum gate_figure)g), figure, gate->limit);
		if (gate->hard) {
			trial_judge(t, OUTCOME_REJECTED, "%s", text.data);
			pass = false;
		} else {
			t->penalty *= 1 + gate->penalty;
			missed = missed ? missed : json_new_list();
			json_push(missed, cJSON_CreateString(text.data));
		}
		str_release(&text);
	}
	free(t->gates);
	t->gates = missed ? json_render(missed) : mem_strdup("[]");
	cJSON_Delete(missed);
	return pass;
}

struct geomean {
	double log_sum, weights;
};

static void geomean_add(struct geomean *g, double value, double weight)
{
	g->log_sum += weight * log(value);
	g->weights += weight;
}

static double geomean_of(const struct geomean *g)
{
	return g->weights > 0 ? exp(g->log_sum / g->weights) : 0;
}

static bool timing_is_sound(const struct timing *m, const struct problem *p)
{
	return m->shape >= 0 && m->shape < p->n_shapes && m->p50_ns > 0 && m->ci_low_ns > 0 &&
	       m->ci_high_ns > 0 && isfinite(m->p50_ns) && isfinite(m->ci_high_ns);
}

void score_measured(struct trial *t, const struct problem *p)
{
	const struct measurement *m = &t->measurement;
	struct geomean p50 = { 0 }, low = { 0 }, high = { 0 };
	struct verdict *v = &t->verdict;

	trial_judge(t, m->outcome, "%s", m->detail);
	v->function = m->function;
	v->score_ns = v->p50_ns = v->ci_low_ns = v->ci_high_ns = 0;
	if (m->outcome != OUTCOME_OK)
		return;
	for (int i = 0; i < m->n_timings; i++) {
		const struct timing *x = &m->timings[i];

		if (!timing_is_sound(x, p)) {
			trial_judge(t, OUTCOME_LOST, "the worker reported no usable time");
			return;
		}
		geomean_add(&p50, x->p50_ns, p->shapes[x->shape].weight);
		geomean_add(&low, x->ci_low_ns, p->shapes[x->shape].weight);
		geomean_add(&high, x->ci_high_ns, p->shapes[x->shape].weight);
	}
	v->p50_ns = geomean_of(&p50);
	v->ci_low_ns = geomean_of(&low);
	v->ci_high_ns = geomean_of(&high);
	v->score_ns = v->p50_ns * t->penalty;
	if (!(v->p50_ns > 0))
		trial_judge(t, OUTCOME_LOST, "the worker reported no time");
}

static void suspect(struct trial *t, const struct problem_shape *s, double ns, double floor_ns)
{
	trial_judge(t, OUTCOME_SUSPECT,
		    "shape %s: %.4g us a launch; what \"work\" says takes this device at least "
		    "%.4g us, so that the kernel does less, the time is wrong, or \"work\" is",
		    s->name, ns / 1e3, floor_ns / 1e3);
	t->verdict.score_ns = 0;
}

void score_believe(struct trial *t, struct task_bound *b, const struct ceilings *measured)
{
	const struct measurement *m = &t->measurement;
	const struct problem *p = task_problem(b);
	struct ceilings limits;
	struct work w;

	if (t->verdict.outcome != OUTCOME_OK)
		return;
	roofline_limits(task_device(b), &limits);
	if (measured)
		roofline_join(&limits, measured);
	for (int i = 0; i < m->n_timings; i++) {
		const struct timing *x = &m->timings[i];
		double floor_ns;

		if (!task_work(b, t->config, x->shape, &w))
			return;
		floor_ns = roofline_floor_ns(&w, &limits);
		if (x->p50_ns < floor_ns) {
			suspect(t, &p->shapes[x->shape], x->p50_ns, floor_ns);
			return;
		}
	}
}

double score_roofline_ns(struct task_bound *b, const uint16_t *config,
			 const struct ceilings *measured)
{
	const struct problem *p = task_problem(b);
	struct ceilings ceilings = *measured, limits;
	struct geomean best = { 0 };

	roofline_limits(task_device(b), &limits);
	roofline_complete(&ceilings, &limits);
	for (int i = 0; i < p->n_shapes; i++) {
		struct work w;
		double ns;

		if (!p->shapes[i].time)
			continue;
		ns = task_work(b, config, i, &w) ? roofline_ns(&w, &ceilings, NULL) : 0;
		if (!(ns > 0))
			return 0;
		geomean_add(&best, ns, p->shapes[i].weight);
	}
	return geomean_of(&best);
}
