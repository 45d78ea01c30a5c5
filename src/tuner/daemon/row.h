#ifndef DAEMON_ROW_H
#define DAEMON_ROW_H

#include "tuner/daemon/record_final.h"
#include "tuner/daemon/trial.h"

/* From a finished trial to what is stored and told of it, and back from rows to verdicts. */

/* Takes what it can from t, which is freed. no, ask and asked_before are the record's own. */
void row_from_trial(struct trial *t, struct trial_record *ret);

/* What a stored row says, for trials with the same binary. */
/* ret is released first. */
void row_verdict(const struct trial_record *row, struct verdict *ret);

/* Counts a trial in the run's figures, as the database would. */
void row_count(struct run_summary *s, const struct trial_record *row, bool baseline);

/* Sets speedup from best and baseline. */
void row_speedup(struct run_summary *s);
/* The final's winner is the best from now on. */
void row_final(struct run_summary *s, const struct final_record *f);

/* Body of the event that tells of the trial; free(). */
char *row_event(const struct trial_record *row, const struct run_summary *after, int64_t budget,
		double rate_per_s);
/* Body of the event that tells of a run's state; phase is what an active one does, or NULL. free()
 */
char *row_run_event(const struct run_record *r, const struct run_summary *s, const char *phase);

#endif
