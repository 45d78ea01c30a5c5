#ifndef CLI_EXPORT_HEADER_H
#define CLI_EXPORT_HEADER_H

#include "base/str.h"

/* Parts of a header's text, for export_header*.c. */

/* As a part of a macro's name: upper case, everything else an underscore. */
void header_macro(struct str *s, const char *text);
/* A line of the comment on top; what would end the comment or the line is taken out. */
void header_comment(struct str *s, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
