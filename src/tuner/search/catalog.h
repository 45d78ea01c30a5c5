#ifndef SEARCH_CATALOG_H
#define SEARCH_CATALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tuner/search/space.h"

/*
 * Random legal configurations. A space that can be listed is, and what has been taken is never
 * drawn again; of a larger one, samples are drawn.
 */
struct catalog {
	const struct space *space; /* borrowed */
	uint16_t *row;		   /* in lexicographic order; NULL: too many to list */
	uint64_t n_row;
	uint32_t *left;	 /* rows in any order, those not taken first */
	uint32_t *place; /* of each row in `left` */
	uint64_t n_left;
};

void catalog_init(struct catalog *c, const struct space *s);
void catalog_release(struct catalog *c);

void catalog_take(struct catalog *c, const uint16_t *config);

/* False: none is left, or sampling found none. A sample may be one that was taken. */
bool catalog_draw(const struct catalog *c, struct rng *r, uint16_t *ret);

#endif
