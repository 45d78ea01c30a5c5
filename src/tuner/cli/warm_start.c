#include "tuner/cli/warm_start.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "tuner/cli/command.h"
#include "tuner/cli/print.h"
#include "tuner/cli/stored.h"
#include "tuner/search/prior.h"

enum { TOP_MAX = 1000 };

/* --- recordings --- */

struct ranked {
	double score;
	size_t entry;
};

static int by_score(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->score != y->score)
		return x->score < y->score ? -1 : 1;
	return (x->entry > y->entry) - (x->entry < y->entry);
}

static void map(const struct recording *r, const uint16_t *config, struct warm *w)
{
	warm_begin(w);
	for (int p = 0; p < space_params(r->space); p++)
		warm_value(w, space_name(r->space, p), space_value(r->space, p, config[p]));
}

static bool offer_entry(const struct recording *r, size_t entry, struct warm *w)
{
	map(r, r->config + entry * (size_t)space_params(r->space), w);
	return warm_end(w);
}

/* Mapping those that say most is enough. */
static void tell_past(const struct recording *r, struct warm *w)
{
	struct observation *o = mem_array(r->n + 1, sizeof *o);
	int n = 0;

	for (size_t i = 0; i < r->n; i++)
		o[n++] = (struct observation){
			.config = r->config + i * (size_t)space_params(r->space),
			.ok = r->entry[i].ok,
			.score = r->entry[i].ok ? recording_score(r, &r->entry[i]) : 0,
		};
	n = observation_thin(o, n, PRIOR_TRIALS);
	for (int i = 0; i < n; i++) {
		map(r, o[i].config, w);
		warm_tell(w, o[i].ok, o[i].score);
	}
	warm_thin(w, PRIOR_TRIALS);
	free(o);
}

void warm_from_recording(const struct recording *r, struct warm *w)
{
	struct ranked *ok = mem_array(r->n + 1, sizeof *ok);
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		if (r->entry[i].ok)
			ok[n++] = (struct ranked){ recording_score(r, &r->entry[i]), i };
	qsort(ok, n, sizeof *ok, by_score);
	for (size_t i = 0; i < n && offer_entry(r, ok[i].entry, w); i++)
		;
	free(ok);
	tell_past(r, w);
}

/* --- runs --- */

static void take_value(void *ctx, const char *name, const struct value *v)
{
	warm_value(ctx, name, v);
}

static int map_trial(const struct trial_record *t, struct warm *w, struct err *e)
{
	int r;

	warm_begin(w);
	r = task_config_each(t->config, take_value, w, e);
	return r < 0 ? err_wrap(e, "trial %" PRId64, t->no) : 0;
}

static int on_best(void *ctx, const struct trial_record *t, struct err *e)
{
	int r = map_trial(t, ctx, e);

	if (r == 0)
		warm_end(ctx);
	return r;
}

static int on_trial(void *ctx, const struct trial_record *t, struct err *e)
{
	int r = map_trial(t, ctx, e);

	if (r == 0)
		warm_tell(ctx, t->outcome == OUTCOME_OK, t->score_ns);
	return r;
}

static int from_run(struct store *s, int64_t run, struct warm *w, struct str *ret_from,
		    struct err *e)
{
	struct run_record record = { 0 };
	int r = store_run(s, run, &record, e);

	if (r == 0) {
		str_addf(ret_from, "run %" PRId64 " (%s)", run, record.task_name);
		r = store_top(s, run, TOP_MAX, on_best, w, e);
	}
	if (r == 0)
		r = store_each_trial(s, run, 0, on_trial, w, e);
	if (r == 0)
		warm_thin(w, PRIOR_TRIALS);
	run_record_release(&record);
	return r;
}

struct history {
	struct store *store;
	const char *task, *identity;
	int64_t run;   /* the newest of another identity, 0: none */
	bool reusable; /* there is one of this identity */
};

static int on_run(void *ctx, const struct run_record *r, struct err *e)
{
	struct history *h = ctx;
	struct run_summary s;

	if (strcmp(r->task_name, h->task) != 0)
		return 0;
	if (store_summary(h->store, r->id, &s, e) < 0)
		return e->code;
	if (s.best && strcmp(r->identity, h->identity) == 0)
		h->reusable = true;
	else if (s.best && !h->run)
		h->run = r->id;
	return 0;
}

static int from_history(struct store *s, const struct warm_wish *wish, struct warm *w,
			struct str *ret_from, struct err *e)
{
	char identity[HASH_HEX];
	struct history h = { .store = s, .task = wish->task, .identity = identity };
	int r;

	task_identity(wish->bound, identity);
	r = store_each_run(s, on_run, &h, e);
	return r == 0 && h.run && !h.reusable ? from_run(s, h.run, w, ret_from, e) : r;
}

/* --- either --- */

static bool is_run(const char *from)
{
	return from[strspn(from, "0123456789")] == '\0';
}

static int from_file(const char *path, struct warm *w, struct str *ret_from, struct err *e)
{
	struct recording *r;

	if (recording_load(path, NULL, &r, e) < 0)
		return e->code;
	str_addz(ret_from, path);
	warm_from_recording(r, w);
	recording_free(r);
	return 0;
}

static int from_store(const struct warm_wish *wish, struct warm *w, struct str *ret_from,
		      struct err *e)
{
	struct store *s;
	int64_t run;
	int r = stored_upgraded(wish->db, &s, e);

	if (r == ERR_MISSING && !wish->from)
		return 0; /* no database yet: no history */
	if (r < 0)
		return r;
	if (!wish->from)
		r = from_history(s, wish, w, ret_from, e);
	else if (operand_run(wish->from, &run, e) < 0)
		r = e->code;
	else
		r = from_run(s, run, w, ret_from, e);
	store_close(s);
	return r;
}

static void add_past(const struct warm *w, cJSON *o)
{
	cJSON *list = json_add_list(o, "past");

	for (int i = 0; i < w->n_past; i++) {
		const struct observation *x = &w->past[i];
		char *text = task_config_json(w->space, x->config);
		cJSON *trial = json_new_object();

		json_add(trial, "config", cJSON_Parse(text));
		json_add_double(trial, "score", x->ok ? x->score : (double)NAN);
		json_push(list, trial);
		free(text);
	}
}

static cJSON *to_json(const struct warm *w, const char *from)
{
	cJSON *o = json_new_object(), *list;

	json_add_string(o, "from", from);
	json_add_int(o, "mended", w->mended);
	json_add_int(o, "dropped", w->dropped);
	list = json_add_list(o, "configs");
	for (int i = 0; i < w->n; i++) {
		char *text = task_config_json(
			w->space, w->config + (size_t)i * (size_t)space_params(w->space));

		json_push(list, cJSON_Parse(text));
		free(text);
	}
	add_past(w, o);
	return o;
}

static void tell(const struct warm *w, const char *from, bool asked)
{
	note("the first trials are the best of %s: %d taken, %d of them mended to fit; %d did not "
	     "fit; %d of its trials say where to look%s",
	     from, w->n, w->mended, w->dropped, w->n_past,
	     asked ? "" : " (--fresh begins without them)");
}

static int gather(const struct warm_wish *wish, struct warm *w, struct str *ret_from, struct err *e)
{
	int r;

	if (wish->from && !is_run(wish->from))
		r = from_file(wish->from, w, ret_from, e);
	else
		r = from_store(wish, w, ret_from, e);
	if (r == 0 && wish->from && w->n == 0)
		r = err_set(e, ERR_INVALID,
			    "%s has no correct configuration that fits this space (%d do not)",
			    ret_from->data, w->dropped);
	return r < 0 && wish->from ? err_wrap(e, "--from") : r;
}

int warm_start(const struct warm_wish *wish, cJSON **ret, struct err *e)
{
	struct str from = STR_INIT;
	struct warm w;
	int r, ignored;

	*ret = NULL;
	if (!wish->from && wish->fresh)
		return 0;
	warm_init(&w, task_space(wish->bound), task_first(wish->bound, &ignored), wish->limit);
	r = gather(wish, &w, &from, e);
	if (r == 0 && w.n) {
		*ret = to_json(&w, from.data);
		tell(&w, from.data, wish->from);
	}
	str_release(&from);
	warm_release(&w);
	return r;
}
