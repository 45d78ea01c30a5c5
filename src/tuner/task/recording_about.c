/* What a recording is of, as text: how an imported run keeps it. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tuner/task/recording_format.h"

/* A value as its key has it: Python tells 1.0 from 1 and True from 1, and so do its files. */
cJSON *recording_value_json(const struct recording *r, int param, int at)
{
	const char *text = r->text[param][at];

	if (space_value(r->space, param, at)->kind == VALUE_TEXT)
		return cJSON_CreateString(text);
	if (strcmp(text, "True") == 0 || strcmp(text, "False") == 0)
		return cJSON_CreateBool(text[0] == 'T');
	return cJSON_CreateRaw(text);
}

cJSON *recording_values(const struct recording *r, int param)
{
	cJSON *list = json_new_list();

	for (int i = 0; i < space_values(r->space, param); i++)
		json_push(list, recording_value_json(r, param, i));
	return list;
}

static void add_params(const struct recording *r, cJSON *o)
{
	cJSON *list = json_add_list(o, "parameters");

	for (int p = 0; p < space_params(r->space); p++) {
		cJSON *one = json_new_object(), *texts;

		json_add_string(one, "name", space_name(r->space, p));
		json_add(one, "values", recording_values(r, p));
		texts = json_add_list(one, "texts");
		for (int i = 0; i < space_values(r->space, p); i++)
			json_push(texts, cJSON_CreateString(r->text[p][i]));
		json_push(list, one);
	}
}

char *recording_describe(const struct recording *r)
{
	cJSON *o = json_new_object();
	char *text;

	json_add_string(o, "format", r->format);
	json_add_string(o, "kernel", r->kernel ? r->kernel : "");
	json_add_string(o, "device", r->device ? r->device : "");
	json_add_string(o, "objective", r->objective);
	json_add_bool(o, "higher", r->higher);
	if (r->problem_size)
		json_add(o, "problem_size", cJSON_CreateRaw(r->problem_size));
	add_params(r, o);
	text = json_render(o);
	cJSON_Delete(o);
	return text;
}

/* --- and back --- */

static int read_texts(struct recording *r, int param, const struct json_node *n, struct err *e)
{
	struct json_node list, one;
	const char *text = NULL;
	int i = 0, status = json_need(n, "texts", &list, e);

	if (status == 0)
		status = json_list(&list, e);
	if (status == 0 && json_count(&list) != space_values(r->space, param))
		status = json_wrong(&list, e, "expected one for each value");
	if (status < 0)
		return status;
	for (bool more = json_first(&list, &one); more && status == 0; more = json_next(&one)) {
		status = json_string(&one, &text, e);
		if (status == 0) {
			free(r->text[param][i]);
			r->text[param][i++] = mem_strdup(text);
		}
	}
	return status;
}

static int read_param(struct recording *r, const struct json_node *n, struct err *e)
{
	struct json_node name, values;
	const char *text = NULL;
	int at = space_params(r->space), status = json_need(n, "name", &name, e);

	if (status == 0)
		status = json_string(&name, &text, e);
	if (status == 0)
		status = json_need(n, "values", &values, e);
	if (status == 0)
		status = recording_add_param(r, text, &values, e);
	return status == 0 ? read_texts(r, at, n, e) : status;
}

static int read_params(struct recording *r, const struct json_node *root, struct err *e)
{
	struct json_node list, one;
	int status = json_need(root, "parameters", &list, e);

	if (status == 0)
		status = json_list(&list, e);
	if (status < 0)
		return status;
	for (bool more = json_first(&list, &one); more && status == 0; more = json_next(&one))
		status = read_param(r, &one, e);
	return status;
}

static int read_about(struct recording *r, const struct json_node *root, struct err *e)
{
	const char *kernel = "", *device = "", *objective = "time", *format = "";
	struct json_node size;
	int status = json_opt_string(root, "kernel", &kernel, e);

	if (status == 0)
		status = json_opt_string(root, "device", &device, e);
	if (status == 0)
		status = json_opt_string(root, "objective", &objective, e);
	if (status == 0)
		status = json_opt_string(root, "format", &format, e);
	if (status == 0)
		status = json_opt_bool(root, "higher", &r->higher, e);
	if (status < 0)
		return status;
	r->format = recording_format_name(format);
	r->kernel = mem_strdup(kernel);
	r->device = mem_strdup(device);
	r->objective = mem_strdup(objective);
	if (json_get(root, "problem_size", &size))
		r->problem_size = json_render(size.value);
	return 0;
}

int recording_described(const char *json, struct recording **ret, struct err *e)
{
	struct recording *r;
	struct json_node root;
	cJSON *doc = NULL;
	int status = json_parse(json, strlen(json), &doc, e);

	if (status < 0)
		return err_wrap(e, "description of a recording");
	r = mem_alloc(sizeof *r);
	r->space = space_new();
	root = json_root(doc);
	status = read_about(r, &root, e);
	if (status == 0)
		status = read_params(r, &root, e);
	cJSON_Delete(doc);
	if (status < 0) {
		recording_free(r);
		return err_wrap(e, "description of a recording");
	}
	*ret = r;
	return 0;
}
