#include "tuner/worker/wire_problem.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tuner/worker/wire_fields.h"

static const char *name_of_role(int value)
{
	return buffer_role_name((enum buffer_role)value);
}

static const char *name_of_fill(int value)
{
	return fill_kind_name((enum fill_kind)value);
}

static const struct wire_names roles = { name_of_role, BUFFER_ROLE_COUNT };
static const struct wire_names fills = { name_of_fill, FILL_KIND_COUNT };

static const struct wire_field buffer_fields[] = {
	WIRE_RANGE(struct problem_buffer, name, WIRE_STRING, 1, 0),
	WIRE_NAMED(struct problem_buffer, type, &wire_dtypes),
	WIRE_NAMED(struct problem_buffer, role, &roles),
	WIRE_END,
};

static const struct wire_field argument_fields[] = {
	WIRE_RANGE(struct problem_argument, buffer, WIRE_INT, -1, WIRE_LIST_MAX),
	WIRE_NAMED(struct problem_argument, type, &wire_dtypes),
	WIRE_END,
};

/* A fill travels with its buffer's size. */
static const struct wire_field shape_buffer_fields[] = {
	WIRE_RANGE(struct shape_buffer, count, WIRE_I64, 0, INT64_MAX),
	WIRE_NAMED(struct shape_buffer, fill.kind, &fills),
	WIRE_PLAIN(struct shape_buffer, fill.a, WIRE_DOUBLE),
	WIRE_PLAIN(struct shape_buffer, fill.b, WIRE_DOUBLE),
	WIRE_RANGE(struct shape_buffer, fill.of, WIRE_INT, -1, WIRE_LIST_MAX),
	WIRE_RANGE(struct shape_buffer, fill.group, WIRE_I64, 0, INT64_MAX),
	WIRE_PLAIN(struct shape_buffer, fill.path, WIRE_STRING),
	WIRE_END,
};

static const struct wire_field gate_fields[] = {
	WIRE_PLAIN(struct gates, max_abs, WIRE_DOUBLE),
	WIRE_PLAIN(struct gates, mean_abs, WIRE_DOUBLE),
	WIRE_PLAIN(struct gates, rel_l2, WIRE_DOUBLE),
	WIRE_PLAIN(struct gates, bad_fraction, WIRE_DOUBLE),
	WIRE_PLAIN(struct gates, atol, WIRE_DOUBLE),
	WIRE_PLAIN(struct gates, rtol, WIRE_DOUBLE),
	WIRE_END,
};

static const struct wire_field reference_fields[] = {
	WIRE_RANGE(struct problem_reference, name, WIRE_STRING, 1, 0),
	WIRE_NAMED(struct problem_reference, language, &wire_languages),
	WIRE_PLAIN(struct problem_reference, artifact, WIRE_STRING),
	WIRE_PLAIN(struct problem_reference, entry, WIRE_STRING),
	WIRE_END,
};

static const struct wire_field shape_fields[] = {
	WIRE_RANGE(struct problem_shape, name, WIRE_STRING, 1, 0),
	WIRE_PLAIN(struct problem_shape, check, WIRE_BOOL),
	WIRE_PLAIN(struct problem_shape, time, WIRE_BOOL),
	WIRE_PLAIN(struct problem_shape, weight, WIRE_DOUBLE),
	WIRE_END,
};

static const struct wire_field timing_fields[] = {
	WIRE_NAMED(struct timing_options, mode, &wire_modes),
	WIRE_NAMED(struct timing_options, l2, &wire_l2s),
	WIRE_RANGE(struct timing_options, warmup, WIRE_INT, 0, 1000000),
	WIRE_RANGE(struct timing_options, samples_min, WIRE_INT, 1, 1000000),
	WIRE_RANGE(struct timing_options, samples_max, WIRE_INT, 1, 1000000),
	WIRE_PLAIN(struct timing_options, sample_ns, WIRE_DOUBLE),
	WIRE_PLAIN(struct timing_options, noise, WIRE_DOUBLE),
	WIRE_PLAIN(struct timing_options, abort_factor, WIRE_DOUBLE),
	WIRE_END,
};

static const struct wire_field seed_fields[] = {
	{ "seed", WIRE_U64, 0, 0, 0, NULL },
	WIRE_END,
};

static const struct wire_field problem_fields[] = {
	WIRE_RANGE(struct problem, entry, WIRE_STRING, 1, 0),
	WIRE_PLAIN(struct problem, nondeterministic, WIRE_BOOL),
	WIRE_END,
};

cJSON *wire_put_launch(const struct launch *l)
{
	cJSON *o = json_new_object();

	json_add(o, "grid", wire_put_i64s(l->grid, 3));
	json_add(o, "block", wire_put_i64s(l->block, 3));
	json_add(o, "shared_bytes", wire_put_i64s(&l->shared_bytes, 1));
	json_add(o, "scalars", wire_put_doubles(l->scalars, l->n_scalars));
	json_add(o, "scratch", wire_put_i64s(l->scratch, l->n_scratch));
	return o;
}

/* Reads exactly n whole numbers, none of them negative, to a place that the caller has. */
static int get_fixed(const struct json_node *n, const char *key, int64_t *ret, int count,
		     struct err *e)
{
	struct json_node list;
	int64_t *values = NULL;
	int r = json_need(n, key, &list, e);

	if (r == 0)
		r = wire_get_i64s(&list, &values, &count, e);
	for (int i = 0; r == 0 && i < count; i++) {
		if (values[i] < 0)
			r = json_wrong(&list, e, "%lld is negative", (long long)values[i]);
		else
			ret[i] = values[i];
	}
	free(values);
	return r;
}

int wire_get_launch(const struct json_node *n, struct launch *ret, struct err *e)
{
	static const char *const keys[] = { "grid",    "block",	  "shared_bytes",
					    "scalars", "scratch", NULL };
	struct json_node list;
	int r = json_only(n, keys, e);

	ret->n_scalars = ret->n_scratch = -1;
	if (r < 0 || (r = get_fixed(n, "grid", ret->grid, 3, e)) < 0 ||
	    (r = get_fixed(n, "block", ret->block, 3, e)) < 0 ||
	    (r = get_fixed(n, "shared_bytes", &ret->shared_bytes, 1, e)) < 0)
		return r;
	r = json_need(n, "scalars", &list, e);
	if (r == 0)
		r = wire_get_doubles(&list, &ret->scalars, &ret->n_scalars, e);
	if (r == 0)
		r = json_need(n, "scratch", &list, e);
	return r < 0 ? r : wire_get_i64s(&list, &ret->scratch, &ret->n_scratch, e);
}

int wire_launch_fits(const struct launch *l, int n_arguments, int n_buffers, struct err *e)
{
	if (l->n_scalars == n_arguments && l->n_scratch == n_buffers)
		return 0;
	return err_set(e, ERR_INVALID,
		       "a launch has %d scalars and %d scratch sizes; expected %d and %d, one for "
		       "each argument and each buffer",
		       l->n_scalars, l->n_scratch, n_arguments, n_buffers);
}

/* The struct under "head", and nothing in the object but it and what `keys` names. */
static int get_head(const struct json_node *n, const char *const *keys, void *base,
		    const struct wire_field *fields, struct err *e)
{
	struct json_node head;
	int r = json_only(n, keys, e);

	if (r == 0)
		r = json_need(n, "head", &head, e);
	return r < 0 ? r : wire_get(&head, base, fields, e);
}

static int get_member(const struct json_node *n, const char *key, void *base,
		      const struct wire_field *fields, struct err *e)
{
	struct json_node member;
	int r = json_need(n, key, &member, e);

	return r < 0 ? r : wire_get(&member, base, fields, e);
}

struct rows {
	void *list;
	int count;
};

static int get_rows(const struct json_node *n, const char *key, size_t width,
		    const struct wire_field *fields, struct rows *ret, struct err *e)
{
	struct json_node table;
	int r = json_need(n, key, &table, e);

	*ret = (struct rows){ NULL, 0 };
	return r < 0 ? r : wire_get_table(&table, width, fields, &ret->list, &ret->count, e);
}

static cJSON *put_arguments(const struct problem_argument *a, int n)
{
	return wire_put_table(a, sizeof *a, n, argument_fields);
}

static int get_arguments(const struct json_node *n, int n_buffers, struct problem_argument **ret,
			 int *ret_n, struct err *e)
{
	struct rows rows;
	int r = get_rows(n, "arguments", sizeof **ret, argument_fields, &rows, e);

	*ret = rows.list;
	*ret_n = rows.count;
	for (int i = 0; r == 0 && i < *ret_n; i++)
		if ((*ret)[i].buffer >= n_buffers)
			r = json_wrong(n, e, "arguments: there is no buffer %d", (*ret)[i].buffer);
	return r;
}

static cJSON *put_reference(const struct problem_reference *ref, int n_buffers)
{
	cJSON *o = json_new_object(), *files;

	json_add(o, "head", wire_put(ref, reference_fields));
	json_add(o, "arguments", put_arguments(ref->arguments, ref->n_arguments));
	json_add(o, "gates", wire_put(&ref->gates, gate_fields));
	files = json_add_list(o, "files");
	for (int i = 0; ref->files && i < n_buffers; i++)
		json_push(files, wire_text(ref->files[i]));
	return o;
}

static int get_files(const struct json_node *n, int n_buffers, char ***ret, struct err *e)
{
	struct json_node list, file;
	int count, i = 0, r = wire_need_list(n, "files", &list, &count, e);

	if (r < 0 || count == 0)
		return r;
	if (count != n_buffers)
		return json_wrong(&list, e, "expected %d files, one a buffer, or none", n_buffers);
	*ret = mem_array((size_t)count, sizeof **ret);
	for (bool more = json_first(&list, &file); more && r == 0; more = json_next(&file), i++) {
		const char *path = NULL;

		r = cJSON_IsNull(file.value) ? 0 : json_string(&file, &path, e);
		(*ret)[i] = mem_strdup(path);
	}
	return r;
}

static int get_reference(const struct json_node *n, int n_buffers, bool complete,
			 struct problem_reference *ret, struct err *e)
{
	static const char *const keys[] = { "head", "arguments", "gates", "files", NULL };
	int r = get_head(n, keys, ret, reference_fields, e);

	if (r == 0)
		r = get_arguments(n, n_buffers, &ret->arguments, &ret->n_arguments, e);
	if (r == 0)
		r = get_member(n, "gates", &ret->gates, gate_fields, e);
	if (r == 0)
		r = get_files(n, n_buffers, &ret->files, e);
	if (r == 0 && complete && !ret->files && !(ret->artifact && ret->entry))
		r = json_wrong(n, e, "it has neither files nor an artifact with an entry");
	return r;
}

static cJSON *put_shape(const struct problem *p, const struct problem_shape *s)
{
	cJSON *o = json_new_object(), *launches;

	json_add(o, "head", wire_put(s, shape_fields));
	json_add(o, "buffers",
		 wire_put_table(s->buffers, sizeof *s->buffers, p->n_buffers, shape_buffer_fields));
	launches = json_add_list(o, "launches");
	for (int i = 0; i < p->n_references; i++)
		json_push(launches, wire_put_launch(&s->references[i]));
	return o;
}

static int check_shape_buffers(const struct json_node *n, const struct shape_buffer *b, int count,
			       int n_buffers, struct err *e)
{
	if (count != n_buffers)
		return json_wrong(n, e, "expected %d buffers, found %d", n_buffers, count);
	for (int i = 0; i < count; i++) {
		if (b[i].fill.of >= i)
			return json_wrong(n, e, "buffers: number %d is not before number %d",
					  b[i].fill.of, i);
		if (b[i].fill.kind == FILL_NPY && !b[i].fill.path)
			return json_wrong(n, e, "buffers: number %d is filled from no file", i);
	}
	return 0;
}

/* A list of another length than n_buffers must not reach problem_free. */
static int get_shape_buffers(const struct json_node *n, int n_buffers, struct shape_buffer **ret,
			     struct err *e)
{
	struct rows rows;
	struct shape_buffer *buffers;
	int r = get_rows(n, "buffers", sizeof **ret, shape_buffer_fields, &rows, e);

	buffers = rows.list;
	if (r == 0)
		r = check_shape_buffers(n, buffers, rows.count, n_buffers, e);
	for (int i = 0; r < 0 && i < rows.count; i++)
		free(buffers[i].fill.path);
	if (r < 0)
		free(buffers);
	else
		*ret = buffers;
	return r;
}

static int get_launches(const struct json_node *n, const struct problem *p, struct launch *ret,
			struct err *e)
{
	struct json_node list, launch;
	int count, i = 0, r = wire_need_list(n, "launches", &list, &count, e);

	if (r < 0)
		return r;
	if (count != p->n_references)
		return json_wrong(&list, e, "expected %d, one a reference, found %d",
				  p->n_references, count);
	for (bool more = json_first(&list, &launch); more && r == 0;
	     more = json_next(&launch), i++) {
		r = wire_get_launch(&launch, &ret[i], e);
		if (r == 0 && !p->references[i].files)
			r = wire_launch_fits(&ret[i], p->references[i].n_arguments, p->n_buffers,
					     e);
	}
	return r;
}

static int get_shape(const struct json_node *n, const struct problem *p, struct problem_shape *ret,
		     struct err *e)
{
	static const char *const keys[] = { "head", "buffers", "launches", NULL };
	int r = get_head(n, keys, ret, shape_fields, e);

	if (r == 0)
		r = get_shape_buffers(n, p->n_buffers, &ret->buffers, e);
	if (r < 0)
		return r;
	ret->references = mem_array((size_t)p->n_references, sizeof *ret->references);
	return get_launches(n, p, ret->references, e);
}

cJSON *wire_put_problem(const struct problem *p)
{
	cJSON *o = json_new_object(), *list;

	json_add(o, "head", wire_put(p, problem_fields));
	json_add(o, "timing", wire_put(&p->timing, timing_fields));
	json_add(o, "buffers",
		 wire_put_table(p->buffers, sizeof *p->buffers, p->n_buffers, buffer_fields));
	json_add(o, "arguments", put_arguments(p->arguments, p->n_arguments));
	list = json_add_list(o, "references");
	for (int i = 0; i < p->n_references; i++)
		json_push(list, put_reference(&p->references[i], p->n_buffers));
	list = json_add_list(o, "shapes");
	for (int i = 0; i < p->n_shapes; i++)
		json_push(list, put_shape(p, &p->shapes[i]));
	json_add(o, "seeds", wire_put_table(p->seeds, sizeof *p->seeds, p->n_seeds, seed_fields));
	return o;
}

static int get_references(const struct json_node *n, bool complete, struct problem *p,
			  struct err *e)
{
	struct json_node list, one;
	int count, i = 0, r = wire_need_list(n, "references", &list, &count, e);

	if (r < 0)
		return r;
	p->references = mem_array((size_t)count, sizeof *p->references);
	p->n_references = count;
	for (bool more = json_first(&list, &one); more && r == 0; more = json_next(&one))
		r = get_reference(&one, p->n_buffers, complete, &p->references[i++], e);
	return r;
}

static int get_shapes(const struct json_node *n, struct problem *p, struct err *e)
{
	struct json_node list, one;
	int count, i = 0, r = wire_need_list(n, "shapes", &list, &count, e);

	if (r < 0)
		return r;
	p->shapes = mem_array((size_t)count, sizeof *p->shapes);
	p->n_shapes = count;
	for (bool more = json_first(&list, &one); more && r == 0; more = json_next(&one))
		r = get_shape(&one, p, &p->shapes[i++], e);
	return r;
}

static int get_seeds(const struct json_node *n, struct problem *p, struct err *e)
{
	struct rows rows;
	int r = get_rows(n, "seeds", sizeof *p->seeds, seed_fields, &rows, e);

	p->seeds = rows.list;
	p->n_seeds = rows.count;
	if (r == 0 && p->n_seeds < 1)
		r = json_wrong(n, e, "seeds: expected at least one");
	return r;
}

static int get_problem(const struct json_node *n, bool complete, struct problem *p, struct err *e)
{
	static const char *const keys[] = { "head",	  "timing", "buffers", "arguments",
					    "references", "shapes", "seeds",   NULL };
	struct rows rows = { NULL, 0 };
	int r = get_head(n, keys, p, problem_fields, e);

	if (r == 0)
		r = get_member(n, "timing", &p->timing, timing_fields, e);
	if (r == 0)
		r = get_rows(n, "buffers", sizeof *p->buffers, buffer_fields, &rows, e);
	p->buffers = rows.list;
	p->n_buffers = rows.count;
	if (r == 0)
		r = get_arguments(n, p->n_buffers, &p->arguments, &p->n_arguments, e);
	if (r == 0)
		r = get_references(n, complete, p, e);
	if (r == 0)
		r = get_shapes(n, p, e);
	return r < 0 ? r : get_seeds(n, p, e);
}

int wire_get_problem(const struct json_node *n, bool complete, struct problem **ret, struct err *e)
{
	struct problem *p = mem_alloc(sizeof *p);
	int r = get_problem(n, complete, p, e);

	if (r < 0)
		problem_free(p);
	else
		*ret = p;
	return r;
}

static char *text_without_artifacts(const struct problem *p)
{
	struct problem copy = *p;
	size_t bytes = (size_t)p->n_references * sizeof *p->references;
	cJSON *o;
	char *text;

	copy.references = mem_alloc(bytes + 1);
	if (bytes)
		memcpy(copy.references, p->references, bytes);
	for (int i = 0; i < copy.n_references; i++)
		copy.references[i].artifact = copy.references[i].entry = NULL;
	o = wire_put_problem(&copy);
	text = json_render(o);
	cJSON_Delete(o);
	free(copy.references);
	return text;
}

bool wire_problems_alike(const struct problem *a, const struct problem *b)
{
	char *x = text_without_artifacts(a), *y = text_without_artifacts(b);
	bool alike = strcmp(x, y) == 0;

	free(x);
	free(y);
	return alike;
}
