#include "tuner/task/recording_mend.h"

#include <stdbool.h>
#include <string.h>

enum { NESTING_MAX = 64, RECORD_DEPTH = 3 /* file, list of records, record */ };

static const struct {
	const char *python;
	const char *json; /* of the same length, and of a text that nobody writes */
} nans[] = {
	{ "-Infinity", "\"\x7f\"      " },
	{ "Infinity", "\"\x7f\"     " },
	{ "NaN", "\"\x7f\"" },
};
enum { N_NANS = sizeof nans / sizeof *nans };

int recording_is_nan(const char *text)
{
	return strcmp(text, "\x7f") == 0;
}

/* Walks over JSON text: the brackets that are open, and where the last whole record ended. */
struct walk {
	char closer[NESTING_MAX];
	int depth;
	bool quoted, escaped, too_deep;
	size_t whole; /* 0: no record was whole */
};

static void close_one(struct walk *w, size_t at)
{
	if (w->depth == RECORD_DEPTH && w->closer[w->depth - 1] == '}')
		w->whole = at + 1;
	if (w->depth > 0)
		w->depth--;
}

static void take_quoted(struct walk *w, char c)
{
	if (w->escaped)
		w->escaped = false;
	else if (c == '\\')
		w->escaped = true;
	else if (c == '"')
		w->quoted = false;
}

static void take(struct walk *w, char c, size_t at)
{
	if (w->quoted)
		take_quoted(w, c);
	else if (c == '"')
		w->quoted = true;
	else if (c == '}' || c == ']')
		close_one(w, at);
	else if ((c == '{' || c == '[') && w->depth == NESTING_MAX)
		w->too_deep = true;
	else if (c == '{' || c == '[')
		w->closer[w->depth++] = c == '{' ? '}' : ']';
}

static void replace_nan(struct str *s, size_t at)
{
	for (int i = 0; i < N_NANS; i++) {
		size_t n = strlen(nans[i].python);

		if (s->len - at >= n && memcmp(s->data + at, nans[i].python, n) == 0) {
			memcpy(s->data + at, nans[i].json, n);
			return;
		}
	}
}

size_t recording_mend(struct str *text)
{
	struct walk w = { .depth = 0 };
	size_t dropped;

	for (size_t i = 0; i < text->len; i++) {
		char c = text->data[i];

		if (!w.quoted && (c == 'N' || c == 'I' || c == '-'))
			replace_nan(text, i);
		take(&w, text->data[i], i);
	}
	if ((w.depth == 0 && !w.quoted) || !w.whole || w.too_deep)
		return 0;
	dropped = text->len - w.whole;
	text->data[w.whole] = '\0';
	text->len = w.whole;
	for (int depth = RECORD_DEPTH - 1; depth > 0; depth--)
		str_addc(text, w.closer[depth - 1]);
	return dropped;
}
