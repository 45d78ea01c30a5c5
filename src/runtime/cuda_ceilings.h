#ifndef RUNTIME_CUDA_CEILINGS_H
#define RUNTIME_CUDA_CEILINGS_H

#include "base/err.h"
#include "runtime/roofline.h"

/*
 * What a GPU can do at best, measured by the kernels of src/kernels/ceilings.cu: the fastest of a
 * few samples of about a millisecond each, a few tenths of a second in all. Matrix products
 * are by mma.sync, which compute capability 8.0 and up has; on 9.0 and up other instructions go
 * beyond that. What cannot be measured is 0.
 */
int cuda_ceilings(int ordinal, struct ceilings *ret, struct err *e);

#endif
