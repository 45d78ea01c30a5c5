#ifndef SEARCH_SPACE_H
#define SEARCH_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"
#include "tuner/search/expr.h"

/*
 * A search space: parameters with value lists, and constraints. A configuration is one position
 * for each parameter, `const uint16_t[space_params(s)]`, positions into its value list.
 *
 * A constraint is tested as soon as its last parameter is bound, so that enumerating walks only
 * what can still be legal. A constraint whose evaluation fails (division by zero, overflow) counts
 * as not met.
 */
enum { SPACE_PARAMS_MAX = 64, SPACE_VALUES_MAX = 4096 };

struct space;

struct space *space_new(void);
void space_free(struct space *s); /* accepts NULL */

/* Values are copied, text too. Errors: too many, a name or a value twice, none at all. */
int space_add_param(struct space *s, const char *name, const struct value *values, int n,
		    struct err *e);
/* Names are parameters first, then what `constants` knows (may be NULL). */
int space_add_constraint(struct space *s, const char *text, expr_lookup *constants, void *ctx,
			 struct err *e);

/*
 * Makes the legal set an explicit list, as of a recorded space: n configurations, row by row,
 * copied; duplicates count once. Parameters and constraints come before it; errors name the first
 * row that breaks one of them.
 */
int space_restrict(struct space *s, const uint16_t *rows, size_t n, struct err *e);

int space_params(const struct space *s);
const char *space_name(const struct space *s, int param);
int space_find(const struct space *s, const char *name); /* -1: no such parameter */
int space_values(const struct space *s, int param);
const struct value *space_value(const struct space *s, int param, int position);
int space_position(const struct space *s, int param, const struct value *v); /* -1: not in it */

double space_cartesian(const struct space *s); /* product of the list lengths */
bool space_legal(const struct space *s, const uint16_t *config);
/* Text of the first constraint not met, NULL when legal. */
const char *space_violated(const struct space *s, const uint16_t *config);
void space_bind(const struct space *s, const uint16_t *config, struct value *ret); /* n values */

/*
 * Walks the legal configurations in lexicographic order; visit returns false to stop.
 * Returns false when it was stopped, by visit or after `steps` tested bindings (0: no limit).
 */
typedef bool space_visit(void *ctx, const uint16_t *config);
bool space_walk(const struct space *s, uint64_t steps, space_visit *visit, void *ctx);

/*
 * How many legal configurations there are. Exact when the walk ends within `steps` bindings;
 * otherwise an estimate by Knuth's method of random probes ("Estimating the efficiency of
 * backtrack programs", 1975) and *ret_exact is false.
 */
double space_count(const struct space *s, uint64_t steps, bool *ret_exact);

/* A random legal configuration by randomised backtracking: works on spaces too large to list.
 * Not exactly uniform. False: none was found within a bounded effort. */
bool space_sample(const struct space *s, struct rng *r, uint16_t *ret);

/* A random legal configuration that differs from `config` in 1..distance parameters. */
bool space_neighbour(const struct space *s, struct rng *r, const uint16_t *config, int distance,
		     uint16_t *ret);

/* Repairs an illegal configuration by re-drawing as few parameters as it can; false: gave up. */
bool space_repair(const struct space *s, struct rng *r, uint16_t *config);

uint64_t space_hash(const struct space *s, const uint16_t *config);

/* All legal configurations, if at most `limit`; NULL when more, or when finding them takes over
 * 3e7 bindings (a second or so). Row i at ret + i * params; the caller's to free(). */
uint16_t *space_list(const struct space *s, uint64_t limit, uint64_t *ret_count);

#endif
