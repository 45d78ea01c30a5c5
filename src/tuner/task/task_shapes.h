#ifndef TASK_SHAPES_H
#define TASK_SHAPES_H

#include "base/json.h"
#include "tuner/task/task_types.h"

/* The member "shapes": first all but their fills, since dimensions are what every expression may
 * name; then the fills, once the buffers are known. */
int shapes_read(struct task *t, const struct json_node *root, struct err *e);
int shapes_read_fills(struct task *t, const struct json_node *root, struct err *e);
void shapes_release(struct task *t);

#endif
