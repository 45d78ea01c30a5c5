#include "tuner/cli/narrow.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static int parse_one(struct narrow *n, const char *text, struct err *e)
{
	const char *equals = strchr(text, '=');
	char *name;

	if (!equals || equals == text || !equals[1])
		return err_set(e, ERR_INVALID, "--set: expected NAME=V[,V...], found \"%.60s\"",
			       text);
	name = mem_strndup(text, (size_t)(equals - text));
	n->names[n->n] = name;
	n->sets[n->n++] = (struct task_narrow){ .name = name, .values = equals + 1 };
	for (int i = 0; i < n->n - 1; i++)
		if (strcmp(n->names[i], name) == 0)
			return err_set(e, ERR_INVALID,
				       "--set: %.60s is given twice; write %.60s=V,V", name, name);
	return 0;
}

int narrow_parse(const struct option_list *l, struct narrow *ret, struct err *e)
{
	int r = 0;

	*ret = (struct narrow){
		.sets = mem_array((size_t)l->n + 1, sizeof *ret->sets),
		.names = mem_array((size_t)l->n + 1, sizeof *ret->names),
	};
	for (int i = 0; i < l->n && r == 0; i++)
		r = parse_one(ret, l->items[i], e);
	if (r < 0)
		narrow_release(ret);
	return r;
}

void narrow_release(struct narrow *n)
{
	for (int i = 0; i < n->n; i++)
		free(n->names[i]);
	free(n->names);
	free(n->sets);
	*n = (struct narrow){ 0 };
}
