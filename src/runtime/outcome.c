#include "runtime/outcome.h"

#include <string.h>

static const char *const names[] = {
#define X(id, name, help) name,
	OUTCOME_MAP(X)
#undef X
};

static const char *const helps[] = {
#define X(id, name, help) help,
	OUTCOME_MAP(X)
#undef X
};

const char *outcome_name(enum outcome o)
{
	return names[o];
}

const char *outcome_help(enum outcome o)
{
	return helps[o];
}

int outcome_parse(const char *name, enum outcome *ret)
{
	for (int i = 0; i < OUTCOME_COUNT; i++) {
		if (strcmp(names[i], name) == 0) {
			*ret = (enum outcome)i;
			return 0;
		}
	}
	return -1;
}
