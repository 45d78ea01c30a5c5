/*
 * The header of several configurations that selects by shape. The functions of its text are C99 and
 * C++ at once; NVRTC, which knows no host code, does not see them.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tuner/cli/export.h"
#include "tuner/cli/export_check.h"
#include "tuner/cli/export_header.h"
#include "tuner/cli/figure.h"
#include "tuner/cli/per_shape.h"
#include "tuner/cli/print.h"
#include "tuner/task/task_launch_c.h"
#include "version.h"

struct writer {
	const struct per_shape *p;
	const struct task *task; /* of the first run, as far as all have it in common */
	char *upper, *lower;	 /* EVO_TASK, evo_task */
	char *parameters;	 /* "long long dim_B, long long dim_H" */
	char *arguments;	 /* "dim_B, dim_H" */
	struct str *out;
};

static void writer_init(struct writer *w, const struct per_shape *p, struct str *out)
{
	struct str upper = STR_INIT, lower = STR_INIT, parameters = STR_INIT, arguments = STR_INIT;
	const struct task *task = p->entries[0].stored->setup.task;

	str_addz(&upper, "EVO_");
	header_macro(&upper, task_name(task));
	for (const char *c = upper.data; *c; c++)
		str_addc(&lower, (char)tolower((unsigned char)*c));
	for (int i = 0; i < p->n_dims; i++) {
		const char *comma = i ? ", " : "";

		str_addf(&parameters, "%slong long dim_%s", comma, task_dim_name(task, i));
		str_addf(&arguments, "%sdim_%s", comma, task_dim_name(task, i));
	}
	*w = (struct writer){ .p = p, .task = task, .out = out };
	w->upper = str_detach(&upper);
	w->lower = str_detach(&lower);
	w->parameters = str_detach(&parameters);
	w->arguments = str_detach(&arguments);
}

static void writer_release(struct writer *w)
{
	free(w->upper);
	free(w->lower);
	free(w->parameters);
	free(w->arguments);
}

/* --- what it is --- */

static void add_answer(struct writer *w, const struct per_shape_answer *a)
{
	const struct per_shape_entry *entry = &w->p->entries[a->entry];
	struct str dims = STR_INIT;
	char us[FIGURE_MAX];

	for (int i = 0; i < w->p->n_dims; i++)
		str_addf(&dims, "%s%s %" PRId64, i ? ", " : "", task_dim_name(w->task, i),
			 a->dims[i]);
	header_comment(w->out, "shape", "%s (%s): entry %d, %s in trial %" PRId64 ":%" PRId64,
		       a->shape, dims.data, a->entry, figure_time(a->p50_ns, us), entry->trial.run,
		       entry->trial.no);
	str_release(&dims);
}

static void add_provenance(struct writer *w)
{
	const struct per_shape *p = w->p;
	const struct stored *s = p->entries[0].stored;
	bool cuda = task_language(w->task) == LANGUAGE_CUDA;

	str_addz(w->out,
		 "/*\n * Written by evo-tuned " EVO_TUNED_VERSION
		 "; export it again instead of editing it. For #include or -include.\n *\n");
	header_comment(w->out, "task", "%s", task_name(w->task));
	header_comment(w->out, "sources", "%s", task_source_hash(w->task));
	header_comment(w->out, "device", "%s, %s, driver %s", s->setup.devices->name,
		       s->setup.devices->arch, s->setup.devices->driver);
	header_comment(w->out, "compiler", "%s", s->setup.devices->compiler);
	for (int i = 0; i < p->n_answers; i++)
		add_answer(w, &p->answers[i]);
	for (int i = 0; i < p->n_entries; i++)
		header_comment(w->out, "entry", "%d: binary %s", i, p->entries[i].trial.artifact);
	header_comment(w->out, "default", "entry %d, timed on %d of %d shapes", p->by_default,
		       p->n_timed, p->n_answers);
	str_addf(
		w->out,
		" *\n"
		" * Compile the kernel once for each entry, with this header before it and "
		"-D%s_ENTRY=0, 1, ...:\n"
		" * its macros are then those of the entry. %s_select says which one to take for a "
		"shape%s%s%s.\n"
		" */\n",
		w->upper, w->lower, cuda ? ", and\n * " : "", cuda ? w->lower : "",
		cuda ? "_launch how to launch it" : "");
}

/* --- the macros --- */

static void add_macros(struct writer *w)
{
	for (int k = 0; k < w->p->n_entries; k++) {
		const struct per_shape_entry *entry = &w->p->entries[k];
		const struct space *space = task_space(entry->stored->setup.bound);

		str_addf(w->out, "\n/* Entry %d. */\n", k);
		for (int i = 0; i < space_params(space); i++) {
			char text[256];

			value_print(space_value(space, i, entry->position[i]), text, sizeof text);
			str_addf(w->out, "#define %s_%d_%s %s\n", w->upper, k, space_name(space, i),
				 text);
		}
	}
	str_addf(w->out, "\n#ifdef %s_ENTRY\n", w->upper);
	for (int k = 0; k < w->p->n_entries; k++) {
		const struct space *space = task_space(w->p->entries[k].stored->setup.bound);

		str_addf(w->out, "#%s %s_ENTRY == %d\n", k ? "elif" : "if", w->upper, k);
		for (int i = 0; i < space_params(space); i++)
			str_addf(w->out, "#define %s %s_%d_%s\n", space_name(space, i), w->upper, k,
				 space_name(space, i));
	}
	str_addf(w->out, "#else\n#error \"%s_ENTRY: expected a number from 0 to %d\"\n#endif\n",
		 w->upper, w->p->n_entries - 1);
	str_addz(w->out, "#endif\n");
}

/* --- the functions --- */

/* Only what some expression calls. */
static void add_arithmetic(struct writer *w, const char *used)
{
	static const struct {
		const char *name, *parameters, *body;
	} all[] = {
		{ "min", "long long a, long long b", "\treturn a < b ? a : b;\n" },
		{ "max", "long long a, long long b", "\treturn a > b ? a : b;\n" },
		{ "ceil_div", "long long a, long long b", "\treturn (a + b - 1) / b;\n" },
		{ "pow2", "long long n", "\treturn 1LL << n;\n" },
		{ "log2", "long long n",
		  "\tlong long log = 0;\n\n\twhile (n >>= 1)\n\t\tlog++;\n\treturn log;\n" },
	};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		struct str name = STR_INIT;

		str_addf(&name, "%s_%s(", w->lower, all[i].name);
		if (strstr(used, name.data))
			str_addf(w->out, "\nstatic inline long long %s%s)\n{\n%s}\n", name.data,
				 all[i].parameters, all[i].body);
		str_release(&name);
	}
}

static void add_unused(struct writer *w, struct str *s)
{
	for (int i = 0; i < w->p->n_dims; i++)
		str_addf(s, "\t(void)dim_%s;\n", task_dim_name(w->task, i));
}

static void add_fits(struct writer *w, const struct task_launch_c *launches, struct str *s)
{
	str_addf(s,
		 "\n/* Not 0 where the constraints allow the entry. */\n"
		 "static inline int %s_fits(int entry, %s)\n{\n",
		 w->lower, w->parameters);
	add_unused(w, s);
	str_addz(s, "\tswitch (entry) {\n");
	for (int k = 0; k < w->p->n_entries; k++)
		str_addf(s, "\tcase %d:\n\t\treturn %s;\n", k, launches[k].fits);
	str_addz(s, "\t}\n\treturn 0;\n}\n");
}

static void add_shapes(struct writer *w, struct str *s)
{
	str_addf(s, "\tstatic const long long shapes[%d][%d] = {\n", w->p->n_answers,
		 w->p->n_dims + 1);
	for (int a = 0; a < w->p->n_answers; a++) {
		str_addz(s, "\t\t{ ");
		for (int i = 0; i < w->p->n_dims; i++)
			str_addf(s, "%" PRId64 ", ", w->p->answers[a].dims[i]);
		str_addf(s, "%d },\n", w->p->answers[a].entry);
	}
	str_addf(s, "\t};\n");
}

static void add_select(struct writer *w, struct str *s)
{
	int n = w->p->n_dims;

	str_addf(
		s,
		"\n/*\n"
		" * The entry for a shape: that of the very shape; else of the nearest one that "
		"was "
		"tuned, where the\n"
		" * factors by which the dimensions differ multiply to %s_NEAR at most (the sum of "
		"their\n"
		" * binary logarithms to its logarithm); else the default. None that the "
		"constraints "
		"forbid on the\n"
		" * shape; -1: all are.\n"
		" */\n"
		"static inline int %s_select(%s)\n{\n",
		w->upper, w->lower, w->parameters);
	add_shapes(w, s);
	str_addf(s, "\tconst long long dims[%d] = { %s };\n", n, w->arguments);
	str_addf(s,
		 "\tdouble nearest = %s_NEAR;\n"
		 "\tint found = -1, i, j;\n\n"
		 "\tfor (i = 0; i < %d; i++) {\n"
		 "\t\tint entry = (int)shapes[i][%d];\n"
		 "\t\tdouble factor = 1;\n\n"
		 "\t\tfor (j = 0; j < %d; j++) {\n"
		 "\t\t\tdouble a = (double)dims[j], b = (double)shapes[i][j];\n\n"
		 "\t\t\tif (dims[j] < 1)\n"
		 "\t\t\t\treturn -1;\n"
		 "\t\t\tfactor *= a > b ? a / b : b / a;\n"
		 "\t\t}\n"
		 "\t\tif ((found < 0 ? factor <= nearest : factor < nearest) &&\n"
		 "\t\t    %s_fits(entry, %s)) {\n"
		 "\t\t\tnearest = factor;\n"
		 "\t\t\tfound = entry;\n"
		 "\t\t}\n"
		 "\t}\n",
		 w->upper, w->p->n_answers, n, n, w->lower, w->arguments);
	str_addf(s,
		 "\tif (found < 0 && %s_fits(%s_DEFAULT, %s))\n"
		 "\t\tfound = %s_DEFAULT;\n"
		 "\tfor (i = 0; found < 0 && i < %s_ENTRIES; i++)\n"
		 "\t\tif (%s_fits(i, %s))\n"
		 "\t\t\tfound = i;\n"
		 "\treturn found;\n}\n",
		 w->lower, w->upper, w->arguments, w->upper, w->upper, w->lower, w->arguments);
}

static void add_launch(struct writer *w, const struct task_launch_c *launches, struct str *s)
{
	if (!launches[0].shared_bytes)
		return;
	str_addf(s,
		 "\n/* How an entry is launched on a shape; shared_bytes is dynamic shared memory. "
		 "0, or "
		 "-1: there is\n"
		 " * no such entry. */\n"
		 "struct %s_launch {\n"
		 "\tlong long grid[3], block[3], shared_bytes;\n"
		 "};\n"
		 "static inline int %s_launch(int entry, %s,\n\t\tstruct %s_launch *ret)\n{\n",
		 w->lower, w->lower, w->parameters, w->lower);
	add_unused(w, s);
	str_addz(s, "\tswitch (entry) {\n");
	for (int k = 0; k < w->p->n_entries; k++) {
		const struct task_launch_c *l = &launches[k];

		str_addf(s, "\tcase %d:\n", k);
		for (int i = 0; i < 3; i++)
			str_addf(s, "\t\tret->grid[%d] = %s;\n", i, l->grid[i]);
		for (int i = 0; i < 3; i++)
			str_addf(s, "\t\tret->block[%d] = %s;\n", i, l->block[i]);
		str_addf(s, "\t\tret->shared_bytes = %s;\n\t\treturn 0;\n", l->shared_bytes);
	}
	str_addz(s, "\t}\n\treturn -1;\n}\n");
}

static int write_launches(struct writer *w, struct task_launch_c *launches, struct err *e)
{
	int r = 0;

	for (int k = 0; k < w->p->n_entries && r == 0; k++) {
		const struct per_shape_entry *entry = &w->p->entries[k];

		r = task_launch_as_c(entry->stored->setup.bound, entry->position, w->lower,
				     &launches[k], e);
		if (r < 0)
			err_wrap(e, "--per-shape: trial %" PRId64 ":%" PRId64, entry->trial.run,
				 entry->trial.no);
	}
	return r;
}

static int write_functions(struct writer *w, struct err *e)
{
	struct task_launch_c *launches = mem_array((size_t)w->p->n_entries, sizeof *launches);
	struct str s = STR_INIT;
	int r = write_launches(w, launches, e);

	if (r == 0) {
		add_fits(w, launches, &s);
		add_select(w, &s);
		add_launch(w, launches, &s);
		str_addz(w->out, "\n#ifndef __CUDACC_RTC__\n");
		add_arithmetic(w, s.data);
		str_addf(w->out, "%s#endif\n", s.data);
	}
	str_release(&s);
	for (int k = 0; k < w->p->n_entries; k++)
		task_launch_c_release(&launches[k]);
	free(launches);
	return r;
}

static int write_text(struct writer *w, struct err *e)
{
	int r;

	add_provenance(w);
	str_addf(w->out, "#ifndef %s_SHAPES_H\n#define %s_SHAPES_H\n", w->upper, w->upper);
	str_addf(w->out, "\n#define %s_ENTRIES %d\n#define %s_DEFAULT %d\n", w->upper,
		 w->p->n_entries, w->upper, w->p->by_default);
	str_addf(w->out, "#ifndef %s_NEAR\n#define %s_NEAR 8.0\n#endif\n", w->upper, w->upper);
	r = write_functions(w, e);
	add_macros(w);
	str_addf(w->out, "\n#endif /* %s_SHAPES_H */\n", w->upper);
	return r;
}

/* Every entry by itself, as users compile it. */
static int check_entries(struct writer *w, const char *nvrtc, struct err *e)
{
	int r = 0;

	for (int k = 0; k < w->p->n_entries && r == 0; k++) {
		const struct per_shape_entry *entry = &w->p->entries[k];
		struct str define = STR_INIT;

		str_addf(&define, "-D%s_ENTRY=%d", w->upper, k);
		r = export_check(&(struct export_check){ entry->stored, &entry->trial,
							 entry->position, nvrtc, define.data },
				 w->out, e);
		str_release(&define);
	}
	return r;
}

int export_shapes(struct stored *runs, int n, const char *nvrtc, struct str *ret, struct err *e)
{
	struct per_shape p;
	struct writer w;
	int r = per_shape_gather(runs, n, &p, e);

	if (r < 0)
		return r;
	writer_init(&w, &p, ret);
	r = write_text(&w, e);
	if (r == 0)
		r = check_entries(&w, nvrtc, e);
	if (r == 0 && p.n_timed < p.n_answers)
		note("the default, entry %d, was timed on %d of %d shapes: no configuration was on "
		     "all of them",
		     p.by_default, p.n_timed, p.n_answers);
	writer_release(&w);
	per_shape_release(&p);
	return r;
}
