#ifndef SEARCH_MODEL_H
#define SEARCH_MODEL_H

#include "tuner/search/archive.h"
#include "tuner/search/catalog.h"
#include "tuner/search/prior.h"

/*
 * A Gaussian process of the trials of an archive, pending ones taken for what it expects of them,
 * and its candidates: every legal configuration where they are few enough, otherwise a pool that
 * the caller breeds when asked to. It serves the first MODEL_TRIALS trials; its cost grows with
 * them, and after as many the best region is known.
 */
enum { MODEL_TRIALS = 224, MODEL_LISTED_MAX = 20000, MODEL_POOL = 4096 };

struct model;

/* All borrowed; a prior, which may be NULL, is what the process has for its mean at first. */
struct model *model_new(const struct space *s, const struct catalog *c, const struct prior *p);
void model_free(struct model *m); /* accepts NULL */

bool model_serves(const struct model *m, const struct archive *a);

/* Takes in what became known; now and then learns its kernel anew. */
void model_follow(struct model *m, const struct archive *a);

/* Whether the pool is stale. If so, it is emptied, and the caller adds about MODEL_POOL. */
bool model_wants_pool(struct model *m, const struct archive *a);
void model_add_candidate(struct model *m, const uint16_t *config);

/* The most promising configuration that is not in the archive; false: none promises anything. */
bool model_choose(struct model *m, const struct archive *a, uint16_t *ret);

#endif
