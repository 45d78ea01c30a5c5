#ifndef TASK_RECORDING_MEND_H
#define TASK_RECORDING_MEND_H

#include <stddef.h>

#include "base/str.h"

/*
 * Makes strict JSON of what programs leave behind. Kernel Tuner appends a record at a time and
 * closes the file at its end only, so a file in use, or one whose writer died, lacks its last
 * brackets and may end within a record: that record is dropped and the brackets are added. Python
 * writes NaN and Infinity, which are no JSON: they become strings, see recording_is_nan.
 *
 * The number of bytes dropped; what is whole already is left as it is.
 */
size_t recording_mend(struct str *text);

/* Whether a string stands for what Python wrote as NaN, Infinity or -Infinity. */
int recording_is_nan(const char *text);

#endif
