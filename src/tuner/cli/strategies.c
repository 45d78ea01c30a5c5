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

static const char *name_of(const struct strategy_options *o)
{
	return o->strategy ? o->strategy : search_strategy_name(0);
}

int strategies_parse(const struct strategy_options *o, struct settings *ret, struct err *e)
{
	settings_init(ret);
	if (search_strategy_check(o->strategy, e) < 0)
		return err_wrap(e, "--strategy");
	for (int i = 0; i < o->settings.n; i++)
		if (settings_set_text(ret, name_of(o), o->settings.items[i], e) < 0)
			return err_wrap(e, "--setting");
	return 0;
}

void strategies_add(const struct strategy_options *o, const struct settings *s, cJSON *params)
{
	cJSON *settings = json_add_object(params, "settings");
	char seed[24];

	for (int i = 0; i < SETTING_COUNT; i++)
		if (setting_is_of((enum setting_id)i, name_of(o)) &&
		    s->value[i] != setting_table[i].initial)
			json_add_double(settings, setting_table[i].name, s->value[i]);
	json_add_int(params, "budget", o->budget);
	if (o->strategy)
		json_add_string(params, "strategy", o->strategy);
	if (o->elite_k)
		json_add_int(params, "elite_k", o->elite_k);
	snprintf(seed, sizeof seed, "%llu", o->seed.value);
	if (o->seed.given)
		json_add_string(params, "seed", seed);
}
