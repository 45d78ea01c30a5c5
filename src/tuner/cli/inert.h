#ifndef CLI_INERT_H
#define CLI_INERT_H

#include <stdbool.h>

/*
 * Which parameters do nothing: a parameter is inert when every two trials that differ in it alone
 * have the same binary, and there is at least one such pair. Pure.
 */
struct inert;

struct inert *inert_new(int params);
void inert_free(struct inert *x); /* accepts NULL */

/* One compiled trial: the text of each parameter's value, and the hash of its binary. The first
 * INERT_TRIALS_MAX count. */
enum { INERT_TRIALS_MAX = 1024 };
void inert_add(struct inert *x, const char *const *values, const char *artifact);

bool inert_is(const struct inert *x, int param);

#endif
