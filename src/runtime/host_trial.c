#include "runtime/host_trial.h"

#include <stdio.h>

#include "base/clock.h"

double host_ms_since(int64_t start_ns)
{
	return (double)(clock_mono_ns() - start_ns) / 1e6;
}

void host_run(const struct trial *t, void **arguments, int n)
{
	fenv_t ours;

	fegetenv(&ours);
	fesetenv(&t->kernel_env);
	for (int i = 0; i < n; i++)
		host_call_run(t->call, arguments);
	fesetenv(&ours);
}

bool host_size_scratch(struct trial *t, int shape)
{
	struct err why;

	if (host_stage_scratch(t->s, shape, &t->job->launches[shape], &why) == 0)
		return true;
	t->m->outcome = OUTCOME_TOO_BIG;
	snprintf(t->m->detail, sizeof t->m->detail, "%.500s", why.msg);
	return false;
}
