#include "tuner/cli/remeasure.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tuner/daemon/score.h"

struct remeasure {
	struct call *call;
	const struct problem *problem;
	int64_t deadline_ms; /* of one measurement */
	int64_t asked;
};

int remeasure_open(const struct local *where, const struct setup *s, struct remeasure **ret,
		   struct err *e)
{
	struct remeasure *r = mem_alloc(sizeof *r);
	struct wire_reply reply = { 0 };
	int code = call_new("measure", where->nvrtc, &r->call, e);

	r->problem = task_problem(s->bound);
	r->deadline_ms = (int64_t)(task_measure_timeout_s(s->task) * 1000);
	r->asked = 1;
	if (code == 0)
		code = local_ask(r->call,
				 wire_ask_open(1, where->runtime, task_device(s->bound)->ordinal,
					       r->problem),
				 LOCAL_OPEN_MS, "filling the buffers and running the references",
				 &reply, e);
	if (code < 0) {
		remeasure_close(r);
		return code;
	}
	wire_reply_release(&reply);
	*ret = r;
	return 0;
}

void remeasure_close(struct remeasure *r)
{
	if (!r)
		return;
	call_free(r->call);
	free(r);
}

int remeasure_job(struct remeasure *r, struct trial *t, const struct measure_job *job,
		  struct err *e)
{
	struct wire_reply reply = { 0 };
	struct measure_job own = *job;
	int64_t inputs_ms = job->fresh_seed ? LOCAL_OPEN_MS : 0;
	int code;

	own.artifact = t->artifact.path;
	own.entry = t->artifact.lowered;
	own.launches = t->launches;
	own.n_launches = t->n_launches;
	code = local_ask(r->call, wire_ask_measure(++r->asked, &own), r->deadline_ms + inputs_ms,
			 "measuring", &reply, e);
	if (code < 0)
		return code;
	measurement_release(&t->measurement);
	t->measurement = reply.measurement;
	memset(&reply.measurement, 0, sizeof reply.measurement);
	wire_reply_release(&reply);
	return 0;
}

static int ask(struct remeasure *r, struct trial *t, const struct measure_job *job, struct err *e)
{
	int code = remeasure_job(r, t, job, e);

	if (code < 0 || t->measurement.outcome == OUTCOME_OK)
		return code;
	return err_set(e, ERR_FAILED, "%s: %.500s", outcome_name(t->measurement.outcome),
		       t->measurement.detail);
}

int remeasure_verify(struct remeasure *r, struct trial *t, uint64_t seed, struct err *e)
{
	struct measure_job job = { .verify = true, .fresh_seed = seed };

	return ask(r, t, &job, e);
}

int remeasure_time(struct remeasure *r, struct trial *t, bool verify, double *ret_ns, struct err *e)
{
	struct measure_job job = { .verify = verify, .time = true };
	int code = ask(r, t, &job, e);

	if (code < 0)
		return code;
	score_measured(t, r->problem);
	if (t->verdict.outcome != OUTCOME_OK)
		return err_set(e, ERR_FAILED, "the worker reported no usable time");
	*ret_ns = t->verdict.p50_ns;
	return 0;
}

double remeasure_timing_ms(const struct trial *t)
{
	return t->measurement.warm_ms + t->measurement.time_ms;
}
