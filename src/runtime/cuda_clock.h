#ifndef RUNTIME_CUDA_CLOCK_H
#define RUNTIME_CUDA_CLOCK_H

#include "runtime/cuda_session.h"

/*
 * The clock that multiprocessors really run at while something is timed, from their cycle counters
 * and the device's timer before and after it (evo_stamp in src/kernels/verify.cu). The driver tells
 * the clock that it has asked for: on an H200 1980 MHz, where tensor cores hold it at 1800, and
 * what wanders from one moment to the next is that one.
 *
 * Up to CLOCK_STRETCHES are measured; of more, the latest ones. Both return a CUresult.
 */
enum { CLOCK_STRETCHES = 64 };

/* Queues the start or the end of stretch i, counted from 0. */
int clock_start(struct session *s, int i);
int clock_end(struct session *s, int i);

/* Of n stretches that are over: the median, in MHz, of the medians over multiprocessors; 0: there
 * was none. */
int clock_median(struct session *s, int n, double *ret_mhz);

#endif
