#ifndef RUNTIME_CUDA_PLACE_H
#define RUNTIME_CUDA_PLACE_H

#include "runtime/cuda_session.h"

/*
 * Where buffers are on the device, and launching kernels on them.
 */
struct place {
	cuda_ptr at;
	int64_t bytes, count;
};

static inline bool buffer_is_output(const struct problem_buffer *b)
{
	return b->role == BUFFER_OUT || b->role == BUFFER_INOUT;
}

/* Which buffers a launch is given: a variant its arguments and every output, a reference all. The
 * former lie in front in the arena, and nothing behind them is restored or looked at for it. */
enum scope { SCOPE_VARIANT, SCOPE_REFERENCE };
bool buffer_in_scope(const struct problem *p, int buffer, enum scope scope);

/* ERR_INVALID when the shape's bytes overflow. */
int layout_init(struct layout *l, const struct problem *p, int shape, struct err *e);
void layout_release(struct layout *l);
int64_t layout_guard(const struct layout *l, int buffer); /* where the one before it may begin */

/* Every buffer of the shape for this launch; reserves its scratch. Writes n_buffers places.
 * CUresult: CUDA_OUT_OF_MEMORY when the scratch does not fit. */
int cuda_place(struct session *s, int shape, const struct launch *l, struct place *ret);

/* Queues what makes the arena ready for a launch of round 0: image, poison, scratch with its
 * guards; or of a later one of the same set: whatever a launch may write. What it may not is left
 * as it is, and shows in that round too. CUresult. */
int cuda_restore(struct session *s, const struct dataset *set, const struct place *places,
		 enum scope scope, int round);

/* Queues copies of the outputs to the same offsets from base. CUresult. */
int cuda_keep_outputs(struct session *s, int shape, const struct place *places, cuda_ptr base);

/* A launch with its arguments worked out, to be queued any number of times. */
struct cuda_call {
	struct cuda_function *function;
	const struct launch *launch; /* borrowed */
	uint64_t *values;
	void **arguments;
};

void cuda_call_init(struct cuda_call *c, struct cuda_function *function,
		    const struct problem_argument *arguments, int n, const struct launch *launch,
		    const struct place *places);
void cuda_call_release(struct cuda_call *c);
int cuda_call_go(struct session *s, const struct cuda_call *c); /* CUresult */

/* Lets blocks use the launch's dynamic shared memory. CUresult. */
int cuda_allow_shared(struct session *s, struct cuda_function *f, int64_t bytes);

#endif
