#ifndef DAEMON_SETTINGS_JSON_H
#define DAEMON_SETTINGS_JSON_H

#include "base/json.h"
#include "tuner/search/setting.h"

/* A strategy's settings as a JSON object, {"pool":320}: on the wire those that are not the default,
 * in the database all of them, so that a resumed run keeps what it was started with. */

/* What the object leaves out gets its default. */
int settings_read(const struct json_node *object, const char *strategy, struct settings *ret,
		  struct err *e);
int settings_parse(const char *text, const char *strategy, struct settings *ret, struct err *e);
char *settings_render(const struct settings *s, const char *strategy); /* free() */

#endif
