#include "tuner/search/model.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "tuner/search/field.h"
#include "tuner/search/observation.h"

enum { FIT_MAX = 128, POOL_LIFE = 8 };

/* So many proposals have the prior. Longer, it holds the search where the earlier one was good. */
enum { GUIDED = 8 };

/* The kernel is learnt anew after each result at first, then each time there are as many more. */
static const double learn_growth = 1.1;

/* Most of what the process takes for noise is a configuration's own: measured again, it would be
 * the same. So a candidate may be better by it (field_aim.nugget). Doubling the deviation was found
 * to serve small budgets best, and a little more while others are outstanding, most from CROWD on.
 */
static const double greed = 2, greed_crowded = 2.5;
enum { CROWD = 16 };

struct model {
	const struct space *space;
	const struct prior *prior; /* NULL: the mean is 0, or is by now */
	int guided_from;	   /* members when the prior first counted; -1: not yet */
	float *expects;		   /* of each candidate */
	int n_expects;
	double *expected_of; /* of each member taken in */
	bool suits;
	bool listed;
	struct gp gp;
	struct field field;
	int *member; /* of the archive, point by point */
	int n_member;
	int learn_at;	/* told trials after which the kernel is learnt anew */
	int pool_since; /* members when the pool was made, -1: it was not */
	double *target;
	bool *expected;
	double *whitened;
	struct observation *told;
};

struct model *model_new(const struct space *s, const struct catalog *c, const struct prior *p)
{
	struct model *m = mem_alloc(sizeof *m);
	size_t width = (size_t)space_params(s);

	m->space = s;
	m->prior = p;
	m->guided_from = -1;
	m->suits = covariance_suits(s);
	m->pool_since = -1;
	if (!m->suits)
		return m;
	gp_init(&m->gp, s, MODEL_TRIALS);
	field_init(&m->field, space_params(s), MODEL_TRIALS);
	m->listed = c->row && c->n_row <= MODEL_LISTED_MAX;
	for (uint64_t i = 0; m->listed && i < c->n_row; i++)
		field_add(&m->field, c->row + i * width);
	m->member = mem_array(MODEL_TRIALS, sizeof *m->member);
	m->target = mem_array(MODEL_TRIALS, sizeof *m->target);
	m->expected = mem_array(MODEL_TRIALS, sizeof *m->expected);
	m->whitened = mem_array(MODEL_TRIALS, sizeof *m->whitened);
	m->told = mem_array(MODEL_TRIALS, sizeof *m->told);
	m->expected_of = mem_array(MODEL_TRIALS, sizeof *m->expected_of);
	return m;
}

void model_free(struct model *m)
{
	if (m && m->suits) {
		gp_release(&m->gp);
		field_release(&m->field);
		free(m->member);
		free(m->target);
		free(m->expected);
		free(m->whitened);
		free(m->told);
		free(m->expected_of);
		free(m->expects);
	}
	free(m);
}

bool model_serves(const struct model *m, const struct archive *a)
{
	return m->suits && a->n <= MODEL_TRIALS;
}

static void take_in(struct model *m, const struct archive *a, int member)
{
	if (m->prior)
		m->expected_of[m->n_member] = prior_mean(m->prior, a->member[member].config);
	m->member[m->n_member++] = member;
	gp_add(&m->gp, a->member[member].config);
}

static int observe(struct model *m, const struct archive *a)
{
	int n = 0;

	for (int i = 0; i < a->n; i++) {
		const struct member *x = &a->member[i];

		if (x->state != MEMBER_PENDING)
			m->told[n++] =
				(struct observation){ x->config, x->state == MEMBER_OK, x->score };
	}
	return n;
}

/* Leaves of the targets what the prior does not expect. */
static struct prior_slope subtract(const struct prior *p, const double *expected, double *target,
				   int n)
{
	struct prior_slope s = prior_slope(p, expected, target, n);

	for (int i = 0; i < n; i++)
		target[i] -= s.slope * (expected[i] - s.middle);
	return s;
}

static void learn_kernel(struct model *m, const struct archive *a)
{
	const uint16_t *point[FIT_MAX + 1];
	double expected[FIT_MAX + 1];
	int n = observation_thin(m->told, observe(m, a), FIT_MAX);

	observation_targets(m->told, n, m->target);
	for (int i = 0; i < n; i++) {
		point[i] = m->told[i].config;
		if (m->prior)
			expected[i] = prior_mean(m->prior, point[i]);
	}
	if (m->prior)
		subtract(m->prior, expected, m->target, n);
	if (!gp_fit(&m->gp, point, m->target, n))
		return;
	field_forget(&m->field);
	m->n_member = 0;
	for (int pending = 0; pending < 2; pending++) /* those told come first */
		for (int i = 0; i < a->n; i++)
			if ((a->member[i].state == MEMBER_PENDING) == pending)
				take_in(m, a, i);
}

void model_follow(struct model *m, const struct archive *a)
{
	int told = a->n - a->n_pending;

	assert(model_serves(m, a) && told > 0);
	if (m->guided_from < 0)
		m->guided_from = a->n;
	if (a->n >= m->guided_from + GUIDED)
		m->prior = NULL;
	if (told >= m->learn_at && m->learn_at <= FIT_MAX) {
		learn_kernel(m, a);
		m->learn_at = (int)fmax(told + 1, told * learn_growth);
	}
	while (m->n_member < a->n)
		take_in(m, a, m->n_member);
}

bool model_wants_pool(struct model *m, const struct archive *a)
{
	if (m->listed || (m->pool_since >= 0 && a->n < m->pool_since + POOL_LIFE))
		return false;
	m->pool_since = a->n;
	m->n_expects = 0;
	field_clear(&m->field);
	return true;
}

void model_add_candidate(struct model *m, const uint16_t *config)
{
	field_add(&m->field, config);
}

static bool is_known(void *ctx, const uint16_t *config)
{
	return archive_find(ctx, config) >= 0;
}

/* Targets of the points told, less what the prior expects. Returns the least target. */
static double find_targets(struct model *m, const struct archive *a, struct prior_slope *ret)
{
	double target[MODEL_TRIALS], expected[MODEL_TRIALS];
	double least = 0;
	int n = 0;

	for (int i = 0; i < m->n_member; i++) {
		const struct member *x = &a->member[m->member[i]];

		m->expected[i] = x->state == MEMBER_PENDING;
		if (m->expected[i])
			continue;
		expected[n] = m->expected_of[i];
		m->told[n++] = (struct observation){ x->config, x->state == MEMBER_OK, x->score };
	}
	observation_targets(m->told, n, target);
	for (int i = 0; i < n; i++)
		least = fmin(least, target[i]);
	*ret = (struct prior_slope){ 0 };
	if (m->prior)
		*ret = subtract(m->prior, expected, target, n);
	n = 0;
	for (int i = 0; i < m->n_member; i++)
		m->target[i] = m->expected[i] ? 0 : target[n++];
	return least;
}

static void add_expected(struct model *m, const struct prior_slope *s)
{
	uint16_t config[SPACE_PARAMS_MAX];

	if (m->n_expects < m->field.n)
		m->expects = mem_grow(m->expects, (size_t)m->field.n, sizeof *m->expects);
	for (; m->n_expects < m->field.n; m->n_expects++) {
		field_get(&m->field, m->n_expects, config);
		m->expects[m->n_expects] = (float)prior_mean(m->prior, config);
	}
	for (int i = 0; i < m->field.n; i++)
		m->field.mean[i] += (float)(s->slope * ((double)m->expects[i] - s->middle));
}

bool model_choose(struct model *m, const struct archive *a, uint16_t *ret)
{
	double crowded = fmin((double)a->n_pending / CROWD, 1);
	struct field_aim aim = { .greed = greed + crowded * (greed_crowded - greed),
				 .nugget = m->gp.covariance.noise,
				 .taken = is_known,
				 .ctx = (void *)(uintptr_t)a };
	struct prior_slope slope;
	int candidate;

	aim.best = find_targets(m, a, &slope);
	aim.variance = gp_whiten(&m->gp, m->target, m->expected, m->whitened);
	field_predict(&m->field, &m->gp, m->whitened);
	if (m->prior)
		add_expected(m, &slope);
	candidate = field_choose(&m->field, &aim);
	if (candidate < 0)
		return false;
	field_get(&m->field, candidate, ret);
	return true;
}
