#ifndef RUNTIME_HOST_MEASURE_H
#define RUNTIME_HOST_MEASURE_H

#include "runtime/runtime.h"

/*
 * One trial on the CPU, in this very process: a crash of the kernel is a crash of the worker, and
 * an endless loop is ended by whoever watches the worker's deadline.
 */
int host_measure(struct session *s, const struct measure_job *job, struct measurement *ret,
		 struct err *e);

#endif
