#ifndef TESTS_RECORDING_FIXTURE_H
#define TESTS_RECORDING_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above. */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "tuner/task/recording.h"

/* What the tests of recordings share: the small ones of tests/corpus (the tests run in the root of
 * the source tree), all of the same made-up space of 24 configurations, 22 of them legal. */
#define RECORDINGS "tests/corpus/recordings/"

static inline struct recording *a_recording(const char *name)
{
	char *path = file_join(RECORDINGS, name);
	struct recording *r = NULL;
	struct err e = { 0 };

	if (recording_load(path, NULL, &r, &e) < 0)
		fail_msg("%s", e.msg);
	free(path);
	return r;
}

#endif
