#include "tuner/daemon/row.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

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
	ret->entry = a->lowered[0] ? mem_strdup(a->lowered) : NULL;
	ret->artifact_bytes = a->bytes;
	ret->compile_ms = a->compile_ms;
	ret->ptxas = a->ptxas;
}

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
		.detail = mem_strdup(v->detail),
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
	verdict_release(ret);
	*ret = (struct verdict){
		.no = row->no,
		.row = row->id,
		.outcome = row->outcome,
		.detail = mem_strdup(row->detail),
		.score_ns = row->score_ns,
		.p50_ns = row->p50_ns,
		.ci_low_ns = row->ci_low_ns,
		.ci_high_ns = row->ci_high_ns,
		.function = row->function,
		.device = row->device,
	};
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
		s->found = row->no;
		s->found_p50_ns = row->p50_ns;
	}
	if (baseline) {
		s->baseline = row->no;
		s->baseline_p50_ns = row->p50_ns;
	}
	row_speedup(s);
}

void row_speedup(struct run_summary *s)
{
	bool known = s->best_p50_ns > 0 && s->baseline_p50_ns > 0;

	s->speedup = known ? s->baseline_p50_ns / s->best_p50_ns : 0;
}

void row_final(struct run_summary *s, const struct final_record *f)
{
	const struct finalist_record *first = f->winner ? &f->finalists[0] : NULL;

	s->final = true;
	s->best = f->winner;
	s->best_p50_ns = first ? first->p50_ns : 0;
	s->best_ns = first ? first->p50_ns * first->penalty : 0;
	s->speedup = f->speedup.ratio;
}

/* --- events: written by hand, since a tree for each trial costs more than all else here --- */

/* Seventeen digits are read back as the same number. */
static void add_number(struct str *s, const char *key, double number)
{
	if (isfinite(number) && number > 0)
		str_addf(s, ",\"%s\":%.17g", key, number);
	else
		str_addf(s, ",\"%s\":null", key);
}

static void add_counts(struct str *s, const struct run_summary *after, int64_t budget)
{
	str_addf(s, ",\"done\":%" PRId64 ",\"budget\":%" PRId64, after->done, budget);
}

static void add_best(struct str *s, const struct run_summary *after)
{
	add_number(s, "best_us", after->best_p50_ns / 1000);
	if (after->best)
		str_addf(s, ",\"best_no\":%" PRId64, after->best);
	else
		str_addz(s, ",\"best_no\":null");
	add_number(s, "speedup", after->speedup);
}

static void add_failures(struct str *s, const struct run_summary *after)
{
	const char *comma = "";

	str_addz(s, ",\"failures\":{");
	for (int i = 0; i < OUTCOME_COUNT; i++) {
		if (i == OUTCOME_OK || !after->by_outcome[i])
			continue;
		str_addf(s, "%s\"%s\":%" PRId64, comma, outcome_name((enum outcome)i),
			 after->by_outcome[i]);
		comma = ",";
	}
	str_addc(s, '}');
}

char *row_event(const struct trial_record *row, const struct run_summary *after, int64_t budget,
		double rate_per_s)
{
	struct str s = STR_INIT;

	str_addf(&s, "{\"no\":%" PRId64 ",\"outcome\":\"%s\",\"origin\":\"%s\"", row->no,
		 outcome_name(row->outcome), trial_origin_name(row->origin));
	add_counts(&s, after, budget);
	add_number(&s, "p50_us", row->p50_ns / 1000);
	add_best(&s, after);
	str_addf(&s, ",\"rate_per_s\":%.17g", rate_per_s);
	add_failures(&s, after);
	str_addc(&s, '}');
	return str_detach(&s);
}

static void add_text(struct str *s, const char *key, const char *text)
{
	cJSON *v = text ? cJSON_CreateString(text) : cJSON_CreateNull();
	char *rendered = json_render(v);

	str_addf(s, ",\"%s\":%s", key, rendered);
	free(rendered);
	cJSON_Delete(v);
}

char *row_run_event(const struct run_record *r, const struct run_summary *after, const char *phase)
{
	struct str s = STR_INIT;

	str_addf(&s, "{\"state\":\"%s\"", run_state_name(r->state));
	add_text(&s, "phase", phase);
	add_text(&s, "reason", r->reason);
	add_counts(&s, after, r->budget);
	add_best(&s, after);
	str_addc(&s, '}');
	return str_detach(&s);
}
