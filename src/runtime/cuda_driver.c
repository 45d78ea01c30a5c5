#include "runtime/cuda_driver.h"

#include <dlfcn.h>
#include <string.h>

static const struct symbol {
	const char *name;
	size_t offset;
} symbols[] = {
#define X(member, symbol, arguments) { #symbol, offsetof(struct cuda_driver, member) },
	CUDA_SYMBOL_MAP(X)
#undef X
};

enum { N_SYMBOLS = sizeof symbols / sizeof symbols[0] };

const char *cuda_symbol_name(int i)
{
	return i >= 0 && i < N_SYMBOLS ? symbols[i].name : NULL;
}

int cuda_driver_load(struct cuda_driver *ret, struct err *e)
{
	struct cuda_driver cu;
	void *library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);

	if (!library)
		return err_set(e, ERR_MISSING,
			       "no NVIDIA driver: libcuda.so.1 cannot be loaded (%s); install the "
			       "driver (on Debian nvidia-driver, on Ubuntu nvidia-driver-580), or "
			       "use --runtime host",
			       dlerror());
	for (int i = 0; i < N_SYMBOLS; i++) {
		void *found = dlsym(library, symbols[i].name);

		if (!found) {
			dlclose(library);
			return err_set(e, ERR_MISSING,
				       "libcuda.so.1 has no %s: the driver is older than CUDA "
				       "11.4; install a newer one",
				       symbols[i].name);
		}
		memcpy((char *)&cu + symbols[i].offset, &found, sizeof found);
	}
	*ret = cu;
	return 0;
}

const char *cuda_error_name(const struct cuda_driver *cu, int result)
{
	const char *name;

	return cu->error_name(result, &name) == CUDA_OK && name ? name : "an unknown CUDA error";
}

int cuda_check(const struct cuda_driver *cu, int result, struct err *e, const char *doing)
{
	const char *text;

	if (result == CUDA_OK)
		return 0;
	if (cu->error_text(result, &text) != CUDA_OK || !text)
		text = "the driver does not say more";
	return err_set(e, ERR_FAILED, "%s: %s (%d): %s", doing, cuda_error_name(cu, result), result,
		       text);
}
