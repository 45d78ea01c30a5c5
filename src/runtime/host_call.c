#include "runtime/host_call.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

typedef void entry(void **arguments);

struct host_call {
	void *library;
	entry *run;
};

int host_call_load(const char *path, struct host_call **ret, struct err *e)
{
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL), *symbol;
	struct host_call *h;

	if (!library)
		return err_set(e, ERR_MISSING, "%s: cannot be loaded: %s", path, dlerror());
	symbol = dlsym(library, "evo_call");
	if (!symbol) {
		dlclose(library);
		return err_set(e, ERR_INVALID,
			       "%s: it has no evo_call; was it made by the host runtime?", path);
	}
	h = mem_alloc(sizeof *h);
	h->library = library;
	memcpy(&h->run, &symbol, sizeof symbol); /* C has no cast from object to function */
	*ret = h;
	return 0;
}

void host_call_run(const struct host_call *h, void **arguments)
{
	h->run(arguments);
}

void host_call_close(struct host_call *h)
{
	if (!h)
		return;
	dlclose(h->library);
	free(h);
}
