#include "tuner/daemon/verdicts.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct entry {
	struct verdict verdict;
	char key[HASH_HEX];
};

struct verdicts {
	struct entry **table; /* open addressing, linear probing; at most half full */
	size_t size, used;    /* size is a power of two */
};

enum { FIRST_SIZE = 64 };

/* The key is a hash already: its first digits are as good as any. */
static size_t start_of(const struct verdicts *v, const char *key)
{
	char digits[16];

	memcpy(digits, key, sizeof digits - 1);
	digits[sizeof digits - 1] = '\0';
	return (size_t)strtoull(digits, NULL, 16) & (v->size - 1);
}

static struct entry **place_of(const struct verdicts *v, const char *key)
{
	size_t i = start_of(v, key);

	while (v->table[i] && strcmp(v->table[i]->key, key) != 0)
		i = (i + 1) & (v->size - 1);
	return &v->table[i];
}

static void widen(struct verdicts *v)
{
	struct entry **old = v->table;
	size_t n = v->size;

	v->size *= 2;
	v->table = mem_array(v->size, sizeof(struct entry *));
	for (size_t i = 0; i < n; i++)
		if (old[i])
			*place_of(v, old[i]->key) = old[i];
	free(old);
}

struct verdicts *verdicts_new(void)
{
	struct verdicts *v = mem_alloc(sizeof *v);

	v->size = FIRST_SIZE;
	v->table = mem_array(v->size, sizeof(struct entry *));
	return v;
}

void verdicts_free(struct verdicts *v)
{
	if (!v)
		return;
	for (size_t i = 0; i < v->size; i++) {
		if (v->table[i])
			verdict_release(&v->table[i]->verdict);
		free(v->table[i]);
	}
	free(v->table);
	free(v);
}

struct verdict *verdicts_find(const struct verdicts *v, const char *key)
{
	struct entry *e = *place_of(v, key);

	return e ? &e->verdict : NULL;
}

struct verdict *verdicts_add(struct verdicts *v, const char *key, const struct verdict *d)
{
	struct verdict *known = verdicts_find(v, key);
	struct entry *e;

	if (known)
		return known;
	if (v->used * 2 >= v->size)
		widen(v);
	v->used++;
	e = mem_alloc(sizeof *e);
	memcpy(e->key, key, sizeof e->key);
	verdict_copy(d, &e->verdict);
	*place_of(v, key) = e;
	return &e->verdict;
}
