#ifndef TASK_RECORDING_H
#define TASK_RECORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/json.h"
#include "runtime/outcome.h"
#include "tuner/search/space.h"

/*
 * A recorded search space: what became of every legal configuration when someone measured them all,
 * and how long that took. It is what `replay` answers a search from and what `import` makes a run
 * of. Read from
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
struct recorded_metric {
	char *name;
	double value; /* in the file's own unit */
};

enum { RECORDED_SAMPLES_MAX = 4096 };

struct recorded {
	char *key;	      /* as in a Kernel Tuner cache: the values, separated by commas */
	bool ok;	      /* it has a value */
	enum outcome outcome; /* of one that is not ok: the nearest to what the file says */
	double value;	      /* of the objective, > 0, as recorded; only if ok */
	double compile_s;     /* what trying it once takes, in seconds (or the file's cost unit) */
	double measure_s;     /* verifying it and timing it */
	double verify_s;      /* of measure_s */
	double search_s;
	double time_ns;	   /* of one launch, as a rule the mean of the samples; 0: not recorded */
	double *sample_ns; /* n_samples: those after RECORDED_SAMPLES_MAX are not read */
	int n_samples;
	struct recorded_metric *metrics; /* n_metrics: all other figures */
	int n_metrics;
	int64_t at_ms; /* when it was recorded, Unix milliseconds; 0: the file does not say */
};

struct recording {
	const char *format; /* "Kernel Tuner cache" */
	char *kernel, *device, *objective;
	bool higher;	    /* larger values are better */
	char *problem_size; /* JSON, as a Kernel Tuner cache has it; NULL: not said */
	struct space *space;
	size_t n;
	uint16_t *config;	/* n rows of space_params(space) positions, in the file's order */
	struct recorded *entry; /* n */
	size_t *order;		/* rows in lexicographic order */
	char **text[SPACE_PARAMS_MAX]; /* of each value, as a key has it */
	char hash[HASH_HEX];	       /* of what was read, unpacked; a T1 file counts */
	size_t n_illegal;	       /* configurations left out: they broke a constraint */
	size_t n_dropped;	       /* bytes of an unfinished record at the end, left out */
	uint16_t *defaults; /* a configuration: what T1 gives every parameter; NULL: not all have
			       one */
	bool has_budget, has_seed;
	int64_t max_evals, min_evals; /* with a budget: stop after max_evals, or once at least */
	double max_cost;	      /* min_evals were made and cost more than max_cost */
	uint64_t seed;
};

/* False: it never came to be measured. */
static inline bool recorded_compiled(const struct recorded *x)
{
	return x->outcome != OUTCOME_COMPILE_ERROR && x->outcome != OUTCOME_COMPILE_TIMEOUT;
}

/* t1: the T1 file of T4 results; NULL: one that lies beside them and is named like them. Errors
 * name the file and the member. */
int recording_load(const char *path, const char *t1, struct recording **ret, struct err *e);
void recording_free(struct recording *r); /* accepts NULL */

/* Without its entries: what it is of, as one line of JSON; free(). And back from that: a recording
 * of no entries, whose space has all combinations. */
char *recording_describe(const struct recording *r);
int recording_described(const char *json, struct recording **ret, struct err *e);

/* A parameter's values as the file had them, 1.0 and true included; cJSON_Delete. */
cJSON *recording_values(const struct recording *r, int param); /* a list */
cJSON *recording_value_json(const struct recording *r, int param, int at);

/* Whether every record of a Kernel Tuner cache may have a member of this name, which then cannot be
 * a parameter's. */
bool recording_kt_member(const char *name);

/* A member of a record, or a measurement, that names the outcome of a failure more exactly than the
 * formats can. Ours has it. */
#define RECORDED_OUTCOME "evo_tuned_outcome"

size_t recording_find(const struct recording *r, const uint16_t *config);    /* n: not in it */
double recording_score(const struct recording *r, const struct recorded *x); /* less is better */
size_t recording_best(const struct recording *r);    /* n: everything failed */
double recording_optimum(const struct recording *r); /* its score; infinite: everything failed */

#endif
