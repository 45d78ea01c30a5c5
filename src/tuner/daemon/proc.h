#ifndef DAEMON_PROC_H
#define DAEMON_PROC_H

#include <sys/types.h>
#include <uv.h>

#include "tuner/worker/wire.h"

/*
 * One worker process on the loop, replaced whenever it ends. It is this same binary, started as
 * `worker ROLE` in a process group of its own, so that a kill reaches the compilers it has started.
 *
 *   DOWN --spawn--> IDLE <--ask / reply--> BUSY
 *    ^               |                      |
 *    |               +--- exit, EOF, late --+
 *    |                        v
 *    +-- both are seen --- ENDING           DOWN --proc_close--> (freed)
 *
 * It is over only when both its exit and its EOF have been seen, in either order. After an end that
 * nobody asked for, the next start waits: at once, then 50 ms, 200 ms, 1 s; a reply resets that.
 */
enum proc_role { PROC_COMPILE, PROC_MEASURE };

struct proc_options {
	enum proc_role role;
	int cpu;	   /* measure: pin to this core; -1: do not */
	int avoid_cpu;	   /* compile: keep off this core; -1: use all */
	const char *nvrtc; /* borrowed; NULL: looked for */
};

enum proc_end {
	PROC_DIED,	/* it exited, or a signal ended it */
	PROC_LATE,	/* past its deadline, so it was killed */
	PROC_GARBLED,	/* it broke the protocol, so it was killed */
	PROC_NOT_BEGUN, /* it could not be started */
};

struct proc_loss {
	enum proc_end why;
	int signal; /* that ended it; 0: it exited by itself */
	int status; /* exit status, when signal is 0 */
	bool asked; /* a request was outstanding and will not be answered */
	int fails;  /* ends in a row without a reply in between */
};

/* Calls may come from within proc_ask's callers only through the loop, never from inside a call of
 * this module. In each, any function of this module may be called. */
struct proc_owner {
	void *ctx;
	void (*up)(void *ctx); /* it is IDLE: ask */
	/* The answer to the request; what r holds may be taken by emptying its fields. The proc is
	 * IDLE again, and up is not called. */
	void (*reply)(void *ctx, struct wire_reply *r);
	void (*lost)(void *ctx, const struct proc_loss *l); /* it is DOWN and will come up again */
};

struct proc;

struct proc *proc_new(uv_loop_t *loop, const struct proc_options *o, const struct proc_owner *w);
/* Kills and frees, some turns of the loop later; the owner hears nothing more. NULL is fine. */
void proc_close(struct proc *p);

/* Only when idle. From now on it is w that hears of it; its up is not called for this. */
void proc_hand_over(struct proc *p, const struct proc_owner *w);

bool proc_idle(const struct proc *p);
bool proc_busy(const struct proc *p);
pid_t proc_pid(const struct proc *p); /* 0: down */

int64_t proc_next_id(struct proc *p); /* for the next request's line */
/* Only when idle. Takes line over. Past the deadline the worker is killed. */
void proc_ask(struct proc *p, char *line, double deadline_s);

/* Drops what it is doing without a word to the owner, and starts it anew at once. */
void proc_restart(struct proc *p);
void proc_set_avoid(struct proc *p, int cpu); /* from its next start on */

#endif
