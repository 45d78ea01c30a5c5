#include "tuner/task/task_compile.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "tuner/task/task_source.h"
#include "tuner/task/task_value.h"

struct options {
	char **list;
	int n;
};

static void add(struct options *o, char *taken)
{
	o->list = mem_grow(o->list, (size_t)o->n + 1, sizeof *o->list);
	o->list[o->n++] = taken;
}

static void add_define(struct options *o, const char *name, const char *text)
{
	struct str s = STR_INIT;

	str_addf(&s, "-D%s=%s", name, text);
	add(o, str_detach(&s));
}

static bool has_flag(const struct task_kernel *k, const char *prefix)
{
	for (int i = 0; i < k->n_flags; i++)
		if (strncmp(k->flags[i], prefix, strlen(prefix)) == 0)
			return true;
	return false;
}

static void add_for_cuda(struct options *o, const struct task_kernel *k, const char *arch)
{
	struct str s = STR_INIT;

	if (!has_flag(k, "-arch") && !has_flag(k, "--gpu-architecture")) {
		str_addf(&s, "--gpu-architecture=%s", arch);
		add(o, str_detach(&s));
	}
	if (!has_flag(k, "-std=") && !has_flag(k, "--std"))
		add(o, mem_strdup("-std=c++17"));
}

char **compile_options(const struct task_bound *b, const struct task_kernel *k,
		       const uint16_t *config, const char *root, int *ret_n)
{
	const struct space *s = b->space;
	const struct task *t = b->task;
	struct options o = { 0 };

	for (int i = 0; config && i < space_params(s); i++) {
		char *text = task_value_text(space_value(s, i, config[i]));

		add_define(&o, space_name(s, i), text);
		free(text);
	}
	for (int i = 0; i < k->n_defines; i++)
		add_define(&o, k->defines[i].name, k->defines[i].text);
	for (int i = 0; i < t->n_include; i++) {
		char *place = source_place(t, t->include[i]), *folder = file_join(root, place);
		struct str option = STR_INIT;

		str_addf(&option, "-I%s", folder);
		add(&o, str_detach(&option));
		free(folder);
		free(place);
	}
	for (int i = 0; i < k->n_flags; i++)
		add(&o, mem_strdup(k->flags[i]));
	if (k->language == LANGUAGE_CUDA)
		add_for_cuda(&o, k, b->device.arch);
	*ret_n = o.n;
	return o.list;
}

static void add_types(struct task_compile *c, const struct task_kernel *k)
{
	const char **types = mem_array((size_t)k->n_arguments, sizeof *types);

	for (int i = 0; i < k->n_arguments; i++)
		types[i] = dtype_c_name(k->arguments[i].type);
	c->job.argument_c_types = types;
}

/* owned is the options first, then the path of the source. */
static void make_job(const struct task_bound *b, const struct task_kernel *k,
		     const uint16_t *config, const char *root, struct task_compile *ret)
{
	struct task_compile c = { .job = { .language = k->language, .entry = k->entry } };
	char *place = source_place(b->task, k->source);

	c.owned = compile_options(b, k, config, root, &c.n_owned);
	c.job.n_options = c.n_owned;
	c.owned = mem_grow(c.owned, (size_t)c.n_owned + 1, sizeof *c.owned);
	c.owned[c.n_owned++] = file_join(root, place);
	c.job.options = (const char *const *)c.owned;
	c.job.source = c.owned[c.n_owned - 1];
	c.job.arch = b->device.arch;
	c.job.n_arguments = k->n_arguments;
	add_types(&c, k);
	free(place);
	*ret = c;
}

int task_compile_job(const struct task_bound *b, const uint16_t *config, const char *root,
		     struct task_compile *ret, struct err *e)
{
	(void)e;
	make_job(b, &b->task->kernel, config, root, ret);
	ret->job.arguments = b->problem->arguments;
	return 0;
}

int task_reference_job(const struct task_bound *b, int reference, const char *root,
		       struct task_compile *ret, struct err *e)
{
	const struct task_reference *ref = &b->task->references[reference];

	if (ref->files)
		return err_set(e, ERR_MISSING,
			       "reference \"%s\" is given as files: there is "
			       "nothing to compile",
			       ref->name);
	make_job(b, &ref->kernel, NULL, root, ret);
	ret->job.arguments = b->problem->references[reference].arguments;
	return 0;
}

void task_compile_release(struct task_compile *c)
{
	for (int i = 0; i < c->n_owned; i++)
		free(c->owned[i]);
	free(c->owned);
	free((void *)c->job.argument_c_types);
	memset(c, 0, sizeof *c);
}
