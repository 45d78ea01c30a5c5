#ifndef RUNTIME_FILL_H
#define RUNTIME_FILL_H

#include <stdint.h>

#include "base/err.h"
#include "runtime/problem.h"

/*
 * The content of a buffer of one shape for one seed, the same on every machine: each block of 65536
 * elements draws from a stream of its own, keyed by the buffer's name and the block's place, so
 * that cores can share the work. `out` holds shape.buffers[buffer].count elements of the buffer's
 * type; earlier[i] is buffer i as already filled, for i < buffer, and is looked at only where the
 * fill says `of`.
 *
 * FILL_QUANTISED_U8 is unsigned 8-bit, linear and symmetric about 128, one scale for each `group`
 * consecutive elements (the last group may be short): u = clamp(round(127 x / absmax + 128), 0,
 * 255), rounded half away from zero, where absmax is the group's largest |x|, or 1 where that is
 * 1e-6 or less, so that an all-zero group is exactly 128. FILL_ABSMAX writes that same absmax, one
 * element a group. FILL_NONE leaves out as it is. Fails on files, and on a group or an `of` that
 * does not fit its buffer (ERR_INVALID).
 */
int fill_buffer(const struct problem *p, int shape, int buffer, uint64_t seed, void *const *earlier,
		void *out, struct err *e);

#endif
