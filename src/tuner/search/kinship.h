#ifndef SEARCH_KINSHIP_H
#define SEARCH_KINSHIP_H

#include "tuner/search/strategy.h"

/*
 * Names the operator that makes a configuration of the elites, and its parents: the one chosen by a
 * model from all legal configurations has a lineage like one that was bred. A crossover takes each
 * parameter from one of two elites; otherwise a neighbour differs from an elite in one parameter, a
 * mutant in two; anything else is an immigrant. The best elite that it fits wins.
 */
void kinship_find(const struct archive *a, struct draft *d);

#endif
