#include "runtime/nvrtc.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "runtime/nvrtc_find.h"

struct nvrtc_program;

/* member, symbol, result, arguments */
#define NVRTC_SYMBOL_MAP(X)                                                                      \
	X(version, nvrtcVersion, int, (int *ret_major, int *ret_minor))                          \
	X(error_text, nvrtcGetErrorString, const char *, (int result))                           \
	X(arch_count, nvrtcGetNumSupportedArchs, int, (int *ret))                                \
	X(archs, nvrtcGetSupportedArchs, int, (int *ret))                                        \
	X(create, nvrtcCreateProgram, int,                                                       \
	  (struct nvrtc_program * *ret, const char *text, const char *name, int n_headers,       \
	   const char *const *headers, const char *const *header_names))                         \
	X(destroy, nvrtcDestroyProgram, int, (struct nvrtc_program * *program))                  \
	X(compile, nvrtcCompileProgram, int,                                                     \
	  (struct nvrtc_program * program, int n, const char *const *options))                   \
	X(cubin_size, nvrtcGetCUBINSize, int, (struct nvrtc_program * program, size_t * ret))    \
	X(cubin, nvrtcGetCUBIN, int, (struct nvrtc_program * program, char *ret))                \
	X(log_size, nvrtcGetProgramLogSize, int, (struct nvrtc_program * program, size_t * ret)) \
	X(log, nvrtcGetProgramLog, int, (struct nvrtc_program * program, char *ret))             \
	X(add_name, nvrtcAddNameExpression, int,                                                 \
	  (struct nvrtc_program * program, const char *expression))                              \
	X(lowered_name, nvrtcGetLoweredName, int,                                                \
	  (struct nvrtc_program * program, const char *expression, const char **ret))

struct nvrtc {
#define X(member, symbol, result, arguments) result(*member) arguments;
	NVRTC_SYMBOL_MAP(X)
#undef X
	int major, minor;
	char *path, *include;
};

static const struct symbol {
	const char *name;
	size_t offset;
} symbols[] = {
#define X(member, symbol, result, arguments) { #symbol, offsetof(struct nvrtc, member) },
	NVRTC_SYMBOL_MAP(X)
#undef X
};

enum { NVRTC_OK = 0, NVRTC_INVALID_OPTION = 5, NVRTC_COMPILATION = 6, NVRTC_NAME_INVALID = 10 };

/* A process has one NVRTC, as it has one C library. */
static struct {
	struct nvrtc library;
	bool loaded;
	char *given;
} process;

void nvrtc_set_path(const char *path)
{
	free(process.given);
	process.given = mem_strdup(path);
}

static int look_up(struct nvrtc *n, void *library, struct err *e)
{
	for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; i++) {
		void *found = dlsym(library, symbols[i].name);

		if (!found)
			return err_set(e, ERR_MISSING, "%s has no %s: CUDA 11.2 or newer is needed",
				       n->path, symbols[i].name);
		memcpy((char *)n + symbols[i].offset, &found, sizeof found);
	}
	if (n->version(&n->major, &n->minor) != NVRTC_OK)
		return err_set(e, ERR_FAILED, "%s: it does not tell its version", n->path);
	n->include = nvrtc_find_include(n->path);
	return 0;
}

int nvrtc_load(const struct nvrtc **ret, struct err *e)
{
	struct str tried = STR_INIT;
	struct nvrtc n = { 0 };
	void *library;
	int r = 0;

	if (process.loaded)
		goto out;
	library = nvrtc_find(process.given, &n.path, &tried);
	if (!library) {
		r = err_set(
			e, ERR_MISSING,
			"no NVRTC (CUDA's run-time compiler); install it with `pip install "
			"nvidia-cuda-nvrtc nvidia-cuda-runtime` or the CUDA toolkit, or name it "
			"with --nvrtc PATH. Looked for:\n%s",
			tried.data);
		goto out;
	}
	r = look_up(&n, library, e);
	if (r < 0) {
		free(n.path);
		dlclose(library);
		goto out;
	}
	process.library = n;
	process.loaded = true;
out:
	str_release(&tried);
	if (r == 0)
		*ret = &process.library;
	return r;
}

void nvrtc_version(const struct nvrtc *n, int *ret_major, int *ret_minor)
{
	*ret_major = n->major;
	*ret_minor = n->minor;
}

const char *nvrtc_path(const struct nvrtc *n)
{
	return n->path;
}

const char *nvrtc_include(const struct nvrtc *n)
{
	return n->include;
}

int nvrtc_archs(const struct nvrtc *n, int ret[NVRTC_ARCHS_MAX])
{
	int count;

	if (n->arch_count(&count) != NVRTC_OK || count < 0 || count > NVRTC_ARCHS_MAX)
		return 0;
	return n->archs(ret) == NVRTC_OK ? count : 0;
}

void nvrtc_result_release(struct nvrtc_result *r)
{
	free(r->cubin);
	free(r->log);
	memset(r, 0, sizeof *r);
}

/* The log's size counts a NUL at its end, and messages of ptxas may follow one in the middle. */
static char *take_log(const struct nvrtc *n, struct nvrtc_program *program)
{
	size_t size;
	char *log;

	if (n->log_size(program, &size) != NVRTC_OK || size == 0)
		return mem_strdup("");
	log = mem_alloc(size + 1);
	if (n->log(program, log) != NVRTC_OK)
		size = 0;
	while (size > 0 && (log[size - 1] == '\0' || log[size - 1] == '\n'))
		size--;
	for (size_t i = 0; i < size; i++)
		if (log[i] == '\0')
			log[i] = '\n';
	log[size] = '\0';
	return log;
}

/* An expression that names nothing is the source's fault: the log says so. */
static int take_lowered(const struct nvrtc *n, struct nvrtc_program *program,
			const char *expression, struct nvrtc_result *r)
{
	const char *lowered;
	int result = n->lowered_name(program, expression, &lowered);

	if (result == NVRTC_OK)
		snprintf(r->lowered, sizeof r->lowered, "%s", lowered);
	return result;
}

static int take_cubin(const struct nvrtc *n, struct nvrtc_program *program, struct nvrtc_result *r)
{
	int result = n->cubin_size(program, &r->bytes);

	if (result != NVRTC_OK || r->bytes == 0)
		return result;
	r->cubin = mem_alloc(r->bytes);
	return n->cubin(program, r->cubin);
}

/* Refusals leave r->cubin NULL; returns NVRTC's code for what is no refusal. */
static int run_once(const struct nvrtc *n, const struct nvrtc_job *job, const char *const *options,
		    int n_options, struct nvrtc_result *r)
{
	struct nvrtc_program *program;
	int result = n->create(&program, job->text, job->name, 0, NULL, NULL);

	if (result != NVRTC_OK)
		return result;
	if (job->expression)
		result = n->add_name(program, job->expression);
	if (result == NVRTC_OK)
		result = n->compile(program, n_options, options);
	r->log = take_log(n, program);
	if (result == NVRTC_OK && job->expression)
		result = take_lowered(n, program, job->expression, r);
	if (result == NVRTC_OK)
		result = take_cubin(n, program, r);
	n->destroy(&program);
	if (result != NVRTC_OK) {
		free(r->cubin);
		r->cubin = NULL;
	}
	return result;
}

static bool is_refusal(int result)
{
	return result == NVRTC_OK || result == NVRTC_COMPILATION ||
	       result == NVRTC_INVALID_OPTION || result == NVRTC_NAME_INVALID;
}

int nvrtc_compile(const struct nvrtc *n, const struct nvrtc_job *job, struct nvrtc_result *ret,
		  struct err *e)
{
	const char **options = mem_array((size_t)job->n_options + 3, sizeof *options);
	struct str include = STR_INIT, cccl = STR_INIT;
	struct nvrtc_result r = { 0 };
	int count = job->n_options, result;

	if (job->n_options)
		memcpy(options, job->options, (size_t)job->n_options * sizeof *options);
	if (n->include) {
		str_addf(&include, "-I%s", n->include);
		str_addf(&cccl, "-I%s/cccl", n->include);
		options[count++] = include.data;
		options[count++] = cccl.data;
	}
	if (n->major > 12 || (n->major == 12 && n->minor >= 9))
		options[count++] = "--no-cache";
	result = run_once(n, job, options, count, &r);
	if (result == NVRTC_INVALID_OPTION && count > 0 &&
	    strcmp(options[count - 1], "--no-cache") == 0) {
		nvrtc_result_release(&r);
		result = run_once(n, job, options, count - 1, &r);
	}
	free(options);
	str_release(&include);
	str_release(&cccl);
	if (!is_refusal(result)) {
		nvrtc_result_release(&r);
		return err_set(e, ERR_FAILED, "NVRTC %d.%d failed on %s: %s", n->major, n->minor,
			       job->name, n->error_text(result));
	}
	if (!r.log || (!r.cubin && !*r.log)) {
		free(r.log);
		r.log = mem_strdup(n->error_text(result));
	}
	*ret = r;
	return 0;
}
