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

/*
 * Cuts a configuration in its canonical form into the texts of its values, in place and without a
 * parser's cost: strings keep their quotes. How many there are; -1 when it is not in that form or
 * has more than max.
 */
int config_split(char *json, const char **values, int max);

#endif
