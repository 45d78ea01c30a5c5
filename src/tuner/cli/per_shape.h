#ifndef CLI_PER_SHAPE_H
#define CLI_PER_SHAPE_H

#include "tuner/cli/stored.h"

/*
 * The best configuration of each shape that some runs of one task have timed, for a header that
 * selects by shape. Of a run that timed one shape its best is asked, which its final has named; of
 * one that timed several, any correct trial. Scores decide, so that soft gates count.
 *
 * The default is the configuration that was timed on most of the shapes, and of several the one
 * with the least geometric mean of its times over the best ones.
 */
struct per_shape_entry {	   /* a configuration */
	struct stored *stored;	   /* the run that it is of; borrowed */
	struct trial_record trial; /* with everything */
	uint16_t position[SPACE_PARAMS_MAX];
};

struct per_shape_answer { /* what a shape is answered with */
	char *shape;
	const int64_t *dims; /* borrowed */
	int entry;
	double p50_ns;
};

struct per_shape {
	struct per_shape_entry *entries;
	struct per_shape_answer *answers;
	int n_entries, n_answers, n_dims;
	int by_default; /* an entry */
	int n_timed;	/* shapes that the default was timed on */
};

/* Binds the runs. ERR_INVALID: they are not of one task, source, device and way of timing;
 * ERR_FAILED: one has no correct trial. */
int per_shape_gather(struct stored *runs, int n, struct per_shape *ret, struct err *e);
void per_shape_release(struct per_shape *p); /* also of one that is all zero */

#endif
