#ifndef SEARCH_METRIC_H
#define SEARCH_METRIC_H

#include "tuner/search/space.h"

/*
 * How far configurations are apart: the sum over parameters of 0.4 [they differ] + 0.6 |distance on
 * a line from 0 to 1|. Numbers lie on it by their value, by its logarithm where a list of positive
 * numbers spans a factor of four or more; text values are all 1 apart.
 */
struct metric {
	int n;
	struct metric_param {
		float differ; /* for being different at all */
		float line;   /* for the distance on the line */
		float *place; /* of each position */
	} * param;
};

void metric_init(struct metric *m, const struct space *s);
void metric_release(struct metric *m);

float metric_distance(const struct metric *m, const uint16_t *a, const uint16_t *b);

/* Whether the values of a parameter are numbers in rising or falling order, so that the next
 * position is a small step. */
bool metric_ordered(const struct space *s, int param);

#endif
