#include "runtime/host_measure.h"

#include <fenv.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "runtime/host_check.h"
#include "runtime/host_timing.h"

static int load(struct trial *t, struct err *e)
{
	int64_t start_ns = clock_mono_ns();
	struct err why;
	fenv_t ours;
	int r;

	if (access(t->job->artifact, R_OK))
		return err_sys(e, "%s", t->job->artifact);
	fegetenv(&ours);
	r = host_call_load(t->job->artifact, &t->call, &why);
	fegetenv(&t->kernel_env);
	fesetenv(&ours);
	t->m->load_ms = host_ms_since(start_ns);
	if (r < 0) {
		t->m->outcome = OUTCOME_FAULT;
		snprintf(t->m->detail, sizeof t->m->detail, "%.500s", why.msg);
	}
	return 0;
}

static void init_measurement(struct measurement *m)
{
	*m = (struct measurement){ .outcome = OUTCOME_OK, .clocks = { -1, -1, -1, -1, -1 } };
#define X(field) m->function.field = -1;
	FUNCTION_MAP(X)
#undef X
}

int host_measure(struct session *s, const struct measure_job *job, struct measurement *ret,
		 struct err *e)
{
	struct measurement m;
	struct trial t = { .s = s, .job = job, .m = &m };
	int r;

	if (job->n_launches != s->p->n_shapes)
		return err_set(e, ERR_INVALID, "a trial needs %d launches, one a shape; it has %d",
			       s->p->n_shapes, job->n_launches);
	init_measurement(&m);
	r = load(&t, e);
	if (r == 0 && job->verify && m.outcome == OUTCOME_OK)
		r = host_check(&t, e);
	if (r == 0 && job->time && m.outcome == OUTCOME_OK)
		host_time(&t);
	host_call_close(t.call);
	if (r < 0)
		measurement_release(&m);
	else
		*ret = m;
	return r;
}
