#include "runtime/runtime.h"

#include <stdlib.h>
#include <string.h>

static const struct runtime *const runtimes[] = { &runtime_cuda, &runtime_host, &runtime_noop,
						  NULL };

const struct runtime *runtime_find(const char *name)
{
	for (const struct runtime *const *r = runtimes; *r; r++)
		if (strcmp((*r)->name, name) == 0)
			return *r;
	return NULL;
}

void artifact_release(struct artifact *a)
{
	free(a->path);
	free(a->log);
	memset(a, 0, sizeof *a);
}

void measurement_release(struct measurement *m)
{
	for (int i = 0; m->timings && i < m->n_timings; i++)
		free(m->timings[i].samples_ns);
	free(m->timings);
	free(m->checks);
	memset(m, 0, sizeof *m);
}
