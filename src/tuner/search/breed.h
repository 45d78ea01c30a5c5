#ifndef SEARCH_BREED_H
#define SEARCH_BREED_H

#include "tuner/search/insight.h"

/*
 * The operators: how a new configuration is made of one or two others. Children are legal; they may
 * be known already. False: nothing legal was found within a bounded effort.
 */
struct breeder {
	const struct space *space;     /* borrowed */
	const struct insight *insight; /* borrowed */
	bool *ordered;		       /* by parameter: neighbouring positions are alike */
};

void breeder_init(struct breeder *b, const struct space *s, const struct insight *insight);
void breeder_release(struct breeder *b);

/* Gives `count` parameters another value. Half of the time both choices follow the insights:
 * parameters that matter, values that did well and did not fail. */
bool breed_mutate(const struct breeder *b, struct rng *r, const uint16_t *parent, int count,
		  uint16_t *ret);

/* Each parameter, or a run of neighbouring ones (which task files tend to group by their role),
 * comes from the second parent. */
bool breed_cross(const struct breeder *b, struct rng *r, const uint16_t *first,
		 const uint16_t *second, uint16_t *ret);

/* The same without runs and without insights. */
bool breed_cross_evenly(const struct space *s, struct rng *r, const uint16_t *first,
			const uint16_t *second, uint16_t *ret);

/* A rank below n >= 1: i is drawn in proportion to n - i, so that better ones become parents more
 * often. */
int breed_rank(struct rng *r, int n);

/* Moves one parameter to the nearest legal position up or down its list; any other position where
 * the list has no order. */
bool breed_step(const struct breeder *b, struct rng *r, const uint16_t *parent, uint16_t *ret);

#endif
