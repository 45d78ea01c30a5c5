#ifndef RUNTIME_HOST_TRIAL_H
#define RUNTIME_HOST_TRIAL_H

#include <fenv.h>

#include "runtime/host_session.h"

/* One variant while it is measured: shared by the files of the host runtime. */
struct trial {
	struct session *s;
	const struct measure_job *job;
	struct measurement *m;
	struct host_call *call;
	/* What the shared object made of the floating-point unit when it was loaded: one built with
	 * -ffast-math flushes subnormals. It is for the kernel only, not for our comparisons or the
	 * next trial. */
	fenv_t kernel_env;
};

/* Calls the kernel n times, in its own floating-point environment. */
void host_run(const struct trial *t, void **arguments, int n);

/* An unusable size is the configuration's doing: then false, and the outcome is in *m. */
bool host_size_scratch(struct trial *t, int shape);

double host_ms_since(int64_t start_ns); /* of clock_mono_ns() */

#endif
