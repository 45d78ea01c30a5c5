#include "tuner/cli/inert.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/rng.h"

struct inert {
	int params;
	int n;
	uint64_t *values; /* n rows of params hashes */
	uint64_t *artifacts;
};

/* A trial as one parameter sees it. */
struct seen {
	uint64_t rest; /* hash of all other values */
	uint64_t artifact;
};

struct inert *inert_new(int params)
{
	struct inert *x = mem_alloc(sizeof *x);

	x->params = params;
	return x;
}

void inert_free(struct inert *x)
{
	if (!x)
		return;
	free(x->values);
	free(x->artifacts);
	free(x);
}

void inert_add(struct inert *x, const char *const *values, const char *artifact)
{
	size_t rows = (size_t)x->n + 1;

	if (x->n == INERT_TRIALS_MAX)
		return;
	x->values = mem_grow(x->values, rows * (size_t)x->params, sizeof *x->values);
	x->artifacts = mem_grow(x->artifacts, rows, sizeof *x->artifacts);
	for (int i = 0; i < x->params; i++)
		x->values[(size_t)x->n * (size_t)x->params + (size_t)i] = rng_stream_of(values[i]);
	x->artifacts[x->n++] = rng_stream_of(artifact);
}

static uint64_t hash_without(const struct inert *x, int row, int param)
{
	const uint64_t *v = x->values + (size_t)row * (size_t)x->params;
	uint64_t h = 0;

	for (int i = 0; i < x->params; i++) {
		h = (h ^ (i == param ? 0 : v[i])) * 0x9e3779b97f4a7c15u;
		h ^= h >> 29;
	}
	return h;
}

static int by_rest(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;

	return (x->rest > y->rest) - (x->rest < y->rest);
}

bool inert_is(const struct inert *x, int param)
{
	struct seen *s = mem_array((size_t)x->n + 1, sizeof *s);
	bool pairs = false, same = true;

	for (int i = 0; i < x->n; i++)
		s[i] = (struct seen){ hash_without(x, i, param), x->artifacts[i] };
	qsort(s, (size_t)x->n, sizeof *s, by_rest);
	for (int i = 1; i < x->n && same; i++) {
		if (s[i].rest != s[i - 1].rest)
			continue;
		pairs = true;
		same = s[i].artifact == s[i - 1].artifact;
	}
	free(s);
	return pairs && same;
}
