#ifndef RUNTIME_CUDA_TRIAL_H
#define RUNTIME_CUDA_TRIAL_H

#include "runtime/cuda_session.h"

/*
 * One variant while it is measured. The steps below return 0 to go on, 1 when the trial has ended
 * with the outcome in *m, or a negative error when the machine, not the variant, is at fault.
 */
struct trial {
	struct session *s;
	const struct measure_job *job;
	struct measurement *m;
	struct cuda_module *module;
	struct cuda_function *function;
};

enum trial_phase {
	TRIAL_OURS,   /* our own work: only a fault can be the variant's doing */
	TRIAL_LAUNCH, /* launching it: a refusal means that it is too big */
};

/* What a CUresult means for the trial. Marks session and measurement as poisoned on a fault. */
int trial_verdict(struct trial *t, int result, enum trial_phase phase, const char *doing,
		  struct err *e);

/* Ends the trial; returns 1. */
int trial_end(struct trial *t, enum outcome o, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The data set that the trial runs a shape on. */
int trial_dataset(struct trial *t, int shape, uint64_t seed, const struct dataset **ret,
		  struct err *e);

#endif
