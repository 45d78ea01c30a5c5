/*
 * Feeds any bytes to the readers of recordings, packed ones too. What they accept must describe
 * itself, and find what it holds. With -DLIBFUZZER libFuzzer drives it, else it replays the files
 * it is given.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "tuner/task/recording.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_description(const struct recording *r)
{
	struct recording *again = NULL;
	struct err e = { 0 };
	char *text = recording_describe(r);

	if (recording_described(text, &again, &e) < 0 ||
	    space_params(again->space) != space_params(r->space))
		abort();
	for (int p = 0; p < space_params(r->space); p++)
		if (space_values(again->space, p) != space_values(r->space, p))
			abort();
	recording_free(again);
	free(text);
}

static void check_entries(const struct recording *r)
{
	size_t width = (size_t)space_params(r->space);

	for (size_t i = 0; i < r->n; i++) {
		size_t found = recording_find(r, r->config + i * width);
		const struct recorded *x = &r->entry[i];

		if (found > i || x->ok != (x->outcome == OUTCOME_OK) || (x->ok && !(x->value > 0)))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("recording", MFD_CLOEXEC);
	struct recording *r = NULL;
	struct err e = { 0 };
	char path[64];

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	if (recording_load(path, NULL, &r, &e) < 0) {
		if (e.code == 0 || strncmp(e.msg, path, strlen(path)) != 0)
			abort();
	} else {
		check_description(r);
		check_entries(r);
	}
	recording_free(r);
	close(fd);
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
