#ifndef RUNTIME_HOST_SESSION_H
#define RUNTIME_HOST_SESSION_H

#include <stdbool.h>
#include <stddef.h>

#include "runtime/host_call.h"
#include "runtime/runtime.h"

/*
 * A problem laid out in memory for the host runtime. Each buffer of a shape has one zone that
 * kernels work on. Guard bytes fill its pages up before and behind the buffer, and a megabyte of
 * no access lies around those: a small overrun is seen and a large one faults. A case is what
 * belongs to one seed: the inputs as filled and the outputs as each reference gives them.
 */
struct host_zone {
	char *map; /* NULL: not there */
	size_t map_len;
	char *data;
	size_t bytes;
	size_t before, behind; /* guard bytes */
};

struct host_case {
	uint64_t seed;
	void **inputs;	 /* one a buffer; NULL for out and scratch */
	void **expected; /* references by buffers; NULL but for out and inout. NULL: not checked */
};

struct host_stage { /* one a shape */
	struct host_zone *zones;
	struct host_case *cases; /* one a seed where the shape is checked, else of the first; then,
				  * where it is timed, one of verify_other_seed's */
	int n_cases;
};

struct session {
	const struct problem *p;
	struct host_stage *stages;
	char *flush; /* walked through to empty the caches; NULL: not needed */
	size_t flush_bytes;
};

int host_session_open(int ordinal, const struct problem *p, struct session **ret, struct err *e);
void host_session_close(struct session *s);

/* Fills inputs and, where `check` says so, runs the references. */
int host_case_init(struct session *s, int shape, uint64_t seed, bool check, struct host_case *ret,
		   struct err *e);
void host_case_release(const struct session *s, struct host_case *c);
const struct host_case *host_case_find(const struct session *s, int shape, uint64_t seed);

/* Gives scratch zones the sizes that a launch asks for. ERR_FAILED when there is no such memory. */
int host_stage_scratch(struct session *s, int shape, const struct launch *l, struct err *e);
/* Inputs as in the case, outputs and scratch poisoned for round 0 or 1, guards restored. */
void host_stage_reset(struct session *s, int shape, const struct host_case *c, int round);
/* Inputs as in the case, all else as it is. */
void host_stage_fill(struct session *s, int shape, const struct host_case *c);
bool host_guards_intact(const struct session *s, int shape);
bool host_inputs_intact(const struct session *s, int shape, const struct host_case *c);
bool host_is_output(const struct problem *p, int buffer); /* out or inout */

/* The array that host_call_run takes, as one block; free(). */
void **host_arguments(const struct session *s, int shape, const struct problem_argument *arguments,
		      int n, const struct launch *l);

#endif
