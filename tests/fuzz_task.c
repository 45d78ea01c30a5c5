/*
 * Feeds any bytes to task_parse; its sources come from memory. With -DLIBFUZZER libFuzzer drives
 * it, else it replays the files it is given.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "tuner/task/task.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Short paths exist, and include longer ones, up to a point. */
static const char *any_source(void *ctx, const char *path, size_t *ret_len)
{
	static const char text[] = "#include \"x.h\"\n  # include <y.h>\n#include \"z/../x.h\"\n";

	(void)ctx;
	if (strlen(path) > 24)
		return NULL;
	*ret_len = sizeof text - 1;
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct task *t = NULL;
	struct err e = { 0 };

	if (task_parse("fuzz", (const char *)data, size, any_source, NULL, &t, &e) < 0 &&
	    (e.code == 0 || strncmp(e.msg, "fuzz: ", 6) != 0))
		abort();
	task_free(t);
	return 0;
}

#ifndef LIBFUZZER
int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		struct err e = { 0 };
		char *text = NULL;
		size_t len = 0;

		if (file_read(argv[i], 1 << 24, &text, &len, &e) < 0) {
			fprintf(stderr, "%s\n", e.msg);
			return 1;
		}
		LLVMFuzzerTestOneInput((const uint8_t *)text, len);
		free(text);
	}
	return 0;
}
#endif
