#ifndef CLI_COMPARE_SIDE_H
#define CLI_COMPARE_SIDE_H

#include "tuner/cli/options.h"
#include "tuner/cli/stored.h"

/*
 * One of the two that `compare` compares: a configuration with its bound task. It is a trial of the
 * database, or a preset of the task that --task names or that the other side's run is of.
 */
struct compare_side {
	char name[80]; /* as people are told it: "3:17", "stage0" */
	char *runtime;
	struct stored stored;	   /* bound; its store is NULL where the task is a file's */
	struct trial_record trial; /* a stored one; run is 0 for a preset */
	uint16_t config[SPACE_PARAMS_MAX];
};

struct compare_where {
	const char *db;
	const char *task; /* --task; NULL: none */
	const struct option_list *shapes;
	const char *nvrtc;
	int device; /* for the task of a file; -1: the first */
};

/* operand: "3" (the run's best trial), "3:17", or a preset's name. other is the other side's. */
int compare_side_open(const struct compare_where *w, const char *operand, const char *other,
		      struct compare_side *ret, struct err *e);
void compare_side_release(struct compare_side *s); /* also of one that is all zero */

#endif
