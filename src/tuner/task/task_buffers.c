#include "tuner/task/task_buffers.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "runtime/npy.h"
#include "tuner/task/task_read.h"
#include "tuner/task/task_scope.h"

int task_find_buffer(const struct task *t, const char *name)
{
	for (int i = 0; i < t->n_buffers; i++)
		if (strcmp(t->buffers[i].name, name) == 0)
			return i;
	return -1;
}

bool task_buffer_compared(const struct task *t, int buffer)
{
	enum buffer_role role = t->buffers[buffer].role;

	return role == BUFFER_OUT || role == BUFFER_INOUT;
}

static bool is_filled(enum buffer_role role)
{
	return role == BUFFER_IN || role == BUFFER_INOUT;
}

bool dtype_range(enum dtype type, int64_t *ret_low, int64_t *ret_high)
{
	char family = dtype_name(type)[0];
	int bits = (int)dtype_bytes(type) * 8;

	if (family != 'u' && family != 'i')
		return false;
	if (bits > 53)
		bits = 54; /* whole numbers a double counts exactly */
	*ret_high = ((int64_t)1 << (family == 'u' && bits < 54 ? bits : bits - 1)) - 1;
	*ret_low = family == 'u' ? 0 : -*ret_high - 1;
	return true;
}

/* What the members of each kind of fill are called. */
static const struct fill_form {
	const char *keys[4];
	const char *a, *b; /* members that become fill.a and fill.b */
	bool optional;	   /* a is 0 and b is 1 when absent */
	bool whole;	   /* must be whole numbers */
	bool of, path;
} forms[FILL_KIND_COUNT] = {
	[FILL_CONSTANT] = { .keys = { "kind", "value" }, .a = "value" },
	[FILL_UNIFORM] = { .keys = { "kind", "low", "high" }, .a = "low", .b = "high" },
	[FILL_NORMAL] = { .keys = { "kind", "mean", "stddev" },
			  .a = "mean",
			  .b = "stddev",
			  .optional = true },
	[FILL_INTEGERS] = { .keys = { "kind", "low", "high" },
			    .a = "low",
			    .b = "high",
			    .whole = true },
	[FILL_SPARSE] = { .keys = { "kind", "value", "share" }, .a = "value", .b = "share" },
	[FILL_QUANTISED_U8] = { .keys = { "kind", "of", "group" }, .of = true },
	[FILL_ABSMAX] = { .keys = { "kind", "of", "group" }, .of = true },
	[FILL_NPY] = { .keys = { "kind", "path" }, .path = true },
};

static int read_figure(const struct json_node *n, const char *key, const struct fill_form *form,
		       double *ret, struct err *e)
{
	int64_t whole = 0, limit = (int64_t)1 << 53;
	struct json_node m;
	int r;

	if (form->optional && !json_get(n, key, &m))
		return 0;
	r = json_need(n, key, &m, e);
	if (r < 0)
		return r;
	if (!form->whole)
		return json_double(&m, -DBL_MAX, DBL_MAX, ret, e);
	r = json_int(&m, -limit, limit, &whole, e);
	*ret = (double)whole;
	return r;
}

/* Integer types saturate: a fill that would is a mistake in the task. */
static int check_figures(const struct json_node *n, enum dtype type, const struct fill *f,
			 struct err *e)
{
	double least = f->a, most = f->kind == FILL_CONSTANT ? f->a : f->b;
	int64_t low, high;

	if (f->kind == FILL_NORMAL)
		return f->b < 0 ? json_wrong(n, e, "expected a \"stddev\" of 0 or more") : 0;
	if (f->kind == FILL_SPARSE) {
		if (f->b < 0 || f->b > 1)
			return json_wrong(n, e, "expected a \"share\" from 0 to 1, found %g", f->b);
		least = fmin(f->a, 0);
		most = fmax(f->a, 0);
	}
	if (least > most)
		return json_wrong(n, e, "\"low\" %g is above \"high\" %g", least, most);
	if (dtype_range(type, &low, &high) && (least < (double)low || most > (double)high))
		return json_wrong(n, e, "the buffer's type %s holds %lld to %lld", dtype_name(type),
				  (long long)low, (long long)high);
	return 0;
}

static int read_figures(const struct json_node *n, enum dtype type, const struct fill_form *form,
			struct fill *f, struct err *e)
{
	int r;

	f->a = 0;
	f->b = 1;
	r = read_figure(n, form->a, form, &f->a, e);
	if (r == 0 && form->b)
		r = read_figure(n, form->b, form, &f->b, e);
	return r < 0 ? r : check_figures(n, type, f, e);
}

static int read_of(const struct task *t, int buffer, const struct json_node *n, struct task_fill *f,
		   struct err *e)
{
	const struct task_buffer *self = &t->buffers[buffer], *of;
	const char *name = "";
	struct json_node m;
	int64_t low, high;
	int r = json_need(n, "of", &m, e);

	if (r == 0)
		r = json_string(&m, &name, e);
	if (r < 0)
		return r;
	f->fill.of = task_find_buffer(t, name);
	if (f->fill.of < 0 || f->fill.of >= buffer)
		return json_expected(&m, e, "the name of a buffer that stands before \"%s\"",
				     self->name);
	of = &t->buffers[f->fill.of];
	if (!is_filled(of->role) || dtype_range(of->type, &low, &high))
		return json_expected(&m, e, "a filled buffer of real numbers");
	if (f->fill.kind == FILL_QUANTISED_U8 && self->type != DTYPE_U8)
		return json_wrong(n, e, "quantised_u8 needs a buffer of type u8, this one is %s",
				  dtype_name(self->type));
	if (f->fill.kind == FILL_ABSMAX && dtype_range(self->type, &low, &high))
		return json_wrong(n, e, "absmax needs a buffer of real numbers, this one is %s",
				  dtype_name(self->type));
	return json_get(n, "group", &m) ? scope_compile(t, &m, SCOPE_SHAPE, &f->group, e) : 0;
}

/* NumPy has no bf16 and no e4m3: their bits travel as integers. */
static bool same_bits(enum dtype wanted, enum dtype found)
{
	return wanted == found || (wanted == DTYPE_BF16 && found == DTYPE_U16) ||
	       (wanted == DTYPE_E4M3 && found == DTYPE_U8);
}

int buffer_read_npy(const struct task *t, int buffer, const struct json_node *n, char **ret_path,
		    int64_t *ret_count, struct err *e)
{
	enum dtype type = t->buffers[buffer].type;
	char *joined, *path;
	const char *name = NULL;
	struct npy npy = { 0 };
	struct err why = { 0 };
	int r = read_text(n, &name, e);

	if (r < 0)
		return r;
	joined = file_join(t->dir, name);
	path = realpath(joined, NULL);
	if (!path)
		r = json_wrong(n, e, "%s: no such file; paths are relative to the task", joined);
	else if (npy_read_header(path, &npy, &why) < 0)
		r = json_wrong(n, e, "%s", why.msg);
	else if (!same_bits(type, npy.type))
		r = json_wrong(n, e, "%s holds %s, the buffer is %s", path, dtype_name(npy.type),
			       dtype_name(type));
	free(joined);
	if (r < 0) {
		free(path);
		return r;
	}
	*ret_path = path;
	*ret_count = npy.count;
	return 0;
}

static int read_path(const struct task *t, int buffer, const struct json_node *n,
		     struct task_fill *f, struct err *e)
{
	struct json_node m;
	int r = json_need(n, "path", &m, e);

	return r < 0 ? r : buffer_read_npy(t, buffer, &m, &f->fill.path, &f->npy_count, e);
}

int buffer_read_fill(struct task *t, int buffer, const struct json_node *n, struct task_fill *f,
		     struct err *e)
{
	const char *names[FILL_KIND_COUNT - 1];
	const struct task_buffer *b = &t->buffers[buffer];
	const struct fill_form *form;
	struct json_node kind;
	int which = 0, r;

	f->fill.of = -1;
	if (!is_filled(b->role))
		return json_wrong(n, e,
				  "a buffer of role %s is not filled but poisoned: leave "
				  "this out",
				  buffer_role_name(b->role));
	for (int i = FILL_NONE + 1; i < FILL_KIND_COUNT; i++)
		names[i - 1] = fill_kind_name((enum fill_kind)i);
	r = json_need(n, "kind", &kind, e);
	if (r == 0)
		r = read_choice(&kind, names, FILL_KIND_COUNT - 1, &which, e);
	if (r < 0)
		return r;
	f->fill.kind = (enum fill_kind)(which + 1);
	form = &forms[f->fill.kind];
	r = json_only(n, form->keys, e);
	if (r < 0)
		return r;
	if (form->of)
		return read_of(t, buffer, n, f, e);
	if (form->path)
		return read_path(t, buffer, n, f, e);
	return read_figures(n, b->type, form, &f->fill, e);
}

static int read_kinds(struct task_buffer *b, const struct json_node *n, struct err *e)
{
	const char *types[DTYPE_COUNT], *roles[BUFFER_ROLE_COUNT];
	int type = 0, role = BUFFER_IN, r;
	struct json_node m;

	for (int i = 0; i < DTYPE_COUNT; i++)
		types[i] = dtype_name((enum dtype)i);
	for (int i = 0; i < BUFFER_ROLE_COUNT; i++)
		roles[i] = buffer_role_name((enum buffer_role)i);
	r = json_need(n, "type", &m, e);
	if (r == 0)
		r = read_choice(&m, types, DTYPE_COUNT, &type, e);
	if (r == 0)
		r = read_opt_choice(n, "role", roles, BUFFER_ROLE_COUNT, &role, e);
	b->type = (enum dtype)type;
	b->role = (enum buffer_role)role;
	return r;
}

static int read_buffer(struct task *t, const struct json_node *n, struct err *e)
{
	static const char *const keys[] = { "type", "size", "fill", "role", "description", NULL };
	struct task_buffer *b = &t->buffers[t->n_buffers++];
	const char *description;
	struct json_node m;
	int r;

	b->name = mem_strdup(n->key);
	b->fill.fill.of = -1;
	r = json_only(n, keys, e);
	if (r == 0)
		r = read_identifier(n, n->key, e);
	if (r == 0)
		r = json_opt_string(n, "description", &description, e);
	if (r == 0)
		r = read_kinds(b, n, e);
	if (r == 0)
		r = json_need(n, "size", &m, e);
	if (r == 0)
		r = scope_compile(t, &m, b->role == BUFFER_SCRATCH ? SCOPE_ALL : SCOPE_SHAPE,
				  &b->size, e);
	if (r < 0)
		return r;
	if (json_get(n, "fill", &m))
		return buffer_read_fill(t, t->n_buffers - 1, &m, &b->fill, e);
	if (is_filled(b->role))
		return json_wrong(n, e,
				  "\"fill\" is missing: a buffer of role %s starts with "
				  "known content",
				  buffer_role_name(b->role));
	return 0;
}

int buffers_read(struct task *t, const struct json_node *root, struct err *e)
{
	struct json_node list;
	int r = json_need(root, "buffers", &list, e);

	if (r == 0)
		r = read_members(&list, true, TASK_LIST_MAX, e);
	if (r < 0)
		return r;
	t->buffers = mem_array((size_t)json_count(&list), sizeof *t->buffers);
	return read_each(t, &list, read_buffer, e);
}

void fill_release(struct task_fill *f)
{
	expr_free(f->group);
	free(f->fill.path);
}

void buffers_release(struct task *t)
{
	for (int i = 0; i < t->n_buffers; i++) {
		fill_release(&t->buffers[i].fill);
		expr_free(t->buffers[i].size);
		free(t->buffers[i].name);
	}
	free(t->buffers);
}
