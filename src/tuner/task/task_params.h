#ifndef TASK_PARAMS_H
#define TASK_PARAMS_H

#include "base/json.h"
#include "tuner/task/task_types.h"

/* Members "parameters", "constraints", "presets" and "baseline". Dimensions are known by then. */
int params_read(struct task *t, const struct json_node *root, struct err *e);
int constraints_read(struct task *t, const struct json_node *root, struct err *e);
int presets_read(struct task *t, const struct json_node *root, struct err *e);
void params_release(struct task *t); /* all four */

/* Position of a value in the parameter's list, -1: not in it. */
int param_position(const struct task_param *p, const struct value *v);

#endif
