#include "base/parallel.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

struct work {
	void (*part)(void *ctx, int64_t i);
	void *ctx;
	int64_t n;
	_Atomic int64_t next;
};

static void *run(void *arg)
{
	struct work *w = arg;

	for (int64_t i; (i = atomic_fetch_add(&w->next, 1)) < w->n;)
		w->part(w->ctx, i);
	return NULL;
}

static int cores(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

void parallel_for(int64_t n, void (*part)(void *ctx, int64_t i), void *ctx)
{
	struct work w = { part, ctx, n, 0 };
	pthread_t threads[PARALLEL_THREADS_MAX];
	int started = 0, most = cores();

	if (most > PARALLEL_THREADS_MAX)
		most = PARALLEL_THREADS_MAX;
	while (started < most - 1 && started < n - 1 &&
	       pthread_create(&threads[started], NULL, run, &w) == 0)
		started++;
	run(&w);
	while (started > 0)
		pthread_join(threads[--started], NULL);
}
