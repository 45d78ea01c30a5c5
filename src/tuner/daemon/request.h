#ifndef DAEMON_REQUEST_H
#define DAEMON_REQUEST_H

#include "base/json.h"
#include "tuner/daemon/engine.h"

/* The parameters of search.start: checked, and the task file read. */

enum { BUDGET_DEFAULT = 128 };

/* configs: folder of the shipped tasks, or NULL. Fills in record, task and all_devices of *ret;
 * on an error there is nothing to release. */
int request_start(const struct json_node *params, const char *configs, struct engine_start *ret,
		  struct err *e);

/* "run" where it is given; else it keeps its value. */
int request_run(const struct json_node *params, int64_t *ret, struct err *e);

#endif
