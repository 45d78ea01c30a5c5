#ifndef DAEMON_SETUP_H
#define DAEMON_SETUP_H

#include "tuner/daemon/store.h"
#include "tuner/task/task.h"

/*
 * A run's task, bound to the run's devices. What a run was started with is in its record and its
 * stored sources alone, so that later edits of the files do not disturb it.
 */
struct setup {
	struct task *task;
	struct task_bound *bound; /* on the first device; the others are of the same kind */
	struct device *devices;
	int n_devices;
};

void setup_release(struct setup *s);

/* Takes task over, also when it fails. `here` are the devices that the runtime has found. */
int setup_bind(const struct run_record *r, struct task *task, const struct device *here, int n_here,
	       struct setup *ret, struct err *e);
/* The same with the task from the store; ERR_FAILED when the run would now be another one. */
int setup_stored(struct store *s, const struct run_record *r, const struct device *here, int n_here,
		 struct setup *ret, struct err *e);

/* The machine and the devices as JSON, for the environment row; free(). */
char *setup_environment(const struct setup *s);

#endif
