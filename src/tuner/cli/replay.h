#ifndef CLI_REPLAY_H
#define CLI_REPLAY_H

#include "tuner/cli/replay_log.h"
#include "tuner/search/setting.h"
#include "tuner/task/recording.h"

/*
 * Runs a search over a recorded space on a virtual clock. The daemon's scheduler decides what is
 * compiled and measured when; compile workers and the device are simulated, each busy for as long
 * as the recording says. Only the search itself is real, and its cost is real time.
 */
struct replay_options {
	const char *strategy; /* NULL: the default one */
	const uint16_t *warm; /* n_warm configurations to begin with; NULL: none */
	int n_warm;
	const struct observation *past; /* n_past results of the search that they are of */
	int n_past;
	const struct settings *settings; /* NULL: the defaults */
	uint64_t seed;
	int elite_k; /* 0: the strategy's default */
	int jobs;    /* compile workers beside one device; 0: a trial begins when the last one ended
		      */
	int64_t max_evals, min_evals; /* as in struct recording */
	double max_cost;
	bool until_optimum;	/* end once the recording's best was evaluated */
	struct replay_log *log; /* NULL: none is kept */
};

struct replay_result {
	size_t *order; /* entries of the recording in the order told */
	size_t n;
	size_t n_failed;
	size_t best; /* an entry; the recording's n: none is ok */
	double virtual_s;
	double search_s; /* real time spent in the search */
};

int replay_run(const struct recording *r, const struct replay_options *o, struct replay_result *ret,
	       struct err *e);
void replay_result_release(struct replay_result *x);

#endif
