#include "tuner/daemon/trial.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

#define TO(s) (1u << TRIAL_##s)

static const struct {
	const char *name;
	unsigned may_go_to;
} states[TRIAL_STATE_COUNT] = {
	[TRIAL_PROPOSED] = { "proposed", TO(COMPILING) | TO(DONE) },
	[TRIAL_COMPILING] = { "compiling", TO(PROPOSED) | TO(READY) | TO(TWIN) | TO(DONE) },
	[TRIAL_READY] = { "ready", TO(MEASURING) | TO(DONE) },
	[TRIAL_TWIN] = { "twin", TO(READY) | TO(DONE) },
	[TRIAL_MEASURING] = { "measuring", TO(READY) | TO(DONE) },
	[TRIAL_DONE] = { "done", 0 },
};

void verdict_copy(const struct verdict *v, struct verdict *ret)
{
	struct verdict copy = *v;

	copy.detail = mem_strdup(v->detail);
	verdict_release(ret);
	*ret = copy;
}

void verdict_release(struct verdict *v)
{
	free(v->detail);
	v->detail = NULL;
}

struct trial *trial_new(void)
{
	struct trial *t = mem_alloc(sizeof *t);

	t->parents[0] = t->parents[1] = -1;
	t->penalty = 1;
	t->verdict.device = -1;
	return t;
}

void trial_free(struct trial *t)
{
	if (!t)
		return;
	for (int i = 0; t->launches && i < t->n_launches; i++)
		launch_release(&t->launches[i]);
	free(t->launches);
	free(t->config_json);
	free(t->gates);
	verdict_release(&t->verdict);
	artifact_release(&t->artifact);
	measurement_release(&t->measurement);
	free(t);
}

const char *trial_state_name(enum trial_state s)
{
	return states[s].name;
}

void trial_move(struct trial *t, enum trial_state to)
{
	if (!(states[t->state].may_go_to & (1u << to))) {
		fprintf(stderr, "trial %lld: no way from %s to %s\n", (long long)t->ask,
			states[t->state].name, states[to].name);
		abort();
	}
	t->state = to;
}

void trial_set_key(struct trial *t)
{
	struct hash *h = hash_new();

	hash_text(h, t->artifact.hash);
	for (int i = 0; i < t->n_launches; i++) {
		const struct launch *l = &t->launches[i];

		hash_field(h, l->grid, sizeof l->grid);
		hash_field(h, l->block, sizeof l->block);
		hash_field(h, &l->shared_bytes, sizeof l->shared_bytes);
		hash_field(h, l->scalars, (size_t)l->n_scalars * sizeof *l->scalars);
		hash_field(h, l->scratch, (size_t)l->n_scratch * sizeof *l->scratch);
	}
	hash_finish(h, t->key);
}

void trial_judge(struct trial *t, enum outcome o, const char *fmt, ...)
{
	char text[TRIAL_DETAIL_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	verdict_release(&t->verdict);
	t->verdict.outcome = o;
	if (text[0])
		t->verdict.detail = mem_strdup(text);
}
