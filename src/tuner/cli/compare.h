#ifndef CLI_COMPARE_H
#define CLI_COMPARE_H

#include "runtime/paired.h"
#include "tuner/cli/compare_side.h"

/*
 * How long A takes next to B: by new measurements in rounds of both, taken by one worker with one
 * set of buffers, or from what the database has.
 */
struct compare_plan {
	int rounds_max;
	double precision; /* see paired_settled; 0: take all rounds */
	uint64_t seed;	  /* of the inputs that both are verified with first; not 0 */
	const char *nvrtc;
	bool mode_given; /* time both in this mode, and not in the task's */
	enum timing_mode mode;
};

struct comparison {
	struct paired ratio; /* rounds is 0 from the store */
	double coverage;     /* of the ratio's interval, at least: 0.95 */
	double p50_ns[2];    /* of A and B, over the timed shapes as the objective combines them */
	enum timing_mode mode;
	enum timing_l2 l2;
	double *times_ns[2]; /* owned: the medians of every round; NULL from the store */
	double *sm_mhz[2];   /* owned: the SM clock of every round; not above 0: unknown */
	double timing_ms[2]; /* that the device spent on timing, a round: the median */
};
void comparison_release(struct comparison *c);

/* ERR_INVALID: they are not of one problem, or cannot be timed in that mode. ERR_FAILED: one does
 * not build, or is not correct. *ret is to be released. */
int compare_measured(struct compare_side sides[2], const struct compare_plan *plan,
		     struct comparison *ret, struct err *e);

/*
 * The two trials as they were measured. They were not interleaved: what drifted between them is
 * part of the ratio and not of its interval, which runs from the lower end of A over the upper end
 * of B to the opposite and covers at least 90 % (Bonferroni's inequality for two of 95 %).
 */
int compare_stored(struct compare_side sides[2], struct comparison *ret, struct err *e);

#endif
