#ifndef CLI_PRINT_H
#define CLI_PRINT_H

#include <stdbool.h>
#include <stdio.h>

#include "base/json.h"

/* Results on stdout, messages on stderr. */
void print_json(cJSON *document); /* indented, one newline at its end; frees it */
void note(const char *fmt, ...) __attribute__((format(printf, 1, 2))); /* "evo-tuned: ..." */

bool stderr_is_terminal(void);
int stderr_columns(void); /* its width; 80 where it does not say */

/* Escape sequences; empty when it is no terminal or NO_COLOR is set. */
enum paint { PAINT_NONE, PAINT_GOOD, PAINT_BAD };
const char *paint(enum paint p, FILE *to);

#endif
