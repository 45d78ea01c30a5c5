#include "tuner/daemon/pool.h"

#include <stdlib.h>

#include "base/mem.h"

struct worker {
	struct pool *pool;
	struct proc *proc;   /* NULL: at rest */
	struct pool_job job; /* its run is NULL: none */
	bool stale;	     /* to be restarted when idle: its core mask has changed */
};

struct pool {
	uv_loop_t *loop;
	struct pool_io io;
	const char *nvrtc;
	int avoid_cpu;
	struct worker *workers;
	int n_workers;
};

static void feed(struct worker *w)
{
	struct pool *p = w->pool;
	struct pool_job job;

	if (!w->proc || !proc_idle(w->proc))
		return;
	if (w->stale) {
		w->stale = false;
		proc_restart(w->proc);
		return;
	}
	if (!p->io.next(p->io.ctx, proc_next_id(w->proc), &job))
		return;
	w->job = job;
	proc_ask(w->proc, job.line, job.deadline_s);
}

static void on_up(void *ctx)
{
	feed(ctx);
}

static void on_reply(void *ctx, struct wire_reply *r)
{
	struct worker *w = ctx;
	struct pool_job job = w->job;

	w->job.run = NULL;
	w->pool->io.reply(w->pool->io.ctx, &job, r);
	feed(w);
}

static void on_lost(void *ctx, const struct proc_loss *l)
{
	struct worker *w = ctx;
	struct pool_job job = w->job;

	w->job.run = NULL;
	w->stale = false;
	if (l->asked)
		w->pool->io.lost(w->pool->io.ctx, &job, l);
}

static void start(struct worker *w)
{
	struct proc_options o = { PROC_COMPILE, -1, w->pool->avoid_cpu, w->pool->nvrtc };
	struct proc_owner owner = { w, on_up, on_reply, on_lost };

	w->proc = proc_new(w->pool->loop, &o, &owner);
	w->stale = false;
}

struct pool *pool_new(uv_loop_t *loop, int workers, const char *nvrtc, const struct pool_io *io)
{
	struct pool *p = mem_alloc(sizeof *p);

	p->loop = loop;
	p->io = *io;
	p->nvrtc = nvrtc;
	p->avoid_cpu = -1;
	p->n_workers = workers;
	p->workers = mem_array((size_t)workers, sizeof *p->workers);
	for (int i = 0; i < workers; i++)
		p->workers[i].pool = p;
	return p;
}

void pool_close(struct pool *p)
{
	if (!p)
		return;
	pool_rest(p);
	free(p->workers);
	free(p);
}

void pool_wake(struct pool *p)
{
	for (int i = 0; i < p->n_workers; i++) {
		if (p->workers[i].proc)
			feed(&p->workers[i]);
		else
			start(&p->workers[i]);
	}
}

void pool_rest(struct pool *p)
{
	for (int i = 0; i < p->n_workers; i++) {
		struct worker *w = &p->workers[i];

		proc_close(w->proc);
		*w = (struct worker){ .pool = p };
	}
}

void pool_avoid(struct pool *p, int cpu)
{
	if (p->avoid_cpu == cpu)
		return;
	p->avoid_cpu = cpu;
	for (int i = 0; i < p->n_workers; i++) {
		struct worker *w = &p->workers[i];

		if (!w->proc)
			continue;
		proc_set_avoid(w->proc, cpu);
		w->stale = true;
		feed(w);
	}
}

void pool_drop(struct pool *p, const struct run *run)
{
	for (int i = 0; i < p->n_workers; i++) {
		struct worker *w = &p->workers[i];

		if (!w->job.run || w->job.run != run)
			continue;
		w->job.run = NULL;
		proc_restart(w->proc);
	}
}

int pool_size(const struct pool *p)
{
	return p->n_workers;
}

int pool_busy(const struct pool *p, const struct run *run)
{
	int n = 0;

	for (int i = 0; i < p->n_workers; i++)
		n += p->workers[i].job.run && (!run || p->workers[i].job.run == run);
	return n;
}

int pool_up(const struct pool *p)
{
	int n = 0;

	for (int i = 0; i < p->n_workers; i++)
		n += p->workers[i].proc && proc_pid(p->workers[i].proc) > 0;
	return n;
}
