#include "tuner/cli/holder.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"

/* A zombie holds nothing. /proc/PID/stat: "PID (NAME) STATE ...", see proc(5). */
static bool is_alive(long pid)
{
	char path[64], line[512] = "";
	const char *state;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%ld/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	if (!fgets(line, sizeof line, f))
		line[0] = '\0';
	fclose(f);
	state = strrchr(line, ')');
	return state && strlen(state) > 2 && state[2] != 'Z' && state[2] != 'X';
}

/* By the program's file, since the process name of a re-executed program is "exe". Another user's
 * process does not say; then the lock file is believed. */
static bool is_ours(long pid)
{
	char path[64], exe[PATH_MAX];
	const char *name;
	ssize_t n;

	snprintf(path, sizeof path, "/proc/%ld/exe", pid);
	n = readlink(path, exe, sizeof exe - 1);
	if (n <= 0)
		return true;
	exe[n] = '\0';
	name = strrchr(exe, '/');
	return strncmp(name ? name + 1 : exe, "evo-tuned", strlen("evo-tuned")) == 0;
}

bool holder_alive(const char *db, pid_t *ret_pid)
{
	struct str path = STR_INIT;
	struct err e = { 0 };
	char *text = NULL, *end, *real = realpath(db, NULL);
	long pid = 0;

	/* The lock lies beside the file that links lead to. */
	str_addf(&path, "%s.lock", real ? real : db);
	free(real);
	if (file_read(path.data, 64, &text, NULL, &e) == 0) {
		pid = strtol(text, &end, 10);
		if (end == text || (*end && !isspace((unsigned char)*end)))
			pid = 0;
	}
	free(text);
	str_release(&path);
	if (pid <= 0 || !is_alive(pid) || !is_ours(pid))
		return false;
	if (ret_pid)
		*ret_pid = (pid_t)pid;
	return true;
}
