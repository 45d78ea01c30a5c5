#include "tuner/daemon/store_trial.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static unsigned nibble(char digit)
{
	return (unsigned)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

void store_trial_key(const char *identity, const char *config, unsigned char ret[TRIAL_KEY_BYTES])
{
	struct hash *h = hash_new();
	char hex[HASH_HEX];

	hash_text(h, identity);
	hash_text(h, config);
	hash_finish(h, hex);
	for (size_t i = 0; i < TRIAL_KEY_BYTES; i++)
		ret[i] = (unsigned char)(nibble(hex[2 * i]) << 4 | nibble(hex[2 * i + 1]));
}

/* --- samples: little-endian binary64 on every machine --- */

static unsigned char *pack_samples(const double *ns, int n)
{
	unsigned char *bytes = mem_array((size_t)n, 8), *p = bytes;

	for (int i = 0; i < n; i++) {
		uint64_t bits;

		memcpy(&bits, &ns[i], sizeof bits);
		for (int k = 0; k < 8; k++)
			*p++ = (unsigned char)(bits >> (8 * k));
	}
	return bytes;
}

static double *unpack_samples(const unsigned char *bytes, int n)
{
	double *ns = mem_array((size_t)n, sizeof *ns);

	for (int i = 0; i < n; i++) {
		uint64_t bits = 0;

		for (int k = 0; k < 8; k++)
			bits |= (uint64_t)*bytes++ << (8 * k);
		memcpy(&ns[i], &bits, sizeof bits);
	}
	return ns;
}

/* --- writing --- */

static void put_figures(struct sql_call *c, const struct trial_record *t)
{
#define X(field) sql_put_known_int(c, t->function.field);
	FUNCTION_MAP(X)
#undef X
	sql_put_known_real(c, t->clocks.sm_mhz);
	sql_put_known_real(c, t->clocks.memory_mhz);
	sql_put_known_real(c, t->clocks.celsius);
	sql_put_known_real(c, t->clocks.watts);
	sql_put_known_int(c, t->clocks.throttle);
#define X(phase) sql_put_some_real(c, t->at.phase);
	TRIAL_PHASE_MAP(X)
#undef X
}

static void put_result(struct sql_call *c, const struct trial_record *t)
{
	sql_put_text(c, outcome_name(t->outcome));
	sql_put_text(c, t->detail);
	sql_put_text(c, trial_origin_name(t->origin));
	sql_put_some_int(c, t->origin_trial);
	sql_put_some_real(c, t->score_ns);
	sql_put_some_real(c, t->p50_ns);
	sql_put_some_real(c, t->ci_low_ns);
	sql_put_some_real(c, t->ci_high_ns);
	sql_put_text(c, t->gates ? t->gates : "[]");
	sql_put_some_text(c, t->artifact);
	sql_put_text(c, t->entry);
	sql_put_some_int(c, t->artifact_bytes);
	sql_put_some_real(c, t->compile_ms);
	sql_put_some_real(c, t->load_ms);
	sql_put_some_real(c, t->verify_ms);
	sql_put_some_real(c, t->warm_ms);
	sql_put_some_real(c, t->time_ms);
	sql_put_some_real(c, t->search_ms);
	sql_put_known_int(c, t->device);
}

static int add_row(struct sql *q, const struct trial_record *t, const unsigned char *key,
		   struct err *e)
{
	struct sql_call c;

	sql_prepare(q, SQL_trial_add, &c);
	sql_put_int(&c, t->run);
	sql_put_int(&c, t->no);
	sql_put_int(&c, t->ask);
	sql_put_int(&c, t->asked_before);
	sql_put_blob(&c, key, TRIAL_KEY_BYTES);
	sql_put_text(&c, t->config);
	sql_put_text(&c, t->op);
	sql_put_known_int(&c, t->parents[0]);
	sql_put_known_int(&c, t->parents[1]);
	sql_put_int(&c, t->generation);
	put_result(&c, t);
	put_figures(&c, t);
	return sql_run(&c, e);
}

static int add_ptxas(struct sql *q, int64_t id, const struct trial_record *t, struct err *e)
{
	struct sql_call c;

	sql_prepare(q, SQL_ptxas_add, &c);
	sql_put_int(&c, id);
#define X(field) sql_put_known_int(&c, t->ptxas.field);
	PTXAS_MAP(X)
#undef X
	sql_put_text(&c, t->log);
	return sql_run(&c, e);
}

static int add_timing(struct sql *q, int64_t id, int no, const struct timing *m, struct err *e)
{
	unsigned char *samples = pack_samples(m->samples_ns, m->n_samples);
	struct sql_call c;
	int r;

	sql_prepare(q, SQL_timing_add, &c);
	sql_put_int(&c, id);
	sql_put_int(&c, no);
	sql_put_int(&c, m->shape);
	sql_put_text(&c, timing_mode_name(m->mode));
	sql_put_text(&c, timing_l2_name(m->l2));
	sql_put_real(&c, m->p50_ns);
	sql_put_real(&c, m->mean_ns);
	sql_put_real(&c, m->stddev_ns);
	sql_put_real(&c, m->min_ns);
	sql_put_real(&c, m->p90_ns);
	sql_put_real(&c, m->p99_ns);
	sql_put_real(&c, m->ci_low_ns);
	sql_put_real(&c, m->ci_high_ns);
	sql_put_int(&c, m->launches_per_sample);
	sql_put_int(&c, m->aborted);
	sql_put_int(&c, m->throttled);
	sql_put_blob(&c, samples, (size_t)m->n_samples * 8);
	r = sql_run(&c, e);
	free(samples);
	return r;
}

static int add_check(struct sql *q, int64_t id, int no, const struct check *k, struct err *e)
{
	struct sql_call c;

	sql_prepare(q, SQL_verification_add, &c);
	sql_put_int(&c, id);
	sql_put_int(&c, no);
	sql_put_int(&c, k->shape);
	sql_put_int(&c, k->reference);
	sql_put_u64(&c, k->seed);
	sql_put_real(&c, k->max_abs);
	sql_put_real(&c, k->mean_abs);
	sql_put_real(&c, k->rel_l2);
	sql_put_real(&c, k->bad_fraction);
	sql_put_int(&c, k->nans);
	sql_put_int(&c, k->unwritten);
	sql_put_known_int(&c, k->first_bad);
	sql_put_int(&c, k->guards_intact);
	sql_put_int(&c, k->inputs_intact);
	sql_put_int(&c, k->deterministic);
	sql_put_int(&c, k->passed);
	sql_put_some_text(&c, k->why);
	return sql_run(&c, e);
}

static int add_metric(struct sql *q, int64_t id, int no, const struct extra_figure *m,
		      struct err *e)
{
	struct sql_call c;

	sql_prepare(q, SQL_metric_add, &c);
	sql_put_int(&c, id);
	sql_put_int(&c, no);
	sql_put_text(&c, m->name);
	sql_put_real(&c, m->value);
	return sql_run(&c, e);
}

static int add_all(struct sql *q, struct trial_record *t, struct err *e)
{
	unsigned char key[TRIAL_KEY_BYTES];
	struct sql_call c;
	int64_t id;
	int r;

	sql_prepare(q, SQL_identity_of_run, &c);
	sql_put_int(&c, t->run);
	r = sql_first(&c, "run", t->run, e);
	if (r == 0)
		store_trial_key(sql_peek_text(&c), t->config, key);
	sql_end(&c);
	if (r == 0)
		r = add_row(q, t, key, e);
	if (r < 0)
		return r;
	id = sql_last_id(q);
	r = add_ptxas(q, id, t, e);
	for (int i = 0; r == 0 && i < t->n_timings; i++)
		r = add_timing(q, id, i, &t->timings[i], e);
	for (int i = 0; r == 0 && i < t->n_checks; i++)
		r = add_check(q, id, i, &t->checks[i], e);
	for (int i = 0; r == 0 && i < t->n_metrics; i++)
		r = add_metric(q, id, i, &t->metrics[i], e);
	if (r == 0)
		t->id = id;
	return r;
}

int store_trial_add(struct sql *q, struct trial_record *t, struct err *e)
{
	int r = add_all(q, t, e);

	return r < 0 ? err_wrap(e, "run %" PRId64 ", trial %" PRId64, t->run, t->no) : 0;
}

/* --- reading --- */

/* An unknown word, which the schema keeps out: someone wrote around us. */
static int unknown_word(struct sql_call *c, int64_t id, struct err *e)
{
	return err_set(e, ERR_INVALID,
		       "%s: trial row %" PRId64 " holds a word that this evo-tuned does not know; "
		       "put a copy of the file in its place",
		       c->sql->path, id);
}

static int take_result(struct sql_call *c, struct trial_record *t)
{
	int r = outcome_parse(sql_peek_text(c), &t->outcome);

	t->detail = sql_take_text(c);
	r |= trial_origin_parse(sql_peek_text(c), &t->origin);
	t->origin_trial = sql_take_int(c);
	t->score_ns = sql_take_some_real(c);
	t->p50_ns = sql_take_some_real(c);
	t->ci_low_ns = sql_take_some_real(c);
	t->ci_high_ns = sql_take_some_real(c);
	t->gates = sql_take_text(c);
	sql_take_text_into(c, t->artifact, sizeof t->artifact);
	t->entry = sql_take_text(c);
	t->artifact_bytes = sql_take_int(c);
	t->compile_ms = sql_take_some_real(c);
	t->load_ms = sql_take_some_real(c);
	t->verify_ms = sql_take_some_real(c);
	t->warm_ms = sql_take_some_real(c);
	t->time_ms = sql_take_some_real(c);
	t->search_ms = sql_take_some_real(c);
	t->device = (int)sql_take_known_int(c);
	return r;
}

static void take_figures(struct sql_call *c, struct trial_record *t)
{
#define X(field) t->function.field = sql_take_known_int(c);
	FUNCTION_MAP(X)
#undef X
	t->clocks.sm_mhz = sql_take_known_real(c);
	t->clocks.memory_mhz = sql_take_known_real(c);
	t->clocks.celsius = sql_take_known_real(c);
	t->clocks.watts = sql_take_known_real(c);
	t->clocks.throttle = sql_take_known_int(c);
#define X(phase) t->at.phase = sql_take_some_real(c);
	TRIAL_PHASE_MAP(X)
#undef X
#define X(field) t->ptxas.field = sql_take_known_int(c);
	PTXAS_MAP(X)
#undef X
}

static int take_row(struct sql_call *c, struct trial_record *ret, struct err *e)
{
	int r;

	memset(ret, 0, sizeof *ret);
	ret->id = sql_take_int(c);
	ret->run = sql_take_int(c);
	ret->no = sql_take_int(c);
	ret->ask = sql_take_int(c);
	ret->asked_before = sql_take_int(c);
	ret->config = sql_take_text(c);
	ret->op = sql_take_text(c);
	ret->parents[0] = sql_take_known_int(c);
	ret->parents[1] = sql_take_known_int(c);
	ret->generation = (int)sql_take_int(c);
	r = take_result(c, ret);
	take_figures(c, ret);
	return r ? unknown_word(c, ret->id, e) : 0;
}

int store_trial_each(struct sql_call *c, store_on_trial *f, void *ctx, struct err *e)
{
	int r;

	while ((r = sql_step(c, e)) > 0) {
		struct trial_record t;

		r = take_row(c, &t, e);
		if (r == 0)
			r = f(ctx, &t, e);
		trial_record_release(&t);
		if (r)
			break;
	}
	sql_end(c);
	return r;
}

static int take_timing(struct sql_call *c, struct timing *ret)
{
	const char *samples;
	size_t len;
	int r;

	ret->shape = (int)sql_take_int(c);
	r = timing_mode_parse(sql_peek_text(c), &ret->mode);
	r |= timing_l2_parse(sql_peek_text(c), &ret->l2);
	ret->p50_ns = sql_take_real(c);
	ret->mean_ns = sql_take_real(c);
	ret->stddev_ns = sql_take_real(c);
	ret->min_ns = sql_take_real(c);
	ret->p90_ns = sql_take_real(c);
	ret->p99_ns = sql_take_real(c);
	ret->ci_low_ns = sql_take_real(c);
	ret->ci_high_ns = sql_take_real(c);
	ret->launches_per_sample = (int)sql_take_int(c);
	ret->aborted = sql_take_int(c);
	ret->throttled = (int)sql_take_int(c);
	samples = sql_peek_blob(c, &len);
	ret->n_samples = (int)(len / 8);
	ret->samples_ns = unpack_samples((const unsigned char *)samples, ret->n_samples);
	return r;
}

static void take_check(struct sql_call *c, struct check *ret)
{
	ret->shape = (int)sql_take_int(c);
	ret->reference = (int)sql_take_int(c);
	ret->seed = sql_take_u64(c);
	ret->max_abs = sql_take_real(c);
	ret->mean_abs = sql_take_real(c);
	ret->rel_l2 = sql_take_real(c);
	ret->bad_fraction = sql_take_real(c);
	ret->nans = sql_take_int(c);
	ret->unwritten = sql_take_int(c);
	ret->first_bad = sql_take_known_int(c);
	ret->guards_intact = sql_take_int(c);
	ret->inputs_intact = sql_take_int(c);
	ret->deterministic = sql_take_int(c);
	ret->passed = sql_take_int(c);
	sql_take_text_into(c, ret->why, sizeof ret->why);
}

static int read_log(struct sql *q, struct trial_record *t, struct err *e)
{
	struct sql_call c;
	int r;

	sql_prepare(q, SQL_log_of_trial, &c);
	sql_put_int(&c, t->id);
	r = sql_first(&c, "trial row", t->id, e);
	if (r == 0)
		t->log = sql_take_text(&c);
	sql_end(&c);
	return r;
}

static int read_timings(struct sql *q, struct trial_record *t, struct err *e)
{
	struct sql_call c;
	int r;

	sql_prepare(q, SQL_timing_each, &c);
	sql_put_int(&c, t->id);
	while ((r = sql_step(&c, e)) > 0) {
		int n = t->n_timings++;

		t->timings = mem_grow(t->timings, (size_t)n + 1, sizeof *t->timings);
		if (take_timing(&c, &t->timings[n])) {
			r = unknown_word(&c, t->id, e);
			break;
		}
	}
	sql_end(&c);
	return r;
}

static int read_checks(struct sql *q, struct trial_record *t, struct err *e)
{
	struct sql_call c;
	int r;

	sql_prepare(q, SQL_verification_each, &c);
	sql_put_int(&c, t->id);
	while ((r = sql_step(&c, e)) > 0) {
		int n = t->n_checks++;

		t->checks = mem_grow(t->checks, (size_t)n + 1, sizeof *t->checks);
		take_check(&c, &t->checks[n]);
	}
	sql_end(&c);
	return r;
}

static int read_metrics(struct sql *q, struct trial_record *t, struct err *e)
{
	struct sql_call c;
	int r;

	sql_prepare(q, SQL_metric_each, &c);
	sql_put_int(&c, t->id);
	while ((r = sql_step(&c, e)) > 0) {
		struct extra_figure *m;

		t->metrics = mem_grow(t->metrics, (size_t)t->n_metrics + 1, sizeof *t->metrics);
		m = &t->metrics[t->n_metrics++];
		m->name = sql_take_text(&c);
		m->value = sql_take_real(&c);
	}
	sql_end(&c);
	return r;
}

int store_trial_whole(struct sql_call *c, int64_t name, struct trial_record *ret, struct err *e)
{
	struct trial_record t = { 0 };
	int r = sql_first(c, "trial", name, e);

	if (r == 0)
		r = take_row(c, &t, e);
	sql_end(c);
	if (r == 0)
		r = read_log(c->sql, &t, e);
	if (r == 0)
		r = read_timings(c->sql, &t, e);
	if (r == 0)
		r = read_checks(c->sql, &t, e);
	if (r == 0)
		r = read_metrics(c->sql, &t, e);
	if (r < 0)
		trial_record_release(&t);
	else
		*ret = t;
	return r;
}
