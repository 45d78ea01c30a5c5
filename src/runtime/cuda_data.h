#ifndef RUNTIME_CUDA_DATA_H
#define RUNTIME_CUDA_DATA_H

#include "runtime/cuda_session.h"

/*
 * Data sets: the inputs of one shape for one seed, and what every reference makes of them.
 */

/* Loads the references' code. ERR_FAILED or ERR_MISSING names the reference. */
int references_load(struct session *s, struct err *e);
void references_unload(struct session *s);

/* Fills and uploads. ERR_FULL when the device's memory does not suffice. Errors name shape and
 * seed; so do those of dataset_expect. */
int dataset_fill(struct session *s, int shape, uint64_t seed, struct dataset *ret, struct err *e);

/* Runs the references. ERR_FAILED names the one that fails, faults, gives NaN, writes where it must
 * not or does not give the same bits twice. */
int dataset_expect(struct session *s, struct dataset *set, struct err *e);
void dataset_release(struct session *s, struct dataset *d);

/* The stored set of a shape and seed, or NULL. */
const struct dataset *dataset_find(const struct session *s, int shape, uint64_t seed);

/* The set of a shape for a seed that is not the problem's: made when it is first asked for, kept
 * until another fresh seed comes. */
int dataset_fresh(struct session *s, int shape, uint64_t seed, const struct dataset **ret,
		  struct err *e);

#endif
