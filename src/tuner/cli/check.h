#ifndef CLI_CHECK_H
#define CLI_CHECK_H

#include "base/json.h"
#include "tuner/task/task.h"

/*
 * What a bound task is, as one JSON document: parameters, sizes of the space, shapes with the
 * memory they need, references with their gates, presets with their launches, and warnings.
 * The valid size is exact within CHECK_STEPS tested bindings, otherwise an estimate.
 */
enum { CHECK_STEPS = 20 * 1000 * 1000 };

cJSON *check_report(const struct task *t, struct task_bound *b);

#endif
