#ifndef CLI_TOP_H
#define CLI_TOP_H

#include <stdio.h>

#include "base/json.h"
#include "tuner/cli/standing.h"
#include "tuner/cli/stored.h"

/*
 * A run's best configurations, from the database: the table that `top` prints and with which
 * `start`, `resume` and `watch` end, and the same as JSON.
 */
struct top_row {
	int64_t no;
	char *config;	 /* JSON */
	char *gates;	 /* JSON list of the soft gates that it misses: "registers 130 over 128" */
	double score_ns; /* what the rank is by: p50 times 1 + penalty for each missed gate */
	double p50_ns, ci_low_ns, ci_high_ns;
	double speedup;			/* over the baseline; 0: unknown */
	int64_t registers, spill_bytes; /* -1: unknown */
	int64_t shared_bytes;		/* static and, where the task can be bound, dynamic */
	char artifact[HASH_HEX];
	enum trial_origin origin;
	bool stands; /* where it does under the roofline is known: one shape is timed */
	struct standing standing;
	const struct finalist_record *final; /* of its binary; NULL: it was not in the final */
};

struct top {
	struct top_row *rows;
	int n;
	struct final_record final; /* which rows point into; id 0: none */
};

/* As ranking.h has them. */
int top_read(struct stored *s, int64_t k, struct top *ret, struct err *e);
void top_release(struct top *t);

/* Figures of one trial; *ret holds copies. Binds the task for the launch's shared memory when it
 * is not bound yet; one that cannot be bound any more is no error. */
void top_row_of(struct stored *s, const struct trial_record *t, struct top_row *ret);
void top_row_release(struct top_row *r);

void top_print(const struct top *t, FILE *to);
cJSON *top_json(const struct top *t); /* a list */

/* What the table does not say, on stderr: how missed soft gates count, and which parameters never
 * changed the binary. */
int top_tell(struct stored *s, const struct top *t, struct err *e);

#endif
