#ifndef RUNTIME_CUDA_REMOTE_H
#define RUNTIME_CUDA_REMOTE_H

#include "runtime/cuda_place.h"

/*
 * Inputs in the host's memory, for a launch that is checked: each load crosses the bus, which takes
 * microseconds. On an idle device an asynchronous copy that is not awaited has arrived all the
 * same; over the bus it has not (measured on an H200: two waits too short of the attention kernel
 * were found in 200 of 200 launches, and in none on the device).
 *
 * Nothing but time keeps such a launch from being the same as others: outputs must have the bits of
 * the first. It takes up to forty times as long, so that only small inputs and short launches get
 * one.
 */
enum {
	REMOTE_BYTES_MAX = 1 << 20, /* inputs of the shape */
	REMOTE_FRONT_MAX = 1 << 24, /* all that a variant is given of it, which lies among them */
	REMOTE_NS_MAX = 100000,	    /* a launch on the device */
};

/* Writes places of every buffer: those of the inputs that a variant is given lie in the host's
 * memory, with what the set has, the others are `places`. *ret_any is false where they do not,
 * because there are none, or too large ones, or no such memory. Waits for the device when the shape
 * had another seed before. CUresult. */
int remote_inputs(struct session *s, const struct dataset *set, const struct place *places,
		  struct place *ret, bool *ret_any);

void remotes_release(struct session *s); /* while the session still has its problem */

#endif
