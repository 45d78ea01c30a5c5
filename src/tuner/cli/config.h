#ifndef CLI_CONFIG_H
#define CLI_CONFIG_H

#include "base/err.h"

/*
 * A stored configuration, {"TILE_M":64,"PV":"mma"}, as names and the texts of its values: what a
 * report needs, without the task.
 */
struct config {
	char **names, **values;
	int n;
};

int config_parse(const char *json, struct config *ret, struct err *e);
void config_release(struct config *c);
const char *config_value(const struct config *c, const char *name); /* NULL: no such parameter */

#endif
