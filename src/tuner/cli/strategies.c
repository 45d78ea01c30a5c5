#include "tuner/cli/strategies.h"

#include <stdio.h>

#include "tuner/search/search.h"

void strategies_help(struct str *ret)
{
	const char *name;

	str_addz(ret, "strategies, each with its settings and their defaults:\n");
	for (int i = 0; (name = search_strategy_name(i)); i++) {
		str_addf(ret, "  %-10s  %s\n", name, search_strategy_help(i));
		for (int k = 0; k < SETTING_COUNT; k++) {
			const struct setting *s = &setting_table[k];
			char text[48];

			if (!setting_is_of((enum setting_id)k, name))
				continue;
			snprintf(text, sizeof text, "%s=%g", s->name, s->initial);
			str_addf(ret, "    %-20s  %s (%g to %g)\n", text, s->help, s->least,
				 s->most);
		}
	}
}

int strategies_parse(const char *strategy, const struct option_list *assignments,
		     struct settings *ret, struct err *e)
{
	const char *name = strategy ? strategy : search_strategy_name(0);

	settings_init(ret);
	if (search_strategy_check(name, e) < 0)
		return err_wrap(e, "--strategy");
	for (int i = 0; i < assignments->n; i++)
		if (settings_set_text(ret, name, assignments->items[i], e) < 0)
			return err_wrap(e, "--setting");
	return 0;
}

void strategies_add(const char *strategy, const struct settings *s, cJSON *params)
{
	const char *name = strategy ? strategy : search_strategy_name(0);
	cJSON *o = json_add_object(params, "settings");

	for (int i = 0; i < SETTING_COUNT; i++)
		if (setting_is_of((enum setting_id)i, name) &&
		    s->value[i] != setting_table[i].initial)
			json_add_double(o, setting_table[i].name, s->value[i]);
}
