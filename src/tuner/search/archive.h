#ifndef SEARCH_ARCHIVE_H
#define SEARCH_ARCHIVE_H

#include <stddef.h>

#include "tuner/search/search.h"

/*
 * Everything a search knows: what was proposed, what was told, in the order it arrived, and the
 * elites among it. Each configuration is in it once.
 */
enum member_state { MEMBER_PENDING, MEMBER_OK, MEMBER_FAILED };

struct member {
	uint16_t *config;
	enum member_state state;
	double score;
	int64_t ask; /* -1: history */
	int generation;
};

struct archive {
	const struct space *space; /* borrowed */
	struct member *member;
	int n;
	int n_pending;
	int *elite; /* members, best first; ties by configuration */
	int n_elite;
	int elite_k;
	int64_t *by_ask; /* member of ask i */
	int64_t n_ask;
	int64_t n_told;
	uint32_t *slot; /* hash table: 1 + member */
	size_t n_slot;
};

void archive_init(struct archive *a, const struct space *s, int elite_k);
void archive_release(struct archive *a);

int archive_find(const struct archive *a, const uint16_t *config); /* -1: not in it */

/* A proposal: it takes the next ask and is pending. Must not be in it yet. */
struct member *archive_ask(struct archive *a, const uint16_t *config, int generation);

/* What became of a proposal, or history. A second result for one configuration is ignored. Returns
 * the member that was settled, NULL: none. */
const struct member *archive_tell(struct archive *a, const struct told *t);

#endif
