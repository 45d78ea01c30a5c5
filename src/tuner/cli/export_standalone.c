#include "tuner/cli/export_standalone.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tuner/cli/export_standalone_data.h"
#include "tuner/cli/export_standalone_source.h"
#include "tuner/cli/local.h"
#include "tuner/cli/print.h"
#include "version.h"

static const char harness[] =
#include "kernels/standalone.h.inc"
	;

/* --- flags --- */

static void add_flag(struct standalone *s, const char *prefix, const char *text)
{
	struct str flag = STR_INIT;

	str_addf(&flag, "%s%s", prefix, text);
	s->flags = mem_grow(s->flags, (size_t)s->n_flags + 1, sizeof *s->flags);
	s->flags[s->n_flags++] = str_detach(&flag);
}

/* By -arch=sm_90a nvcc 13.0 compiles for sm_90, too, which has none of what makes sm_90a. */
static void add_arch(struct standalone *s, const char *arch)
{
	static const char prefix[] = "sm_";
	const char *number =
		strncmp(arch, prefix, strlen(prefix)) == 0 ? arch + strlen(prefix) : arch;
	struct str code = STR_INIT;

	str_addf(&code, "%s,code=sm_%s", number, number);
	add_flag(s, "-gencode=arch=compute_", code.data);
	str_release(&code);
}

/* Macros and folders are in the file already; the rest NVRTC, nvcc and cc spell alike. */
static void take_flags(const struct compile_job *job, struct standalone *s)
{
	static const char arch[] = "--gpu-architecture=";

	if (job->language == LANGUAGE_CUDA)
		add_flag(s, "-O2", "");
	for (int i = 0; i < job->n_options; i++) {
		const char *o = job->options[i];

		if (strncmp(o, "-D", 2) == 0 || strncmp(o, "-I", 2) == 0)
			continue;
		if (strncmp(o, arch, strlen(arch)) == 0)
			add_arch(s, o + strlen(arch));
		else
			add_flag(s, "", o);
	}
}

static void add_word(struct str *s, const char *word)
{
	bool plain = word[strcspn(word, " \t'\"\\$&|;<>()*?`")] == 0;

	str_addf(s, plain ? " %s" : " '%s'", word);
}

/* --- the file --- */

static void add_comment_text(struct str *s, const char *text)
{
	for (; *text; text++)
		str_addc(s, (unsigned char)*text < ' ' || (text[0] == '*' && text[1] == '/')
				    ? ' '
				    : *text);
}

static void add_head(const struct standalone_job *j, const struct standalone *s, const char *file,
		     const char *origin, struct str *ret)
{
	bool cuda = task_language(j->task) == LANGUAGE_CUDA;
	const char *dot = strrchr(file, '.');
	char *program = mem_strndup(file, dot && dot > file ? (size_t)(dot - file) : strlen(file));
	struct str command = STR_INIT;

	str_addz(&command, cuda ? "nvcc" : "cc");
	for (int i = 0; i < s->n_flags; i++)
		add_word(&command, s->flags[i]);
	add_word(&command, file);
	str_addz(&command, " -o");
	add_word(&command, dot ? program : "a.out");
	str_addz(&command, cuda ? "" : " -lm");
	str_addz(ret, "/*\n * Written by evo-tuned " EVO_TUNED_VERSION
		      ": one configuration of a kernel as a program. Build and run it:\n *\n *\t");
	add_comment_text(ret, command.data);
	str_addz(ret, "\n *\t./");
	add_comment_text(ret, dot ? program : "a.out");
	str_addz(ret, " [--check] [--seed=N] [SHAPE | all]\n *\n"
		      " * Its exit status is 1 when a gate fails. --check leaves out the timing.\n"
		      " *\n * from       ");
	add_comment_text(ret, origin);
	str_addf(ret, "\n * task       %s, %s\n * sources    %s\n * device     ",
		 task_name(j->task), task_hash(j->task), task_source_hash(j->task));
	add_comment_text(ret, task_device(j->bound)->name);
	str_addz(ret, "\n */\n");
	str_release(&command);
	free(program);
}

struct parts {
	struct str system, sources, calls;
};

/* Part 0 is the kernel, the others are the references that are taken. */
static int add_part(const struct standalone_job *j, int part, struct parts *ret,
		    struct standalone *flags, struct err *e)
{
	struct task_compile c;
	char name[STANDALONE_PART_NAME];
	int r = part == 0 ? task_compile_job(j->bound, j->config, j->folder, &c, e)
			  : task_reference_job(j->bound, j->references[part - 1], j->folder, &c, e);

	if (r < 0)
		return r;
	standalone_part_name(part, name);
	if (part == 0)
		take_flags(&c.job, flags);
	str_addf(&ret->sources, "\n/* ======== %s ======== */\n",
		 part == 0 ? "the kernel" : "a reference");
	r = standalone_part(&c.job, name, &ret->system, &ret->sources, e);
	if (r == 0)
		standalone_add_call(j, part, c.job.entry, &ret->calls);
	task_compile_release(&c);
	return r;
}

/* Scalars of C calls, by the names of their types. */
static void add_scalar_union(struct str *s)
{
	str_addz(s, "union scalar {\n");
#define X(id, name, c, bytes) str_addz(s, "\t" c " " name ";\n");
	DTYPE_MAP(X)
#undef X
	str_addz(s, "};\n\n");
}

static int assemble(const struct standalone_job *j, const char *file, const char *origin,
		    struct standalone *ret, struct err *e)
{
	struct parts parts = { STR_INIT, STR_INIT, STR_INIT };
	int r = 0;

	for (int part = 0; part <= j->n_references && r == 0; part++)
		r = add_part(j, part, &parts, ret, e);
	if (r == 0) {
		add_head(j, ret, file, origin, &ret->text);
		str_addz(&ret->text, parts.system.data);
		str_addz(&ret->text, parts.sources.data);
		str_addz(&ret->text, "\n/* ======== inputs, check, timing ======== */\n");
		str_addz(&ret->text, harness);
		str_addz(&ret->text, "\n/* ======== this configuration ======== */\n");
		add_scalar_union(&ret->text);
		str_addz(&ret->text, parts.calls.data);
		standalone_add_tables(j, &ret->text);
	}
	str_release(&parts.system);
	str_release(&parts.sources);
	str_release(&parts.calls);
	return r;
}

/* --- what can be put into a program --- */

/* References that are files or of the other language are left out, with a word about it. */
static int choose_references(const struct standalone_job *j, int *ret, int *ret_n, struct err *e)
{
	const struct problem *p = task_problem(j->bound);

	*ret_n = 0;
	for (int i = 0; i < p->n_references; i++) {
		const struct problem_reference *ref = &p->references[i];

		if (!ref->files && ref->language == task_language(j->task))
			ret[(*ret_n)++] = i;
		else
			note("reference %s is left out of the program: it is %s", ref->name,
			     ref->files ? "given as files" : "not in the kernel's language");
	}
	return *ret_n ? 0
		      : err_set(e, ERR_INVALID,
				"a standalone program needs a reference that is a kernel in the "
				"language of the tuned one; the task has none");
}

/* Must agree with BUFFERS_MAX and SCALARS_MAX of src/kernels/standalone.h. */
enum { PROGRAM_LIST_MAX = 64 };

static int check_problem(const struct problem *p, struct err *e)
{
	if (p->n_buffers > PROGRAM_LIST_MAX || p->n_arguments > PROGRAM_LIST_MAX)
		return err_set(e, ERR_INVALID,
			       "a standalone program has at most %d buffers and arguments",
			       PROGRAM_LIST_MAX);
	for (int i = 0; i < p->n_shapes; i++)
		for (int b = 0; b < p->n_buffers; b++)
			if (p->shapes[i].buffers[b].fill.kind == FILL_NPY)
				return err_set(e, ERR_INVALID,
					       "buffer %s is filled from a .npy file: a standalone "
					       "program makes its inputs from a seed",
					       p->buffers[b].name);
	return 0;
}

static int make_in(struct standalone_job *j, const char *file, const char *origin,
		   struct standalone *ret, struct err *e)
{
	const struct problem *p = task_problem(j->bound);
	int *references = mem_array((size_t)p->n_references + 1, sizeof *references);
	struct launch *launches = NULL;
	int r = choose_references(j, references, &j->n_references, e);

	if (r == 0)
		r = task_launches(j->bound, j->config, &launches, e);
	if (r == 0) {
		j->references = references;
		j->launches = launches;
		r = assemble(j, file, origin, ret, e);
		for (int i = 0; i < p->n_shapes; i++)
			launch_release(&launches[i]);
	}
	free(launches);
	free(references);
	return r;
}

/* NOLINTNEXTLINE(readability-function-size): what it is made of, and what to call it. */
int standalone_make(const struct task *t, struct task_bound *b, const uint16_t *config,
		    const char *file, const char *origin, struct standalone *ret, struct err *e)
{
	struct standalone_job j = { .task = t, .bound = b, .config = config };
	struct standalone made = { .text = STR_INIT };
	char *folder = NULL;
	int r = check_problem(task_problem(b), e);

	if (r == 0)
		r = local_folder(&folder, e);
	if (r < 0)
		return r;
	j.folder = folder;
	r = task_materialise(t, folder, e);
	if (r == 0)
		r = make_in(&j, file, origin, &made, e);
	local_folder_remove(folder);
	if (r == 0)
		*ret = made;
	else
		standalone_release(&made);
	return r;
}

void standalone_release(struct standalone *s)
{
	str_release(&s->text);
	for (int i = 0; i < s->n_flags; i++)
		free(s->flags[i]);
	free(s->flags);
}
