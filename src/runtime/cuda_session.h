#ifndef RUNTIME_CUDA_SESSION_H
#define RUNTIME_CUDA_SESSION_H

#include <stdbool.h>

#include "runtime/cuda_driver.h"
#include "runtime/host_call.h"
#include "runtime/nvml.h"
#include "runtime/runtime.h"

/*
 * A device opened with a problem: shared by the files of the cuda runtime, and private to them.
 *
 * One arena on the device holds the buffers of whichever shape is being run, each between two
 * guard zones. For every shape and seed there is a data set: an image of the arena as it must be
 * before a launch (inputs filled, outputs poisoned, guards set), which one copy restores, and the
 * outputs that each reference gave.
 */
struct layout {		  /* of one shape in the arena; scratch is placed by cuda_place */
	int64_t *offsets; /* one a buffer, of its data */
	int64_t *bytes;	  /* one a buffer; 0 for scratch */
	int64_t passed;	  /* the front of the arena: all that a variant is given */
	int64_t total;
};

struct dataset {
	int shape;
	uint64_t seed;
	cuda_ptr image;
	cuda_ptr *expected; /* one a reference: its outputs, at their offsets in the layout (which
			     * lie in what is passed). NULL:
			     * the shape is only timed */
};

struct reference_code { /* by its language; all NULL where files give the outputs */
	struct cuda_module *module;
	struct cuda_function *function;
	struct host_call *host;
};

/* Memory that grows to what the largest user needed. */
struct room {
	cuda_ptr at;
	int64_t bytes;
};

struct session {
	const struct problem *p; /* borrowed; NULL: there is none yet */
	struct cuda_driver cu;
	struct device device;
	struct nvml *nvml; /* NULL: none */
	struct cuda_context *context;
	int handle;			    /* the driver's, of the device */
	struct cuda_stream *stream, *aside; /* aside: for crowds, see cuda_crowd.h */
	struct cuda_event *start, *end;
	struct cuda_event *gate;    /* what aside waits for */
	struct cuda_module *module; /* of src/kernels/verify.cu */
	struct cuda_function *compare, *fold, *same, *spin, *stamp, *crowd, *await;
	struct reference_code *references;
	struct layout *layouts; /* one a shape */
	struct room arena, first, scratch, work, results, flush, turns, crowds, far, stamps;
	struct dataset *sets;
	int n_sets;
	char *draft; /* host memory for an image while it is made; NULL: not needed yet */
	int64_t draft_bytes;
	struct dataset *fresh;	/* one a shape, of the latest fresh seed; no image: not made */
	struct remote *remotes; /* one a shape, see cuda_remote.h; NULL: none yet */
	bool poisoned;		/* a kernel faulted: nothing works in this context any more */
};

/* Opens a device, compiles and loads what is run on it beside the kernels of a task, and fills the
 * inputs of a problem; the next cuda_open of this device goes on from there. See runtime.h. */
int cuda_warm(int ordinal, const struct problem *p, struct err *e);
int cuda_open(int ordinal, const struct problem *p, struct session **ret, struct err *e);
void cuda_close(struct session *s);

/* At least bytes, at *r; what was there is lost when it grows. CUresult. */
int room_reserve(struct session *s, struct room *r, int64_t bytes);

/* Names, limits and versions of a device; arch and compiler are left alone. */
int cuda_describe(const struct cuda_driver *cu, int ordinal, struct device *ret, struct err *e);

#endif
