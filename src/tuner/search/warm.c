#include "tuner/search/warm.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tuner/search/metric.h"

/* The best of a search are much alike, and much alike wrong elsewhere. */
static const float apart_a_param = 0.15F;

void warm_init(struct warm *w, const struct space *s, const uint16_t *fallback, int limit)
{
	*w = (struct warm){ .space = s, .fallback = fallback, .limit = limit };
	w->config = mem_array((size_t)limit * (size_t)space_params(s) + 1, sizeof *w->config);
	w->metric = mem_alloc(sizeof *w->metric);
	metric_init(w->metric, s);
	for (int i = 0; i < space_params(s); i++)
		w->apart += space_values(s, i) > 1 ? apart_a_param : 0;
}

void warm_release(struct warm *w)
{
	free(w->past);
	free(w->past_config);
	free(w->config);
	metric_release(w->metric);
	free(w->metric);
}

void warm_begin(struct warm *w)
{
	memcpy(w->now, w->fallback, (size_t)space_params(w->space) * sizeof *w->now);
	w->known = 0;
	w->changed = false;
}

/* How far numbers are apart: by their ratio where both are positive. Other values never match. */
static double gap(double a, double b)
{
	if (isnan(a) || isnan(b))
		return HUGE_VAL;
	return a > 0 && b > 0 ? fabs(log(a / b)) : fabs(a - b);
}

/* -1: none is a number. */
static int nearest(const struct space *s, int param, const struct value *v)
{
	double least = HUGE_VAL;
	int best = -1;

	for (int i = 0; i < space_values(s, param); i++) {
		double d = gap(value_number(space_value(s, param, i)), value_number(v));

		if (d < least) {
			least = d;
			best = i;
		}
	}
	return best;
}

void warm_value(struct warm *w, const char *name, const struct value *v)
{
	int param = space_find(w->space, name);
	int position;

	if (param < 0)
		return;
	position = space_position(w->space, param, v);
	if (position < 0) {
		w->changed = true;
		position = nearest(w->space, param, v);
	}
	if (position < 0)
		return;
	w->now[param] = (uint16_t)position;
	w->known++;
}

static bool is_near(const struct warm *w, const uint16_t *config)
{
	size_t width = (size_t)space_params(w->space);

	for (int i = 0; i < w->n; i++)
		if (metric_distance(w->metric, w->config + (size_t)i * width, config) <= w->apart)
			return true;
	return false;
}

/* Repairs draw the same numbers for the same configuration. */
static bool mend(struct warm *w)
{
	struct rng r;

	if (space_legal(w->space, w->now))
		return true;
	rng_init(&r, 0, space_hash(w->space, w->now));
	w->changed = true;
	return space_repair(w->space, &r, w->now);
}

bool warm_end(struct warm *w)
{
	int params = space_params(w->space);

	if (w->n == w->limit)
		return false;
	if (2 * w->known < params || !mend(w)) {
		w->dropped++;
		return true;
	}
	if (!is_near(w, w->now)) {
		memcpy(w->config + (size_t)w->n * (size_t)params, w->now,
		       (size_t)params * sizeof *w->now);
		w->mended += w->changed || w->known < params;
		w->n++;
	}
	return w->n < w->limit;
}

void warm_tell(struct warm *w, bool ok, double score)
{
	size_t params = (size_t)space_params(w->space), n = (size_t)w->n_past;

	if (2 * w->known < (int)params)
		return;
	w->past = mem_grow(w->past, n + 1, sizeof *w->past);
	w->past_config = mem_grow(w->past_config, (n + 1) * params, sizeof *w->past_config);
	w->past[n] = (struct observation){ NULL, ok, score };
	memcpy(w->past_config + n * params, w->now, params * sizeof *w->now);
	w->n_past++;
}

void warm_thin(struct warm *w, int limit)
{
	for (int i = 0; i < w->n_past; i++)
		w->past[i].config = w->past_config + (size_t)i * (size_t)space_params(w->space);
	w->n_past = observation_thin(w->past, w->n_past, limit);
}
