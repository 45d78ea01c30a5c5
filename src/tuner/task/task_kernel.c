#include "tuner/task/task_kernel.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tuner/task/task_read.h"
#include "tuner/task/task_source.h"
#include "tuner/task/task_value.h"

enum { ENTRY_MAX = 200 };

static int read_source(const struct json_node *n, const struct task_kernel *like,
		       struct task_kernel *k, struct err *e)
{
	static const char *const languages[] = { [LANGUAGE_CUDA] = "cuda", [LANGUAGE_C] = "c" };
	int language = like ? (int)like->language : LANGUAGE_CUDA, r;
	const char *path = NULL;
	struct json_node m;

	r = like ? 0 : json_need(n, "language", &m, e);
	if (r == 0)
		r = read_opt_choice(n, "language", languages, 2, &language, e);
	if (r < 0)
		return r;
	k->language = (enum language)language;
	if (like && like->language == LANGUAGE_C && k->language == LANGUAGE_CUDA)
		return json_wrong(n, e,
				  "a C kernel is measured without a GPU: its reference is in "
				  "C too");
	if (like && !json_get(n, "source", &m)) {
		if (k->language != like->language)
			return json_wrong(n, e,
					  "\"source\" is missing: the kernel's own is in "
					  "another language");
		k->source = mem_strdup(like->source);
		return 0;
	}
	r = json_need(n, "source", &m, e);
	if (r == 0)
		r = read_text(&m, &path, e);
	if (r == 0)
		k->source = source_normalise(path);
	return r;
}

static int read_entry(const struct json_node *n, struct task_kernel *k, struct err *e)
{
	const char *text = NULL;
	struct json_node m;
	int r = json_need(n, "entry", &m, e);

	if (r == 0)
		r = read_text(&m, &text, e);
	if (r == 0 && k->language == LANGUAGE_C)
		r = read_identifier(&m, text, e);
	if (r == 0 && strlen(text) > ENTRY_MAX)
		r = json_wrong(&m, e, "longer than %d bytes", ENTRY_MAX);
	if (r == 0)
		k->entry = mem_strdup(text);
	return r;
}

static bool is_param(const struct task *t, const char *name, size_t len)
{
	for (int i = 0; i < t->n_params; i++)
		if (strncmp(t->params[i].name, name, len) == 0 && !t->params[i].name[len])
			return true;
	return false;
}

/* A macro set twice is one that the search cannot move; references are free to set them. */
static int check_flag(const struct task *t, const struct json_node *n, const char *flag,
		      struct err *e)
{
	size_t len;

	if (strncmp(flag, "-D", 2) != 0 && strncmp(flag, "-U", 2) != 0)
		return 0;
	len = strcspn(flag + 2, "=");
	if (!is_param(t, flag + 2, len))
		return 0;
	return json_wrong(n, e,
			  "the parameter %.*s is set by the search: leave it out of the flags",
			  (int)len, flag + 2);
}

static int read_flags(const struct task *t, const struct json_node *n,
		      const struct task_kernel *like, struct task_kernel *k, struct err *e)
{
	bool same = like && like->language == k->language;
	struct json_node flags;
	int r = read_opt_strings(n, "flags", &k->flags, &k->n_flags, e);

	if (r < 0)
		return r;
	if (json_get(n, "flags", &flags)) {
		for (int i = 0; !like && i < k->n_flags && r == 0; i++)
			r = check_flag(t, &flags, k->flags[i], e);
		return r;
	}
	k->n_flags = same ? like->n_flags : k->language == LANGUAGE_C ? 2 : 0;
	k->flags = mem_array((size_t)k->n_flags, sizeof *k->flags);
	for (int i = 0; i < k->n_flags; i++)
		k->flags[i] = mem_strdup(same ? like->flags[i] : i ? "-march=native" : "-O3");
	return 0;
}

static int read_define(const struct task *t, const struct json_node *n, bool tuned,
		       struct task_kernel *k, struct err *e)
{
	struct task_define *d = &k->defines[k->n_defines];
	struct value v = { 0 };
	int r = read_identifier(n, n->key, e);

	if (r == 0 && tuned && is_param(t, n->key, strlen(n->key)))
		r = json_wrong(n, e, "a parameter has this name: the search sets it");
	if (r == 0)
		r = task_value_read(n, &v, e);
	if (r < 0)
		return r;
	d->name = mem_strdup(n->key);
	d->text = task_value_text(&v);
	k->n_defines++;
	return 0;
}

static int read_defines(const struct task *t, const struct json_node *n,
			const struct task_kernel *like, struct task_kernel *k, struct err *e)
{
	struct json_node object, m;
	int r;

	if (!json_get(n, "defines", &object)) {
		k->n_defines = like && like->language == k->language ? like->n_defines : 0;
		k->defines = mem_array((size_t)k->n_defines, sizeof *k->defines);
		for (int i = 0; i < k->n_defines; i++)
			k->defines[i] = (struct task_define){ mem_strdup(like->defines[i].name),
							      mem_strdup(like->defines[i].text) };
		return 0;
	}
	r = json_object(&object, e);
	if (r < 0)
		return r;
	k->defines = mem_array((size_t)json_count(&object), sizeof *k->defines);
	for (bool ok = json_first(&object, &m); ok && r == 0; ok = json_next(&m))
		r = read_define(t, &m, !like, k, e);
	return r;
}

static int read_extent(const struct task *t, const struct json_node *n, const char *key,
		       enum scope scope, struct expr *ret[3], struct err *e)
{
	struct json_node list, m;
	int i = 0, r = json_need(n, key, &list, e);

	if (r == 0)
		r = read_members(&list, false, 3, e);
	for (bool ok = r == 0 && json_first(&list, &m); ok && r == 0; ok = json_next(&m))
		r = scope_compile(t, &m, scope, &ret[i++], e);
	return r;
}

static int read_geometry(const struct task *t, const struct json_node *n, enum scope scope,
			 struct task_kernel *k, struct err *e)
{
	static const char *const keys[] = { "grid", "block", "shared_bytes" };
	struct json_node m;
	int r;

	for (int i = 0; k->language == LANGUAGE_C && i < 3; i++)
		if (json_get(n, keys[i], &m))
			return json_wrong(&m, e,
					  "a C kernel is called, not launched on a grid: "
					  "leave this out");
	if (k->language == LANGUAGE_C)
		return 0;
	r = read_extent(t, n, "grid", scope, k->grid, e);
	if (r == 0)
		r = read_extent(t, n, "block", scope, k->block, e);
	if (r == 0 && json_get(n, "shared_bytes", &m))
		r = scope_compile(t, &m, scope, &k->shared_bytes, e);
	return r;
}

static int read_scalar(const struct task *t, const struct json_node *n, enum scope scope,
		       struct task_argument *a, struct err *e)
{
	static const char *const keys[] = { "type", "value", NULL };
	const char *names[DTYPE_COUNT];
	struct json_node m;
	int type = 0, r;

	for (int i = 0; i < DTYPE_COUNT; i++)
		names[i] = dtype_name((enum dtype)i);
	r = json_only(n, keys, e);
	if (r == 0)
		r = json_need(n, "type", &m, e);
	if (r == 0)
		r = read_choice(&m, names, DTYPE_COUNT, &type, e);
	if (r == 0)
		r = json_need(n, "value", &m, e);
	if (r < 0)
		return r;
	a->buffer = -1;
	a->type = (enum dtype)type;
	return scope_compile(t, &m, scope, &a->value, e);
}

static int read_argument(const struct task *t, const struct json_node *n, enum scope scope,
			 struct task_argument *a, struct err *e)
{
	const char *name;

	if (cJSON_IsObject(n->value))
		return read_scalar(t, n, scope, a, e);
	if (!cJSON_IsString(n->value))
		return json_expected(n, e, "a buffer's name or {\"type\": ..., \"value\": ...}");
	name = n->value->valuestring;
	a->buffer = task_find_buffer(t, name);
	if (a->buffer < 0)
		return json_wrong(n, e,
				  "no buffer is named \"%.80s\"; a number is written "
				  "{\"type\": \"i32\", \"value\": \"%.80s\"}",
				  name, name);
	a->type = t->buffers[a->buffer].type;
	if (scope == SCOPE_SHAPE && scope_reads_params(t, t->buffers[a->buffer].size))
		return json_wrong(n, e,
				  "the size of \"%s\" depends on parameters, which a "
				  "reference does not have",
				  name);
	return 0;
}

static int read_arguments(const struct task *t, const struct json_node *n, enum scope scope,
			  struct task_kernel *k, struct err *e)
{
	struct json_node list, m;
	int r = json_need(n, "arguments", &list, e);

	if (r == 0)
		r = read_members(&list, false, TASK_LIST_MAX, e);
	if (r < 0)
		return r;
	k->arguments = mem_array((size_t)json_count(&list), sizeof *k->arguments);
	for (bool ok = json_first(&list, &m); ok && r == 0; ok = json_next(&m))
		r = read_argument(t, &m, scope, &k->arguments[k->n_arguments++], e);
	return r;
}

int kernel_read_common(struct task *t, const struct json_node *n, const struct task_kernel *like,
		       struct task_kernel *k, struct err *e)
{
	enum scope scope = like ? SCOPE_SHAPE : SCOPE_ALL;
	int r = read_source(n, like, k, e);

	if (r == 0)
		r = read_entry(n, k, e);
	if (r == 0)
		r = read_flags(t, n, like, k, e);
	if (r == 0)
		r = read_defines(t, n, like, k, e);
	if (r == 0)
		r = read_geometry(t, n, scope, k, e);
	return r < 0 ? r : read_arguments(t, n, scope, k, e);
}

static int read_include(struct task *t, const struct json_node *n, struct err *e)
{
	int r = read_opt_strings(n, "include", &t->include, &t->n_include, e);

	for (int i = 0; r == 0 && i < t->n_include; i++) {
		char *folder = source_normalise(t->include[i]);

		free(t->include[i]);
		t->include[i] = folder;
	}
	return r;
}

int kernel_read(struct task *t, const struct json_node *root, struct err *e)
{
	static const char *const keys[] = { KERNEL_KEYS, "include", "compile_timeout_s",
					    "measure_timeout_s", NULL };
	struct json_node n;
	int r = json_need(root, "kernel", &n, e);

	t->compile_timeout_s = 120;
	t->measure_timeout_s = 20;
	if (r == 0)
		r = json_only(&n, keys, e);
	if (r == 0)
		r = kernel_read_common(t, &n, NULL, &t->kernel, e);
	if (r == 0)
		r = read_include(t, &n, e);
	if (r == 0)
		r = json_opt_double(&n, "compile_timeout_s", 0.1, 86400, &t->compile_timeout_s, e);
	if (r == 0)
		r = json_opt_double(&n, "measure_timeout_s", 0.1, 86400, &t->measure_timeout_s, e);
	return r;
}

void kernel_release(struct task_kernel *k)
{
	for (int i = 0; i < k->n_defines; i++) {
		free(k->defines[i].name);
		free(k->defines[i].text);
	}
	for (int i = 0; i < 3; i++) {
		expr_free(k->grid[i]);
		expr_free(k->block[i]);
	}
	for (int i = 0; i < k->n_arguments; i++)
		expr_free(k->arguments[i].value);
	expr_free(k->shared_bytes);
	read_free_strings(k->flags, k->n_flags);
	free(k->defines);
	free(k->arguments);
	free(k->source);
	free(k->entry);
}

bool kernel_takes(const struct task_kernel *k, int buffer)
{
	for (int i = 0; i < k->n_arguments; i++)
		if (k->arguments[i].buffer == buffer)
			return true;
	return false;
}
