#ifndef CLI_EXPORT_CHECK_H
#define CLI_EXPORT_CHECK_H

#include "base/str.h"
#include "tuner/cli/stored.h"

/* A header is only given out when the task's own source, compiled with it, is the binary that was
 * measured. */
struct export_check {
	const struct stored *stored; /* bound */
	const struct trial_record *trial;
	const uint16_t *position;
	const char *nvrtc;  /* may be NULL */
	const char *define; /* -DNAME=VALUE that is given beside the header; may be NULL */
};

/* Compiles the source with the header in place of the parameters' -D options. ERR_FAILED: it does
 * not compile, or to another binary than with them. Says on stderr when that binary is not the one
 * that the trial measured. */
int export_check(const struct export_check *c, const struct str *text, struct err *e);

#endif
