#include "runtime/cupti.h"

#include <dlfcn.h>
#include <glob.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"

/* Relative to the folder of NVRTC: a toolkit's lib64 and targets/ARCH/lib, and NVIDIA's wheels. */
static const char *const beside_nvrtc[] = {
	".",
	"../extras/CUPTI/lib64",
	"../../../extras/CUPTI/lib64",
	"../../cuda_cupti/lib",
};

static const char *const folders[] = {
	"/usr/local/cuda/extras/CUPTI/lib64",
	"/usr/local/cuda-*/extras/CUPTI/lib64",
	"/opt/cuda/extras/CUPTI/lib64",
	"/usr/local/cuda*/targets/*/lib",
	"/usr/lib/*-linux-gnu",
};

/* cuptiGetVersion of cupti_version.h; 0 is CUPTI_SUCCESS. */
typedef int get_version(uint32_t *ret);

static bool try_library(const char *name, char **ret_path, uint32_t *ret_version)
{
	void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
	get_version *version = NULL;
	Dl_info info;
	bool named;

	if (library)
		*(void **)&version = dlsym(library, "cuptiGetVersion");
	if (!version || version(ret_version) != 0) {
		if (library)
			dlclose(library);
		return false;
	}
	/* It stays loaded: it does not give back what it allocates on the way in. */
	named = dladdr(*(void **)&version, &info) && info.dli_fname;
	*ret_path = mem_strdup(named ? info.dli_fname : name);
	return true;
}

static bool try_folder(const char *folder, char **ret_path, uint32_t *ret_version)
{
	char *pattern = file_join(folder, "libcupti.so*");
	bool found = false;
	glob_t hits;

	if (glob(pattern, 0, NULL, &hits) == 0) {
		for (size_t i = hits.gl_pathc; i > 0 && !found; i--)
			found = try_library(hits.gl_pathv[i - 1], ret_path, ret_version);
		globfree(&hits);
	}
	free(pattern);
	return found;
}

static bool try_beside(const char *nvrtc, char **ret_path, uint32_t *ret_version)
{
	char *home = file_dirname(nvrtc);
	bool found = false;

	for (size_t i = 0; i < sizeof beside_nvrtc / sizeof *beside_nvrtc && !found; i++) {
		char *folder = file_join(home, beside_nvrtc[i]);

		found = try_folder(folder, ret_path, ret_version);
		free(folder);
	}
	free(home);
	return found;
}

bool cupti_find(const char *nvrtc, char **ret_path, uint32_t *ret_version)
{
	bool found = try_library("libcupti.so", ret_path, ret_version);

	if (!found && nvrtc)
		found = try_beside(nvrtc, ret_path, ret_version);
	for (size_t i = 0; i < sizeof folders / sizeof *folders && !found; i++)
		found = try_folder(folders[i], ret_path, ret_version);
	return found;
}
