#ifndef RUNTIME_CUDA_TURNS_H
#define RUNTIME_CUDA_TURNS_H

#include "runtime/cuda_place.h"

/*
 * Launches in turn on copies of what a variant is given, of which there are so many that the cache
 * has lost one by the time it comes up again: twice the cache's size in all, at least 2, at most
 * TURNS_MAX (buffers of which so many fit in the cache stay there). Scratch is shared.
 */
enum { TURNS_MAX = 1000 };

struct turns {
	struct cuda_call *calls;
	int n;
	int next;
};

/* Lays the copies out and fills them from the set. CUresult; to be released whatever it is. */
int turns_init(struct turns *t, struct session *s, const struct dataset *set,
	       struct cuda_function *function, const struct launch *l, const struct place *places);
void turns_release(struct turns *t);

int turns_go(struct turns *t, struct session *s); /* CUresult */

#endif
