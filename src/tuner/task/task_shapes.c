#include "tuner/task/task_shapes.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "tuner/task/task_buffers.h"
#include "tuner/task/task_read.h"
#include "tuner/task/task_scope.h"

enum { DIMS_MAX = 32 };

/* The first shape says what the dimensions are. */
static int name_dims(struct task *t, const struct json_node *dims, struct err *e)
{
	struct json_node n;
	int r = read_members(dims, true, DIMS_MAX, e);

	if (r < 0)
		return r;
	t->dims = mem_array((size_t)json_count(dims), sizeof *t->dims);
	for (bool ok = json_first(dims, &n); ok && r == 0; ok = json_next(&n)) {
		r = read_identifier(&n, n.key, e);
		if (r == 0 && scope_reserved(n.key))
			r = json_wrong(&n, e, "the name belongs to the expression language");
		t->dims[t->n_dims++] = mem_strdup(n.key);
	}
	return r;
}

static int wrong_dims(const struct task *t, const struct json_node *dims, struct err *e)
{
	struct str list = STR_INIT;

	for (int i = 0; i < t->n_dims; i++)
		str_addf(&list, "%s%s", i ? ", " : "", t->dims[i]);
	json_wrong(dims, e, "expected the dimensions of the first shape, no more and no fewer: %s",
		   list.data);
	str_release(&list);
	return ERR_INVALID;
}

static int read_dims(struct task *t, struct task_shape *s, const struct json_node *dims,
		     struct err *e)
{
	struct json_node n;
	int r = t->dims ? json_object(dims, e) : name_dims(t, dims, e);

	if (r < 0)
		return r;
	if (json_count(dims) != t->n_dims)
		return wrong_dims(t, dims, e);
	s->dims = mem_array((size_t)t->n_dims, sizeof *s->dims);
	for (int i = 0; i < t->n_dims && r == 0; i++) {
		if (!json_get(dims, t->dims[i], &n))
			return wrong_dims(t, dims, e);
		r = json_int(&n, -((int64_t)1 << 53), (int64_t)1 << 53, &s->dims[i], e);
	}
	return r;
}

static int read_use(struct task_shape *s, const struct json_node *list, struct err *e)
{
	static const char *const names[] = { "check", "time" };
	bool used[2] = { false, false };
	struct json_node n;
	int which = 0, r = read_members(list, false, 2, e);

	for (bool ok = r == 0 && json_first(list, &n); ok && r == 0; ok = json_next(&n)) {
		r = read_choice(&n, names, 2, &which, e);
		if (r == 0 && used[which])
			r = json_wrong(&n, e, "it stands twice");
		used[which] = true;
	}
	s->check = used[0];
	s->time = used[1];
	return r;
}

static int read_shape(struct task *t, const struct json_node *n, struct err *e)
{
	static const char *const keys[] = { "dims", "use", "weight", "fill", "description", NULL };
	struct task_shape *s = &t->shapes[t->n_shapes++];
	const char *description;
	struct json_node m;
	int r;

	s->name = mem_strdup(n->key);
	s->check = s->time = true;
	s->weight = 1;
	r = json_only(n, keys, e);
	if (r == 0)
		r = read_identifier(n, n->key, e);
	if (r == 0)
		r = json_opt_string(n, "description", &description, e);
	if (r == 0)
		r = json_need(n, "dims", &m, e);
	if (r == 0)
		r = read_dims(t, s, &m, e);
	if (r == 0 && json_get(n, "use", &m))
		r = read_use(s, &m, e);
	return r < 0 ? r : json_opt_double(n, "weight", 1e-6, 1e6, &s->weight, e);
}

int shapes_read(struct task *t, const struct json_node *root, struct err *e)
{
	bool check = false, time = false;
	struct json_node list;
	int r = json_need(root, "shapes", &list, e);

	if (r == 0)
		r = read_members(&list, true, TASK_LIST_MAX, e);
	if (r < 0)
		return r;
	t->shapes = mem_array((size_t)json_count(&list), sizeof *t->shapes);
	r = read_each(t, &list, read_shape, e);
	for (int i = 0; i < t->n_shapes; i++) {
		check |= t->shapes[i].check;
		time |= t->shapes[i].time;
	}
	if (r == 0 && !(check && time))
		r = json_wrong(&list, e, "no shape is for %s: at least one has \"%s\" in \"use\"",
			       check ? "timing" : "correctness", check ? "time" : "check");
	return r;
}

static int read_fills(struct task *t, struct task_shape *s, const struct json_node *fills,
		      struct err *e)
{
	struct json_node n;
	int r = json_object(fills, e);

	for (bool ok = r == 0 && json_first(fills, &n); ok && r == 0; ok = json_next(&n)) {
		int b = task_find_buffer(t, n.key);

		if (b < 0)
			return json_wrong(&n, e, "no buffer has this name");
		r = buffer_read_fill(t, b, &n, &s->fills[b], e);
	}
	return r;
}

int shapes_read_fills(struct task *t, const struct json_node *root, struct err *e)
{
	struct json_node list, shape, fills;
	int i = 0, r = 0;

	if (!json_get(root, "shapes", &list))
		return 0;
	for (bool ok = json_first(&list, &shape); ok && r == 0; ok = json_next(&shape), i++) {
		struct task_shape *s = &t->shapes[i];

		s->fills = mem_array((size_t)t->n_buffers, sizeof *s->fills);
		if (json_get(&shape, "fill", &fills))
			r = read_fills(t, s, &fills, e);
	}
	return r;
}

void shapes_release(struct task *t)
{
	for (int i = 0; i < t->n_shapes; i++) {
		for (int b = 0; t->shapes[i].fills && b < t->n_buffers; b++)
			fill_release(&t->shapes[i].fills[b]);
		free(t->shapes[i].fills);
		free(t->shapes[i].dims);
		free(t->shapes[i].name);
	}
	free(t->shapes);
	read_free_strings(t->dims, t->n_dims);
}
