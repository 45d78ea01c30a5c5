#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stdio.h>

#include "tuner/cli/print.h"

/*
 * Columns of text, aligned by the width that a terminal shows. Cells are copied; control characters
 * in them are shown as '?', so that no text from a file can speak to the terminal.
 */
struct table;

struct table *table_new(void);
void table_free(struct table *t); /* accepts NULL */

/* Columns first. A title that starts with '>' makes the column align to the right. */
void table_column(struct table *t, const char *title);
/* Cells row by row; NULL is an empty one. */
void table_cell(struct table *t, const char *text);
void table_cellf(struct table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The row that the next cell begins is shown so, where colours are. */
void table_paint(struct table *t, enum paint p);

int table_rows(const struct table *t);
void table_print(const struct table *t, FILE *to);

int text_width(const char *text); /* columns on a terminal; what is no character counts one */

#endif
