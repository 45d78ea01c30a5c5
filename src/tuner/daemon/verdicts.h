#ifndef DAEMON_VERDICTS_H
#define DAEMON_VERDICTS_H

#include "tuner/daemon/trial.h"

/* What a run has measured so far, by the key of binary and launches. Owns its verdicts, whose
 * addresses do not change. */
struct verdicts;

struct verdicts *verdicts_new(void);
void verdicts_free(struct verdicts *v); /* accepts NULL */

struct verdict *verdicts_find(const struct verdicts *v, const char *key); /* NULL: none */
/* Copies; the first verdict of a key stays. */
struct verdict *verdicts_add(struct verdicts *v, const char *key, const struct verdict *d);

#endif
