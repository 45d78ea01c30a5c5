#include "tuner/search/setting.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/near.h"

const struct setting setting_table[SETTING_COUNT] = {
#define X(id, strategies, name, whole, initial, least, most, help) \
	[SETTING_##id] = { strategies, name, whole, initial, least, most, help },
	SETTING_MAP(X)
#undef X
};

void settings_init(struct settings *s)
{
	for (int i = 0; i < SETTING_COUNT; i++)
		s->value[i] = setting_table[i].initial;
}

bool setting_is_of(enum setting_id id, const char *strategy)
{
	size_t len = strlen(strategy);

	for (const char *p = setting_table[id].strategies; *p;) {
		size_t word = strcspn(p, " ");

		if (word == len && memcmp(p, strategy, len) == 0)
			return true;
		p += word + strspn(p + word, " ");
	}
	return false;
}

static int not_found(const char *strategy, const char *name, struct err *e)
{
	const char *known[SETTING_COUNT], *near;
	int n = 0;

	for (int i = 0; i < SETTING_COUNT; i++)
		if (setting_is_of((enum setting_id)i, strategy))
			known[n++] = setting_table[i].name;
	near = near_name(name, known, n);
	if (n == 0)
		return err_set(e, ERR_INVALID, "setting %.60s: strategy %.60s has none", name,
			       strategy);
	return err_set(e, ERR_INVALID,
		       "setting %.60s: strategy %.60s has none of this name%s%s%s; `evo-tuned "
		       "start --help` lists them",
		       name, strategy, near ? ", did you mean " : "", near ? near : "",
		       near ? "?" : "");
}

static int assign(struct settings *s, enum setting_id id, double value, struct err *e)
{
	const struct setting *x = &setting_table[id];

	if (!(value >= x->least && value <= x->most) || (x->whole && value != floor(value)))
		return err_set(e, ERR_INVALID,
			       "setting %s: expected a%s number from %g to %g, found %g", x->name,
			       x->whole ? " whole" : "", x->least, x->most, value);
	s->value[id] = value;
	return 0;
}

int settings_set(struct settings *s, const char *strategy, const char *name, double value,
		 struct err *e)
{
	for (int i = 0; i < SETTING_COUNT; i++)
		if (strcmp(setting_table[i].name, name) == 0 &&
		    setting_is_of((enum setting_id)i, strategy))
			return assign(s, (enum setting_id)i, value, e);
	return not_found(strategy, name, e);
}

int settings_set_text(struct settings *s, const char *strategy, const char *assignment,
		      struct err *e)
{
	const char *equals = strchr(assignment, '=');
	char *name, *end;
	double value;
	int r;

	if (!equals || equals == assignment)
		return err_set(e, ERR_INVALID, "setting: expected NAME=VALUE, found \"%.60s\"",
			       assignment);
	errno = 0;
	value = strtod(equals + 1, &end);
	if (errno || end == equals + 1 || *end)
		return err_set(e, ERR_INVALID, "setting %.*s: expected a number, found \"%.60s\"",
			       (int)(equals - assignment > 60 ? 60 : equals - assignment),
			       assignment, equals + 1);
	name = mem_strndup(assignment, (size_t)(equals - assignment));
	r = settings_set(s, strategy, name, value, e);
	free(name);
	return r;
}
