#include "tuner/worker/wire_job.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tuner/worker/wire_fields.h"
#include "tuner/worker/wire_problem.h"

static const struct wire_field measure_fields[] = {
	WIRE_PLAIN(struct measure_job, verify, WIRE_BOOL),
	WIRE_PLAIN(struct measure_job, time, WIRE_BOOL),
	WIRE_PLAIN(struct measure_job, fresh_seed, WIRE_U64),
	WIRE_PLAIN(struct measure_job, best_ns, WIRE_DOUBLE),
	WIRE_END,
};

static cJSON *put_strings(const char *const *texts, int n)
{
	cJSON *list = json_new_list();

	for (int i = 0; i < n; i++)
		json_push(list, wire_text(texts[i]));
	return list;
}

cJSON *wire_put_compile_job(const struct compile_job *job)
{
	/* The types of arguments are for the C shim; CUDA needs none. */
	int n = job->language == LANGUAGE_C ? job->n_arguments : 0;
	cJSON *j = json_new_object(), *list;

	json_add_string(j, "language", wire_languages.name(job->language));
	json_add(j, "source", wire_text(job->source));
	json_add(j, "entry", wire_text(job->entry));
	json_add(j, "arch", wire_text(job->arch ? job->arch : ""));
	json_add(j, "cache", wire_text(job->cache));
	json_add(j, "options", put_strings(job->options, job->n_options));
	json_add(j, "c_types", put_strings(job->argument_c_types, n));
	list = json_add_list(j, "buffers");
	for (int i = 0; i < n; i++)
		json_push(list, cJSON_CreateNumber(job->arguments[i].buffer));
	return j;
}

cJSON *wire_put_measure_job(const struct measure_job *job)
{
	cJSON *j = json_new_object(), *list;

	json_add(j, "artifact", wire_text(job->artifact));
	json_add(j, "entry", wire_text(job->entry));
	json_add(j, "head", wire_put(job, measure_fields));
	list = json_add_list(j, "launches");
	for (int i = 0; i < job->n_launches; i++)
		json_push(list, wire_put_launch(&job->launches[i]));
	return j;
}

static int get_strings(const struct json_node *n, const char *key, const char ***ret, int *ret_n,
		       struct err *e)
{
	struct json_node list, text;
	int i = 0, r = wire_need_list(n, key, &list, ret_n, e);

	if (r < 0)
		return r;
	*ret = mem_array((size_t)*ret_n, sizeof **ret);
	for (bool more = json_first(&list, &text); more && r == 0; more = json_next(&text))
		r = json_string(&text, &(*ret)[i++], e);
	return r;
}

/* Of an argument a compiler needs to know only whether it is a buffer: the type is in c_types. */
static int get_buffers(const struct json_node *n, int count, struct problem_argument **ret,
		       struct err *e)
{
	struct json_node list, one;
	int found, i = 0, r = wire_need_list(n, "buffers", &list, &found, e);

	if (r < 0)
		return r;
	if (found != count)
		return json_wrong(&list, e, "expected %d, one an argument, found %d", count, found);
	*ret = mem_array((size_t)count, sizeof **ret);
	for (bool more = json_first(&list, &one); more && r == 0; more = json_next(&one)) {
		int64_t buffer = -1;

		r = json_int(&one, -1, WIRE_LIST_MAX, &buffer, e);
		(*ret)[i++].buffer = (int)buffer;
	}
	return r;
}

static int get_language(const struct json_node *n, enum language *ret, struct err *e)
{
	const char *name;
	int r = wire_need_string(n, "language", &name, e);

	if (r < 0)
		return r;
	for (int i = 0; i < wire_languages.count; i++) {
		if (strcmp(wire_languages.name(i), name) == 0) {
			*ret = (enum language)i;
			return 0;
		}
	}
	return json_wrong(n, e, "language: expected cuda or c, found %.40s", name);
}

int wire_get_compile_job(const struct json_node *j, struct compile_job *job,
			 struct wire_job_lists *o, struct err *e)
{
	static const char *const keys[] = { "language", "source",  "entry",   "arch", "cache",
					    "options",	"c_types", "buffers", NULL };
	int r = json_only(j, keys, e);

	if (r < 0 || (r = get_language(j, &job->language, e)) < 0 ||
	    (r = wire_need_string(j, "source", &job->source, e)) < 0 ||
	    (r = wire_need_string(j, "entry", &job->entry, e)) < 0 ||
	    (r = wire_need_string(j, "arch", &job->arch, e)) < 0 ||
	    (r = wire_need_string(j, "cache", &job->cache, e)) < 0 ||
	    (r = get_strings(j, "options", &o->options, &o->n_options, e)) < 0 ||
	    (r = get_strings(j, "c_types", &o->c_types, &o->n_types, e)) < 0)
		return r;
	job->options = o->options;
	job->n_options = o->n_options;
	job->argument_c_types = o->c_types;
	job->n_arguments = o->n_types;
	r = get_buffers(j, o->n_types, &o->arguments, e);
	job->arguments = o->arguments;
	return r;
}

static int get_launches(const struct json_node *n, struct wire_job_lists *o, struct err *e)
{
	struct json_node list, one;
	int count, r = wire_need_list(n, "launches", &list, &count, e);

	if (r < 0)
		return r;
	o->launches = mem_array((size_t)count, sizeof *o->launches);
	for (bool more = json_first(&list, &one); more && r == 0; more = json_next(&one))
		r = wire_get_launch(&one, &o->launches[o->n_launches++], e);
	return r;
}

int wire_get_measure_job(const struct json_node *j, struct measure_job *job,
			 struct wire_job_lists *o, struct err *e)
{
	static const char *const keys[] = { "artifact", "entry", "launches", "head", NULL };
	struct json_node head;
	int r = json_only(j, keys, e);

	if (r < 0 || (r = wire_need_string(j, "artifact", &job->artifact, e)) < 0 ||
	    (r = wire_need_string(j, "entry", &job->entry, e)) < 0 ||
	    (r = json_need(j, "head", &head, e)) < 0 ||
	    (r = wire_get(&head, job, measure_fields, e)) < 0)
		return r;
	r = get_launches(j, o, e);
	job->launches = o->launches;
	job->n_launches = o->n_launches;
	return r;
}

void wire_job_lists_release(struct wire_job_lists *l)
{
	for (int i = 0; i < l->n_launches; i++)
		launch_release(&l->launches[i]);
	free(l->launches);
	free(l->arguments);
	free(l->options);
	free(l->c_types);
	memset(l, 0, sizeof *l);
}
