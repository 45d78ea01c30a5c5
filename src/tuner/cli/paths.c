#include "tuner/cli/paths.h"

#include <limits.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"

static const char *given(const char *variable)
{
	const char *v = getenv(variable);

	return v && v[0] ? v : NULL;
}

static const char *absolute(const char *variable)
{
	const char *v = getenv(variable);

	return v && v[0] == '/' ? v : NULL;
}

static const char *home(void)
{
	const char *v = absolute("HOME");
	const struct passwd *pw = v ? NULL : getpwuid(getuid());

	return v ? v : pw ? pw->pw_dir : "/";
}

char *path_db(void)
{
	if (given("EVO_TUNED_DB"))
		return mem_strdup(given("EVO_TUNED_DB"));
	if (absolute("XDG_STATE_HOME"))
		return file_join(absolute("XDG_STATE_HOME"), "evo-tuned/evo-tuned.db");
	return file_join(home(), ".local/state/evo-tuned/evo-tuned.db");
}

char *path_socket(void)
{
	struct str s = STR_INIT;

	if (given("EVO_TUNED_SOCKET"))
		return mem_strdup(given("EVO_TUNED_SOCKET"));
	if (absolute("XDG_RUNTIME_DIR"))
		return file_join(absolute("XDG_RUNTIME_DIR"), "evo-tuned.sock");
	str_addf(&s, "/tmp/evo-tuned-%u/evo-tuned.sock", (unsigned)getuid());
	return str_detach(&s);
}

char *path_log(const char *db)
{
	char *dir = file_dirname(db);
	char *ret = file_join(dir, "daemon.log");

	free(dir);
	return ret;
}

static bool is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

char *path_configs(void)
{
	static const char *const places[] = { "configs", "../share/evo-tuned/configs" };
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
	char *dir, *found = NULL;

	if (n <= 0)
		return NULL;
	exe[n] = '\0';
	dir = file_dirname(exe);
	for (int i = 0; i < 2 && !found; i++) {
		char *path = file_join(dir, places[i]);

		found = is_folder(path) ? realpath(path, NULL) : NULL;
		free(path);
	}
	free(dir);
	return found;
}

static int shipped(const char *name, char **ret, struct err *e)
{
	struct str path = STR_INIT;
	char *configs = path_configs();

	if (!configs)
		return err_set(e, ERR_MISSING,
			       "%s: no such file, and no folder of shipped tasks lies beside the "
			       "program or in ../share/evo-tuned/configs from it",
			       name);
	str_addf(&path, "%s/%s.json", configs, name);
	free(configs);
	if (access(path.data, F_OK)) {
		err_set(e, ERR_MISSING, "%s: no such file, and no shipped task %s", name,
			path.data);
		str_release(&path);
		return ERR_MISSING;
	}
	*ret = str_detach(&path);
	return 0;
}

int path_task(const char *argument, char **ret, struct err *e)
{
	struct stat st;

	if (stat(argument, &st) == 0 && !S_ISREG(st.st_mode))
		return err_set(e, ERR_INVALID, "%s: expected a task file (JSON), not a %s",
			       argument, S_ISDIR(st.st_mode) ? "folder" : "special file");
	*ret = realpath(argument, NULL);
	if (*ret)
		return 0;
	if (strchr(argument, '/') || strchr(argument, '.'))
		return err_sys(e, "%s", argument);
	return shipped(argument, ret, e);
}
