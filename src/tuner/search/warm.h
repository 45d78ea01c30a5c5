#ifndef SEARCH_WARM_H
#define SEARCH_WARM_H

#include "tuner/search/observation.h"
#include "tuner/search/space.h"

/*
 * Configurations of an earlier search carried over to a space that may be another one: other
 * shapes, another device, other values. They are offered best first and mapped parameter by
 * parameter. A value that the space does not have becomes the nearest number; text, and a parameter
 * that the earlier search did not have, take the fallback's value; what is then not legal is
 * repaired. A configuration of which fewer than half of the parameters are known is dropped. All of
 * this is the same wherever and whenever it is done. Of those that are near one another only the
 * first is taken.
 */
struct warm {
	const struct space *space; /* borrowed */
	const uint16_t *fallback;  /* borrowed; a legal configuration, the baseline say */
	struct metric *metric;
	float apart;	  /* those taken are farther apart than this */
	uint16_t *config; /* n rows */
	int n, limit;
	int mended;		  /* of the n: not as they were */
	int dropped;		  /* of those offered */
	struct observation *past; /* what was told, once warm_thin was called */
	uint16_t *past_config;	  /* n_past rows */
	int n_past;
	/* The one that is being mapped. */
	uint16_t now[SPACE_PARAMS_MAX];
	int known;
	bool changed;
};

void warm_init(struct warm *w, const struct space *s, const uint16_t *fallback, int limit);
void warm_release(struct warm *w);

/* One configuration: begin, a value for each of its parameters, end. False: enough were taken. */
void warm_begin(struct warm *w);
void warm_value(struct warm *w, const char *name, const struct value *v);
bool warm_end(struct warm *w);

/* Ended so, a configuration is none to begin with but a result of the earlier search: the mapping
 * is the same, but what is not legal here stays as it is. */
void warm_tell(struct warm *w, bool ok, double score);
/* All was told: leaves the results that say most, at most `limit`, in w->past. */
void warm_thin(struct warm *w, int limit);

#endif
