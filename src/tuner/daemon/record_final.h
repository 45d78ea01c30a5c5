#ifndef DAEMON_RECORD_FINAL_H
#define DAEMON_RECORD_FINAL_H

#include "runtime/paired.h"
#include "tuner/daemon/record.h"

/*
 * What is measured of a run beside its trials, as rows: the final between its elites, and the
 * baseline along the way. Trials are named by their no.
 */
struct finalist_record {
	int64_t trial;
	int64_t row; /* id of the trial whose measurement the search knew: equal ones share it */
	bool elite;  /* false: a baseline that is there for comparison only */
	bool tied;   /* with the winner; true of the winner */
	enum outcome outcome;
	char *detail;			      /* why it is not ok, and so out; NULL: it is */
	double penalty;			      /* its score is p50 times this */
	double p50_ns, ci_low_ns, ci_high_ns; /* 0: it is out */
	double spread;			      /* deviation over rounds, as a share */
	struct paired ratio; /* of its score over the winner's; rounds is not stored */
};

struct final_time {
	int step, round;
	int64_t trial;
	int shape;
	double p50_ns;
};

struct final_record {
	int64_t id; /* row */
	int64_t run;
	int64_t trials; /* of the run then */
	int device;
	uint64_t seed; /* of the inputs */
	int rounds;
	bool settled;	       /* false: it ended by the limit of rounds */
	int64_t baseline;      /* trial; 0: none */
	int64_t winner;	       /* trial; 0: no finalist was found correct again */
	struct paired speedup; /* ratio 0: unknown */
	double began_at, ended_at;
	struct finalist_record *finalists; /* the winner first, those out last */
	int n;
	struct final_time *times;
	int n_times;
};
void final_record_release(struct final_record *f);

struct drift_record {
	int64_t id, run;
	int device;
	int64_t trials; /* told when it was asked for */
	double at;
	double p50_ns, ci_low_ns, ci_high_ns; /* as of a trial */
	struct clocks clocks;
};

#endif
