#include "tuner/daemon/settings_json.h"

#include <math.h>
#include <string.h>

int settings_read(const struct json_node *object, const char *strategy, struct settings *ret,
		  struct err *e)
{
	struct settings s;
	struct json_node n;
	int r = json_object(object, e);

	settings_init(&s);
	for (bool more = r == 0 && json_first(object, &n); more && r == 0; more = json_next(&n)) {
		double value;

		r = json_double(&n, -HUGE_VAL, HUGE_VAL, &value, e);
		if (r == 0)
			r = settings_set(&s, strategy, n.key, value, e);
	}
	if (r == 0)
		*ret = s;
	return r;
}

int settings_parse(const char *text, const char *strategy, struct settings *ret, struct err *e)
{
	struct json_node root;
	cJSON *json;
	int r = json_parse(text, strlen(text), &json, e);

	if (r < 0)
		return err_wrap(e, "settings");
	root = json_root(json);
	r = settings_read(&root, strategy, ret, e);
	cJSON_Delete(json);
	return r;
}

char *settings_render(const struct settings *s, const char *strategy)
{
	cJSON *o = json_new_object();
	char *text;

	for (int i = 0; i < SETTING_COUNT; i++)
		if (setting_is_of((enum setting_id)i, strategy))
			json_add_double(o, setting_table[i].name, s->value[i]);
	text = json_render(o);
	cJSON_Delete(o);
	return text;
}
