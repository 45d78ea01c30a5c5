#ifndef CLI_CEILINGS_H
#define CLI_CEILINGS_H

#include "base/json.h"
#include "runtime/roofline.h"
#include "tuner/cli/command.h"

/*
 * `doctor --ceilings`: what each device here can do at best, measured now, beside the limits that
 * no time is believed below. A run measures the same when it ends and keeps it in the database.
 * Prints the report; the exit status as of struct command.
 */
int ceilings_report(const struct invocation *v, const char *nvrtc, struct err *e);

/* {"dram_bytes_per_s":...,"cache_bytes_per_s":...,"f32":...}; null: unknown. */
cJSON *ceilings_json(const struct ceilings *c);

#endif
