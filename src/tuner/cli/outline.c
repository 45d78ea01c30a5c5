#include "tuner/cli/outline.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

#define NS_PER_MS 1e6

enum { TEXT_MAX = 256 };

/* --- the run --- */

static void add_param(cJSON *list, const struct space *space, int p)
{
	cJSON *one = json_new_object(), *values, *texts;

	json_add_string(one, "name", space_name(space, p));
	values = json_add_list(one, "values");
	texts = json_add_list(one, "texts");
	for (int i = 0; i < space_values(space, p); i++) {
		const struct value *v = space_value(space, p, i);
		char text[TEXT_MAX];

		value_print(v, text, sizeof text);
		json_push(texts, cJSON_CreateString(v->kind == VALUE_TEXT ? v->s : text));
		json_push(values,
			  v->kind == VALUE_TEXT ? cJSON_CreateString(v->s) : cJSON_CreateRaw(text));
	}
	json_push(list, one);
}

/* The dimensions of the one shape that is timed. */
static void add_problem_size(cJSON *o, const struct setup *setup)
{
	const struct problem *p = task_problem(setup->bound);
	const int64_t *dims = NULL;
	int timed = -1, n_timed = 0, n;
	cJSON *list;

	for (int i = 0; i < p->n_shapes; i++)
		if (p->shapes[i].time) {
			timed = i;
			n_timed++;
		}
	if (n_timed != 1)
		return;
	n = task_shape_dims(setup->task, task_find_shape(setup->task, p->shapes[timed].name),
			    &dims);
	list = json_add_list(o, "problem_size");
	for (int i = 0; i < n; i++)
		json_push(list, cJSON_CreateNumber((double)dims[i]));
}

static char *describe(const struct setup *setup)
{
	const struct space *space = task_space(setup->bound);
	cJSON *o = json_new_object(), *list;
	char *text;

	json_add_string(o, "kernel", task_entry(setup->task));
	json_add_string(o, "device", setup->devices->name);
	json_add_string(o, "objective", "time");
	add_problem_size(o, setup);
	list = json_add_list(o, "parameters");
	for (int p = 0; p < space_params(space); p++)
		add_param(list, space, p);
	text = json_render(o);
	cJSON_Delete(o);
	return text;
}

int outline_of(struct stored *s, struct recording **ret, struct err *e)
{
	char *text;
	int r = 0;

	if (run_recorded(&s->run))
		return recording_described(s->run.task_text, ret, e);
	if (!s->setup.bound)
		r = stored_bind(s, e);
	if (r < 0)
		return r;
	text = describe(&s->setup);
	r = recording_described(text, ret, e);
	free(text);
	return r;
}

/* --- its trials --- */

int outline_trial(const struct stored *s, const struct recording *r, const struct trial_record *t,
		  struct outlined *ret, struct err *e)
{
	bool recorded = run_recorded(&s->run);
	int status;

	*ret = (struct outlined){
		.ok = t->outcome == OUTCOME_OK,
		.time_ms = t->p50_ns / NS_PER_MS,
		.compile_ms = t->compile_ms,
		.verify_ms = t->verify_ms,
		.benchmark_ms = t->warm_ms + t->time_ms,
		.search_ms = t->search_ms,
		.framework_ms = t->load_ms,
	};
	if (recorded && t->n_timings)
		ret->time_ms = t->timings[0].mean_ns / NS_PER_MS;
	if (t->n_timings == 1 && t->timings[0].n_samples)
		ret->samples = &t->timings[0];
	if (t->at.stored > 0)
		clock_iso((int64_t)t->at.stored, ret->at);
	status = task_config_parse(r->space, t->config, ret->config, e);
	return status < 0 ? err_wrap(e, "trial %" PRId64 ":%" PRId64, t->run, t->no) : 0;
}

struct writer {
	struct stored *stored;
	const struct recording *outline;
	outline_json *json;
	bool keyed;
	struct str *out;
	int n;
};

static void add_key(const struct recording *r, const uint16_t *config, struct str *s)
{
	struct str key = STR_INIT;
	cJSON *name;
	char *text;

	for (int p = 0; p < space_params(r->space); p++)
		str_addf(&key, "%s%s", p ? "," : "", r->text[p][config[p]]);
	name = cJSON_CreateString(key.data);
	text = json_render(name);
	str_addf(s, "%s: ", text);
	free(text);
	cJSON_Delete(name);
	str_release(&key);
}

static int add_trial(struct writer *w, const struct trial_record *t, struct err *e)
{
	struct outlined x;
	cJSON *json;
	char *text;
	int r = outline_trial(w->stored, w->outline, t, &x, e);

	if (r < 0)
		return r;
	json = w->json(w->outline, t, &x);
	text = json_render(json);
	str_addz(w->out, w->n++ ? ",\n" : "\n");
	if (w->keyed)
		add_key(w->outline, x.config, w->out);
	str_addz(w->out, text);
	free(text);
	cJSON_Delete(json);
	return 0;
}

static int on_trial(void *ctx, const struct trial_record *t, struct err *e)
{
	struct writer *w = ctx;
	struct trial_record whole;
	int r = store_trial_by_id(w->stored->store, t->id, &whole, e);

	if (r < 0)
		return r;
	r = add_trial(w, &whole, e);
	trial_record_release(&whole);
	return r;
}

int outline_write(struct stored *s, const struct recording *r, outline_json *json, bool keyed,
		  struct str *ret, struct err *e)
{
	struct writer w = { s, r, json, keyed, ret, 0 };

	if (s->summary.trials == 0)
		return err_set(e, ERR_FAILED, "run %" PRId64 " has no trials yet", s->run.id);
	return store_each_trial(s->store, s->run.id, 0, on_trial, &w, e);
}
