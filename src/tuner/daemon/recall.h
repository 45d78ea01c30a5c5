#ifndef DAEMON_RECALL_H
#define DAEMON_RECALL_H

#include "tuner/search/search.h"

/*
 * Puts a fresh search where an interrupted one was. Each stored row says how many proposals had
 * been made when it was told; so asking up to that number and then telling, row by row, repeats the
 * exact sequence. Proposals that were asked but never told were in flight: they come out again, the
 * same, oldest first.
 */
struct recall {
	struct proposal *open; /* asked, not told */
	int n_open, cap;
	int64_t differing; /* rows that this search would not have proposed */
};

struct recall_row {
	int64_t ask, asked_before;
	const uint16_t *config;
	bool ok;
	double score;
};

void recall_init(struct recall *r);
void recall_release(struct recall *r);

/* Rows in the order they were told. A row whose configuration is not what the search proposes now
 * (its code changed since) is told as history and counted in `differing`. */
void recall_row(struct recall *r, struct search *x, int params, const struct recall_row *row);

/* The oldest proposal in flight; false: none is left. */
bool recall_take(struct recall *r, struct proposal *ret);

#endif
