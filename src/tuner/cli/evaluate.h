#ifndef CLI_EVALUATE_H
#define CLI_EVALUATE_H

#include "tuner/cli/local.h"
#include "tuner/daemon/record.h"
#include "tuner/task/task.h"

/*
 * One configuration from source to figures with the task's full protocol, by worker processes and
 * without a daemon or a database. It is judged and scored by the daemon's own rules; the record is
 * what the daemon would have stored, with number 0.
 */
int evaluate(const struct local *where, const struct task *t, struct task_bound *b,
	     const uint16_t *config, struct trial_record *ret, struct err *e);

#endif
