#include "tuner/daemon/engine_types.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "tuner/daemon/stop.h"
#include "tuner/daemon/warm_json.h"
#include "version.h"

/* From a wish to a stored run that waits for its turn. */

static void answer_start(struct engine_start *s, int64_t run, const struct err *e)
{
	s->done(s->ctx, run, e);
	run_record_release(&s->record);
	task_free(s->task);
}

static char *all_ordinals(const struct device *here, int n)
{
	cJSON *list = json_new_list();
	char *text;

	for (int i = 0; i < n; i++)
		json_push(list, cJSON_CreateNumber(here[i].ordinal));
	text = json_render(list);
	cJSON_Delete(list);
	return text;
}

static int store_new(struct engine *x, struct run_record *rec, const struct setup *setup,
		     struct err *e)
{
	const struct task_source *src;
	int n = task_sources(setup->task, &src), r;
	struct store_source *list = mem_array((size_t)n, sizeof *list);
	char *environment = setup_environment(setup);

	for (int i = 0; i < n; i++)
		list[i] =
			(struct store_source){ src[i].path, src[i].text, src[i].hash, src[i].len };
	rec->state = RUN_QUEUED;
	rec->created_ms = clock_wall_ms();
	rec->version = mem_strdup(EVO_TUNED_VERSION);
	task_identity(setup->bound, rec->identity);
	r = ledger_add_run(x->ledger, rec, list, n, environment, e);
	free(environment);
	free(list);
	return r;
}

static void start_known(struct engine *x, struct engine_start *s, const struct device *here,
			int n_here)
{
	struct setup setup = { 0 };
	struct err e;
	int r;

	if (s->all_devices) {
		free(s->record.devices);
		s->record.devices = all_ordinals(here, n_here);
	}
	r = setup_bind(&s->record, s->task, here, n_here, &setup, &e);
	s->task = NULL;
	if (r == 0)
		r = stop_check(&s->record, &e);
	if (r == 0)
		r = warm_check(s->record.warm, task_space(setup.bound), &e);
	if (r == 0)
		r = store_new(x, &s->record, &setup, &e);
	setup_release(&setup);
	if (r == 0)
		queue_add(&x->queue, &s->record);
	answer_start(s, r == 0 ? s->record.id : 0, r < 0 ? &e : NULL);
	x->io.changed(x->io.ctx);
	engine_wake(x);
}

void engine_start(struct engine *x, struct engine_start *s)
{
	const struct device *here;
	struct pending *p;
	struct err e;
	int n_here;

	if (x->stopping) {
		err_set(&e, ERR_BUSY, "the daemon is ending; start it again");
		answer_start(s, 0, &e);
		return;
	}
	here = probe_devices(x->probe, s->record.runtime, &n_here);
	if (here) {
		start_known(x, s, here, n_here);
		return;
	}
	if (probe_want(x->probe, s->record.runtime, &e) < 0) {
		answer_start(s, 0, &e);
		return;
	}
	p = mem_alloc(sizeof *p);
	p->start = *s;
	for (struct pending **end = &x->pending;; end = &(*end)->next)
		if (!*end) {
			*end = p;
			break;
		}
}

/* Takes the first start that waits for this runtime out of the list. */
static struct pending *take_pending(struct engine *x, const char *runtime)
{
	for (struct pending **p = &x->pending; *p; p = &(*p)->next) {
		struct pending *found = *p;

		if (strcmp(found->start.record.runtime, runtime) != 0)
			continue;
		*p = found->next;
		return found;
	}
	return NULL;
}

static int fail_one_queued(struct engine *x, const char *runtime, const struct err *why)
{
	for (int i = 0; i < x->queue.n; i++) {
		struct run_record rec = { 0 };
		struct err e;

		if (strcmp(x->queue.items[i].runtime, runtime) != 0)
			continue;
		if (store_run(x->store, x->queue.items[i].run, &rec, &e) < 0)
			return 0;
		engine_fail_queued(x, &rec, why);
		run_record_release(&rec);
		return 1;
	}
	return 0;
}

void engine_probed(void *ctx, const char *runtime, const struct err *e)
{
	struct engine *x = ctx;
	const struct device *here;
	struct pending *p;
	int n_here = 0;

	here = probe_devices(x->probe, runtime, &n_here);
	while ((p = take_pending(x, runtime))) {
		if (here)
			start_known(x, &p->start, here, n_here);
		else
			answer_start(&p->start, 0, e);
		free(p);
	}
	while (!here && fail_one_queued(x, runtime, e))
		;
	engine_wake(x);
}

void engine_start_refuse(struct engine *x)
{
	struct pending *p;
	struct err e;

	err_set(&e, ERR_BUSY, "the daemon is ending; start it again");
	while ((p = x->pending)) {
		x->pending = p->next;
		answer_start(&p->start, 0, &e);
		free(p);
	}
}
