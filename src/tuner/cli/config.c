#include "tuner/cli/config.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"

int config_parse(const char *json, struct config *ret, struct err *e)
{
	struct json_node root, m;
	cJSON *tree;
	int r = json_parse(json, strlen(json), &tree, e);

	if (r < 0)
		return err_wrap(e, "configuration");
	root = json_root(tree);
	r = json_object(&root, e);
	if (r == 0) {
		size_t n = (size_t)json_count(&root);
		bool more = json_first(&root, &m);

		ret->names = mem_array(n + 1, sizeof *ret->names);
		ret->values = mem_array(n + 1, sizeof *ret->values);
		for (ret->n = 0; more; more = json_next(&m)) {
			ret->names[ret->n] = mem_strdup(m.key);
			ret->values[ret->n++] = cJSON_IsString(m.value)
							? mem_strdup(m.value->valuestring)
							: json_render(m.value);
		}
	}
	cJSON_Delete(tree);
	return r;
}

void config_release(struct config *c)
{
	for (int i = 0; i < c->n; i++) {
		free(c->names[i]);
		free(c->values[i]);
	}
	free(c->names);
	free(c->values);
	*c = (struct config){ 0 };
}

const char *config_value(const struct config *c, const char *name)
{
	for (int i = 0; i < c->n; i++)
		if (strcmp(c->names[i], name) == 0)
			return c->values[i];
	return NULL;
}

/* Past the string that begins here, NULL: it does not end. */
static char *past_string(char *p)
{
	for (p++; *p && *p != '"'; p++)
		if (*p == '\\' && p[1])
			p++;
	return *p ? p + 1 : NULL;
}

int config_split(char *json, const char **values, int max)
{
	char *p = json;
	int n = 0;

	while (*p == (n ? ',' : '{') && p[1] == '"' && n < max) {
		*p = '\0'; /* ends the value before */
		p = past_string(p + 1);
		if (!p || *p != ':')
			return -1;
		values[n++] = ++p;
		p = *p == '"' ? past_string(p) : p + strcspn(p, ",}");
		if (!p)
			return -1;
	}
	if (n == 0 || *p != '}' || p[1])
		return -1;
	*p = '\0';
	return n;
}
