#ifndef SEARCH_PROGRAM_C_H
#define SEARCH_PROGRAM_C_H

#include "base/str.h"
#include "tuner/search/expr.h"
#include "tuner/search/program.h"

/* See expr_as_c. NULL, or why there is no such text. */
const char *program_as_c(const struct program *p, const struct expr_c *how, struct str *ret);

#endif
