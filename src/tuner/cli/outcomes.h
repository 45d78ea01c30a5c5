#ifndef CLI_OUTCOMES_H
#define CLI_OUTCOMES_H

#include "base/str.h"
#include "tuner/cli/stored.h"

/* What became of a run's trials. */

/* "96 ok, 20 compile_error, 12 wrong"; "none" without trials. */
void outcomes_add(const struct run_summary *s, struct str *ret);

/* For a run without a correct configuration: says on stderr how its trials ended and the most
 * frequent reason in the words of the compiler or the gate. */
int outcomes_tell(struct stored *s, struct err *e);

#endif
