#ifndef SEARCH_DRAW_H
#define SEARCH_DRAW_H

#include "tuner/search/cursor.h"

/*
 * Completes a configuration at random: parameters in `open` are drawn anew, the others stay as they
 * are in `config`. Backtracks; false when nothing legal was found within `steps` bindings. `config`
 * is written on success only.
 *
 * `avoid` is a parameter in `open` that must not keep its position, -1: none.
 */
struct draw {
	uint64_t open; /* bit i: parameter i */
	int avoid;
	uint64_t steps;
};
bool draw_fill(const struct space *s, struct rng *r, const struct draw *d, uint16_t *config);

#endif
