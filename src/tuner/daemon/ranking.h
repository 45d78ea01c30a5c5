#ifndef DAEMON_RANKING_H
#define DAEMON_RANKING_H

#include "tuner/daemon/store.h"

/*
 * A run's correct trials, best first: by the search's score, until there is a final of these very
 * trials. Then the elites come first, as the final has placed them, and all others after them. What
 * the final has found incorrect is left out, with all trials of the same binary.
 */

/* x is what the final says of the row's binary; NULL: nothing. */
typedef int ranking_on_row(void *ctx, const struct trial_record *t, const struct finalist_record *x,
			   struct err *e);

struct ranking_to {
	ranking_on_row *on_row;
	void *ctx;
	int64_t k; /* rows at most */
};

/* f is the newest final of the run (see store_final). */
int ranking_each(struct store *s, const struct run_summary *sum, const struct final_record *f,
		 const struct ranking_to *to, struct err *e);

#endif
