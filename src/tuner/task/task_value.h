#ifndef TASK_VALUE_H
#define TASK_VALUE_H

#include "base/json.h"
#include "tuner/search/value.h"

/* Values of parameters and defines. Text stays borrowed from the JSON. */
int task_value_read(const struct json_node *n, struct value *ret, struct err *e);

/* As it stands after -DNAME=, and as it stands in a task ("mma" in quotes). free() */
char *task_value_text(const struct value *v);
char *task_value_quoted(const struct value *v);

#endif
