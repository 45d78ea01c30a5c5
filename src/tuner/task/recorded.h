#ifndef TASK_RECORDED_H
#define TASK_RECORDED_H

#include "base/json.h"
#include "tuner/task/recording.h"

/* One entry of a recording while it is read. Only for recording*.c. What is no finite number, or no
 * time, is left out here rather than refused: it is beside the point of most readers. */

void recorded_release(struct recorded *x);

void recorded_add_metric(struct recorded *x, const char *name, const cJSON *value);
/* A list of times in units of unit_ns. */
void recorded_add_samples(struct recorded *x, const cJSON *list, double unit_ns);
/* NULL or no time: 0. */
double recorded_time_ns(const cJSON *value, double unit_ns);
/* Unix milliseconds of "2023-12-22 09:54:05.502007+00:00"; NULL or no date: 0. */
int64_t recorded_at_ms(const cJSON *value);
/* The outcome that the text names, unless that is none of a failure: then `other`. */
enum outcome recorded_failure(const char *text, enum outcome other);

#endif
