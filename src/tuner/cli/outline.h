#ifndef CLI_OUTLINE_H
#define CLI_OUTLINE_H

#include "base/clock.h"
#include "tuner/cli/stored.h"

/*
 * What exchange formats say of a run apart from its trials: kernel, device, objective, problem
 * size, parameters and their values, as a recording without entries. An imported run has its own,
 * which is thereby written as it was read; of any other the objective is "time", and the problem
 * size that of its timed shape, unknown where there are several. recording_free it.
 */
int outline_of(struct stored *s, struct recording **ret, struct err *e);

/* A trial in the terms of those formats. Times are milliseconds; strings are borrowed. */
struct outlined {
	uint16_t config[SPACE_PARAMS_MAX];
	bool ok;
	double time_ms;		      /* as recorded, or the p50 of one that is ours */
	const struct timing *samples; /* NULL: none, or of several shapes */
	double compile_ms, verify_ms, benchmark_ms, search_ms, framework_ms;
	char at[CLOCK_ISO_MAX]; /* "": not known */
};
int outline_trial(const struct stored *s, const struct recording *r, const struct trial_record *t,
		  struct outlined *ret, struct err *e);

/* A trial as an object of JSON. */
typedef cJSON *outline_json(const struct recording *r, const struct trial_record *t,
			    const struct outlined *x);
/* Appends every trial of the run with everything, in their order, each in a line of its own with
 * commas between. With `keyed` each has its configuration's key before it, as in a cache of Kernel
 * Tuner. ERR_FAILED: there is none. */
int outline_write(struct stored *s, const struct recording *r, outline_json *json, bool keyed,
		  struct str *ret, struct err *e);

#endif
