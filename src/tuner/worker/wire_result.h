#ifndef WORKER_WIRE_RESULT_H
#define WORKER_WIRE_RESULT_H

#include "base/json.h"
#include "runtime/runtime.h"

/* What workers find out, on the wire. A struct that could not be read is left released. */
cJSON *wire_put_devices(const struct device *d, int n);
int wire_get_devices(const struct json_node *n, struct device **ret, int *ret_n, struct err *e);

cJSON *wire_put_ceilings(const struct ceilings *c);
int wire_get_ceilings(const struct json_node *n, struct ceilings *ret, struct err *e);

cJSON *wire_put_artifact(const struct artifact *a);
int wire_get_artifact(const struct json_node *n, struct artifact *ret, struct err *e);

cJSON *wire_put_measurement(const struct measurement *m);
int wire_get_measurement(const struct json_node *n, struct measurement *ret, struct err *e);
/* Whether its shapes and references are ones of the problem: ERR_PROTOCOL if not. */
int wire_measurement_fits(const struct measurement *m, const struct problem *p, struct err *e);

#endif
