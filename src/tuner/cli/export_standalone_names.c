#include "tuner/cli/export_standalone_names.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct token {
	const char *at;
	size_t len;
	bool word;
};

static const char *skip_quoted(const char *s)
{
	char quote = *s++;

	while (*s && *s != quote)
		s += *s == '\\' && s[1] ? 2 : 1;
	return *s ? s + 1 : s;
}

/* To the end of its line, or of the last that a backslash continues. */
static const char *skip_directive(const char *s)
{
	while (*s && *s != '\n')
		s += *s == '\\' && s[1] ? 2 : 1;
	return s;
}

static const char *skip_space(const char *s, bool *line_start)
{
	for (;;) {
		if (*s && isspace((unsigned char)*s)) {
			*line_start |= *s++ == '\n';
		} else if (s[0] == '/' && s[1] == '*') {
			const char *end = strstr(s + 2, "*/");

			s = end ? end + 2 : s + strlen(s);
		} else if (s[0] == '/' && s[1] == '/') {
			s += strcspn(s, "\n");
		} else if (*s == '#' && *line_start) {
			s = skip_directive(s);
		} else {
			return s;
		}
	}
}

/* False at the end. Quoted texts and numbers are one token that is no word. */
static bool next_token(const char **s, bool *line_start, struct token *ret)
{
	const char *start = skip_space(*s, line_start), *end = start;

	*line_start = false;
	if (!*start)
		return false;
	if (*start == '"' || *start == '\'')
		end = skip_quoted(start);
	else if (isalnum((unsigned char)*start) || *start == '_')
		while (isalnum((unsigned char)*end) || *end == '_')
			end++;
	else
		end++;
	*ret = (struct token){ start, (size_t)(end - start),
			       isalpha((unsigned char)*start) || *start == '_' };
	*s = end;
	return true;
}

static bool is(const struct token *t, const char *text)
{
	return t->at && t->len == strlen(text) && strncmp(t->at, text, t->len) == 0;
}

static bool is_tag(const struct token *t)
{
	return is(t, "struct") || is(t, "union") || is(t, "enum");
}

/* A word that the language or the compiler has taken. */
static bool reserved(const struct token *t)
{
	static const char *const words[] = { "static_assert", "asm",	"typeof", "sizeof",
					     "alignas",	      "inline", "void",	  "restrict",
					     "const",	      "static" };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (is(t, words[i]))
			return true;
	return t->at[0] == '_' && (t->at[1] == '_' || isupper((unsigned char)t->at[1]));
}

/* A declared name has a type, a star or a body before it and the rest of its declarator behind. */
static bool declares(const struct token *before, const struct token *name,
		     const struct token *behind)
{
	if (!name->word || reserved(name))
		return false;
	if (is_tag(before))
		return true;
	if (!before->word && !is(before, "*") && !is(before, "}"))
		return false;
	return behind->at && (strchr("([=;,", *behind->at) || strncmp(behind->at, "__", 2) == 0);
}

struct scan {
	int braces, parens;
	bool enumeration; /* the braces are those of an enum at file scope */
};

static void scan_bracket(struct scan *c, const struct token *before, const struct token *older,
			 const struct token *t)
{
	if (is(t, "{") && c->braces++ == 0)
		c->enumeration = is(before, "enum") || is(older, "enum");
	else if (is(t, "}"))
		c->braces--;
	else if (is(t, "(") || is(t, "["))
		c->parens++;
	else if (is(t, ")") || is(t, "]"))
		c->parens--;
}

static void add_name(char ***names, int *n, const struct token *t)
{
	for (int i = 0; i < *n; i++)
		if (is(t, (*names)[i]))
			return;
	*names = mem_grow(*names, (size_t)*n + 1, sizeof **names);
	(*names)[(*n)++] = mem_strndup(t->at, t->len);
}

char **standalone_names(const char *text, int *ret_n)
{
	struct token t[4] = { 0 }; /* a sliding window; t[2] is judged, t[3] stands behind it */
	struct scan c = { 0 };
	bool line_start = true, more = true;
	char **names = NULL;

	*ret_n = 0;
	while (more) {
		memmove(&t[0], &t[1], 3 * sizeof *t);
		t[3] = (struct token){ 0 };
		more = next_token(&text, &line_start, &t[3]);
		if (!t[2].at)
			continue;
		scan_bracket(&c, &t[1], &t[0], &t[2]);
		if (c.parens > 0)
			continue;
		if ((c.braces == 0 && declares(&t[1], &t[2], &t[3])) ||
		    (c.braces == 1 && c.enumeration && t[2].word &&
		     (is(&t[1], "{") || is(&t[1], ","))))
			add_name(&names, ret_n, &t[2]);
	}
	return names;
}
