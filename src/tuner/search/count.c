#include "tuner/search/count.h"

static bool tally(void *ctx, const uint16_t *config)
{
	(void)config;
	*(double *)ctx += 1;
	return true;
}

bool count_exact(const struct space *s, uint64_t steps, double *ret)
{
	double n = 0;

	if (!space_walk(s, steps, tally, &n))
		return false;
	*ret = n;
	return true;
}

/* How many positions of `param` can be bound; one of them, chosen evenly, is bound on return. */
static int descend(struct cursor *c, int param, struct rng *r)
{
	int chosen = -1;
	int choices = 0;

	for (int i = 0; i < c->s->param[param].n; i++)
		if (cursor_bind(c, param, i) && rng_below(r, (uint64_t)++choices) == 0)
			chosen = i;
	if (chosen >= 0)
		cursor_bind(c, param, chosen);
	return choices;
}

double count_estimate(const struct space *s, int probes)
{
	double sum = 0;
	struct cursor c;
	struct rng r;

	cursor_init(&c, s);
	rng_init(&r, 0, rng_stream_of("count_estimate"));
	for (int i = 0; i < probes; i++) {
		double weight = 1;

		for (int param = 0; param < s->n && weight > 0; param++)
			weight *= descend(&c, param, &r);
		sum += weight;
	}
	return sum / probes;
}
