#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include "base/json.h"
#include "tuner/cli/stored.h"

/*
 * Runs and trials as JSON documents with everything in them: what `show --json` and `export` print,
 * and from which `show` makes its text. What is not known is null.
 */

/* Settings, environment, counts, where the time went, the best trial's number. */
int report_run(struct stored *s, cJSON **ret, struct err *e);

/* Row (see top.h), outcome, log, PTXAS, timings with samples, checks, clocks, phases. One with
 * number 0 comes of no search (see evaluate.h). */
cJSON *report_trial(struct stored *s, const struct trial_record *t);

/* Why no more samples were taken: "settled" (the interval of the median was narrow enough), "limit"
 * (of samples), "aborted" (clearly slower than the best), "fixed" (event mode); NULL: unknown. */
const char *report_stop(const struct stored *s, const struct timing *t);

/* One with everything; no 0: the best. ERR_FAILED when there is no best, ERR_MISSING when there is
 * no such trial. */
int report_find(struct stored *s, int64_t no, struct trial_record *ret, struct err *e);

#endif
