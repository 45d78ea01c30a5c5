#ifndef CLI_PATHS_H
#define CLI_PATHS_H

#include "base/err.h"

/*
 * Where things are when the command line does not say: results are malloc'ed. Variables of the XDG
 * Base Directory Specification count only when they hold an absolute path, as it demands.
 */
char *path_db(void); /* $EVO_TUNED_DB, $XDG_STATE_HOME/evo-tuned/evo-tuned.db, ~/.local/state */
char *
path_socket(void); /* $EVO_TUNED_SOCKET, $XDG_RUNTIME_DIR/evo-tuned.sock, /tmp/evo-tuned-UID */
char *path_log(const char *db); /* daemon.log beside the database */

/* The folder of the shipped tasks: configs beside the program (source tree, bundle), or
 * ../share/evo-tuned/configs from it (installed). NULL: neither is there. */
char *path_configs(void);

/* A TASK argument as an absolute path: a file, or the bare name of a shipped task. ERR_MISSING says
 * where it was looked for. */
int path_task(const char *argument, char **ret, struct err *e);

#endif
