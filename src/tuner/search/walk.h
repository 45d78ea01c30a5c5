#ifndef SEARCH_WALK_H
#define SEARCH_WALK_H

#include "tuner/search/cursor.h"

/* A walk over the legal configurations in lexicographic order that can pause after each one. */
struct walk {
	struct cursor cursor;
	int depth;
	int next[SPACE_PARAMS_MAX]; /* position to try at each depth */
	size_t row;		    /* of a restricted space */
};

void walk_init(struct walk *w, const struct space *s);

/* The next one, borrowed until the next call; NULL at the end, or when `steps` bindings have been
 * tested since the start (0: no limit), which walk_paused tells apart. */
const uint16_t *walk_next(struct walk *w, uint64_t steps);
bool walk_paused(const struct walk *w);

#endif
