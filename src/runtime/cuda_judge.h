#ifndef RUNTIME_CUDA_JUDGE_H
#define RUNTIME_CUDA_JUDGE_H

#include "runtime/cuda_compare.h"
#include "runtime/cuda_trial.h"

/*
 * The checks of a trial between what is queued (cuda_check.c) and what is made of it
 * (cuda_judge.c).
 *
 * A check is one shape and seed. It has rounds: launches, each with restored buffers before it, and
 * looked at and compared after it. The first rounds run alone, the next beside a crowd, the last on
 * inputs that lie in the host's memory.
 */
enum part { ALONE, CROWDED, REMOTE, PARTS };

struct checking {
	const struct dataset *set;
	const struct place *places; /* borrowed */
	int first_round[PARTS];	    /* of each part */
	int n_rounds[PARTS];	    /* as many as were run in the end */
	int segments;		    /* the first; guards, then inputs, then outputs of round 0 */
	int n_guards, n_inputs, n_same;
	int flags;	 /* the first; a round has one for each segment */
	int comparisons; /* the first; a round has one for each reference and output */
};

struct checks {
	struct trial *t;
	int *outputs; /* buffers */
	int n_outputs;
	struct worklist work;
	struct checking *all;
	int n;
};

int checking_segments(const struct checking *c);	/* how many */
int checking_flag(const struct checking *c, int round); /* the first of a round */
int checking_comparison(const struct checks *x, const struct checking *c, int round, int reference,
			int output); /* output: index into x->outputs */

/* Adds the rows of every check up to the first that fails; ends the trial there. 0 or 1. */
int judge_checks(const struct checks *x, const struct findings *found);

/* After the rows are written, of a part of one check: a row that fails in another way than is
 * written takes the place of the row, after mark has said in it how that was found. 0 or 1. */
int judge_again(const struct checks *x, const struct checking *c, const struct findings *found,
		enum part part, void (*mark)(struct check *row));

#endif
