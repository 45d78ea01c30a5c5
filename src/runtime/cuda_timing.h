#ifndef RUNTIME_CUDA_TIMING_H
#define RUNTIME_CUDA_TIMING_H

#include "runtime/cuda_trial.h"

/*
 * Times every shape that is to be timed. A sample is one graph of many launches between two
 * events, so that the cost of a launch and the tick of the events vanish; in event mode it is one
 * launch. 0, 1 or an error: see cuda_trial.h.
 */
int trial_time(struct trial *t, struct err *e);

#endif
