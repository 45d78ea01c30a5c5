#include "tuner/task/recording_t1.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "tuner/task/recording_format.h"

static bool take_word(struct str *s, const char **at, const char *python, const char *json)
{
	size_t n = strlen(python);

	if (strncmp(*at, python, n) != 0)
		return false;
	str_addz(s, json);
	*at += n;
	return true;
}

/* A quoted string with either quote; its escapes are those of JSON wherever both have them. */
static void take_quoted(struct str *s, const char **at)
{
	char quote = *(*at)++;

	str_addc(s, '"');
	for (; **at && **at != quote; (*at)++) {
		if (**at == '"')
			str_addc(s, '\\');
		str_addc(s, **at);
		if (**at == '\\' && (*at)[1])
			str_addc(s, *++*at);
	}
	str_addc(s, '"');
	if (**at)
		(*at)++;
}

/* Python's literals as JSON; what is none of them makes the result no JSON. */
static void translate(const char *python, struct str *ret)
{
	for (const char *at = python; *at;) {
		if (*at == '\'' || *at == '"')
			take_quoted(ret, &at);
		else if (!take_word(ret, &at, "True", "true") &&
			 !take_word(ret, &at, "False", "false")) {
			char c = *at++;

			str_addc(ret, c == '(' ? '[' : c == ')' ? ']' : c);
		}
	}
}

static int read_values(struct recording *r, const char *name, const struct json_node *n,
		       struct err *e)
{
	struct str json = STR_INIT;
	struct err why = { 0 };
	const char *text = NULL;
	cJSON *list = NULL;
	struct json_node root;
	int status = json_string(n, &text, e);

	if (status < 0)
		return status;
	translate(text, &json);
	if (json_parse(json.data, json.len, &list, &why) < 0 || !cJSON_IsArray(list)) {
		status = json_expected(n, e, "a Python list of literals, such as [1, 2, 4]");
	} else {
		root = json_root(list);
		status = recording_add_param(r, name, &root, e);
		if (status < 0)
			err_wrap(e, "parameter %s", name);
	}
	cJSON_Delete(list);
	str_release(&json);
	return status;
}

static int read_param(struct recording *r, const struct json_node *n, struct err *e)
{
	struct json_node name, values;
	const char *text = NULL;
	int status = json_need(n, "Name", &name, e);

	if (status == 0)
		status = json_string(&name, &text, e);
	if (status == 0)
		status = json_need(n, "Values", &values, e);
	return status == 0 ? read_values(r, text, &values, e) : status;
}

static void read_kernel(struct recording *r, const struct json_node *root)
{
	const cJSON *kernel = cJSON_GetObjectItemCaseSensitive(root->value, "KernelSpecification");
	const char *name =
		cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(kernel, "KernelName"));

	r->kernel = mem_strdup(name);
}

/* A parameter without one, or with one that is none of its values, leaves the whole without. */
static void read_defaults(struct recording *r, const struct json_node *list)
{
	uint16_t *config = mem_array(SPACE_PARAMS_MAX, sizeof *config);
	struct json_node param, value;
	struct err ignored = { 0 };
	bool all = true;
	int p = 0;

	for (bool more = json_first(list, &param); more; more = json_next(&param), p++)
		all = all && json_get(&param, "Default", &value) &&
		      recording_position(r, p, &value, &config[p], &ignored) == 0;
	if (all)
		r->defaults = config;
	else
		free(config);
}

int recording_t1_read(struct recording *r, const struct json_node *root, struct err *e)
{
	struct json_node space, list, param;
	int status = json_need(root, "ConfigurationSpace", &space, e);

	if (status == 0)
		status = json_need(&space, "TuningParameters", &list, e);
	if (status == 0)
		status = json_list(&list, e);
	if (status < 0)
		return status;
	read_kernel(r, root);
	for (bool more = json_first(&list, &param); more && status == 0; more = json_next(&param))
		status = read_param(r, &param, e);
	if (status == 0)
		read_defaults(r, &list);
	return status;
}

static char *existing(const char *path, size_t stem, const char *end)
{
	struct str s = STR_INIT;

	str_add(&s, path, stem);
	str_addz(&s, end);
	if (access(s.data, R_OK) == 0)
		return str_detach(&s);
	str_release(&s);
	return NULL;
}

static size_t stem_of(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	const char *mark = strstr(name, "T4");

	if (!mark || mark == name || !strchr("-_.", mark[-1]))
		return 0;
	return (size_t)(mark - 1 - path);
}

char *recording_t1_beside(const char *path)
{
	size_t stem = stem_of(path);
	char *found = NULL;

	while (stem > 0 && !found && path[stem - 1] != '/') {
		found = existing(path, stem, "_T1.json");
		if (!found)
			found = existing(path, stem, "-T1.json");
		while (stem > 0 && path[stem - 1] != '/' && path[stem - 1] != '-')
			stem--;
		if (stem > 0 && path[stem - 1] == '-')
			stem--;
	}
	return found;
}
