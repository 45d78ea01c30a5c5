#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* Time for those who may read it: not search/, which is pure. */
int64_t clock_mono_ns(void); /* CLOCK_MONOTONIC: intervals and deadlines */
int64_t clock_wall_ms(void); /* Unix time in milliseconds: what is stored for people */

enum { CLOCK_ISO_MAX = 32 };
void clock_iso(int64_t wall_ms, char ret[CLOCK_ISO_MAX]); /* "2026-11-21T08:15:30Z" */

/* The other way: a date, then T or a space, then a time with or without a fraction and an offset;
 * UTC where there is none. 0: none of that. */
int64_t clock_parse(const char *iso);

#endif
