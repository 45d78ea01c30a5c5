#include "runtime/cuda_compile.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "runtime/cuda_cubin.h"
#include "runtime/nvrtc.h"
#include "runtime/ptxas.h"

enum { SOURCE_BYTES_MAX = 16 << 20 };

static bool has_option(const struct compile_job *job, const char *a, const char *b)
{
	for (int i = 0; i < job->n_options; i++)
		if (strncmp(job->options[i], a, strlen(a)) == 0 ||
		    strncmp(job->options[i], b, strlen(b)) == 0)
			return true;
	return false;
}

/* The options NVRTC gets, in order. Owned strings, so that the list is released in one way. */
struct options {
	char **at;
	int n;
};

static void options_add(struct options *o, const char *prefix, const char *text)
{
	struct str s = STR_INIT;

	str_addf(&s, "%s%s", prefix, text);
	o->at = mem_grow(o->at, (size_t)o->n + 1, sizeof *o->at);
	o->at[o->n++] = str_detach(&s);
}

static void options_release(struct options *o)
{
	for (int i = 0; i < o->n; i++)
		free(o->at[i]);
	free(o->at);
}

static void options_fill(struct options *o, const struct compile_job *job)
{
	char *folder = file_dirname(job->source);

	options_add(o, "-I", folder);
	free(folder);
	for (int i = 0; i < job->n_options; i++)
		options_add(o, "", job->options[i]);
	if (!has_option(job, "--gpu-architecture", "-arch"))
		options_add(o, "--gpu-architecture=", job->arch);
	if (!has_option(job, "--std", "-std"))
		options_add(o, "-std=c++17", "");
	options_add(o, "--ptxas-options=-v", "");
}

/* At most LOG_BYTES_MAX - 1 bytes: the head tells the first error, the tail the last figures. */
static char *bound_log(const char *log)
{
	static const char cut[] = "\n[... cut here ...]\n";
	size_t len = strlen(log), half = (LOG_BYTES_MAX - sizeof cut) / 2;
	struct str s = STR_INIT;

	if (len < LOG_BYTES_MAX)
		return mem_strdup(log);
	str_add(&s, log, half);
	str_addz(&s, cut);
	str_addz(&s, log + len - half);
	return str_detach(&s);
}

/* A plain name that is not in the cubin was a C++ one: compiled again, it is looked up by NVRTC. */
static int compile_entry(const struct nvrtc *n, struct nvrtc_job *job, const char *entry,
			 struct nvrtc_result *ret, struct err *e)
{
	int r;

	if (!strpbrk(entry, ":<")) {
		r = nvrtc_compile(n, job, ret, e);
		if (r < 0 || !ret->cubin || cubin_has_entry(ret->cubin, ret->bytes, entry)) {
			snprintf(ret->lowered, sizeof ret->lowered, "%s", entry);
			return r;
		}
		nvrtc_result_release(ret);
	}
	job->expression = entry;
	return nvrtc_compile(n, job, ret, e);
}

/* What a kernel may remember by is said, as its time may then not be that of the work. */
static char *make_log(const struct nvrtc_result *compiled)
{
	uint64_t state = compiled->cubin ? cubin_state_bytes(compiled->cubin, compiled->bytes) : 0;
	struct str s = STR_INIT;
	char *log;

	str_addz(&s, compiled->log);
	if (state)
		str_addf(&s,
			 "%snote: global variables of %llu bytes can keep something from one "
			 "launch to the next\n",
			 s.len && s.data[s.len - 1] != '\n' ? "\n" : "", (unsigned long long)state);
	log = bound_log(s.len ? s.data : "");
	str_release(&s);
	return log;
}

/* Writes the cubin unless it is there; either way it counts as used now. */
static int store(const struct nvrtc_result *compiled, const char *cache, struct artifact *a,
		 struct err *e)
{
	struct str path = STR_INIT;
	struct stat st;
	int r = 0;

	hash_bytes(compiled->cubin, compiled->bytes, a->hash);
	str_addf(&path, "%s/%s.cubin", cache, a->hash);
	if (stat(path.data, &st) == 0 && st.st_size == (off_t)compiled->bytes)
		utimensat(AT_FDCWD, path.data, NULL, 0);
	else
		r = file_write(path.data, compiled->cubin, compiled->bytes, e);
	if (r < 0) {
		str_release(&path);
		return err_wrap(e, "storing a cubin");
	}
	a->path = str_detach(&path);
	a->bytes = (int64_t)compiled->bytes;
	return 0;
}

static int compile_text(const struct nvrtc *n, const struct compile_job *job, const char *text,
			struct artifact *a, struct err *e)
{
	const char *slash = strrchr(job->source, '/');
	struct options options = { 0 };
	struct nvrtc_result compiled = { 0 };
	struct nvrtc_job request = { .text = text, .name = slash ? slash + 1 : job->source };
	int64_t start = clock_mono_ns();
	int r;

	options_fill(&options, job);
	request.options = (const char *const *)options.at;
	request.n_options = options.n;
	r = compile_entry(n, &request, job->entry, &compiled, e);
	options_release(&options);
	if (r < 0)
		return r;
	a->compile_ms = (double)(clock_mono_ns() - start) / 1e6;
	a->log = make_log(&compiled);
	if (compiled.cubin) {
		a->outcome = OUTCOME_OK;
		snprintf(a->lowered, sizeof a->lowered, "%s", compiled.lowered);
		ptxas_parse(compiled.log, compiled.lowered, &a->ptxas);
		r = store(&compiled, job->cache, a, e);
	} else {
		a->outcome = ptxas_too_big(compiled.log) ? OUTCOME_TOO_BIG : OUTCOME_COMPILE_ERROR;
		ptxas_parse(compiled.log, job->entry, &a->ptxas);
	}
	nvrtc_result_release(&compiled);
	return r;
}

int cuda_compile(const struct compile_job *job, struct artifact *ret, struct err *e)
{
	struct artifact a = { 0 };
	const struct nvrtc *n;
	char *text;
	int r;

	if (job->language != LANGUAGE_CUDA)
		return err_set(e, ERR_INVALID, "%s: the cuda runtime compiles only CUDA sources",
			       job->source);
	r = nvrtc_load(&n, e);
	if (r < 0)
		return r;
	r = file_read(job->source, SOURCE_BYTES_MAX, &text, NULL, e);
	if (r < 0)
		return err_wrap(e, "kernel source");
	ptxas_clear(&a.ptxas);
	r = compile_text(n, job, text, &a, e);
	free(text);
	if (r < 0)
		artifact_release(&a);
	else
		*ret = a;
	return r;
}
