#include "tuner/daemon/record.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tuner/daemon/record_final.h"

static const char *const state_names[] = {
#define X(id, name, help) name,
	RUN_STATE_MAP(X)
#undef X
};

static const char *const origin_names[] = {
#define X(id, name, help) name,
	TRIAL_ORIGIN_MAP(X)
#undef X
};

static int find(const char *const *names, int n, const char *name)
{
	for (int i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -1;
}

const char *run_state_name(enum run_state s)
{
	return state_names[s];
}

int run_state_parse(const char *name, enum run_state *ret)
{
	int i = find(state_names, RUN_STATE_COUNT, name);

	if (i < 0)
		return -1;
	*ret = (enum run_state)i;
	return 0;
}

bool run_state_ended(enum run_state s)
{
	return s == RUN_DONE || s == RUN_FAILED || s == RUN_CANCELLED;
}

const char *trial_origin_name(enum trial_origin o)
{
	return origin_names[o];
}

int trial_origin_parse(const char *name, enum trial_origin *ret)
{
	int i = find(origin_names, TRIAL_ORIGIN_COUNT, name);

	if (i < 0)
		return -1;
	*ret = (enum trial_origin)i;
	return 0;
}

bool run_recorded(const struct run_record *r)
{
	return strcmp(r->runtime, RUNTIME_RECORDED) == 0;
}

int run_need_kernel(const struct run_record *r, struct err *e)
{
	if (!run_recorded(r))
		return 0;
	return err_set(e, ERR_INVALID,
		       "run %" PRId64 " was imported from %s: its trials are there, its kernel is "
		       "not, so that nothing of it can be built or measured",
		       r->id, r->task_path ? r->task_path : "a recording");
}

void run_record_release(struct run_record *r)
{
	free(r->task_name);
	free(r->task_path);
	free(r->task_text);
	free(r->runtime);
	free(r->strategy);
	free(r->devices);
	free(r->shapes);
	free(r->narrow);
	free(r->settings);
	free(r->warm);
	free(r->baseline);
	free(r->reason);
	free(r->version);
	memset(r, 0, sizeof *r);
}

const struct ptxas no_ptxas = {
#define X(field) -1,
	PTXAS_MAP(X)
#undef X
};

const struct function no_function = {
#define X(field) -1,
	FUNCTION_MAP(X)
#undef X
};

void trial_record_release(struct trial_record *t)
{
	for (int i = 0; i < t->n_timings; i++)
		free(t->timings[i].samples_ns);
	free(t->timings);
	for (int i = 0; i < t->n_metrics; i++)
		free(t->metrics[i].name);
	free(t->metrics);
	free(t->checks);
	free(t->config);
	free(t->op);
	free(t->detail);
	free(t->gates);
	free(t->entry);
	free(t->log);
	memset(t, 0, sizeof *t);
}

void final_record_release(struct final_record *f)
{
	for (int i = 0; i < f->n; i++)
		free(f->finalists[i].detail);
	free(f->finalists);
	free(f->times);
	memset(f, 0, sizeof *f);
}

void event_record_release(struct event_record *v)
{
	free(v->kind);
	free(v->body);
	memset(v, 0, sizeof *v);
}
