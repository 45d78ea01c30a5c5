#ifndef CLI_DOCTOR_H
#define CLI_DOCTOR_H

#include <stdbool.h>

#include "tuner/cli/command.h"

/*
 * What works on this machine and how to mend what does not, one finding after the other. Whatever
 * may crash (drivers, compilers) is tried in a worker process.
 */
enum finding_state { FINDING_OK, FINDING_ABSENT, FINDING_BROKEN };
const char *finding_state_name(enum finding_state s); /* "ok", "absent", "broken" */

struct finding {
	const char *subject; /* "GPU", "NVRTC", ... */
	enum finding_state state;
	char detail[1000]; /* what was found */
	char mend[300];	   /* what to do about it; empty when it is ok */
};

enum { FINDINGS_MAX = 64 };

struct findings {
	struct finding all[FINDINGS_MAX];
	int n;
	bool cuda, host; /* this runtime can be used */
};

/* nvrtc: of --nvrtc; may be NULL. */
void doctor_examine(const struct invocation *v, const char *nvrtc, struct findings *ret);

#endif
