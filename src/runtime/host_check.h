#ifndef RUNTIME_HOST_CHECK_H
#define RUNTIME_HOST_CHECK_H

#include "runtime/host_trial.h"

/* Checks every shape that is to be checked with every seed, or with the fresh one, until a check
 * fails; outcome and rows are in *m. An error only when a reference fails. */
int host_check(struct trial *t, struct err *e);

/* Checks what a launch on the inputs of c has left. A check that fails takes the place of the row
 * that the same shape, seed and reference have. */
void host_check_as_it_is(struct trial *t, int shape, const struct host_case *c);

#endif
