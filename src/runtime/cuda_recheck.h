#ifndef RUNTIME_CUDA_RECHECK_H
#define RUNTIME_CUDA_RECHECK_H

#include "runtime/cuda_place.h"
#include "runtime/cuda_trial.h"

/* What a shape was just timed with. All borrowed. */
struct recheck {
	const struct dataset *timed;
	struct place *places;
	const struct cuda_call *call;
	const struct timing *timing; /* summarised */
};

/*
 * Whether the variant did its work while it was timed. First its outputs for another seed's inputs
 * are checked, after one more launch into buffers that hold the old outputs. Then, unless it was
 * found too slow to win, launches between which the inputs change are timed against launches
 * between which the same inputs are copied in anew: both copy as much, from equally many places,
 * so that only a kernel that keeps answers differs by much. What keeps the answers for two sets
 * of inputs is not found. 0, 1 or an error: see cuda_trial.h.
 */
int trial_recheck(struct trial *t, const struct recheck *after, struct err *e);

#endif
