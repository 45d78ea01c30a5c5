#ifndef TASK_REFERENCE_H
#define TASK_REFERENCE_H

#include "base/json.h"
#include "tuner/task/task_types.h"

/* The member "reference": one object or a list of them. Buffers, kernel and gates are known. */
int references_read(struct task *t, const struct json_node *root, struct err *e);
void references_release(struct task *t);

/* That every buffer serves a purpose and every output has an expected value. */
int references_check_buffers(const struct task *t, const struct json_node *root, struct err *e);

#endif
