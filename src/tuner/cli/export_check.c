#include "tuner/cli/export_check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "tuner/cli/local.h"
#include "tuner/cli/print.h"

/* -DNAME=VALUE of a parameter of the space. */
static bool is_parameter(const struct space *s, const char *option)
{
	char name[128];

	if (strncmp(option, "-D", 2) != 0)
		return false;
	snprintf(name, sizeof name, "%.*s", (int)strcspn(option + 2, "="), option + 2);
	return space_find(s, name) >= 0;
}

/* Compiles the task's source; with a header, in place of the parameters' -D options. */
static int build(const struct export_check *b, const char *folder, const char *header,
		 struct artifact *ret, struct err *e)
{
	const struct stored *s = b->stored;
	struct local where = { s->run.runtime, b->nvrtc };
	bool cuda = task_language(s->setup.task) == LANGUAGE_CUDA;
	struct str include = STR_INIT;
	const char **options;
	struct task_compile c;
	int n = 0, r = task_compile_job(s->setup.bound, b->position, folder, &c, e);

	if (r < 0)
		return r;
	options = mem_array((size_t)c.job.n_options + 3, sizeof *options);
	for (int i = 0; i < c.job.n_options; i++)
		if (!header || !is_parameter(task_space(s->setup.bound), c.job.options[i]))
			options[n++] = c.job.options[i];
	if (header && cuda) {
		str_addf(&include, "--pre-include=%s", header);
		options[n++] = include.data;
	} else if (header) {
		options[n++] = "-include";
		options[n++] = header;
	}
	if (header && b->define)
		options[n++] = b->define;
	c.job.options = options;
	c.job.n_options = n;
	c.job.cache = folder;
	r = local_compile(&where, &c.job, task_compile_timeout_s(s->setup.task), ret, e);
	task_compile_release(&c);
	free(options);
	str_release(&include);
	return r;
}

static int judge(const struct trial_record *t, const struct artifact *with,
		 const struct artifact *without, struct err *e)
{
	if (without->outcome != OUTCOME_OK || strcmp(with->hash, without->hash) != 0)
		return err_set(e, ERR_FAILED,
			       "not exported: compiled with the header the source gives another "
			       "binary than with -D options; does it #undef or redefine a "
			       "parameter?");
	note("the binary here (%.12s) is not the one that trial %" PRId64
	     " measured (%.12s): another compiler or machine; header and -D options agree",
	     with->hash, t->no, t->artifact);
	return 0;
}

static int check_in(const struct export_check *c, const char *folder, const struct str *text,
		    struct err *e)
{
	char *header = file_join(folder, "evo_tuned_export.h");
	struct artifact with = { 0 }, without = { 0 };
	int r = task_materialise(c->stored->setup.task, folder, e);

	if (r == 0)
		r = file_write(header, text->data, text->len, e);
	if (r == 0)
		r = build(c, folder, header, &with, e);
	if (r == 0 && with.outcome != OUTCOME_OK)
		r = err_set(e, ERR_FAILED,
			    "not exported: the source does not compile with the header (%s): "
			    "%.700s",
			    outcome_name(with.outcome), with.log);
	if (r == 0 && strcmp(with.hash, c->trial->artifact) != 0) {
		r = build(c, folder, NULL, &without, e);
		if (r == 0)
			r = judge(c->trial, &with, &without, e);
	}
	artifact_release(&with);
	artifact_release(&without);
	free(header);
	return r;
}

int export_check(const struct export_check *c, const struct str *text, struct err *e)
{
	char *folder;
	int r = local_folder(&folder, e);

	if (r < 0)
		return r;
	r = check_in(c, folder, text, e);
	local_folder_remove(folder);
	return r;
}
