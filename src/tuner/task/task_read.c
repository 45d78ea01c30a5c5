#include "tuner/task/task_read.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "tuner/task/task_types.h"

bool read_is_identifier(const char *text)
{
	size_t n = strlen(text);

	if (n == 0 || n > TASK_NAME_MAX || isdigit((unsigned char)text[0]))
		return false;
	for (const char *c = text; *c; c++)
		if (!isalnum((unsigned char)*c) && *c != '_')
			return false;
	return true;
}

int read_identifier(const struct json_node *n, const char *text, struct err *e)
{
	if (read_is_identifier(text))
		return 0;
	return json_wrong(n, e, "expected a C identifier of at most %d letters, found \"%.80s\"",
			  TASK_NAME_MAX, text);
}

int read_text(const struct json_node *n, const char **ret, struct err *e)
{
	const char *text = NULL;
	int r = json_string(n, &text, e);

	if (r < 0)
		return r;
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return json_expected(n, e, "text without control characters");
	if (!*text)
		return json_expected(n, e, "a non-empty string");
	*ret = text;
	return 0;
}

int read_choice(const struct json_node *n, const char *const *names, int count, int *ret,
		struct err *e)
{
	struct str list = STR_INIT;
	const char *text = NULL;
	int r = json_string(n, &text, e);

	if (r < 0)
		return r;
	for (int i = 0; i < count; i++) {
		if (strcmp(names[i], text) == 0) {
			str_release(&list);
			*ret = i;
			return 0;
		}
		str_addf(&list, "%s\"%s\"", i ? ", " : "", names[i]);
	}
	r = json_expected(n, e, count > 1 ? "one of: %s" : "%s", list.data);
	str_release(&list);
	return r;
}

int read_opt_choice(const struct json_node *n, const char *key, const char *const *names, int count,
		    int *ret, struct err *e)
{
	struct json_node m;

	return json_get(n, key, &m) ? read_choice(&m, names, count, ret, e) : 0;
}

int read_members(const struct json_node *n, bool object, int max, struct err *e)
{
	int r = object ? json_object(n, e) : json_list(n, e);

	if (r < 0)
		return r;
	if (json_count(n) < 1 || json_count(n) > max)
		return json_wrong(n, e, "expected 1 to %d members, found %d", max, json_count(n));
	return 0;
}

int read_each(struct task *t, const struct json_node *list, read_member *read, struct err *e)
{
	struct json_node n;
	int r = 0;

	for (bool ok = json_first(list, &n); ok && r == 0; ok = json_next(&n))
		r = read(t, &n, e);
	return r;
}

int read_opt_strings(const struct json_node *n, const char *key, char ***ret, int *ret_n,
		     struct err *e)
{
	struct json_node list, m;
	const char *text = NULL;
	char **strings;
	int r, count = 0;

	if (!json_get(n, key, &list))
		return 0;
	r = json_list(&list, e);
	if (r < 0)
		return r;
	strings = mem_array((size_t)json_count(&list), sizeof *strings);
	for (bool ok = json_first(&list, &m); ok; ok = json_next(&m)) {
		r = read_text(&m, &text, e);
		if (r < 0) {
			read_free_strings(strings, count);
			return r;
		}
		strings[count++] = mem_strdup(text);
	}
	*ret = strings;
	*ret_n = count;
	return 0;
}

void read_free_strings(char **strings, int n)
{
	for (int i = 0; strings && i < n; i++)
		free(strings[i]);
	free(strings);
}
