#ifndef RUNTIME_PTXAS_H
#define RUNTIME_PTXAS_H

#include <stdbool.h>

#include "runtime/runtime.h"

/*
 * Reads what `ptxas -v` says of one entry. The text differs between CUDA versions and leaves out
 * what is zero ("smem", "cmem[...]", "barriers"), so each figure is looked for by its own words
 * and entries are found by name, in any order.
 *
 * Fills *ret and returns true when the entry is in the log; otherwise every figure is -1 and the
 * answer is false. The log is text: replace NUL bytes first.
 */
bool ptxas_parse(const char *log, const char *entry, struct ptxas *ret);

void ptxas_clear(struct ptxas *ret); /* every figure -1 */

/* True when ptxas refused the program because a block would need more shared memory than any
 * device of the architecture has. */
bool ptxas_too_big(const char *log);

#endif
