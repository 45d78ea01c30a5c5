#ifndef DAEMON_FINAL_JSON_H
#define DAEMON_FINAL_JSON_H

#include "base/json.h"
#include "tuner/daemon/record_final.h"

/* A final as the commands and the control socket tell it. What is not known is null. */

cJSON *final_json(const struct final_record *f);
/* One of f's finalists. */
cJSON *finalist_json(const struct final_record *f, const struct finalist_record *x);

#endif
