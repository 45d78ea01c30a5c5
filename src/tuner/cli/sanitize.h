#ifndef CLI_SANITIZE_H
#define CLI_SANITIZE_H

#include <stdbool.h>

#include "base/json.h"
#include "tuner/task/task.h"

/*
 * Runs NVIDIA's compute-sanitizer on one configuration: its standalone program is built with nvcc
 * and run on all shapes of the bound task, once under memcheck (accesses outside of memory) and
 * once under racecheck (hazards in shared memory). No deadline: these tools take as long as they
 * take. ERR_MISSING where one of the programs is not installed, ERR_INVALID for a task in C.
 */
struct sanitized {
	const char *tool;   /* "memcheck" */
	long long findings; /* by the tool's own summary */
	bool passed;	    /* no findings, and the program's own check passed */
	char *log;	    /* what tool and program said; long ones lose their middle */
};

enum { SANITIZE_TOOLS = 2 };

int sanitize(const struct task *t, struct task_bound *b, const uint16_t *config,
	     struct sanitized ret[SANITIZE_TOOLS], struct err *e);
void sanitized_release(struct sanitized s[SANITIZE_TOOLS]);

/* The findings that a log of compute-sanitizer ends with; -1: it has no summary. Pure. */
long long sanitize_findings(const char *log);

/* {"passed": ..., "tools": [{"tool", "findings", "passed", "log"}]} */
cJSON *sanitized_report(const struct sanitized s[SANITIZE_TOOLS]);

/* One line a tool on stdout, and the log below it where it did not pass. */
void sanitized_print(const struct sanitized s[SANITIZE_TOOLS]);
bool sanitized_passed(const struct sanitized s[SANITIZE_TOOLS]);

#endif
