#include "tuner/cli/table.h"

#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "base/mem.h"
#include "base/str.h"

struct column {
	char *title;
	bool right;
	int width;
};

struct painted {
	int row;
	enum paint paint;
};

struct table {
	struct column *columns;
	int n_columns;
	char **cells;
	int n_cells;
	struct painted *painted;
	int n_painted;
};

struct table *table_new(void)
{
	return mem_alloc(sizeof(struct table));
}

void table_free(struct table *t)
{
	if (!t)
		return;
	for (int i = 0; i < t->n_columns; i++)
		free(t->columns[i].title);
	for (int i = 0; i < t->n_cells; i++)
		free(t->cells[i]);
	free(t->columns);
	free(t->cells);
	free(t->painted);
	free(t);
}

int text_width(const char *text)
{
	mbstate_t state = { 0 };
	int width = 0;

	while (*text) {
		wchar_t c;
		size_t n = mbrtowc(&c, text, strlen(text), &state);
		int w = n <= strlen(text) ? wcwidth(c) : 1;

		if (n > strlen(text)) { /* not a character of this locale: one column a byte */
			memset(&state, 0, sizeof state);
			n = 1;
		}
		width += w < 0 ? 1 : w;
		text += n ? n : 1;
	}
	return width;
}

static char *cleaned(const char *text)
{
	char *copy = mem_strdup(text ? text : "");

	for (char *p = copy; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	return copy;
}

static void widen(struct column *c, const char *text)
{
	int width = text_width(text);

	if (width > c->width)
		c->width = width;
}

void table_column(struct table *t, const char *title)
{
	struct column c = { .right = title[0] == '>' };

	assert(t->n_cells == 0);
	c.title = cleaned(title + c.right);
	widen(&c, c.title);
	t->columns = mem_grow(t->columns, (size_t)t->n_columns + 1, sizeof *t->columns);
	t->columns[t->n_columns++] = c;
}

void table_cell(struct table *t, const char *text)
{
	char *copy = cleaned(text);

	assert(t->n_columns > 0);
	widen(&t->columns[t->n_cells % t->n_columns], copy);
	t->cells = mem_grow(t->cells, (size_t)t->n_cells + 1, sizeof *t->cells);
	t->cells[t->n_cells++] = copy;
}

void table_cellf(struct table *t, const char *fmt, ...)
{
	struct str s = STR_INIT;
	va_list ap;

	va_start(ap, fmt);
	str_vaddf(&s, fmt, ap);
	va_end(ap);
	table_cell(t, s.data);
	str_release(&s);
}

void table_paint(struct table *t, enum paint p)
{
	t->painted = mem_grow(t->painted, (size_t)t->n_painted + 1, sizeof *t->painted);
	t->painted[t->n_painted++] = (struct painted){ table_rows(t), p };
}

int table_rows(const struct table *t)
{
	return t->n_columns ? t->n_cells / t->n_columns : 0;
}

static void add_line(const struct table *t, char *const *cells, struct str *s)
{
	size_t from = s->len;

	for (int i = 0; i < t->n_columns; i++) {
		const struct column *c = &t->columns[i];
		const char *text = cells ? cells[i] : c->title;
		int pad = c->width - text_width(text);

		if (c->right)
			str_addf(s, "%*s%s", pad, "", text);
		else
			str_addf(s, "%s%*s", text, pad, "");
		str_addz(s, "  ");
	}
	while (s->len > from && s->data[s->len - 1] == ' ')
		s->data[--s->len] = '\0';
}

static enum paint paint_of(const struct table *t, int row)
{
	for (int i = 0; i < t->n_painted; i++)
		if (t->painted[i].row == row)
			return t->painted[i].paint;
	return PAINT_NONE;
}

void table_print(const struct table *t, FILE *to)
{
	struct str s = STR_INIT;
	bool titled = false;

	assert(t->n_columns && t->n_cells % t->n_columns == 0);
	for (int i = 0; i < t->n_columns; i++)
		titled |= t->columns[i].title[0] != '\0';
	if (titled) {
		add_line(t, NULL, &s);
		str_addc(&s, '\n');
	}
	for (int row = 0; row < table_rows(t); row++) {
		enum paint p = paint_of(t, row);

		str_addz(&s, p ? paint(p, to) : "");
		add_line(t, t->cells + (size_t)row * (size_t)t->n_columns, &s);
		str_addz(&s, p ? paint(PAINT_NONE, to) : "");
		str_addc(&s, '\n');
	}
	fputs(s.data, to);
	str_release(&s);
}
