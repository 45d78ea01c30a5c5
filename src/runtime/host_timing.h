#ifndef RUNTIME_HOST_TIMING_H
#define RUNTIME_HOST_TIMING_H

#include "runtime/host_trial.h"

/* Times every shape that is to be timed, until a variant that was to be verified turns out not to
 * have done its work meanwhile: a timing in *m is always complete and of a right variant. */
void host_time(struct trial *t);

#endif
