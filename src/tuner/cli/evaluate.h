#ifndef CLI_EVALUATE_H
#define CLI_EVALUATE_H

#include "tuner/cli/local.h"
#include "tuner/daemon/setup.h"
#include "tuner/daemon/trial.h"
#include "tuner/task/task.h"

/*
 * One configuration from source to figures with the task's full protocol, by worker processes and
 * without a daemon or a database. It is judged and scored by the daemon's own rules; the record is
 * what the daemon would have stored, with number 0.
 */
int evaluate(const struct local *where, const struct task *t, struct task_bound *b,
	     const uint16_t *config, struct trial_record *ret, struct err *e);

/*
 * The halves of it, for who measures more than once (see remeasure.h). Both write sources and
 * binaries to `folder`. References are set in the bound problem; *ret has artifact and launches,
 * and is to be freed with trial_free. ERR_FAILED says why it cannot be built, ERR_INVALID why it
 * cannot be launched.
 */
int evaluate_references(const struct local *where, const struct setup *s, const char *folder,
			struct err *e);
int evaluate_build(const struct local *where, const struct setup *s, const uint16_t *config,
		   const char *folder, struct trial **ret, struct err *e);

#endif
