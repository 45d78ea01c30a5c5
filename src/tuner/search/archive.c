#include "tuner/search/archive.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void archive_init(struct archive *a, const struct space *s, int elite_k)
{
	*a = (struct archive){ .space = s, .elite_k = elite_k, .n_slot = 256 };
	a->elite = mem_array((size_t)elite_k + 1, sizeof *a->elite);
	a->slot = mem_array(a->n_slot, sizeof *a->slot);
}

void archive_release(struct archive *a)
{
	for (int i = 0; i < a->n; i++)
		free(a->member[i].config);
	free(a->member);
	free(a->elite);
	free(a->by_ask);
	free(a->slot);
}

static size_t config_bytes(const struct archive *a)
{
	return (size_t)space_params(a->space) * sizeof(uint16_t);
}

/* Where `config` is in the table, or the empty slot where it belongs. */
static size_t find_slot(const struct archive *a, const uint16_t *config)
{
	size_t i = space_hash(a->space, config) & (a->n_slot - 1);

	while (a->slot[i] && memcmp(a->member[a->slot[i] - 1].config, config, config_bytes(a)) != 0)
		i = (i + 1) & (a->n_slot - 1);
	return i;
}

int archive_find(const struct archive *a, const uint16_t *config)
{
	return (int)a->slot[find_slot(a, config)] - 1;
}

static void grow_slots(struct archive *a)
{
	free(a->slot);
	a->n_slot *= 2;
	a->slot = mem_array(a->n_slot, sizeof *a->slot);
	for (int i = 0; i < a->n; i++)
		a->slot[find_slot(a, a->member[i].config)] = (uint32_t)i + 1;
}

static struct member *add(struct archive *a, const uint16_t *config)
{
	struct member *m;

	if ((size_t)a->n * 2 >= a->n_slot)
		grow_slots(a);
	if ((a->n & (a->n - 1)) == 0)
		a->member = mem_grow(a->member, a->n ? 2 * (size_t)a->n : 1, sizeof *a->member);
	a->slot[find_slot(a, config)] = (uint32_t)a->n + 1;
	m = &a->member[a->n++];
	*m = (struct member){ .config = mem_copy(config, config_bytes(a)), .ask = -1 };
	a->n_pending++;
	return m;
}

struct member *archive_ask(struct archive *a, const uint16_t *config, int generation)
{
	struct member *m = add(a, config);

	if ((a->n_ask & (a->n_ask - 1)) == 0)
		a->by_ask =
			mem_grow(a->by_ask, a->n_ask ? 2 * (size_t)a->n_ask : 1, sizeof *a->by_ask);
	a->by_ask[a->n_ask] = a->n - 1;
	m->ask = a->n_ask++;
	m->generation = generation;
	return m;
}

static bool better(const struct archive *a, const struct member *x, const struct member *y)
{
	int params = space_params(a->space);

	if (x->score != y->score)
		return x->score < y->score;
	for (int i = 0; i < params; i++)
		if (x->config[i] != y->config[i])
			return x->config[i] < y->config[i];
	return false;
}

static void rank(struct archive *a, int member)
{
	int at = a->n_elite;

	while (at > 0 && better(a, &a->member[member], &a->member[a->elite[at - 1]])) {
		a->elite[at] = a->elite[at - 1];
		at--;
	}
	a->elite[at] = member;
	if (a->n_elite < a->elite_k)
		a->n_elite++;
}

static int member_of(struct archive *a, const struct told *t)
{
	int i;

	if (t->ask >= 0)
		return t->ask < a->n_ask ? (int)a->by_ask[t->ask] : -1;
	assert(t->config);
	i = archive_find(a, t->config);
	if (i >= 0)
		return i;
	add(a, t->config);
	return a->n - 1;
}

const struct member *archive_tell(struct archive *a, const struct told *t)
{
	int i = member_of(a, t);
	struct member *m;

	if (i < 0 || a->member[i].state != MEMBER_PENDING)
		return NULL;
	m = &a->member[i];
	m->state = t->ok ? MEMBER_OK : MEMBER_FAILED;
	m->score = t->score;
	a->n_pending--;
	a->n_told += m->ask >= 0;
	if (t->ok)
		rank(a, i);
	return m;
}
