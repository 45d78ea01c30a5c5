#include "tuner/cli/export_standalone_data.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const type_ids[] = {
#define X(id, name, c, bytes) #id,
	DTYPE_MAP(X)
#undef X
};

void standalone_part_name(int part, char ret[STANDALONE_PART_NAME])
{
	snprintf(ret, STANDALONE_PART_NAME, part ? "reference_%d" : "kernel", part);
}

static void add_text(struct str *s, const char *text)
{
	str_addc(s, '"');
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < ' ' || c == '"' || c == '\\' || c == '?' || c > '~')
			str_addf(s, "\\%03o", c);
		else
			str_addc(s, *text);
	}
	str_addc(s, '"');
}

static void add_number(struct str *s, double v)
{
	if (isnan(v))
		str_addz(s, "(double)NAN");
	else if (isinf(v))
		str_addz(s, v > 0 ? "(double)INFINITY" : "-(double)INFINITY");
	else
		str_addf(s, "%.17g", v);
}

/* --- calls --- */

static int arguments_of(const struct standalone_job *j, int part,
			const struct problem_argument **ret)
{
	const struct problem *p = task_problem(j->bound);
	const struct problem_reference *ref;

	if (part == 0) {
		*ret = p->arguments;
		return p->n_arguments;
	}
	ref = &p->references[j->references[part - 1]];
	*ret = ref->arguments;
	return ref->n_arguments;
}

static void add_scalars(const struct problem_argument *a, int n, struct str *s)
{
	for (int i = 0; i < n; i++)
		if (a[i].buffer < 0)
			str_addf(s,
				 "\tunion scalar a%d;\n\n\telement_set(%s, &a%d, 0, "
				 "l->scalars[%d]);\n",
				 i, type_ids[a[i].type], i, i);
	str_addz(s, "\t(void)l;\n\t(void)b;\n");
}

static void add_arguments(const struct problem_argument *a, int n, bool cuda, struct str *s)
{
	for (int i = 0; i < n; i++) {
		str_addz(s, i ? ", " : "");
		if (a[i].buffer < 0)
			str_addf(s, cuda ? "&a%d" : "a%d.%s", i, dtype_name(a[i].type));
		else
			str_addf(s, cuda ? "&b[%d]" : "b[%d]", a[i].buffer);
	}
}

void standalone_add_call(const struct standalone_job *j, int part, const char *entry,
			 struct str *ret)
{
	bool cuda = task_language(j->task) == LANGUAGE_CUDA;
	const struct problem_argument *a;
	char name[STANDALONE_PART_NAME];
	int n = arguments_of(j, part, &a);

	standalone_part_name(part, name);
	str_addf(ret, "static void run_%d(const struct launch *l, void **b)\n{\n", part);
	add_scalars(a, n, ret);
	if (cuda) {
		str_addz(ret, "\tvoid *arguments[] = { ");
		add_arguments(a, n, cuda, ret);
		str_addf(ret, "%sNULL };\n\n\tdevice_launch((const void *)%s::%s, l, arguments);\n",
			 n ? ", " : "", name, entry);
	} else {
		str_addf(ret, "\t%s_%s(", name, entry);
		add_arguments(a, n, cuda, ret);
		str_addz(ret, ");\n");
	}
	str_addz(ret, "}\n\n");
}

/* --- tables --- */

static void add_buffers(const struct problem *p, struct str *s)
{
	static const char *const roles[] = {
		[BUFFER_IN] = "ROLE_IN",
		[BUFFER_OUT] = "ROLE_OUT",
		[BUFFER_INOUT] = "ROLE_INOUT",
		[BUFFER_SCRATCH] = "ROLE_SCRATCH",
	};

	str_addz(s, "static const struct buffer buffers[] = {\n");
	for (int b = 0; b < p->n_buffers; b++) {
		str_addz(s, "\t{ ");
		add_text(s, p->buffers[b].name);
		str_addf(s, ", %s, %s },\n", type_ids[p->buffers[b].type],
			 roles[p->buffers[b].role]);
	}
	str_addz(s, "};\n\n");
}

/* The kernel's, or where a reference needs more scratch of a name, the reference's. */
static int64_t count_of(const struct standalone_job *j, int shape, int b)
{
	const struct problem_shape *sh = &task_problem(j->bound)->shapes[shape];
	int64_t n = sh->buffers[b].count;

	if (b < j->launches[shape].n_scratch && j->launches[shape].scratch[b] > n)
		n = j->launches[shape].scratch[b];
	for (int i = 0; i < j->n_references; i++) {
		const struct launch *l = &sh->references[j->references[i]];

		if (b < l->n_scratch && l->scratch[b] > n)
			n = l->scratch[b];
	}
	return n;
}

static void add_counts(const struct standalone_job *j, struct str *s)
{
	const struct problem *p = task_problem(j->bound);

	str_addz(s, "static const int64_t counts[] = {\n");
	for (int i = 0; i < p->n_shapes; i++) {
		str_addc(s, '\t');
		for (int b = 0; b < p->n_buffers; b++)
			str_addf(s, "%" PRId64 ", ", count_of(j, i, b));
		str_addc(s, '\n');
	}
	str_addz(s, "};\n\n");
}

static void add_fills(const struct problem *p, struct str *s)
{
	static const char *const kinds[] = {
		[FILL_NONE] = "NONE",
		[FILL_CONSTANT] = "CONSTANT",
		[FILL_UNIFORM] = "UNIFORM",
		[FILL_NORMAL] = "NORMAL",
		[FILL_INTEGERS] = "INTEGERS",
		[FILL_SPARSE] = "SPARSE",
		[FILL_QUANTISED_U8] = "QUANTISED_U8",
		[FILL_ABSMAX] = "ABSMAX",
	};

	str_addz(s, "static const struct fill fills[] = {\n");
	for (int i = 0; i < p->n_shapes * p->n_buffers; i++) {
		const struct fill *f = &p->shapes[i / p->n_buffers].buffers[i % p->n_buffers].fill;

		str_addf(s, "\t{ %s, ", kinds[f->kind]);
		add_number(s, f->a);
		str_addz(s, ", ");
		add_number(s, f->b);
		str_addf(s, ", %d, %" PRId64 " },\n", f->of, f->group);
	}
	str_addz(s, "};\n\n");
}

static void add_launch(const struct launch *l, struct str *s)
{
	str_addf(s, "\t{ { %" PRId64 ", %" PRId64 ", %" PRId64 " }, ", l->grid[0], l->grid[1],
		 l->grid[2]);
	str_addf(s, "{ %" PRId64 ", %" PRId64 ", %" PRId64 " }, %" PRId64 ", { ", l->block[0],
		 l->block[1], l->block[2], l->shared_bytes);
	for (int i = 0; i < l->n_scalars; i++) {
		add_number(s, l->scalars[i]);
		str_addz(s, ", ");
	}
	str_addz(s, l->n_scalars ? "} },\n" : "0 } },\n");
}

static void add_launches(const struct standalone_job *j, struct str *s)
{
	const struct problem *p = task_problem(j->bound);

	str_addz(s, "static const struct launch launches[] = {\n");
	for (int i = 0; i < p->n_shapes; i++)
		add_launch(&j->launches[i], s);
	for (int r = 0; r < j->n_references; r++)
		for (int i = 0; i < p->n_shapes; i++)
			add_launch(&p->shapes[i].references[j->references[r]], s);
	str_addz(s, "};\n\n");
}

static void add_parts(const struct standalone_job *j, struct str *s)
{
	const struct problem *p = task_problem(j->bound);

	str_addz(s, "static const struct part parts[] = {\n\t{ \"the kernel\", run_0, "
		    "{ -1, -1, -1, -1, 0, 0 } },\n");
	for (int i = 0; i < j->n_references; i++) {
		const struct problem_reference *ref = &p->references[j->references[i]];
		const struct gates *g = &ref->gates;
		const double limits[] = { g->max_abs,	   g->mean_abs, g->rel_l2,
					  g->bad_fraction, g->atol,	g->rtol };

		str_addz(s, "\t{ ");
		add_text(s, ref->name);
		str_addf(s, ", run_%d, { ", i + 1);
		for (size_t k = 0; k < sizeof limits / sizeof *limits; k++) {
			str_addz(s, k ? ", " : "");
			add_number(s, limits[k]);
		}
		str_addz(s, " } },\n");
	}
	str_addz(s, "};\n\n");
}

static int first_timed(const struct problem *p)
{
	for (int i = 0; i < p->n_shapes; i++)
		if (p->shapes[i].time)
			return i;
	return 0;
}

void standalone_add_tables(const struct standalone_job *j, struct str *ret)
{
	const struct problem *p = task_problem(j->bound);

	add_buffers(p, ret);
	str_addz(ret, "static const char *const shapes[] = { ");
	for (int i = 0; i < p->n_shapes; i++) {
		add_text(ret, p->shapes[i].name);
		str_addz(ret, ", ");
	}
	str_addz(ret, "};\n\n");
	add_counts(j, ret);
	add_fills(p, ret);
	add_launches(j, ret);
	add_parts(j, ret);
	str_addz(ret, "static const struct program program = {\n\t");
	add_text(ret, task_name(j->task));
	str_addf(ret,
		 ", buffers, %d, shapes, %d, %d, counts, fills, parts, launches, %d, %" PRIu64
		 "u, %d,\n};\n\n",
		 p->n_buffers, p->n_shapes, first_timed(p), 1 + j->n_references,
		 p->n_seeds ? p->seeds[0] : 0, p->nondeterministic);
	str_addz(ret, "int main(int argc, char **argv)\n{\n\treturn "
		      "standalone_main(&program, argc, argv);\n}\n");
}
