#include "tuner/search/catalog.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { LIST_MAX = 1000000 };

void catalog_init(struct catalog *c, const struct space *s)
{
	*c = (struct catalog){ .space = s };
	c->row = space_list(s, LIST_MAX, &c->n_row);
	if (!c->row)
		return;
	c->n_left = c->n_row;
	c->left = mem_array(c->n_row, sizeof *c->left);
	c->place = mem_array(c->n_row, sizeof *c->place);
	for (uint64_t i = 0; i < c->n_row; i++)
		c->left[i] = c->place[i] = (uint32_t)i;
}

void catalog_release(struct catalog *c)
{
	free(c->row);
	free(c->left);
	free(c->place);
}

static int compare(const uint16_t *a, const uint16_t *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	return 0;
}

/* The row of `config`, n_row when it is not listed. */
static uint64_t find_row(const struct catalog *c, const uint16_t *config)
{
	size_t width = (size_t)space_params(c->space);
	uint64_t low = 0;
	uint64_t high = c->n_row;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		int order = compare(c->row + middle * width, config, width);

		if (order == 0)
			return middle;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return c->n_row;
}

void catalog_take(struct catalog *c, const uint16_t *config)
{
	uint64_t row = c->row ? find_row(c, config) : c->n_row;
	uint32_t last;

	if (row == c->n_row || c->place[row] >= c->n_left)
		return;
	last = c->left[--c->n_left];
	c->left[c->place[row]] = last;
	c->left[c->n_left] = (uint32_t)row;
	c->place[last] = c->place[row];
	c->place[row] = (uint32_t)c->n_left;
}

bool catalog_draw(const struct catalog *c, struct rng *r, uint16_t *ret)
{
	size_t width = (size_t)space_params(c->space);

	if (!c->row)
		return space_sample(c->space, r, ret);
	if (c->n_left == 0)
		return false;
	memcpy(ret, c->row + c->left[rng_below(r, c->n_left)] * width, width * sizeof *ret);
	return true;
}
