#ifndef RUNTIME_CUDA_MEASURE_H
#define RUNTIME_CUDA_MEASURE_H

#include "runtime/runtime.h"

/* runtime.measure of the cuda runtime: load, check, warm up, sample, stop. */
int cuda_measure(struct session *s, const struct measure_job *job, struct measurement *ret,
		 struct err *e);

#endif
