#include "tuner/search/rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

uint64_t rows_hash(const uint16_t *config, int width)
{
	uint64_t h = 0xcbf29ce484222325u; /* FNV-1a by position, then mixed into the low bits */

	for (int i = 0; i < width; i++)
		h = (h ^ config[i]) * 0x100000001b3u;
	h ^= h >> 32;
	h *= 0x9e3779b97f4a7c15u;
	return h ^ (h >> 29);
}

static int compare(const void *a, const void *b, void *width)
{
	const uint16_t *x = a;
	const uint16_t *y = b;

	for (int i = 0; i < *(int *)width; i++)
		if (x[i] != y[i])
			return x[i] < y[i] ? -1 : 1;
	return 0;
}

const uint16_t *rows_at(const struct rows *x, size_t i)
{
	return x->row + i * (size_t)x->width;
}

/* Where `config` is in the table, or the empty slot where it belongs. */
static size_t find_slot(const struct rows *x, const uint16_t *config)
{
	size_t bytes = (size_t)x->width * sizeof *config;
	size_t i = rows_hash(config, x->width) & (x->n_slot - 1);

	while (x->slot[i] && memcmp(rows_at(x, x->slot[i] - 1), config, bytes) != 0)
		i = (i + 1) & (x->n_slot - 1);
	return i;
}

struct rows *rows_new(const uint16_t *row, size_t n, int width)
{
	size_t bytes = (size_t)width * sizeof *row;
	struct rows *x = mem_alloc(sizeof *x);

	x->width = width;
	x->row = mem_copy(row, n * bytes);
	qsort_r(x->row, n, bytes, compare, &x->width);
	for (x->n_slot = 64; x->n_slot < 2 * n;)
		x->n_slot *= 2;
	x->slot = mem_array(x->n_slot, sizeof *x->slot);
	for (size_t i = 0; i < n; i++) {
		const uint16_t *config = rows_at(x, i);
		size_t slot = find_slot(x, config);

		if (x->slot[slot])
			continue;
		memmove(x->row + x->n * (size_t)width, config, bytes);
		x->slot[slot] = (uint32_t)++x->n;
	}
	return x;
}

void rows_free(struct rows *x)
{
	if (!x)
		return;
	free(x->row);
	free(x->slot);
	free(x);
}

bool rows_find(const struct rows *x, const uint16_t *config)
{
	return x->slot[find_slot(x, config)] != 0;
}

size_t rows_bound(const struct rows *x, size_t low, size_t high, int column, int position)
{
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (rows_at(x, middle)[column] < position)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
