#include "tuner/daemon/import.h"

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "runtime/stats.h"
#include "tuner/daemon/row.h"
#include "tuner/task/recording.h"
#include "tuner/task/task.h"
#include "version.h"

enum { NAME_MAX_BYTES = 128 };

#define NS_PER_MS 1e6
#define MS_PER_S  1e3

struct import {
	char *file, *t1, *name;
	struct recording *from; /* NULL: it could not be read, and `why` says so */
	struct err why;
	struct store *store; /* from import_begin on */
	bool open;	     /* the transaction */
	size_t next;	     /* entry */
	struct import_result result;
	struct run_summary after;
	struct event_record event;
	struct run_record run;
	bool by_time;			/* the objective is the time */
	double best_ns, best_objective; /* of the best configuration, where it is not */
};

/* --- checks, before anything is written --- */

static double time_of(const struct recorded *x)
{
	struct stats s;

	if (x->time_ns > 0 || x->n_samples == 0)
		return x->time_ns;
	stats_of(x->sample_ns, x->n_samples, &s);
	return s.mean;
}

/* A run's trials have times; a recording may have none, or have them without a unit. */
static int check_times(const struct recording *r, const char *file, struct err *e)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->entry[i].ok && !(time_of(&r->entry[i]) > 0))
			return err_set(e, ERR_INVALID,
				       "%s: configuration %.200s: expected the time of a launch, "
				       "\"time\" or \"times\" in a unit of time; without it a %s "
				       "can be replayed and not imported",
				       file, r->entry[i].key, r->format);
	return 0;
}

static bool is_printable(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return false;
	return true;
}

/* "conv" of "/tmp/conv.json.gz". */
static char *stem(const char *file)
{
	const char *slash = strrchr(file, '/'), *name = slash ? slash + 1 : file;
	size_t n = strcspn(name + 1, ".") + 1;

	return mem_strndup(name, n);
}

static int choose_name(struct import *m, struct err *e)
{
	const char *kernel = m->from->kernel;

	if (m->name)
		m->run.task_name = mem_strdup(m->name);
	else
		m->run.task_name = kernel && *kernel ? mem_strdup(kernel) : stem(m->file);
	if (*m->run.task_name && strlen(m->run.task_name) <= NAME_MAX_BYTES &&
	    is_printable(m->run.task_name))
		return 0;
	return err_set(e, ERR_INVALID,
		       "%s: its kernel's name cannot be a run's: expected 1 to %d bytes without "
		       "control characters; give one with --name",
		       m->file, NAME_MAX_BYTES);
}

/* --- the run --- */

static char *environment_of(const struct recording *r)
{
	cJSON *o = json_new_object();
	char *text;

	json_add_string(o, "recording", r->format);
	json_add_string(o, "kernel", r->kernel && *r->kernel ? r->kernel : NULL);
	json_add_string(o, "device", r->device && *r->device ? r->device : NULL);
	json_add_string(o, "objective", r->objective);
	text = json_render(o);
	cJSON_Delete(o);
	return text;
}

/* Nothing else is of this identity, so that no other run takes its results for its own. */
static void identify(struct run_record *r)
{
	struct hash *h = hash_new();

	hash_text(h, RUNTIME_RECORDED);
	hash_text(h, r->source_hash);
	hash_finish(h, r->identity);
}

/* From the first record to the last, where the file says when they were made. */
static void find_times(struct import *m)
{
	struct run_record *r = &m->run;

	for (size_t i = 0; i < m->from->n; i++) {
		const struct recorded *x = &m->from->entry[i];

		r->active_s += x->compile_s + x->measure_s + x->search_s;
		if (x->at_ms > r->ended_ms)
			r->ended_ms = x->at_ms;
		if (x->at_ms > 0 && (x->at_ms < r->started_ms || !r->started_ms))
			r->started_ms = x->at_ms;
	}
	r->created_ms = clock_wall_ms();
}

/* The description's default, where it was tried: what speed-ups are over. */
static char *baseline_of(const struct recording *r)
{
	if (!r->defaults || recording_find(r, r->defaults) == r->n)
		return NULL;
	return task_config_json(r->space, r->defaults);
}

static void fill_run(struct import *m, const char *file)
{
	struct run_record *r = &m->run;
	struct str reason = STR_INIT;

	str_addf(&reason, "imported: %s", m->from->format);
	r->task_path = mem_strdup(file);
	r->task_text = recording_describe(m->from);
	hash_bytes(r->task_text, strlen(r->task_text), r->task_hash);
	memcpy(r->source_hash, m->from->hash, sizeof r->source_hash);
	identify(r);
	r->runtime = mem_strdup(RUNTIME_RECORDED);
	r->strategy = mem_strdup(RUNTIME_RECORDED);
	r->devices = mem_strdup("[]");
	r->shapes = mem_strdup("[]");
	r->narrow = mem_strdup("{}");
	r->settings = mem_strdup("{}");
	r->baseline = baseline_of(m->from);
	r->state = RUN_DONE;
	r->reason = str_detach(&reason);
	r->version = mem_strdup(EVO_TUNED_VERSION);
	find_times(m);
}

/* --- its trials --- */

static double score_of(const struct import *m, const struct recorded *x)
{
	if (m->by_time)
		return time_of(x);
	return m->best_ns * recording_score(m->from, x) / m->best_objective;
}

/* Samples where there are any; the recorded time otherwise, which then has no interval. */
static void fill_timing(struct trial_record *t, const struct recorded *x)
{
	struct timing *m = mem_alloc(sizeof *m);
	struct stats s;

	m->mode = TIMING_RECORDED;
	m->l2 = TIMING_L2_WARM;
	m->p50_ns = m->mean_ns = time_of(x);
	m->stddev_ns = m->min_ns = m->p90_ns = m->p99_ns = m->ci_low_ns = m->ci_high_ns = NAN;
	m->launches_per_sample = 1;
	if (x->n_samples) {
		stats_of(x->sample_ns, x->n_samples, &s);
		m->p50_ns = s.median;
		m->stddev_ns = s.stddev;
		m->min_ns = s.min;
		m->p90_ns = s.p90;
		m->p99_ns = s.p99;
		m->ci_low_ns = t->ci_low_ns = s.ci_low;
		m->ci_high_ns = t->ci_high_ns = s.ci_high;
		m->samples_ns = mem_array((size_t)x->n_samples, sizeof *m->samples_ns);
		memcpy(m->samples_ns, x->sample_ns, (size_t)x->n_samples * sizeof *x->sample_ns);
		m->n_samples = x->n_samples;
	}
	t->p50_ns = m->p50_ns;
	t->timings = m;
	t->n_timings = 1;
}

static void fill_metrics(struct trial_record *t, const struct recorded *x)
{
	t->metrics = mem_array((size_t)x->n_metrics + 1, sizeof *t->metrics);
	for (; t->n_metrics < x->n_metrics; t->n_metrics++) {
		const struct recorded_metric *from = &x->metrics[t->n_metrics];

		t->metrics[t->n_metrics] =
			(struct extra_figure){ mem_strdup(from->name), from->value };
	}
}

static void fill_trial(const struct import *m, size_t i, int64_t no, struct trial_record *ret)
{
	const struct recorded *x = &m->from->entry[i];
	size_t width = (size_t)space_params(m->from->space);

	*ret = (struct trial_record){
		.run = m->run.id,
		.no = no,
		.ask = no - 1,
		.asked_before = no,
		.config = task_config_json(m->from->space, m->from->config + i * width),
		.op = mem_strdup(RUNTIME_RECORDED),
		.parents = { -1, -1 },
		.outcome = x->outcome,
		.compile_ms = x->compile_s * MS_PER_S,
		.verify_ms = x->verify_s * MS_PER_S,
		.time_ms = (x->measure_s - x->verify_s) * MS_PER_S,
		.search_ms = x->search_s * MS_PER_S,
		.device = -1,
		.ptxas = no_ptxas,
		.function = no_function,
		.clocks = { -1, -1, -1, -1, -1 },
		.at.stored = (double)x->at_ms,
	};
	fill_metrics(ret, x);
	if (!x->ok)
		return;
	ret->score_ns = score_of(m, x);
	fill_timing(ret, x);
}

/* A file may have a configuration again: the first counts, as for a replay. */
static bool is_first(const struct recording *r, size_t i)
{
	return recording_find(r, r->config + i * (size_t)space_params(r->space)) == i;
}

static int add_trial(struct import *m, size_t i, struct err *e)
{
	struct trial_record t;
	int r;

	fill_trial(m, i, ++m->result.trials, &t);
	r = store_add_trial(m->store, &t, e);
	row_count(&m->after, &t, false);
	trial_record_release(&t);
	return r;
}

/* --- the whole --- */

/* How many there will be, and what their scores are to be measured by. */
static void look_over(struct import *m)
{
	const struct recording *r = m->from;

	for (size_t i = 0; i < r->n; i++) {
		const struct recorded *x = &r->entry[i];

		if (!is_first(r, i))
			continue;
		m->run.budget++;
		if (!x->ok || (m->best_ns > 0 && recording_score(r, x) >= m->best_objective))
			continue;
		m->best_objective = recording_score(r, x);
		m->best_ns = time_of(x);
	}
}

static int write_run(struct import *m, struct err *e)
{
	char *environment = environment_of(m->from);
	int r = store_add_environment(m->store, environment, &m->run.environment, e);

	free(environment);
	if (r == 0)
		r = store_add_run(m->store, &m->run, NULL, 0, e);
	m->result.run = m->run.id;
	return r;
}

static int finish(struct import *m, struct err *e)
{
	int r;

	m->event = (struct event_record){
		.at_ms = m->run.created_ms,
		.run = m->run.id,
		.kind = mem_strdup("run"),
		.body = row_run_event(&m->run, &m->after, NULL),
	};
	r = store_add_event(m->store, &m->event, e);
	if (r == 0)
		r = store_commit(m->store, e);
	if (r < 0)
		return r;
	m->open = false;
	m->result.repeated = (int64_t)m->from->n - m->result.trials;
	return 0;
}

static void take_back(struct import *m)
{
	if (m->open)
		store_rollback(m->store);
	m->open = false;
}

/* --- its parts --- */

struct import *import_new(const struct import_request *q)
{
	struct import *m = mem_alloc(sizeof *m);

	m->file = mem_strdup(q->file);
	m->t1 = mem_strdup(q->t1);
	m->name = mem_strdup(q->name);
	return m;
}

void import_load(struct import *m)
{
	recording_load(m->file, m->t1, &m->from, &m->why);
}

static int prepare(struct import *m, struct err *e)
{
	int r = check_times(m->from, m->file, e);

	if (r == 0)
		r = choose_name(m, e);
	if (r < 0)
		return r;
	fill_run(m, m->file);
	look_over(m);
	return 0;
}

int import_begin(struct import *m, struct store *s, struct err *e)
{
	int r;

	if (!m->from) {
		*e = m->why;
		return e->code;
	}
	m->store = s;
	m->by_time = strcmp(m->from->objective, "time") == 0;
	m->result.illegal = (int64_t)m->from->n_illegal;
	m->result.dropped_bytes = (int64_t)m->from->n_dropped;
	r = store_find_recorded(s, m->from->hash, &m->result.run, e);
	m->result.known = r == 0 && m->result.run;
	if (r < 0 || m->result.known)
		return r;
	r = prepare(m, e);
	if (r == 0)
		r = store_begin(s, e);
	if (r < 0)
		return r;
	m->open = true;
	r = write_run(m, e);
	if (r < 0)
		take_back(m);
	return r;
}

int import_step(struct import *m, int most, struct err *e)
{
	int r = 0;

	if (!m->open)
		return 0;
	for (; m->next < m->from->n && most > 0 && r == 0; m->next++, most--)
		if (is_first(m->from, m->next))
			r = add_trial(m, m->next, e);
	if (r == 0 && m->next < m->from->n)
		return 1;
	if (r == 0)
		r = finish(m, e);
	if (r < 0)
		take_back(m);
	return r;
}

void import_free(struct import *m)
{
	if (!m)
		return;
	take_back(m);
	run_record_release(&m->run);
	event_record_release(&m->event);
	recording_free(m->from);
	free(m->file);
	free(m->t1);
	free(m->name);
	free(m);
}

const struct import_result *import_result_of(const struct import *m)
{
	return &m->result;
}

const struct event_record *import_event(const struct import *m)
{
	return m->event.kind ? &m->event : NULL;
}

int import_file(struct store *s, const struct import_request *q, struct import_result *ret,
		struct err *e)
{
	struct import *m = import_new(q);
	int r;

	import_load(m);
	r = import_begin(m, s, e);
	if (r == 0)
		r = import_step(m, INT_MAX, e);
	if (r == 0)
		*ret = m->result;
	import_free(m);
	return r;
}

cJSON *import_json(const struct import_result *x)
{
	cJSON *o = json_new_object();

	json_add_int(o, "run", x->run);
	json_add_bool(o, "new", !x->known);
	json_add_int(o, "trials", x->trials);
	json_add_int(o, "repeated", x->repeated);
	json_add_int(o, "illegal", x->illegal);
	json_add_int(o, "dropped_bytes", x->dropped_bytes);
	return o;
}
