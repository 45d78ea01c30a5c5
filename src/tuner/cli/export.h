#ifndef CLI_EXPORT_H
#define CLI_EXPORT_H

#include "base/str.h"
#include "tuner/cli/stored.h"

/* What `export` writes: each adds the whole text of its format to *ret. */

/*
 * A C header for #include and for -include: a comment on where it comes from, a #define for each
 * parameter and, for a GPU kernel, its launch geometry by shape. It is only given out when the
 * task's own source compiles with it, and to the same binary as with -D options: ERR_FAILED
 * otherwise. Says on stderr when that binary is not the one that the trial measured. nvrtc may be
 * NULL.
 */
int export_header(struct stored *s, const char *nvrtc, const struct trial_record *t,
		  struct str *ret, struct err *e);

/* A C header of the best configurations of all shapes that n runs of one task have timed (see
 * per_shape.h), with functions that select by shape and tell the launch; every entry is checked as
 * above. Binds the runs. */
int export_shapes(struct stored *runs, int n, const char *nvrtc, struct str *ret, struct err *e);

/* Of an imported run, for which export_header calls it: the #defines alone, and said to be not
 * compile-checked. */
int export_header_recorded(struct stored *s, const struct trial_record *t, struct str *ret,
			   struct err *e);

/* {"run": ..., "trial": ...}, as `show --json` has them. */
int export_json(struct stored *s, const struct trial_record *t, struct str *ret, struct err *e);

/* All trials of the run in the formats of others, as import reads them back: a Kernel Tuner cache
 * that its simulation mode takes, and T4 results. A failure is named by the nearest word there, and
 * by ours in the member RECORDED_OUTCOME. */
int export_kt(struct stored *s, struct str *ret, struct err *e);
int export_t4(struct stored *s, struct str *ret, struct err *e);

/* All trials of the run, one a line, by RFC 4180 (lines end with CR LF). */
int export_csv(struct stored *s, struct str *ret, struct err *e);

#endif
