#ifndef RUNTIME_CUDA_CHECK_H
#define RUNTIME_CUDA_CHECK_H

#include "runtime/cuda_place.h"
#include "runtime/cuda_trial.h"

/* Checks every shape that is to be checked with every seed, or with the fresh one; ends the trial
 * at the first check that fails, whose row is kept. 0, 1 or an error: see cuda_trial.h. */
int trial_check(struct trial *t, struct err *e);

/* Checks what a launch on the set's inputs has left at the places. A check that fails takes the
 * place of the row that the same shape, seed and reference have. */
int trial_check_as_it_is(struct trial *t, const struct dataset *set, const struct place *places,
			 struct err *e);

#endif
