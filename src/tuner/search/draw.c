#include "tuner/search/draw.h"

#include <string.h>

/* A random order of n positions that needs no memory: a start and a stride without a common
 * divisor with n. */
struct order {
	int n;
	int at;
	int stride;
	int left;
};

static int common_divisor(int a, int b)
{
	while (b) {
		int rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

static struct order order_new(struct rng *r, int n)
{
	struct order o = { .n = n, .left = n, .stride = 1 };

	o.at = (int)rng_below(r, (uint64_t)n);
	if (n > 2) {
		do {
			o.stride = 1 + (int)rng_below(r, (uint64_t)n - 1);
		} while (common_divisor(n, o.stride) != 1);
	}
	return o;
}

static int order_next(struct order *o)
{
	int at = o->at;

	o->at = (at + o->stride) % o->n;
	o->left--;
	return at;
}

static struct order order_of(const struct space *s, struct rng *r, const struct draw *d, int param,
			     const uint16_t *config)
{
	if (d->open >> param & 1)
		return order_new(r, s->param[param].n);
	return (struct order){ .n = 1,
			       .at = config[param],
			       .left = config[param] < s->param[param].n };
}

bool draw_fill(const struct space *s, struct rng *r, const struct draw *d, uint16_t *config)
{
	struct order order[SPACE_PARAMS_MAX];
	struct cursor c;
	int depth = 0;

	if (s->n == 0)
		return false;
	cursor_init(&c, s);
	order[0] = order_of(s, r, d, 0, config);
	while (depth >= 0 && c.tested < d->steps) {
		int position;

		if (order[depth].left == 0) {
			depth--;
			continue;
		}
		position = order_next(&order[depth]);
		if (depth == d->avoid && position == config[depth])
			continue;
		if (!cursor_bind(&c, depth, position))
			continue;
		if (++depth == s->n) {
			memcpy(config, c.config, (size_t)s->n * sizeof *config);
			return true;
		}
		order[depth] = order_of(s, r, d, depth, config);
	}
	return false;
}
