#include "runtime/nvrtc_find.h"

#include <dlfcn.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

static const char *const sonames[] = {
	"libnvrtc.so.13",
	"libnvrtc.so.12",
	"libnvrtc.so.11.2",
	"libnvrtc.so",
};

/* "~" stands for the home folder, "$" for that of the active Python environment, "@" for the one
 * the program is in: below it or beside it src/runtime/fetch_nvrtc.sh puts what it fetches. */
static const char *const folders[] = {
	"@/build/nvrtc/nvidia/*/lib",
	"@/../build/nvrtc/nvidia/*/lib",
	"@/../../build/nvrtc/nvidia/*/lib",
	"/usr/local/cuda/lib64",
	"/usr/local/cuda-*/lib64",
	"/usr/local/cuda*/targets/*/lib",
	"/opt/cuda/lib64",
	"/usr/lib/x86_64-linux-gnu",
	"/usr/lib/aarch64-linux-gnu",
	"$/lib/python3*/site-packages/nvidia/cu13/lib",
	"$/lib/python3*/site-packages/nvidia/cuda_nvrtc/lib",
	"~/.local/lib/python3*/site-packages/nvidia/cu13/lib",
	"~/.local/lib/python3*/site-packages/nvidia/cuda_nvrtc/lib",
	"/usr/local/lib/python3*/*-packages/nvidia/cu13/lib",
	"/usr/local/lib/python3*/*-packages/nvidia/cuda_nvrtc/lib",
	"/usr/lib/python3*/*-packages/nvidia/cu13/lib",
	"/usr/lib/python3*/*-packages/nvidia/cuda_nvrtc/lib",
	"/opt/*/.venv/lib/python3*/site-packages/nvidia/cu13/lib",
	"/opt/*/.venv/lib/python3*/site-packages/nvidia/cuda_nvrtc/lib",
};

/* Relative to the library's folder; the last two serve libraries on the loader's path. */
static const char *const includes[] = {
	"../include",	 "../targets/x86_64-linux/include", "../../cuda_runtime/include",
	"../../include", "/usr/local/cuda/include",	    "/usr/include",
};

static char *path_of(void *library, const char *fallback)
{
	void *symbol = dlsym(library, "nvrtcVersion");
	Dl_info info;
	char *real;

	if (!symbol || !dladdr(symbol, &info) || !info.dli_fname)
		return mem_strdup(fallback);
	real = realpath(info.dli_fname, NULL);
	return real ? real : mem_strdup(info.dli_fname);
}

static void *try_open(const char *name, char **ret_path, struct str *tried)
{
	void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);

	if (library) {
		*ret_path = path_of(library, name);
		return library;
	}
	str_addf(tried, "  %s\n", name);
	return NULL;
}

/* The folder's newest first: names sort by version well enough. */
static void *try_folder(const char *folder, char **ret_path, struct str *tried)
{
	struct str pattern = STR_INIT;
	void *library = NULL;
	glob_t hits;

	str_addf(&pattern, "%s/libnvrtc.so*", folder);
	if (glob(pattern.data, 0, NULL, &hits) == 0) {
		for (size_t i = hits.gl_pathc; i > 0 && !library; i--)
			library = try_open(hits.gl_pathv[i - 1], ret_path, tried);
		globfree(&hits);
	} else {
		str_addf(tried, "  %s\n", folder);
	}
	str_release(&pattern);
	return library;
}

/* free() it. */
static char *own_folder(void)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);

	if (n < 0)
		return NULL;
	path[n] = '\0';
	return file_dirname(path);
}

/* Replaces a leading "~", "$" or "@"; NULL where there is no such folder. */
static char *expand(const char *folder)
{
	struct str s = STR_INIT;
	char *root;

	if (folder[0] == '/')
		return mem_strdup(folder);
	if (folder[0] == '@')
		root = own_folder();
	else
		root = mem_strdup(getenv(folder[0] == '~' ? "HOME" : "VIRTUAL_ENV"));
	if (root && *root)
		str_addf(&s, "%s%s", root, folder + 1);
	free(root);
	return s.len ? str_detach(&s) : NULL;
}

static void *try_given(const char *given, char **ret_path, struct str *tried)
{
	struct stat st;

	if (stat(given, &st) == 0 && S_ISDIR(st.st_mode))
		return try_folder(given, ret_path, tried);
	return try_open(given, ret_path, tried);
}

void *nvrtc_find(const char *given, char **ret_path, struct str *tried)
{
	void *library = NULL;

	if (given)
		return try_given(given, ret_path, tried);
	for (size_t i = 0; i < sizeof sonames / sizeof sonames[0] && !library; i++)
		library = try_open(sonames[i], ret_path, tried);
	for (size_t i = 0; i < sizeof folders / sizeof folders[0] && !library; i++) {
		char *folder = expand(folders[i]);

		if (folder)
			library = try_folder(folder, ret_path, tried);
		free(folder);
	}
	return library;
}

char *nvrtc_find_include(const char *library)
{
	char *folder = file_dirname(library), *found = NULL;

	for (size_t i = 0; i < sizeof includes / sizeof includes[0] && !found; i++) {
		char *candidate = file_join(folder, includes[i]);
		char *header = file_join(candidate, "cuda_fp16.h");

		if (access(header, R_OK) == 0)
			found = realpath(candidate, NULL);
		free(header);
		free(candidate);
	}
	free(folder);
	return found;
}
