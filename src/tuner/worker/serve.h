#ifndef WORKER_SERVE_H
#define WORKER_SERVE_H

#include <sys/types.h>

/*
 * The body of `evo-tuned worker compile|measure`: reads requests on stdin, answers on stdout, one
 * at a time, until EOF. Kernels that print cannot harm the protocol: descriptors 0 and 1 are moved
 * away first and point to /dev/null and stderr. Dies with its parent (PR_SET_PDEATHSIG).
 */
struct serve_options {
	const char *role; /* "compile" or "measure" */
	pid_t parent;	  /* 0: do not tie our life to a parent */
	int cpu;	  /* measure: pin to this core; -1: do not */
	int avoid_cpu;	  /* compile: use any other allowed core; -1: all */
};

int worker_serve(const struct serve_options *o); /* the exit status */

#endif
