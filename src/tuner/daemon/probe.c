#include "tuner/daemon/probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { DEADLINE_S = 60, TRIES = 2, STAYS_S = 5 };

static const char *const names[] = { "cuda", "host", "noop" };

enum { RUNTIMES = sizeof names / sizeof names[0] };

struct entry {
	struct probe *probe;
	const char *runtime;
	struct device *devices; /* NULL: not known */
	int n;
	struct proc *proc; /* being asked, or idle after its answer; NULL: neither */
	int idle_s;
	int tries;
};

struct probe {
	uv_loop_t *loop;
	const char *nvrtc;
	probe_done *done;
	void *ctx;
	struct entry entries[RUNTIMES];
};

static void let_go(struct entry *n)
{
	proc_close(n->proc);
	n->proc = NULL;
}

static void fail(struct entry *n, const struct err *e)
{
	let_go(n);
	n->probe->done(n->probe->ctx, n->runtime, e);
}

static void on_up(void *ctx)
{
	struct entry *n = ctx;

	proc_ask(n->proc, wire_ask_probe(proc_next_id(n->proc), n->runtime), DEADLINE_S);
}

static void on_reply(void *ctx, struct wire_reply *r)
{
	struct entry *n = ctx;

	if (r->failed) {
		fail(n, &r->error);
		return;
	}
	n->devices = r->devices;
	n->n = r->n_devices;
	r->devices = NULL;
	r->n_devices = 0;
	n->idle_s = 0;
	n->probe->done(n->probe->ctx, n->runtime, NULL);
}

static void on_lost(void *ctx, const struct proc_loss *l)
{
	struct entry *n = ctx;
	struct err e;

	if (n->devices) {
		let_go(n);
		return;
	}
	if (++n->tries < TRIES)
		return;
	err_set(&e, ERR_FAILED, "looking for %s devices: the worker %s; see the daemon's log",
		n->runtime, l->why == PROC_LATE ? "did not answer" : "died");
	fail(n, &e);
}

struct probe *probe_new(uv_loop_t *loop, const char *nvrtc, probe_done *done, void *ctx)
{
	struct probe *p = mem_alloc(sizeof *p);

	p->loop = loop;
	p->nvrtc = nvrtc;
	p->done = done;
	p->ctx = ctx;
	for (int i = 0; i < RUNTIMES; i++) {
		p->entries[i].probe = p;
		p->entries[i].runtime = names[i];
	}
	return p;
}

void probe_close(struct probe *p)
{
	if (!p)
		return;
	for (int i = 0; i < RUNTIMES; i++) {
		proc_close(p->entries[i].proc);
		free(p->entries[i].devices);
	}
	free(p);
}

static const struct entry *find(const struct probe *p, const char *runtime)
{
	for (int i = 0; i < RUNTIMES; i++)
		if (strcmp(names[i], runtime) == 0)
			return &p->entries[i];
	return NULL;
}

const struct device *probe_devices(const struct probe *p, const char *runtime, int *ret_n)
{
	const struct entry *n = find(p, runtime);

	if (!n || !n->devices)
		return NULL;
	*ret_n = n->n;
	return n->devices;
}

int probe_want(struct probe *p, const char *runtime, struct err *e)
{
	struct entry *n = (struct entry *)find(p, runtime);
	struct proc_options o = { PROC_MEASURE, -1, -1, p->nvrtc };
	struct proc_owner owner = { n, on_up, on_reply, on_lost };

	if (!n)
		return err_set(e, ERR_INVALID, "runtime: expected cuda or host, found \"%.40s\"",
			       runtime);
	if (n->devices || n->proc)
		return 0;
	n->tries = 0;
	n->proc = proc_new(p->loop, &o, &owner);
	return 0;
}

struct proc *probe_take(struct probe *p, const char *runtime)
{
	struct entry *n = (struct entry *)find(p, runtime);
	struct proc *proc = n ? n->proc : NULL;

	if (!proc || !n->devices || !proc_idle(proc))
		return NULL;
	n->proc = NULL;
	return proc;
}

void probe_second(struct probe *p)
{
	for (int i = 0; i < RUNTIMES; i++) {
		struct entry *n = &p->entries[i];

		if (n->proc && n->devices && ++n->idle_s > STAYS_S)
			let_go(n);
	}
}

const char *probe_runtime(int i)
{
	return i >= 0 && i < RUNTIMES ? names[i] : NULL;
}
