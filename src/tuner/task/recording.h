#ifndef TASK_RECORDING_H
#define TASK_RECORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "tuner/search/space.h"

/*
 * A recorded search space: what became of every legal configuration when someone measured them all,
 * and how long that took. It is what `replay` answers a search from. Read from
 *
 *   - Kernel Tuner cache files, closed or still open, cut in the middle of a record, with errors
 *     under "__error__" or, as older versions have it, in place of the objective;
 *   - T4 results, with a T1 description for the parameters and the order of their values, or
 *     without: the values are then those that occur;
 *   - searchbench-task-1 replay tasks, which bring a budget.
 *
 * Each of them may be packed by gzip or xz. Configurations that broke a constraint are left out, so
 * the space is restricted to what was really tried; the others that failed are in it as failures.
 */
struct recorded {
	char *key;	  /* as in a Kernel Tuner cache: the values, separated by commas */
	bool ok;	  /* it has a value */
	bool compiled;	  /* false: the compiler refused it */
	double value;	  /* of the objective, > 0, as recorded; only if ok */
	double compile_s; /* what trying it once takes, in seconds (or in the file's cost unit) */
	double measure_s; /* verifying it and timing it */
};

struct recording {
	const char *format; /* "Kernel Tuner cache" */
	char *kernel, *device, *objective;
	bool higher; /* larger values are better */
	struct space *space;
	size_t n;
	uint16_t *config;	/* n rows of space_params(space) positions, in the file's order */
	struct recorded *entry; /* n */
	size_t *order;		/* rows in lexicographic order */
	char **text[SPACE_PARAMS_MAX]; /* of each value, as a key has it */
	bool has_budget, has_seed;
	int64_t max_evals, min_evals; /* with a budget: stop after max_evals, or once at least */
	double max_cost;	      /* min_evals were made and cost more than max_cost */
	uint64_t seed;
};

/* t1: the T1 file of T4 results; NULL: one that lies beside them and is named like them. Errors
 * name the file and the member. */
int recording_load(const char *path, const char *t1, struct recording **ret, struct err *e);
void recording_free(struct recording *r); /* accepts NULL */

size_t recording_find(const struct recording *r, const uint16_t *config);    /* n: not in it */
double recording_score(const struct recording *r, const struct recorded *x); /* less is better */
size_t recording_best(const struct recording *r); /* n: everything failed */

#endif
