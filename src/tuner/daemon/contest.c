#include "tuner/daemon/contest.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "runtime/stats.h"

static const double speedup_precision = 0.0025, equal_spread = 2;

enum { REST_ROUNDS = 3, BASELINE_ROUNDS = 6 };

struct contest {
	struct contest_entry entries[CONTEST_MAX];
	bool out[CONTEST_MAX];
	int n;
	uint64_t seed;
	double p50_ns[CONTEST_MAX][CONTEST_ROUNDS_MAX];
	int order[CONTEST_MAX];	 /* of this round */
	int round, at;		 /* whole rounds; position in the order */
	int rounds[CONTEST_MAX]; /* whole ones that it took part in */
	bool rests[CONTEST_MAX];
	bool settled, hurried, stopped;
};

/* A Fisher-Yates shuffle from a stream of the round's own. */
static void draw_order(struct contest *c)
{
	struct rng rng;

	rng_init(&rng, c->seed, (uint64_t)c->round);
	for (int i = 0; i < c->n; i++)
		c->order[i] = i;
	for (int i = c->n - 1; i > 0; i--) {
		int k = (int)rng_below(&rng, (uint64_t)i + 1), other = c->order[k];

		c->order[k] = c->order[i];
		c->order[i] = other;
	}
	c->at = 0;
}

struct contest *contest_new(const struct contest_entry *entries, int n, uint64_t seed)
{
	struct contest *c = mem_alloc(sizeof *c);

	assert(n >= 1 && n <= CONTEST_MAX);
	memcpy(c->entries, entries, (size_t)n * sizeof *entries);
	c->n = n;
	c->seed = seed;
	draw_order(c);
	return c;
}

void contest_free(struct contest *c)
{
	free(c);
}

static int rounds_min(const struct contest *c)
{
	int needed = c->n > 1 ? stats_rounds(0.05 / (c->n - 1)) : 0;

	return needed > CONTEST_ROUNDS_MIN ? needed : CONTEST_ROUNDS_MIN;
}

/* --- judging --- */

static double score(const struct contest *c, int entry, int round)
{
	return c->p50_ns[entry][round] * c->entries[entry].penalty;
}

static void scores_of(const struct contest *c, int entry, double ret[CONTEST_ROUNDS_MAX])
{
	for (int r = 0; r < c->rounds[entry]; r++)
		ret[r] = score(c, entry, r);
}

/* The geometric mean of a round's scores, of those who never rested: what a drift of the machine
 * moves. */
static double level(const struct contest *c, int round)
{
	double sum = 0;
	int n = 0;

	for (int i = 0; i < c->n; i++) {
		if (c->out[i] || c->rests[i])
			continue;
		sum += log(score(c, i, round));
		n++;
	}
	return exp(sum / n);
}

/* Of ln(score), so that it is a share. */
static double spread(const struct contest *c, int entry)
{
	double sum = 0;

	for (int r = 1; r < c->rounds[entry]; r++) {
		double step = log(score(c, entry, r) / score(c, entry, r - 1));

		sum += step * step;
	}
	return c->rounds[entry] > 1 ? sqrt(sum / (2 * (c->rounds[entry] - 1))) : 0;
}

struct standing {
	double centre[CONTEST_MAX]; /* of its scores over the round's level */
	double spread[CONTEST_MAX];
	bool tied[CONTEST_MAX];
	int leader, winner; /* -1: none */
	double miss;	    /* of one interval among all */
};

static void place(const struct contest *c, struct standing *s)
{
	double levels[CONTEST_ROUNDS_MAX] = { 0 }, relative[CONTEST_ROUNDS_MAX];

	for (int r = 0; r < c->round; r++)
		levels[r] = level(c, r);
	for (int i = 0; i < c->n; i++) {
		struct stats x;

		if (c->out[i])
			continue;
		for (int r = 0; r < c->rounds[i]; r++)
			relative[r] = score(c, i, r) / levels[r];
		stats_of(relative, c->rounds[i], &x);
		s->centre[i] = x.median;
		s->spread[i] = spread(c, i);
		if (s->leader < 0 || x.median < s->centre[s->leader])
			s->leader = i;
	}
}

/* Rounds that both took part in. */
static int both(const struct contest *c, int a, int b)
{
	return c->rounds[a] < c->rounds[b] ? c->rounds[a] : c->rounds[b];
}

static void against(const struct contest *c, int entry, int other, double miss, struct paired *ret)
{
	double a[CONTEST_ROUNDS_MAX], b[CONTEST_ROUNDS_MAX];

	scores_of(c, entry, a);
	scores_of(c, other, b);
	paired_within(a, b, both(c, entry, other), miss, ret);
}

/* A round or two may be the machine's doing. */
static bool is_far(const struct paired *p)
{
	return p->ci_low >= (p->rounds < REST_ROUNDS ? CONTEST_HOPELESS : CONTEST_FAR);
}

static bool is_slower(const struct contest *c, const struct paired *p)
{
	return p->ci_low > 1 && p->ratio >= 1 + CONTEST_MARGIN &&
	       (p->rounds >= rounds_min(c) || is_far(p));
}

static uint64_t registers_of(const struct contest *c, int i)
{
	return (uint64_t)c->entries[i].registers; /* unknown is most */
}

/* Of two that are tied, does a come before b? */
static bool beats(const struct contest *c, const struct standing *s, int a, int b)
{
	if (registers_of(c, a) != registers_of(c, b))
		return registers_of(c, a) < registers_of(c, b);
	if (s->centre[a] != s->centre[b])
		return s->centre[a] < s->centre[b];
	return c->entries[a].no < c->entries[b].no;
}

static void crown(const struct contest *c, struct standing *s)
{
	double least = s->spread[s->leader], floor = CONTEST_MARGIN / 10;

	if (c->round < rounds_min(c)) { /* too few to judge spreads by */
		s->winner = s->leader;
		return;
	}
	for (int i = 0; i < c->n; i++)
		if (s->tied[i])
			least = fmin(least, s->spread[i]);
	for (int i = 0; i < c->n; i++)
		if (s->tied[i] && s->spread[i] <= equal_spread * fmax(least, floor) &&
		    (s->winner < 0 || beats(c, s, i, s->winner)))
			s->winner = i;
}

static void stand(const struct contest *c, struct standing *ret)
{
	struct paired p;

	*ret = (struct standing){ .leader = -1, .winner = -1 };
	ret->miss = 0.05 / (c->n > 1 ? c->n - 1 : 1);
	if (c->round)
		place(c, ret);
	if (ret->leader < 0)
		return;
	for (int i = 0; i < c->n; i++) {
		if (c->out[i])
			continue;
		against(c, i, ret->leader, ret->miss, &p);
		ret->tied[i] = !is_slower(c, &p);
	}
	crown(c, ret);
}

static void judge_speedup(const struct contest *c, int winner, struct paired *ret)
{
	*ret = (struct paired){ .rounds = 0 };
	for (int i = 0; i < c->n; i++)
		if (c->entries[i].baseline && !c->out[i])
			paired_of(c->p50_ns[i], c->p50_ns[winner], both(c, i, winner), ret);
}

static void fill_place(const struct contest *c, const struct standing *s, int i,
		       struct contest_place *ret)
{
	struct stats x;

	*ret = (struct contest_place){ .entry = i, .out = c->out[i], .tied = s->tied[i] };
	if (c->out[i] || s->winner < 0)
		return;
	stats_of(c->p50_ns[i], c->rounds[i], &x);
	ret->p50_ns = x.median;
	ret->ci_low_ns = x.ci_low;
	ret->ci_high_ns = x.ci_high;
	ret->spread = s->spread[i];
	against(c, i, s->winner, s->miss, &ret->ratio);
}

static bool comes_before(const struct contest *c, const struct standing *s, int a, int b)
{
	if (c->out[a] != c->out[b])
		return c->out[b];
	if ((a == s->winner) != (b == s->winner))
		return a == s->winner;
	if (s->tied[a] != s->tied[b])
		return s->tied[a];
	if (s->centre[a] != s->centre[b])
		return s->centre[a] < s->centre[b];
	return c->entries[a].no < c->entries[b].no;
}

void contest_judge(const struct contest *c, struct contest_result *ret)
{
	struct standing s;

	stand(c, &s);
	*ret = (struct contest_result){ .won = s.winner >= 0,
					.rounds = c->round,
					.settled = c->settled };
	for (int i = 0; i < c->n; i++) {
		int at = ret->n++;

		for (; at > 0 && comes_before(c, &s, i, ret->places[at - 1].entry); at--)
			ret->places[at] = ret->places[at - 1];
		fill_place(c, &s, i, &ret->places[at]);
	}
	if (ret->won)
		judge_speedup(c, s.winner, &ret->speedup);
}

/* --- rounds --- */

/* Nobody is left in doubt: slower for certain, or no slower than the margin for certain. */
static bool is_settled(const struct contest *c)
{
	struct standing s;
	struct paired p;

	stand(c, &s);
	for (int i = 0; i < c->n; i++) {
		if (c->out[i] || i == s.leader)
			continue;
		against(c, i, s.leader, s.miss, &p);
		if (!is_slower(c, &p) && p.ci_high > 1 + CONTEST_MARGIN)
			return false;
	}
	judge_speedup(c, s.winner, &p);
	return p.rounds == 0 || p.rounds < c->round || paired_settled(&p, speedup_precision);
}

/* How many rounds it must be far behind in. */
static int rounds_to_rest(const struct contest *c, int i)
{
	return c->hurried ? 1 : c->entries[i].baseline ? BASELINE_ROUNDS : REST_ROUNDS;
}

static void let_rest(struct contest *c)
{
	struct standing s;
	struct paired p;

	stand(c, &s);
	for (int i = 0; i < c->n; i++) {
		if (c->out[i] || i == s.leader || c->rounds[i] < rounds_to_rest(c, i))
			continue;
		against(c, i, s.leader, 0, &p);
		c->rests[i] |= is_far(&p);
	}
}

static bool all_out(const struct contest *c)
{
	for (int i = 0; i < c->n; i++)
		if (!c->out[i])
			return false;
	return true;
}

static void end_round(struct contest *c)
{
	c->round++;
	for (int i = 0; i < c->n; i++)
		if (!c->out[i] && !c->rests[i])
			c->rounds[i] = c->round;
	let_rest(c);
	c->settled = c->round >= rounds_min(c) && is_settled(c);
	draw_order(c);
}

static void pass_over(struct contest *c)
{
	while (c->at < c->n && (c->out[c->order[c->at]] || c->rests[c->order[c->at]]))
		c->at++;
}

bool contest_next(struct contest *c, int *ret_entry, int *ret_round)
{
	if (all_out(c))
		return false;
	pass_over(c);
	if (c->at == c->n) {
		end_round(c);
		pass_over(c);
	}
	if (c->settled || (c->stopped && c->round) || c->round == CONTEST_ROUNDS_MAX)
		return false;
	*ret_entry = c->order[c->at];
	*ret_round = c->round;
	return true;
}

void contest_timed(struct contest *c, double p50_ns)
{
	assert(p50_ns > 0 && c->at < c->n && c->round < CONTEST_ROUNDS_MAX);
	c->p50_ns[c->order[c->at++]][c->round] = p50_ns;
}

/* Whom they were far behind may be gone: all go on from where the first one rested. */
static void wake_resting(struct contest *c)
{
	int least = c->round, n = 0;

	for (int i = 0; i < c->n; i++) {
		if (c->out[i] || !c->rests[i])
			continue;
		least = c->rounds[i] < least ? c->rounds[i] : least;
		n++;
	}
	if (n == 0)
		return;
	c->round = least;
	c->settled = false;
	for (int i = 0; i < c->n; i++) {
		c->rests[i] = false;
		c->rounds[i] = least;
	}
	draw_order(c);
}

void contest_out(struct contest *c, int entry)
{
	c->out[entry] = true;
	wake_resting(c);
}

void contest_hurry(struct contest *c)
{
	c->hurried = true;
}

void contest_stop(struct contest *c)
{
	c->stopped = true;
}
