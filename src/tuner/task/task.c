#include "tuner/task/task.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "tuner/task/task_buffers.h"
#include "tuner/task/task_gates.h"
#include "tuner/task/task_kernel.h"
#include "tuner/task/task_params.h"
#include "tuner/task/task_read.h"
#include "tuner/task/task_reference.h"
#include "tuner/task/task_shapes.h"
#include "tuner/task/task_source.h"
#include "tuner/task/task_types.h"
#include "tuner/task/task_work.h"

/* White space between tokens does not count; within strings it does. */
static void hash_folded(const char *text, size_t len, char ret[HASH_HEX])
{
	char *folded = mem_alloc(len + 1);
	bool in_string = false;
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		if (!in_string && isspace((unsigned char)text[i]))
			continue;
		folded[n++] = text[i];
		if (in_string && text[i] == '\\' && i + 1 < len)
			folded[n++] = text[++i];
		else if (text[i] == '"')
			in_string = !in_string;
	}
	hash_bytes(folded, n, ret);
	free(folded);
}

static int read_heading(struct task *t, const struct json_node *root, struct err *e)
{
	const char *name = NULL, *description = "", *schema;
	struct json_node n;
	int r = json_need(root, "name", &n, e);

	if (r == 0)
		r = read_text(&n, &name, e);
	if (r == 0 && (strlen(name) > TASK_NAME_MAX || name[0] == '.' ||
		       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_.-") != strlen(name)))
		r = json_expected(&n, e,
				  "at most %d letters, digits, _, - and ., not starting "
				  "with a dot",
				  TASK_NAME_MAX);
	if (r == 0)
		r = json_opt_string(root, "description", &description, e);
	if (r == 0)
		r = json_opt_string(root, "$schema", &schema, e);
	if (r < 0)
		return r;
	t->name = mem_strdup(name);
	t->description = mem_strdup(description);
	return 0;
}

/* What names things stands before what is named by it. */
static int read_members_in_order(struct task *t, const struct json_node *root, struct err *e)
{
	static const char *const keys[] = { "$schema",	  "name",    "description", "kernel",
					    "parameters", "presets", "constraints", "baseline",
					    "shapes",	  "buffers", "reference",   "gates",
					    "objective",  "measure", "work",	    NULL };
	static int (*const steps[])(struct task *, const struct json_node *, struct err *) = {
		read_heading, shapes_read,     params_read,	  constraints_read,
		presets_read, buffers_read,    shapes_read_fills, kernel_read,
		gates_read,   references_read, measure_read,	  work_read,
	};
	int r = json_only(root, keys, e);

	for (size_t i = 0; i < sizeof steps / sizeof *steps && r == 0; i++)
		r = steps[i](t, root, e);
	return r < 0 ? r : references_check_buffers(t, root, e);
}

static int parse_text(struct task *t, struct err *e)
{
	struct json_node root;
	cJSON *json = NULL;
	int r = json_parse(t->text, t->len, &json, e);

	if (r < 0)
		return r;
	root = json_root(json);
	r = read_members_in_order(t, &root, e);
	cJSON_Delete(json);
	return r;
}

/* A reader is a function and its context. NOLINTNEXTLINE(readability-function-size) */
int task_parse(const char *name, const char *text, size_t len, task_reader *reader, void *ctx,
	       struct task **ret, struct err *e)
{
	struct task *t = mem_alloc(sizeof *t);
	int r = 0;

	t->file = mem_strdup(name);
	t->dir = file_dirname(name);
	t->text = mem_alloc(len + 1);
	memcpy(t->text, text, len);
	t->len = len;
	if (len > TASK_BYTES_MAX)
		r = err_set(e, ERR_INVALID, "larger than %d bytes", TASK_BYTES_MAX);
	if (r == 0)
		r = parse_text(t, e);
	if (r == 0)
		r = sources_collect(t, reader, ctx, e);
	if (r < 0) {
		task_free(t);
		return err_wrap(e, "%s", name);
	}
	hash_folded(t->text, t->len, t->hash);
	*ret = t;
	return 0;
}

int task_load(const char *path, struct task **ret, struct err *e)
{
	char *text = NULL;
	size_t len = 0;
	int r = file_read(path, TASK_BYTES_MAX, &text, &len, e);

	if (r < 0)
		return r;
	r = task_parse(path, text, len, NULL, NULL, ret, e);
	free(text);
	return r;
}

void task_free(struct task *t)
{
	if (!t)
		return;
	work_release(t);
	sources_release(t);
	references_release(t);
	kernel_release(&t->kernel);
	read_free_strings(t->include, t->n_include);
	shapes_release(t);
	buffers_release(t);
	params_release(t);
	free(t->seeds);
	free(t->name);
	free(t->description);
	free(t->text);
	free(t->dir);
	free(t->file);
	free(t);
}

const char *task_name(const struct task *t)
{
	return t->name;
}

const char *task_description(const struct task *t)
{
	return t->description;
}

const char *task_text(const struct task *t, size_t *ret_len)
{
	if (ret_len)
		*ret_len = t->len;
	return t->text;
}

const char *task_hash(const struct task *t)
{
	return t->hash;
}

const char *task_source_hash(const struct task *t)
{
	return t->source_hash;
}

enum language task_language(const struct task *t)
{
	return t->kernel.language;
}

const char *task_runtime(const struct task *t)
{
	return t->kernel.language == LANGUAGE_CUDA ? "cuda" : "host";
}

const char *task_entry(const struct task *t)
{
	return t->kernel.entry;
}

int task_sources(const struct task *t, const struct task_source **ret)
{
	*ret = t->sources;
	return t->n_sources;
}

int task_shapes(const struct task *t)
{
	return t->n_shapes;
}

const char *task_shape_name(const struct task *t, int shape)
{
	return t->shapes[shape].name;
}

int task_find_shape(const struct task *t, const char *name)
{
	for (int i = 0; i < t->n_shapes; i++)
		if (strcmp(t->shapes[i].name, name) == 0)
			return i;
	return -1;
}

bool task_shape_timed(const struct task *t, int shape)
{
	return t->shapes[shape].time;
}

int task_shape_dims(const struct task *t, int shape, const int64_t **ret)
{
	*ret = t->shapes[shape].dims;
	return t->n_dims;
}

const char *task_dim_name(const struct task *t, int i)
{
	return t->dims[i];
}

bool task_shape_checked(const struct task *t, int shape)
{
	return t->shapes[shape].check;
}

const struct resource_gate *task_gate(const struct task *t, enum gate_figure g)
{
	return &t->resource[g];
}

double task_compile_timeout_s(const struct task *t)
{
	return t->compile_timeout_s;
}

double task_measure_timeout_s(const struct task *t)
{
	return t->measure_timeout_s;
}

int task_presets(const struct task *t)
{
	return t->n_presets;
}

const char *task_preset_name(const struct task *t, int i)
{
	return i >= 0 && i < t->n_presets ? t->presets[i].name : NULL;
}
