#include "tuner/task/task_config.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"

char *task_config_json(const struct space *s, const uint16_t *config)
{
	cJSON *object = json_new_object();
	char *text;

	for (int i = 0; i < space_params(s); i++) {
		const struct value *v = space_value(s, i, config[i]);

		if (v->kind == VALUE_TEXT)
			json_add_string(object, space_name(s, i), v->s);
		else if (v->kind == VALUE_INT)
			json_add_int(object, space_name(s, i), v->i);
		else
			json_add_double(object, space_name(s, i), v->d);
	}
	text = json_render(object);
	cJSON_Delete(object);
	return text;
}

/* JSON does not tell 2 from 2.0, nor does space_position. */
static int read_value(const struct json_node *n, struct value *ret, struct err *e)
{
	double d;
	int r;

	if (cJSON_IsString(n->value)) {
		*ret = value_text(n->value->valuestring);
		return 0;
	}
	if (cJSON_IsBool(n->value)) {
		*ret = value_int(cJSON_IsTrue(n->value));
		return 0;
	}
	r = json_double(n, -1e308, 1e308, &d, e);
	if (r < 0)
		return r;
	*ret = d == (double)(int64_t)d ? value_int((int64_t)d) : value_real(d);
	return 0;
}

static int read_param(const struct space *s, const struct json_node *n, bool *seen, uint16_t *ret,
		      struct err *e)
{
	int param = space_find(s, n->key), position, r;
	struct value v;

	if (param < 0)
		return json_wrong(n, e, "the space has no such parameter");
	r = read_value(n, &v, e);
	if (r < 0)
		return r;
	position = space_position(s, param, &v);
	if (position < 0)
		return json_wrong(n, e, "not one of the parameter's values");
	seen[param] = true;
	ret[param] = (uint16_t)position;
	return 0;
}

static int read_config(const struct space *s, const struct json_node *root, uint16_t *ret,
		       struct err *e)
{
	bool seen[SPACE_PARAMS_MAX] = { false };
	struct json_node n;
	int r = json_object(root, e);

	for (bool more = r == 0 && json_first(root, &n); more && r == 0; more = json_next(&n))
		r = read_param(s, &n, seen, ret, e);
	for (int i = 0; i < space_params(s) && r == 0; i++)
		if (!seen[i])
			r = json_wrong(root, e, "parameter %s is missing", space_name(s, i));
	return r;
}

int task_config_parse(const struct space *s, const char *json, uint16_t *ret, struct err *e)
{
	uint16_t config[SPACE_PARAMS_MAX];
	struct json_node root;
	cJSON *tree;
	int r = json_parse(json, strlen(json), &tree, e);

	if (r < 0)
		return err_wrap(e, "configuration");
	root = json_root(tree);
	r = read_config(s, &root, config, e);
	cJSON_Delete(tree);
	if (r < 0)
		return err_wrap(e, "configuration");
	memcpy(ret, config, (size_t)space_params(s) * sizeof *ret);
	return 0;
}

int task_config_each(const char *json, task_on_value *f, void *ctx, struct err *e)
{
	struct json_node root, n;
	struct value v;
	cJSON *tree;
	int r = json_parse(json, strlen(json), &tree, e);

	if (r < 0)
		return err_wrap(e, "configuration");
	root = json_root(tree);
	r = json_object(&root, e);
	for (bool more = r == 0 && json_first(&root, &n); more && r == 0; more = json_next(&n)) {
		r = read_value(&n, &v, e);
		if (r == 0)
			f(ctx, n.key, &v);
	}
	cJSON_Delete(tree);
	return r < 0 ? err_wrap(e, "configuration") : 0;
}

/* What .npy files hold is part of what a task computes. */
static void hash_files(struct hash *h, const struct problem *p)
{
	for (int s = 0; s < p->n_shapes; s++)
		for (int b = 0; b < p->n_buffers; b++)
			if (p->shapes[s].buffers[b].fill.kind == FILL_NPY)
				hash_file(h, p->shapes[s].buffers[b].fill.path);
	for (int i = 0; i < p->n_references; i++)
		for (int b = 0; p->references[i].files && b < p->n_buffers; b++)
			if (p->references[i].files[b])
				hash_file(h, p->references[i].files[b]);
}

/* Narrowing a parameter changes which configurations are tried, not what they measure: it is left
 * out, so that a narrowed run finds what a wide one has measured. */
void task_identity(const struct task_bound *b, char ret[HASH_HEX])
{
	const struct device *d = &b->device;
	struct hash *h = hash_new();

	hash_text(h, b->task->hash);
	hash_text(h, b->task->source_hash);
	for (int i = 0; i < b->n_shapes; i++) {
		hash_text(h, b->task->shapes[b->shapes[i]].name);
		hash_field(h, (char[]){ b->check[i], b->time[i] }, 2);
	}
	hash_files(h, b->problem);
	hash_text(h, d->name);
	hash_text(h, d->uuid);
	hash_text(h, d->arch);
	hash_text(h, d->driver);
	hash_text(h, d->compiler);
	hash_finish(h, ret);
}
