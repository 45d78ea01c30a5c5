#include "tuner/worker/wire.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "tuner/worker/wire_fields.h"
#include "tuner/worker/wire_job.h"
#include "tuner/worker/wire_problem.h"
#include "tuner/worker/wire_result.h"

static const char *const verb_names[] = { "probe",   "compile", "warm",	   "open",
					  "measure", "close",	"ceilings" };

static const struct {
	enum err_code code;
	const char *name;
} codes[] = {
	{ ERR_INVALID, "invalid" },   { ERR_IO, "io" },	    { ERR_MISSING, "missing" },
	{ ERR_PROTOCOL, "protocol" }, { ERR_FULL, "full" }, { ERR_BUSY, "busy" },
	{ ERR_FAILED, "failed" },
};

/* Frees the object. */
static char *line_of(cJSON *object)
{
	char *line = json_render(object);
	size_t len = strlen(line);

	cJSON_Delete(object);
	line = mem_grow(line, len + 2, 1);
	memcpy(line + len, "\n", 2);
	return line;
}

static cJSON *new_request(int64_t id, enum wire_verb verb, const char *runtime)
{
	cJSON *o = json_new_object();

	json_add_int(o, "id", id);
	json_add_string(o, "do", verb_names[verb]);
	if (runtime)
		json_add_string(o, "runtime", runtime);
	return o;
}

char *wire_ask_probe(int64_t id, const char *runtime)
{
	return line_of(new_request(id, WIRE_PROBE, runtime));
}

static char *ask_of_device(int64_t id, enum wire_verb verb, const char *runtime, int ordinal)
{
	cJSON *o = new_request(id, verb, runtime);

	json_add_int(o, "ordinal", ordinal);
	return line_of(o);
}

char *wire_ask_ceilings(int64_t id, const char *runtime, int ordinal)
{
	return ask_of_device(id, WIRE_CEILINGS, runtime, ordinal);
}

static char *ask_with_problem(int64_t id, enum wire_verb verb, const char *runtime, int ordinal,
			      const struct problem *p)
{
	cJSON *o = new_request(id, verb, runtime);

	json_add_int(o, "ordinal", ordinal);
	json_add(o, "problem", wire_put_problem(p));
	return line_of(o);
}

char *wire_ask_warm(int64_t id, const char *runtime, int ordinal, const struct problem *p)
{
	return ask_with_problem(id, WIRE_WARM, runtime, ordinal, p);
}

char *wire_ask_open(int64_t id, const char *runtime, int ordinal, const struct problem *p)
{
	return ask_with_problem(id, WIRE_OPEN, runtime, ordinal, p);
}

char *wire_ask_compile(int64_t id, const char *runtime, const struct compile_job *job)
{
	cJSON *o = new_request(id, WIRE_COMPILE, runtime);

	json_add(o, "job", wire_put_compile_job(job));
	return line_of(o);
}

char *wire_ask_measure(int64_t id, const struct measure_job *job)
{
	cJSON *o = new_request(id, WIRE_MEASURE, NULL);

	json_add(o, "job", wire_put_measure_job(job));
	return line_of(o);
}

char *wire_ask_close(int64_t id)
{
	return line_of(new_request(id, WIRE_CLOSE, NULL));
}

/* What a request points to. Its strings stay in the parsed text. */
struct owned {
	cJSON *tree;
	struct wire_job_lists lists;
};

static int get_runtime(const struct json_node *n, const struct runtime **ret, struct err *e)
{
	const char *name;
	int r = wire_need_string(n, "runtime", &name, e);

	if (r < 0)
		return r;
	*ret = runtime_find(name);
	return *ret ? 0 : json_wrong(n, e, "runtime: there is none called %.40s", name);
}

static int get_ordinal(const struct json_node *n, struct wire_request *ret, struct err *e)
{
	struct json_node part;
	int64_t ordinal = 0;
	int r = json_need(n, "ordinal", &part, e);

	if (r == 0)
		r = json_int(&part, 0, 65535, &ordinal, e);
	ret->ordinal = (int)ordinal;
	return r;
}

static int get_with_problem(const struct json_node *n, struct wire_request *ret, struct err *e)
{
	struct json_node part;
	int r = get_ordinal(n, ret, e);

	if (r < 0 || (r = json_need(n, "problem", &part, e)) < 0)
		return r;
	return wire_get_problem(&part, ret->verb == WIRE_OPEN, &ret->problem, e);
}

static int get_verb(const struct json_node *n, enum wire_verb *ret, struct err *e)
{
	const char *name;
	int r = wire_need_string(n, "do", &name, e);

	if (r < 0)
		return r;
	for (int i = 0; i < WIRE_VERB_COUNT; i++) {
		if (strcmp(verb_names[i], name) == 0) {
			*ret = (enum wire_verb)i;
			return 0;
		}
	}
	return json_wrong(n, e, "do: there is no request called %.40s", name);
}

/* Keys beside "id" and "do". */
static const char *const request_keys[][6] = {
	[WIRE_PROBE] = { "id", "do", "runtime" },
	[WIRE_COMPILE] = { "id", "do", "runtime", "job" },
	[WIRE_WARM] = { "id", "do", "runtime", "ordinal", "problem" },
	[WIRE_OPEN] = { "id", "do", "runtime", "ordinal", "problem" },
	[WIRE_MEASURE] = { "id", "do", "job" },
	[WIRE_CLOSE] = { "id", "do" },
	[WIRE_CEILINGS] = { "id", "do", "runtime", "ordinal" },
};

static int get_request(const struct json_node *n, struct wire_request *ret, struct err *e)
{
	struct owned *o = ret->owned;
	struct json_node id, job;
	int r = json_need(n, "id", &id, e);

	if (r < 0 || (r = json_int(&id, 0, (int64_t)1 << 53, &ret->id, e)) < 0 ||
	    (r = get_verb(n, &ret->verb, e)) < 0 ||
	    (r = json_only(n, request_keys[ret->verb], e)) < 0)
		return r;
	if (ret->verb != WIRE_MEASURE && ret->verb != WIRE_CLOSE)
		r = get_runtime(n, &ret->runtime, e);
	if (r < 0)
		return r;
	switch (ret->verb) {
	case WIRE_COMPILE:
		r = json_need(n, "job", &job, e);
		return r < 0 ? r : wire_get_compile_job(&job, &ret->compile, &o->lists, e);
	case WIRE_CEILINGS:
		return get_ordinal(n, ret, e);
	case WIRE_WARM:
	case WIRE_OPEN:
		return get_with_problem(n, ret, e);
	case WIRE_MEASURE:
		r = json_need(n, "job", &job, e);
		return r < 0 ? r : wire_get_measure_job(&job, &ret->measure, &o->lists, e);
	case WIRE_PROBE:
	case WIRE_CLOSE:
	case WIRE_VERB_COUNT:
		break;
	}
	return 0;
}

int wire_request_parse(const char *line, size_t len, struct wire_request *ret, struct err *e)
{
	struct wire_request request = { .id = 0 };
	struct json_node root;
	struct owned *o;
	cJSON *tree;
	int r = json_parse(line, len, &tree, e);

	memset(ret, 0, sizeof *ret);
	if (r < 0)
		return r;
	o = mem_alloc(sizeof *o);
	o->tree = tree;
	request.owned = o;
	root = json_root(tree);
	r = get_request(&root, &request, e);
	if (r == 0) {
		*ret = request;
		return 0;
	}
	ret->id = request.id;
	wire_request_release(&request);
	return r;
}

void wire_request_release(struct wire_request *r)
{
	struct owned *o = r->owned;

	problem_free(r->problem);
	if (o) {
		wire_job_lists_release(&o->lists);
		cJSON_Delete(o->tree);
		free(o);
	}
	memset(r, 0, sizeof *r);
}

static cJSON *new_reply(int64_t id)
{
	cJSON *o = json_new_object();

	json_add_int(o, "id", id);
	return o;
}

static char *reply_with(int64_t id, const char *key, cJSON *value)
{
	cJSON *o = new_reply(id);

	json_add(o, key, value);
	return line_of(o);
}

char *wire_tell_error(int64_t id, const struct err *e)
{
	cJSON *o = new_reply(id), *error = json_add_object(o, "error");
	const char *code = "io";

	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
		if (codes[i].code == e->code)
			code = codes[i].name;
	json_add_string(error, "code", code);
	json_add(error, "message", wire_text(e->msg));
	return line_of(o);
}

char *wire_tell_devices(int64_t id, const struct device *d, int n)
{
	return reply_with(id, "devices", wire_put_devices(d, n));
}

char *wire_tell_artifact(int64_t id, const struct artifact *a)
{
	return reply_with(id, "artifact", wire_put_artifact(a));
}

char *wire_tell_warm(int64_t id)
{
	return reply_with(id, "warm", cJSON_CreateTrue());
}

char *wire_tell_opened(int64_t id)
{
	return reply_with(id, "opened", cJSON_CreateTrue());
}

char *wire_tell_measurement(int64_t id, const struct measurement *m)
{
	return reply_with(id, "measurement", wire_put_measurement(m));
}

char *wire_tell_closed(int64_t id)
{
	return reply_with(id, "closed", cJSON_CreateTrue());
}

char *wire_tell_ceilings(int64_t id, const struct ceilings *c)
{
	return reply_with(id, "ceilings", wire_put_ceilings(c));
}

static int get_error(const struct json_node *n, struct wire_reply *ret, struct err *e)
{
	static const char *const keys[] = { "code", "message", NULL };
	const char *code, *message;
	int r = json_only(n, keys, e);

	if (r < 0 || (r = wire_need_string(n, "code", &code, e)) < 0 ||
	    (r = wire_need_string(n, "message", &message, e)) < 0)
		return r;
	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
		if (strcmp(codes[i].name, code) == 0) {
			err_set(&ret->error, codes[i].code, "%s", message);
			ret->failed = true;
			return 0;
		}
	}
	return json_wrong(n, e, "code: unknown code %.40s", code);
}

static int get_true(const struct json_node *n, struct err *e)
{
	return cJSON_IsTrue(n->value) ? 0 : json_expected(n, e, "true");
}

static int get_answer(const struct json_node *n, struct wire_reply *ret, struct err *e)
{
	static const char *const answers[] = { "devices",     "artifact", "warm",    "opened",
					       "measurement", "closed",	  "ceilings" };
	struct json_node part;
	int verb = 0;

	while (verb < WIRE_VERB_COUNT && !json_get(n, answers[verb], &part))
		verb++;
	ret->verb = (enum wire_verb)verb;
	switch (ret->verb) {
	case WIRE_PROBE:
		return wire_get_devices(&part, &ret->devices, &ret->n_devices, e);
	case WIRE_COMPILE:
		return wire_get_artifact(&part, &ret->artifact, e);
	case WIRE_MEASURE:
		return wire_get_measurement(&part, &ret->measurement, e);
	case WIRE_CEILINGS:
		return wire_get_ceilings(&part, &ret->ceilings, e);
	case WIRE_WARM:
	case WIRE_OPEN:
	case WIRE_CLOSE:
		return get_true(&part, e);
	case WIRE_VERB_COUNT:
		break;
	}
	return json_wrong(n, e, "no answer that anybody knows");
}

int wire_reply_parse(const char *line, size_t len, struct wire_reply *ret, struct err *e)
{
	struct wire_reply reply = { .id = 0 };
	struct json_node root, part;
	cJSON *tree;
	int r = json_parse(line, len, &tree, e);

	if (r < 0)
		return r;
	root = json_root(tree);
	r = json_need(&root, "id", &part, e);
	if (r == 0)
		r = json_int(&part, 0, (int64_t)1 << 53, &reply.id, e);
	if (r == 0 && json_count(&root) != 2)
		r = json_wrong(&root, e, "expected an id and one answer");
	if (r == 0 && json_get(&root, "error", &part))
		r = get_error(&part, &reply, e);
	else if (r == 0)
		r = get_answer(&root, &reply, e);
	cJSON_Delete(tree);
	if (r < 0)
		wire_reply_release(&reply);
	else
		*ret = reply;
	return r;
}

void wire_reply_release(struct wire_reply *r)
{
	free(r->devices);
	artifact_release(&r->artifact);
	measurement_release(&r->measurement);
	memset(r, 0, sizeof *r);
}
