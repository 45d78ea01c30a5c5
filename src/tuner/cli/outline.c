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

struct each {
	struct store *store;
	store_on_trial *f;
	void *ctx;
};

static int with_everything(void *ctx, const struct trial_record *t, struct err *e)
{
	struct each *each = ctx;
	struct trial_record whole;
	int r = store_trial_by_id(each->store, t->id, &whole, e);

	if (r < 0)
		return r;
	r = each->f(each->ctx, &whole, e);
	trial_record_release(&whole);
	return r;
}

int outline_each(struct stored *s, store_on_trial *f, void *ctx, struct err *e)
{
	struct each each = { s->store, f, ctx };

	if (s->summary.trials == 0)
		return err_set(e, ERR_FAILED, "run %" PRId64 " has no trials yet", s->run.id);
	return store_each_trial(s->store, s->run.id, 0, with_everything, &each, e);
}
