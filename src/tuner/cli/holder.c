#include "tuner/cli/holder.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"

/* /proc/PID/stat: "PID (NAME) STATE ...", see proc(5); a zombie holds nothing. */
static bool is_ours(long pid)
{
	char path[64], *name, *state;
	char line[512] = "";
	FILE *f;
	bool ours;

	snprintf(path, sizeof path, "/proc/%ld/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	if (!fgets(line, sizeof line, f))
		line[0] = '\0';
	fclose(f);
	name = strchr(line, '(');
	state = strrchr(line, ')');
	if (!name || !state || strlen(state) < 3)
		return false;
	ours = strncmp(name + 1, "evo-tuned", 9) == 0;
	return ours && state[2] != 'Z' && state[2] != 'X';
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
	if (pid <= 0 || !is_ours(pid))
		return false;
	if (ret_pid)
		*ret_pid = (pid_t)pid;
	return true;
}
