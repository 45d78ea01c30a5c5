#ifndef TASK_BUFFERS_H
#define TASK_BUFFERS_H

#include "base/json.h"
#include "tuner/task/task_types.h"

/* The member "buffers", and fills wherever they stand. */
int buffers_read(struct task *t, const struct json_node *root, struct err *e);
void buffers_release(struct task *t);

/* n is the fill of a buffer that is known already; *ret is released by fill_release also when this
 * fails. */
int buffer_read_fill(struct task *t, int buffer, const struct json_node *n, struct task_fill *ret,
		     struct err *e);
void fill_release(struct task_fill *f);

/* A .npy file beside the task: its absolute path and how many elements of the type it holds. */
int buffer_read_npy(const struct task *t, int buffer, const struct json_node *n, char **ret_path,
		    int64_t *ret_count, struct err *e);

/* Range of an integer type, as far as a double counts exactly; false: the type is real. */
bool dtype_range(enum dtype type, int64_t *ret_low, int64_t *ret_high);

#endif
