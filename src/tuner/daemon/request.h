#ifndef DAEMON_REQUEST_H
#define DAEMON_REQUEST_H

#include "base/json.h"
#include "tuner/daemon/engine.h"

/* The parameters of search.start: checked, and the task file read. */

enum { BUDGET_DEFAULT = 128 };
static const int64_t budget_max = 1000000000;

/* configs: folder of the shipped tasks, or NULL. Fills in record, task and all_devices of *ret;
 * on an error there is nothing to release. */
int request_start(const struct json_node *params, const char *configs, struct engine_start *ret,
		  struct err *e);

/* "run" and "budget" where they are given; else they keep their value. */
int request_run(const struct json_node *params, int64_t *ret, struct err *e);
int request_budget(const struct json_node *params, int64_t *ret, struct err *e);

#endif
