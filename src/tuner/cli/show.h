#ifndef CLI_SHOW_H
#define CLI_SHOW_H

#include <stdio.h>

#include "base/json.h"
#include "tuner/cli/stored.h"

/* A run and a trial as text for people: sections of `name value` lines and small tables. */

void show_run_text(struct stored *s, const cJSON *report, FILE *to); /* report: of report_run */
void show_trial_text(struct stored *s, const struct trial_record *t, FILE *to);

#endif
