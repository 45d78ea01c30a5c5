#ifndef CLI_NARROW_H
#define CLI_NARROW_H

#include "tuner/cli/options.h"
#include "tuner/task/task.h"

/* The --set options of a command, NAME=V[,V...]. ERR_INVALID for one without a name or a value, and
 * for a name given twice; whether the task knows name and values, binding says. */
struct narrow {
	struct task_narrow *sets; /* values are borrowed from argv */
	char **names;
	int n;
};

int narrow_parse(const struct option_list *l, struct narrow *ret, struct err *e);
void narrow_release(struct narrow *n);

#endif
