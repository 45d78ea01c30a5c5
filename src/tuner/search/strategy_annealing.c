#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tuner/search/strategy.h"

/*
 * Simulated annealing (Kirkpatrick, Gelatt and Vecchi, "Optimization by simulated annealing",
 * Science 1983), for comparison, with the schedule and the acceptance by relative loss of Kernel
 * Tuner (van Werkhoven, FGCS 2019): T from 1 by a factor of 0.995 a move down to 0.001. A move to a
 * configuration that is known already is decided at once and costs nothing. A move takes parameters
 * to neighbouring positions, one in five a single one to anywhere. With several results
 * outstanding, each is decided against where the walk stands when it arrives.
 */
enum {
	MOVES = 200, /* without meeting anything new, then the walk starts elsewhere */
	TRIES = 20,  /* of a move until it is legal */
};

struct annealing {
	bool begun;
	int at;	   /* member of the archive where the walk stands, -1: nowhere */
	int *open; /* members that were proposed and are not decided */
	int n_open;
	double temperature;
	int refused; /* moves in a row */
};

static void *start(const struct strategy_view *v)
{
	struct annealing *x = mem_alloc(sizeof *x);

	x->at = -1;
	x->temperature = v->settings->value[SETTING_ANNEALING_TEMPERATURE];
	return x;
}

static void stop(void *self)
{
	struct annealing *x = self;

	free(x->open);
	free(x);
}

static void start_elsewhere(struct annealing *x, const struct strategy_view *v)
{
	x->at = -1;
	x->refused = 0;
	x->temperature = v->settings->value[SETTING_ANNEALING_TEMPERATURE];
}

static bool accepts(const struct annealing *x, const struct archive *a, const struct member *m,
		    struct rng *r)
{
	double loss;

	if (m->state != MEMBER_OK)
		return false;
	if (x->at < 0)
		return true;
	loss = m->score / a->member[x->at].score - 1;
	return loss <= 0 || rng_unit(r) < exp(-loss / x->temperature);
}

static void decide(struct annealing *x, const struct strategy_view *v, int member, struct rng *r)
{
	const double *set = v->settings->value;

	if (accepts(x, v->archive, &v->archive->member[member], r)) {
		x->at = member;
		x->refused = 0;
	} else {
		x->refused++;
	}
	x->temperature *= set[SETTING_ANNEALING_COOLING];
	if (x->temperature < set[SETTING_ANNEALING_COLD] ||
	    x->refused >= (int)set[SETTING_ANNEALING_STUCK])
		start_elsewhere(x, v);
}

static void decide_settled(struct annealing *x, const struct strategy_view *v, struct rng *r)
{
	int n = x->n_open;

	x->n_open = 0;
	for (int i = 0; i < n; i++) {
		if (v->archive->member[x->open[i]].state == MEMBER_PENDING)
			x->open[x->n_open++] = x->open[i];
		else
			decide(x, v, x->open[i], r);
	}
}

/* Every parameter keeps its position or moves to the next one. False: no such move was found. */
static bool move_next(const struct space *s, struct rng *r, const uint16_t *from, uint16_t *ret)
{
	for (int try = 0; try < TRIES; try++) {
		bool moved = false;

		for (int i = 0; i < space_params(s); i++) {
			int to = from[i] + (int)rng_below(r, 3) - 1;

			if (to < 0 || to >= space_values(s, i))
				to = from[i];
			moved |= to != from[i];
			ret[i] = (uint16_t)to;
		}
		if (moved && space_legal(s, ret))
			return true;
	}
	return false;
}

static bool move(const struct strategy_view *v, struct rng *r, const uint16_t *from, uint16_t *ret)
{
	if (rng_unit(r) >= v->settings->value[SETTING_ANNEALING_JUMPS] &&
	    move_next(v->space, r, from, ret))
		return true;
	return space_neighbour(v->space, r, from, 1, ret);
}

static bool draft_move(struct annealing *x, const struct strategy_view *v, struct rng *r,
		       struct draft *ret)
{
	const struct archive *a = v->archive;

	for (int i = 0; i < MOVES && x->at >= 0; i++) {
		int known;

		if (!move(v, r, a->member[x->at].config, ret->config))
			return false;
		known = archive_find(a, ret->config);
		if (known < 0) {
			ret->op = SEARCH_OP_NEIGHBOUR;
			ret->parents[0] = x->at;
			return true;
		}
		if (a->member[known].state != MEMBER_PENDING)
			decide(x, v, known, r);
	}
	return false;
}

static bool draft(void *self, const struct strategy_view *v, struct rng *r, struct draft *ret)
{
	struct annealing *x = self;

	decide_settled(x, v, r);
	if (!x->begun && v->archive->n_elite > 0) {
		x->at = v->archive->elite[0];
		x->begun = true;
	}
	if (!draft_move(x, v, r, ret)) {
		start_elsewhere(x, v);
		ret->op = SEARCH_OP_RANDOM;
		if (!catalog_draw(v->catalog, r, ret->config))
			return false;
		if (archive_find(v->archive, ret->config) >= 0)
			return true; /* it will not be proposed */
	}
	x->open = mem_grow(x->open, (size_t)x->n_open + 1, sizeof *x->open);
	x->open[x->n_open++] = v->archive->n;
	return true;
}

const struct strategy strategy_annealing = {
	.name = "annealing",
	.help = "simulated annealing, for comparison",
	.elite_k = 6,
	.draws = true,
	.start = start,
	.draft = draft,
	.stop = stop,
};
