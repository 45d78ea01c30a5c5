#ifndef CLI_LIVE_H
#define CLI_LIVE_H

#include "base/json.h"
#include "base/str.h"
#include "tuner/daemon/record.h"

/*
 * What is known of a run that is being followed, and the line that shows it. Pure: fed with the
 * daemon's events, it never reads a clock or prints.
 */
struct live {
	int64_t run;
	char state[24]; /* of the last run event */
	char phase[24]; /* what a running one does; "": not said */
	char reason[400];
	int64_t done, budget;
	int64_t best; /* trial; 0: none */
	double best_us, speedup, rate_per_s;
	int64_t failures[OUTCOME_COUNT];
};

void live_init(struct live *l, int64_t run, int64_t budget);
void live_summary(struct live *l,
		  const struct run_summary *s); /* where it stands, from the store */

/* One notification. True: it was about this run. Unknown members are passed over, since a newer
 * daemon may say more. */
bool live_event(struct live *l, const cJSON *event);
bool live_ended(const struct live *l); /* done, failed or cancelled */

/* done/budget, rate, best so far and its speed-up, failures by kind, time left; without newline. */
void live_line(const struct live *l, struct str *ret);

#endif
