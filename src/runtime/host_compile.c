#include "runtime/host_compile.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "runtime/spawn.h"

enum { BINARY_MAX = 256 << 20 };

/*
 * A buffer of bytes or half words goes in as void *, since the entry may have a name of its own
 * for such a type (_Float16, __bf16); any other element type must be the entry's.
 */
static void add_argument(struct str *s, int i, bool buffer, const char *c_type)
{
	bool open_type = strcmp(c_type, "uint16_t") == 0 || strcmp(c_type, "uint8_t") == 0;

	str_addz(s, i ? ", " : "");
	if (!buffer)
		str_addf(s, "*(%s *)a[%d]", c_type, i);
	else if (open_type)
		str_addf(s, "*(void **)a[%d]", i);
	else
		str_addf(s, "(%s *)*(void **)a[%d]", c_type, i);
}

static char *make_shim(const struct compile_job *job, const char *source)
{
	struct str s = STR_INIT;

	str_addf(&s, "#include <stdint.h>\n#include \"%s\"\n", source);
	str_addf(&s, "void evo_call(void **a);\nvoid evo_call(void **a)\n{\n\t%s(", job->entry);
	for (int i = 0; i < job->n_arguments; i++)
		add_argument(&s, i, job->arguments[i].buffer >= 0, job->argument_c_types[i]);
	str_addz(&s, ");\n}\n");
	return str_detach(&s);
}

/* Libraries go behind the source, or a linker that drops unneeded ones would drop them. */
static const char **make_command(const struct compile_job *job, const char *output)
{
	const char **argv = mem_array((size_t)job->n_options + 13, sizeof *argv);
	int n = 0;

	argv[n++] = "cc";
	argv[n++] = "-shared";
	argv[n++] = "-fPIC";
	argv[n++] = "-Werror=incompatible-pointer-types";
	argv[n++] = "-Werror=implicit-function-declaration";
	for (int i = 0; i < job->n_options; i++)
		if (strncmp(job->options[i], "-l", 2) != 0)
			argv[n++] = job->options[i];
	argv[n++] = "-x";
	argv[n++] = "c";
	argv[n++] = "-";
	argv[n++] = "-o";
	argv[n++] = output;
	for (int i = 0; i < job->n_options; i++)
		if (strncmp(job->options[i], "-l", 2) == 0)
			argv[n++] = job->options[i];
	argv[n++] = "-lm";
	return argv;
}

static int sync_file(const char *path, struct err *e)
{
	FILE *f = fopen(path, "re");
	int r = 0;

	if (!f)
		return err_sys(e, "%s", path);
	if (fsync(fileno(f)))
		r = err_sys(e, "%s", path);
	fclose(f);
	return r;
}

/* Moves the binary to CACHE/HASH.so. A known one stays, so that whoever has it mapped keeps it, and
 * looks new to a cache that drops the oldest. */
static int keep(const char *output, const char *cache, struct artifact *a, struct err *e)
{
	char name[HASH_HEX + 4], *bytes, *path;
	size_t len;
	int r = file_read(output, BINARY_MAX, &bytes, &len, e);

	if (r < 0)
		return r;
	hash_bytes(bytes, len, a->hash);
	free(bytes);
	snprintf(name, sizeof name, "%s.so", a->hash);
	path = file_join(cache, name);
	a->bytes = (int64_t)len;
	if (utimensat(AT_FDCWD, path, NULL, 0) == 0) {
		unlink(output);
	} else {
		r = sync_file(output, e);
		if (r == 0 && rename(output, path))
			r = err_sys(e, "%s", path);
	}
	if (r < 0)
		free(path);
	else
		a->path = path;
	return r;
}

static void say_how_it_ended(struct str *log, int status)
{
	if (WIFSIGNALED(status))
		str_addf(log, "\ncc was killed by signal %d (%s)\n", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	else if (log->len == 0)
		str_addf(log, "cc ended with status %d and said nothing\n", WEXITSTATUS(status));
}

static int compile_to(const struct compile_job *job, const char *source, const char *output,
		      struct artifact *a, struct err *e)
{
	const char **argv = make_command(job, output);
	char *shim = make_shim(job, source);
	struct str log = STR_INIT;
	int status = 0, r;

	r = spawn_and_wait(argv, shim, LOG_BYTES_MAX - 128, &log, &status, e);
	if (r == 0 && status != 0) {
		a->outcome = OUTCOME_COMPILE_ERROR;
		say_how_it_ended(&log, status);
	} else if (r == 0) {
		r = keep(output, job->cache, a, e);
	} else if (r == ERR_MISSING) {
		err_wrap(e, "C kernels need a compiler; install one (apt install gcc)");
	}
	free(shim);
	free(argv);
	a->log = str_detach(&log);
	return r;
}

static int check_job(const struct compile_job *job, struct err *e)
{
	if (job->language != LANGUAGE_C)
		return err_set(e, ERR_INVALID, "%s: the host runtime compiles C only", job->source);
	if (strpbrk(job->source, "\"\n\\"))
		return err_set(e, ERR_INVALID, "%s: quotes and backslashes cannot stand in a path",
			       job->source);
	return access(job->source, R_OK) ? err_sys(e, "%s", job->source) : 0;
}

int host_compile(const struct compile_job *job, struct artifact *ret, struct err *e)
{
	struct artifact a = { .outcome = OUTCOME_OK };
	int64_t start_ns = clock_mono_ns();
	char *source, *output;
	int fd, r = check_job(job, e);

	if (r < 0 || (r = file_mkdirs(job->cache, e)) < 0)
		return r;
#define X(field) a.ptxas.field = -1;
	PTXAS_MAP(X)
#undef X
	source = realpath(job->source, NULL);
	output = file_join(job->cache, "building-XXXXXX");
	fd = mkostemp(output, O_CLOEXEC);
	if (!source || fd < 0) {
		r = err_sys(e, "%s", source ? output : job->source);
		goto out;
	}
	r = compile_to(job, source, output, &a, e);
	if (r < 0 || a.outcome != OUTCOME_OK)
		unlink(output);
	a.compile_ms = (double)(clock_mono_ns() - start_ns) / 1e6;
	snprintf(a.lowered, sizeof a.lowered, "%s", job->entry);
out:
	if (fd >= 0)
		close(fd);
	free(output);
	free(source);
	if (r == 0)
		*ret = a;
	else
		artifact_release(&a);
	return r;
}
