#ifndef TASK_RECORDING_T1_H
#define TASK_RECORDING_T1_H

#include "base/json.h"
#include "tuner/task/recording.h"

/*
 * The parameters of a T1 description (FAIR auto-tuning schema, "ConfigurationSpace"). Their values
 * stand there as text in Python's syntax; lists of literals are read, expressions are refused.
 */
int recording_t1_read(struct recording *r, const struct json_node *root, struct err *e);

/* The T1 file that belongs to T4 results by its name: for conv-A100_T4.json.gz that is the first
 * of conv-A100_T1.json, conv-A100-T1.json, conv_T1.json and conv-T1.json. free(); NULL: none. */
char *recording_t1_beside(const char *path);

#endif
