#ifndef SEARCH_SEARCH_H
#define SEARCH_SEARCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "tuner/search/observation.h"
#include "tuner/search/setting.h"
#include "tuner/search/space.h"

/*
 * The optimiser: ask for a configuration, tell what became of it. Pure: no I/O, no clock, and the
 * same seed with the same sequence of asks and tells gives the same proposals on any machine.
 * Proposal n draws its randomness from stream n of the seed. Nothing of it is ever saved; a resumed
 * run replays its stored asks and tells into a new one.
 *
 * Up to W proposals may be outstanding; they may be told in any order. No configuration is proposed
 * twice in one search, nor one that was told without having been asked (history).
 */
enum search_op {
	SEARCH_OP_SEED,	  /* the baseline or a preset */
	SEARCH_OP_SPREAD, /* initial design */
	SEARCH_OP_MUTATE,
	SEARCH_OP_CROSSOVER,
	SEARCH_OP_NEIGHBOUR,
	SEARCH_OP_IMMIGRANT, /* random, to keep the search from closing in */
	SEARCH_OP_RANDOM,
	SEARCH_OP_NEXT, /* the next one in order */
	SEARCH_OP_WARM, /* taken from an earlier search */
	SEARCH_OP_COUNT
};
const char *search_op_name(enum search_op op);
int search_op_parse(const char *name, enum search_op *ret);

struct search_options {
	const char *strategy; /* see search_strategy_name; NULL: the first one, "full" */
	uint64_t seed;
	int elite_k;	       /* 0: the strategy's default (6) */
	int outstanding;       /* W: how many proposals may be in flight; at least 1 */
	const uint16_t *first; /* n_first configurations to propose first, in order; borrowed */
	int n_first;
	int n_warm; /* so many at the end of `first` come from an earlier search */
	const struct observation *past; /* n_past results of it, borrowed: see prior.h */
	int n_past;
	const struct settings *settings; /* borrowed; NULL: the defaults */
};

struct proposal {
	int64_t ask;	  /* 0, 1, 2, ... */
	uint16_t *config; /* borrowed from the search, until it is freed */
	enum search_op op;
	int64_t parents[2]; /* asks of its parents; -1: none */
	int generation;	    /* 1 + the highest of its parents; 0 without */
};

struct told {
	int64_t ask;		/* -1: history, not asked for in this search */
	const uint16_t *config; /* needed for history; otherwise may be NULL */
	bool ok;
	double score; /* smaller is better, > 0; only if ok */
};

struct search;

/* Errors name the strategy or the option. The space is borrowed. */
int search_new(const struct space *s, const struct search_options *o, struct search **ret,
	       struct err *e);
void search_free(struct search *x); /* accepts NULL */

/* False: the space is exhausted, or nothing new was found within a bounded effort. */
bool search_ask(struct search *x, struct proposal *ret);
void search_tell(struct search *x, const struct told *t);

int64_t search_asked(const struct search *x);
int64_t search_told(const struct search *x);
/* Asks of the elites, best first; at most n, returns how many. History has ask < 0 and is left out.
 */
int search_elites(const struct search *x, int64_t *ret, int n);

/* Name and one-line help of strategy i; NULL past the last. */
const char *search_strategy_name(int i);
const char *search_strategy_help(int i);
/* ERR_INVALID when there is none of this name; the message lists them. NULL is the first one. */
int search_strategy_check(const char *name, struct err *e);
/* What elite_k 0 stands for; 0 when there is no such strategy. */
int search_default_elites(const char *strategy);

#endif
