/* Both parsers of the wire on anything: what they accept must be written and read again alike. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "tuner/worker/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_request(const char *text, size_t size)
{
	struct wire_request q, again;
	struct err e;
	char *line = NULL;

	if (wire_request_parse(text, size, &q, &e) < 0) {
		wire_request_release(&q);
		return;
	}
	if (q.verb == WIRE_OPEN)
		line = wire_ask_open(q.id, q.runtime->name, q.ordinal, q.problem);
	else if (q.verb == WIRE_WARM)
		line = wire_ask_warm(q.id, q.runtime->name, q.ordinal, q.problem);
	else if (q.verb == WIRE_COMPILE)
		line = wire_ask_compile(q.id, q.runtime->name, &q.compile);
	else if (q.verb == WIRE_MEASURE)
		line = wire_ask_measure(q.id, &q.measure);
	else if (q.verb == WIRE_CEILINGS)
		line = wire_ask_ceilings(q.id, q.runtime->name, q.ordinal);
	if (line) {
		int r = wire_request_parse(line, strlen(line), &again, &e);

		if (r < 0)
			abort();
		wire_request_release(&again);
		free(line);
	}
	wire_request_release(&q);
}

static void check_reply(const char *text, size_t size)
{
	struct wire_reply a, again;
	struct err e;
	char *line = NULL;

	if (wire_reply_parse(text, size, &a, &e) < 0)
		return;
	if (a.failed)
		line = wire_tell_error(a.id, &a.error);
	else if (a.verb == WIRE_PROBE)
		line = wire_tell_devices(a.id, a.devices, a.n_devices);
	else if (a.verb == WIRE_COMPILE)
		line = wire_tell_artifact(a.id, &a.artifact);
	else if (a.verb == WIRE_MEASURE)
		line = wire_tell_measurement(a.id, &a.measurement);
	else if (a.verb == WIRE_CEILINGS)
		line = wire_tell_ceilings(a.id, &a.ceilings);
	if (line) {
		if (wire_reply_parse(line, strlen(line), &again, &e) < 0)
			abort();
		wire_reply_release(&again);
		free(line);
	}
	wire_reply_release(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = mem_strndup((const char *)data, size);

	check_request(text, size);
	check_reply(text, size);
	free(text);
	return 0;
}

/* Without -DLIBFUZZER: replays the files named. */
#ifndef LIBFUZZER
int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		struct err e;
		size_t len;
		char *text;

		if (file_read(argv[i], 64 << 20, &text, &len, &e) < 0) {
			fprintf(stderr, "%s\n", e.msg);
			return 1;
		}
		LLVMFuzzerTestOneInput((const uint8_t *)text, len);
		free(text);
	}
	return 0;
}
#endif
