#ifndef RUNTIME_CUDA_INPUTS_H
#define RUNTIME_CUDA_INPUTS_H

#include "runtime/cuda_session.h"

/*
 * What a session has of a problem before its references have run: layouts, room on the device, and
 * the inputs of every shape and seed. Needs the device, but none of the kernels of verify.cu.
 */

/* Memory that grew for another problem stays as it is. On an error the session is without a problem
 * again; errors are those of layout_init and dataset_fill. */
int inputs_fill(struct session *s, const struct problem *p, struct err *e);
void inputs_drop(struct session *s); /* of a session without a problem, too */

#endif
