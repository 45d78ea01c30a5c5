#include "tuner/cli/sanitize.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "runtime/spawn.h"
#include "tuner/cli/export_standalone.h"
#include "tuner/cli/local.h"

enum { LOG_MAX = 256 << 10 };

static const char *const tools[SANITIZE_TOOLS] = { "memcheck", "racecheck" };

/* --- the programs --- */

static char *program_in(const char *folder, size_t len, const char *name)
{
	struct str path = STR_INIT;

	str_add(&path, folder, len);
	str_addf(&path, "/%s", name);
	if (len > 0 && access(path.data, X_OK) == 0)
		return str_detach(&path);
	str_release(&path);
	return NULL;
}

/* On PATH, or where the CUDA toolkit is installed by default. */
static int find_program(const char *name, char **ret, struct err *e)
{
	static const char toolkit[] = "/usr/local/cuda/bin";
	const char *path = getenv("PATH");
	char *found = NULL;

	for (; path && !found; path = *path ? path + 1 : NULL) {
		size_t len = strcspn(path, ":");

		found = program_in(path, len, name);
		path += len;
	}
	if (!found)
		found = program_in(toolkit, strlen(toolkit), name);
	if (!found)
		return err_set(e, ERR_MISSING,
			       "%s not found: it is neither on PATH nor in %s; install the CUDA "
			       "toolkit, which has it, or put its folder on PATH",
			       name, toolkit);
	*ret = found;
	return 0;
}

/* --- one tool --- */

long long sanitize_findings(const char *log)
{
	static const char mark[] = "SUMMARY: ";
	const char *last = NULL;
	char *end;
	long long n;

	for (const char *at = strstr(log, mark); at; at = strstr(at + 1, mark))
		last = at;
	if (!last)
		return -1;
	last += strlen(mark);
	n = strtoll(last, &end, 10);
	return end == last ? -1 : n;
}

static int examine(const char *sanitizer, const char *program, const char *tool,
		   struct sanitized *ret, struct err *e)
{
	const char *argv[] = { sanitizer, "--tool", tool, "--error-exitcode", "86", program,
			       "--check", "all",    NULL };
	struct str log = STR_INIT;
	int status = 0, r = spawn_and_wait(argv, NULL, LOG_MAX, &log, &status, e);

	if (r < 0)
		return r;
	*ret = (struct sanitized){ .tool = tool, .findings = sanitize_findings(log.data) };
	ret->passed = ret->findings == 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
	ret->log = str_detach(&log);
	if (ret->findings < 0)
		return err_set(e, ERR_FAILED, "%s --tool %s ended without a summary: %.800s",
			       sanitizer, tool, ret->log);
	return 0;
}

static int compile(const char *nvcc, const struct standalone *s, const char *source,
		   const char *program, struct err *e)
{
	const char **argv = mem_array((size_t)s->n_flags + 6, sizeof *argv);
	struct str log = STR_INIT;
	int n = 0, status = 0, r;

	argv[n++] = nvcc;
	for (int i = 0; i < s->n_flags; i++)
		argv[n++] = s->flags[i];
	argv[n++] = "-lineinfo";
	argv[n++] = source;
	argv[n++] = "-o";
	argv[n++] = program;
	r = spawn_and_wait(argv, NULL, LOG_MAX, &log, &status, e);
	if (r == 0 && status != 0)
		r = err_set(e, ERR_FAILED, "nvcc does not build the standalone program: %.800s",
			    log.data);
	str_release(&log);
	free(argv);
	return r;
}

/* --- both --- */

struct place {
	char *nvcc, *sanitizer, *folder, *source, *program;
};

static int place_make(struct place *p, struct err *e)
{
	int r = find_program("compute-sanitizer", &p->sanitizer, e);

	if (r == 0)
		r = find_program("nvcc", &p->nvcc, e);
	if (r == 0)
		r = local_folder(&p->folder, e);
	if (r < 0)
		return r;
	p->source = file_join(p->folder, "x.cu");
	p->program = file_join(p->folder, "x");
	return 0;
}

static void place_release(struct place *p)
{
	local_folder_remove(p->folder);
	free(p->nvcc);
	free(p->sanitizer);
	free(p->source);
	free(p->program);
}

int sanitize(const struct task *t, struct task_bound *b, const uint16_t *config,
	     struct sanitized ret[SANITIZE_TOOLS], struct err *e)
{
	struct standalone s = { .text = STR_INIT };
	struct place p = { 0 };
	int r;

	memset(ret, 0, SANITIZE_TOOLS * sizeof *ret);
	if (task_language(t) != LANGUAGE_CUDA)
		return err_set(
			e, ERR_INVALID,
			"--sanitize: compute-sanitizer examines CUDA kernels, and task %s is "
			"in C; build the program of `export --format standalone` with "
			"-fsanitize=address instead",
			task_name(t));
	r = place_make(&p, e);
	if (r == 0)
		r = standalone_make(t, b, config, "x.cu", "bench --sanitize", &s, e);
	if (r == 0)
		r = file_write(p.source, s.text.data, s.text.len, e);
	if (r == 0)
		r = compile(p.nvcc, &s, p.source, p.program, e);
	for (int i = 0; i < SANITIZE_TOOLS && r == 0; i++)
		r = examine(p.sanitizer, p.program, tools[i], &ret[i], e);
	if (r < 0)
		sanitized_release(ret);
	standalone_release(&s);
	place_release(&p);
	return r;
}

void sanitized_release(struct sanitized s[SANITIZE_TOOLS])
{
	for (int i = 0; i < SANITIZE_TOOLS; i++) {
		free(s[i].log);
		s[i].log = NULL;
	}
}

/* --- what is said --- */

bool sanitized_passed(const struct sanitized s[SANITIZE_TOOLS])
{
	for (int i = 0; i < SANITIZE_TOOLS; i++)
		if (!s[i].passed)
			return false;
	return true;
}

cJSON *sanitized_report(const struct sanitized s[SANITIZE_TOOLS])
{
	cJSON *report = json_new_object(), *list;

	json_add_bool(report, "passed", sanitized_passed(s));
	list = json_add_list(report, "tools");
	for (int i = 0; i < SANITIZE_TOOLS; i++) {
		cJSON *one = json_new_object();

		json_add_string(one, "tool", s[i].tool);
		json_add_int(one, "findings", s[i].findings);
		json_add_bool(one, "passed", s[i].passed);
		json_add_string(one, "log", s[i].log);
		cJSON_AddItemToArray(list, one);
	}
	return report;
}

void sanitized_print(const struct sanitized s[SANITIZE_TOOLS])
{
	for (int i = 0; i < SANITIZE_TOOLS; i++) {
		if (s[i].passed)
			printf("%s: no findings\n", s[i].tool);
		else if (s[i].findings > 0)
			printf("%s: %lld findings\n%s\n", s[i].tool, s[i].findings, s[i].log);
		else
			printf("%s: no findings, but the program failed\n%s\n", s[i].tool,
			       s[i].log);
	}
}
