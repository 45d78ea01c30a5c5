#ifndef CLI_DRIFT_H
#define CLI_DRIFT_H

#include "base/json.h"
#include "base/str.h"
#include "tuner/cli/stored.h"

/*
 * How far the machine moved while a run went on: the baseline's times along the way (see
 * daemon/run_drift.c) beside its first on the same device. That is the baseline's trial, or the
 * first look where the trial was measured elsewhere.
 */
struct drift {
	struct drift_record *rows;
	int n;
	int worst;    /* row of the largest deviation; -1: no row has a first to compare with */
	double share; /* of that row: its time over the first, less 1 */
	double clock; /* the same of its SM clock, which explains it or not; NaN: unknown */
	/* Some row's interval does not meet that of the first and its time is more than
	 * CONTEST_MARGIN away, by which single measurements of one kernel differ. */
	bool beyond_noise;
};

/* Rows are taken over. baseline may be of another device (-1: of none), as of a stored result. */
void drift_judge(struct drift_record *rows, int n, const struct drift_record *baseline,
		 struct drift *ret);
void drift_release(struct drift *d);

int drift_read(struct stored *s, struct drift *ret, struct err *e);
cJSON *drift_json(const struct drift *d);
/* Adds "measured 6 times more, at most +0.21 % off its first (...)"; nothing where there are no
 * looks, or the database cannot be read. True: the deviation is beyond the noise. */
bool drift_tell(struct stored *s, struct str *ret);

#endif
