#ifndef SEARCH_COUNT_H
#define SEARCH_COUNT_H

#include "tuner/search/cursor.h"

/* How many configurations of a space are legal. */

/* False: more than `steps` bindings would be needed. */
bool count_exact(const struct space *s, uint64_t steps, double *ret);

/* The mean of random probes, each a path down the tree of bindings whose weight is the product of
 * the choices it had (Knuth, "Estimating the efficiency of backtrack programs", 1975). */
double count_estimate(const struct space *s, int probes);

#endif
