#ifndef DAEMON_STOP_H
#define DAEMON_STOP_H

#include "base/json.h"
#include "tuner/daemon/record.h"

/* The rules that end a run before its budget is spent: running time, trials without a better
 * result, a target that was reached, in time or as a share of the roofline (runtime/roofline.h). */

/* Why the rules end it now, as people are told; NULL: they do not. free(). */
char *stop_reason(const struct run_record *r, const struct run_summary *s, double active_s);

/* A new value for each; below 0 it stays as it is, 0 lifts the rule. The budget cannot be 0. */
struct stop_change {
	int64_t budget, no_gain;
	double time_limit_s, target_ns, target_share; /* one target takes the other's place */
};
extern const struct stop_change stop_unchanged;
void stop_apply(const struct stop_change *c, struct run_record *r);

/* Refuses a share of the roofline where there is none: the task says nothing of its work, or its
 * runtime measures nothing. Looks at the task's text, its name, the runtime and the target. */
int stop_check(const struct run_record *r, struct err *e);

/* Reads the STOP_KEYS that are given. */
#define STOP_KEYS "budget", "time_limit_s", "stop_after_no_gain", "target_us", "target_percent"
int stop_read(const struct json_node *params, struct stop_change *ret, struct err *e);

#endif
