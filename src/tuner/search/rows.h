#ifndef SEARCH_ROWS_H
#define SEARCH_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A set of configurations of the same width, in lexicographic order, each once. Sorted rows are a
 * tree of prefixes: those that share one are a range.
 */
struct rows {
	uint16_t *row;
	size_t n;
	int width;
	uint32_t *slot; /* hash table: 1 + row */
	size_t n_slot;
};

struct rows *rows_new(const uint16_t *row, size_t n, int width); /* copies; n < 2^30 */
void rows_free(struct rows *x);					 /* accepts NULL */

bool rows_find(const struct rows *x, const uint16_t *config);
const uint16_t *rows_at(const struct rows *x, size_t i);

/* The first row of the range [low, high), whose rows agree before `column`, that has at least
 * `position` there. */
size_t rows_bound(const struct rows *x, size_t low, size_t high, int column, int position);

uint64_t rows_hash(const uint16_t *config, int width);

#endif
