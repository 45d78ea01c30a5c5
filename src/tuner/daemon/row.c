#include "tuner/daemon/row.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"

static void take_measurement(struct trial *t, struct trial_record *ret)
{
	struct measurement *m = &t->measurement;

	ret->load_ms = m->load_ms;
	ret->verify_ms = m->verify_ms;
	ret->warm_ms = m->warm_ms;
	ret->time_ms = m->time_ms;
	ret->clocks = m->clocks;
	ret->timings = m->timings;
	ret->n_timings = m->n_timings;
	ret->checks = m->checks;
	ret->n_checks = m->n_checks;
	m->timings = NULL;
	m->checks = NULL;
	m->n_timings = m->n_checks = 0;
}

static void take_artifact(struct trial *t, struct trial_record *ret)
{
	struct artifact *a = &t->artifact;

	ret->log = a->log;
	a->log = NULL;
	memcpy(ret->artifact, a->hash, sizeof ret->artifact);
	ret->artifact_bytes = a->bytes;
	ret->compile_ms = a->compile_ms;
	ret->ptxas = a->ptxas;
}

static const struct ptxas no_ptxas = {
#define X(field) -1,
	PTXAS_MAP(X)
#undef X
};

static const struct function no_function = {
#define X(field) -1,
	FUNCTION_MAP(X)
#undef X
};

void row_from_trial(struct trial *t, struct trial_record *ret)
{
	const struct verdict *v = &t->verdict;

	*ret = (struct trial_record){
		.ask = t->ask,
		.config = t->config_json,
		.op = mem_strdup(search_op_name(t->op)),
		.parents = { t->parents[0], t->parents[1] },
		.generation = t->generation,
		.outcome = v->outcome,
		.detail = v->detail[0] ? mem_strdup(v->detail) : NULL,
		.origin = t->origin,
		.origin_trial = t->origin_row,
		.score_ns = v->score_ns,
		.p50_ns = v->p50_ns,
		.ci_low_ns = v->ci_low_ns,
		.ci_high_ns = v->ci_high_ns,
		.gates = t->gates ? t->gates : mem_strdup("[]"),
		.search_ms = t->search_ms,
		.device = v->device,
		.ptxas = no_ptxas,
		.function = v->p50_ns > 0 ? v->function : no_function,
		.clocks = { -1, -1, -1, -1, -1 },
	};
	t->config_json = t->gates = NULL;
	if (t->at.compile_end > 0 || t->origin == TRIAL_STORED)
		take_artifact(t, ret);
	if (t->at.measure_end > 0)
		take_measurement(t, ret);
#define X(phase) ret->at.phase = t->at.phase;
	TRIAL_PHASE_MAP(X)
#undef X
	trial_free(t);
}

void row_verdict(const struct trial_record *row, struct verdict *ret)
{
	*ret = (struct verdict){
		.no = row->no,
		.row = row->id,
		.outcome = row->outcome,
		.score_ns = row->score_ns,
		.p50_ns = row->p50_ns,
		.ci_low_ns = row->ci_low_ns,
		.ci_high_ns = row->ci_high_ns,
		.function = row->function,
		.device = row->device,
	};
	snprintf(ret->detail, sizeof ret->detail, "%s", row->detail ? row->detail : "");
}

void row_count(struct run_summary *s, const struct trial_record *row, bool baseline)
{
	s->trials++;
	s->by_outcome[row->outcome]++;
	if (row->origin == TRIAL_STORED)
		s->reused++;
	else
		s->done++;
	if (row->outcome != OUTCOME_OK)
		return;
	if (!s->best || row->score_ns < s->best_ns) {
		s->best = row->no;
		s->best_ns = row->score_ns;
		s->best_p50_ns = row->p50_ns;
	}
	if (baseline) {
		s->baseline = row->no;
		s->baseline_p50_ns = row->p50_ns;
	}
}

static void add_us(cJSON *o, const char *key, double ns)
{
	json_add(o, key, ns > 0 ? cJSON_CreateNumber(ns / 1000) : cJSON_CreateNull());
}

static void add_best(cJSON *o, const struct run_summary *s)
{
	bool ratio = s->best_p50_ns > 0 && s->baseline_p50_ns > 0;

	add_us(o, "best_us", s->best_p50_ns);
	json_add(o, "best_no", s->best ? cJSON_CreateNumber((double)s->best) : cJSON_CreateNull());
	json_add(o, "speedup",
		 ratio ? cJSON_CreateNumber(s->baseline_p50_ns / s->best_p50_ns)
		       : cJSON_CreateNull());
}

static void add_failures(cJSON *o, const struct run_summary *s)
{
	cJSON *failures = json_add_object(o, "failures");

	for (int i = 0; i < OUTCOME_COUNT; i++)
		if (i != OUTCOME_OK && s->by_outcome[i])
			json_add_int(failures, outcome_name((enum outcome)i), s->by_outcome[i]);
}

static char *rendered(cJSON *o)
{
	char *text = json_render(o);

	cJSON_Delete(o);
	return text;
}

char *row_event(const struct trial_record *row, const struct run_summary *after, int64_t budget,
		double rate_per_s)
{
	cJSON *o = json_new_object();

	json_add_int(o, "no", row->no);
	json_add_string(o, "outcome", outcome_name(row->outcome));
	json_add_string(o, "origin", trial_origin_name(row->origin));
	json_add_int(o, "done", after->done);
	json_add_int(o, "budget", budget);
	add_us(o, "p50_us", row->p50_ns);
	add_best(o, after);
	json_add_double(o, "rate_per_s", rate_per_s);
	add_failures(o, after);
	return rendered(o);
}

char *row_run_event(const struct run_record *r, const struct run_summary *s)
{
	cJSON *o = json_new_object();

	json_add_string(o, "state", run_state_name(r->state));
	json_add_string(o, "reason", r->reason);
	json_add_int(o, "done", s->done);
	json_add_int(o, "budget", r->budget);
	add_best(o, s);
	return rendered(o);
}
