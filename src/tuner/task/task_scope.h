#ifndef TASK_SCOPE_H
#define TASK_SCOPE_H

#include "base/json.h"
#include "tuner/task/task_types.h"

/*
 * What a name in an expression is. The slots of an evaluation are: the parameters, the dimensions
 * of the shape, the attributes of the device, in this order.
 */
enum scope {
	SCOPE_SHAPE, /* dimensions and device.NAME */
	SCOPE_ALL,   /* parameters too */
};

int scope_slots(const struct task *t);
bool scope_reads_params(const struct task *t, const struct expr *x);
bool scope_reads_dims(const struct task *t, const struct expr *x);

/* Fills the slots of a shape and a device; the parameters' slots are the caller's. */
void scope_fill(const struct task *t, const struct task_shape *shape, const struct device *d,
		struct value *slots);

/* n is an integer or an expression. */
int scope_compile(const struct task *t, const struct json_node *n, enum scope scope,
		  struct expr **ret, struct err *e);

/* An expr_lookup of the dimensions of one shape and the attributes of a device as constants. */
struct scope_constants {
	const struct task *task;
	const struct task_shape *shape;
	const struct device *device;
};
int scope_constant(void *ctx, const char *name, int *ret_slot, struct value *ret_constant);

/* True for words that the expression language keeps to itself: min, log2, true... */
bool scope_reserved(const char *name);

#endif
