#ifndef RUNTIME_HOST_RECHECK_H
#define RUNTIME_HOST_RECHECK_H

#include "runtime/host_trial.h"

/*
 * Whether the variant did its work while this shape was timed. First its outputs for another
 * seed's inputs are checked, after one more launch into buffers that hold the old outputs. Then,
 * unless it was found too slow to win, launches whose inputs differ from those of the launch before
 * are timed against those whose inputs repeat: both have them copied in anew, so that only a kernel
 * that keeps answers differs by much. What keeps the answers for two sets of inputs is not found.
 * The outcome is in *m.
 */
void host_recheck(struct trial *t, int shape, void **arguments, const struct timing *timing);

#endif
