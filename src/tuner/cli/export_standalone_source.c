#include "tuner/cli/export_standalone_source.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "tuner/cli/export_standalone_names.h"

enum { SOURCE_BYTES_MAX = 16 << 20, DEPTH_MAX = 32 };

struct list {
	char **items;
	int n;
};

struct inliner {
	const struct compile_job *job;
	struct str *system, *out;
	struct list macros;	   /* defined by the job or by a source */
	struct list emitted;	   /* files that need not be given again */
	struct list files;	   /* that have a guard of ours, which has their number */
	int depth;		   /* of includes */
	bool conditional, comment; /* inside an #if; inside a comment of several lines */
};

static bool list_has(const struct list *l, const char *text)
{
	for (int i = 0; i < l->n; i++)
		if (strcmp(l->items[i], text) == 0)
			return true;
	return false;
}

static void list_add(struct list *l, const char *text, size_t len)
{
	char *item = mem_strndup(text, len);

	if (list_has(l, item)) {
		free(item);
		return;
	}
	l->items = mem_grow(l->items, (size_t)l->n + 1, sizeof *l->items);
	l->items[l->n++] = item;
}

static void list_release(struct list *l)
{
	for (int i = 0; i < l->n; i++)
		free(l->items[i]);
	free(l->items);
}

static size_t word_len(const char *s)
{
	size_t n = 0;

	while (isalnum((unsigned char)s[n]) || s[n] == '_')
		n++;
	return n;
}

static const char *skip_blanks(const char *s)
{
	return s + strspn(s, " \t");
}

/* What stands behind `# name` on this line; NULL: it is another line. */
static const char *directive(const char *line, const char *name)
{
	const char *s = skip_blanks(line);

	if (*s != '#')
		return NULL;
	s = skip_blanks(s + 1);
	if (word_len(s) != strlen(name) || strncmp(s, name, strlen(name)) != 0)
		return NULL;
	return skip_blanks(s + strlen(name));
}

static const char *next_line(const char *line)
{
	line += strcspn(line, "\n");
	return *line ? line + 1 : line;
}

/* Whether a comment is open at the end of a line. Quotes hide it, as in "//". */
static bool comment_after(const char *s, bool inside)
{
	char quote = 0;

	for (; *s && *s != '\n'; s++) {
		if (inside) {
			inside = !(s[0] == '*' && s[1] == '/');
			s += !inside;
		} else if (quote) {
			s += *s == '\\' && s[1] != '\n';
			quote = *s == quote ? 0 : quote;
		} else if (*s == '"' || *s == '\'') {
			quote = *s;
		} else if (s[0] == '/' && s[1] == '/') {
			return false;
		} else if (s[0] == '/' && s[1] == '*') {
			inside = true;
			s++;
		}
	}
	return inside;
}

/* --- one file --- */

enum once { ONCE_NO, ONCE_PRAGMA, ONCE_GUARD };

/* Whether a file looks after being included twice: #pragma once, or #ifndef and #define of the same
 * name as its first directives. */
static enum once once_of(const char *text)
{
	const char *guard = NULL;
	bool comment = false, first = true;

	for (const char *line = text; *line; line = next_line(line)) {
		const char *rest;

		if (!comment && (rest = directive(line, "pragma")) && strncmp(rest, "once", 4) == 0)
			return ONCE_PRAGMA;
		if (!comment && *skip_blanks(line) == '#') {
			rest = directive(line, first ? "ifndef" : "define");
			if (!first && guard && rest && word_len(rest) == word_len(guard) &&
			    strncmp(rest, guard, word_len(guard)) == 0)
				return ONCE_GUARD;
			guard = first ? rest : NULL;
			first = false;
		}
		comment = comment_after(line, comment);
	}
	return ONCE_NO;
}

static int inline_file(struct inliner *in, const char *path, struct err *e);

/* A quoted include is looked for beside the file first, then in the folders of -I; NULL: it is
 * none of ours. */
static char *find(const struct inliner *in, const char *from, const char *name)
{
	char *folder = file_dirname(from), *path = file_join(folder, name),
	     *real = realpath(path, NULL);

	free(path);
	free(folder);
	for (int i = 0; i < in->job->n_options && !real; i++) {
		if (strncmp(in->job->options[i], "-I", 2) != 0)
			continue;
		path = file_join(in->job->options[i] + 2, name);
		real = realpath(path, NULL);
		free(path);
	}
	return real;
}

/* One that a condition rules out may be missing: then it is not needed either. */
static void add_system(struct inliner *in, const char *spelled, size_t len)
{
	struct str line = STR_INIT;

	str_addz(&line, "#if __has_include(");
	str_add(&line, spelled, len);
	str_addz(&line, ")\n#include ");
	str_add(&line, spelled, len);
	str_addz(&line, "\n#endif\n");
	if (!strstr(in->system->data, line.data))
		str_addz(in->system, line.data);
	str_release(&line);
}

static int include(struct inliner *in, const char *from, const char *spelled, struct err *e)
{
	size_t len = strcspn(spelled + 1, *spelled == '<' ? ">\n" : "\"\n");
	char *name, *path;
	int r = 0;

	if ((*spelled != '<' && *spelled != '"') || spelled[1 + len] == '\n')
		return err_set(e, ERR_INVALID,
			       "%s: cannot be put into one file: an #include that is neither "
			       "\"FILE\" nor <FILE>",
			       from);
	name = mem_strndup(spelled + 1, len);
	path = find(in, from, name);
	free(name);
	if (path)
		r = inline_file(in, path, e);
	else
		add_system(in, spelled, len + 2);
	free(path);
	return r;
}

/* NVRTC needs C linkage to find an entry; here it would make all parts share it. */
static void add_line(struct inliner *in, const char *line)
{
	static const char linkage[] = "extern \"C\"";
	const char *end = next_line(line), *at = strstr(line, linkage);

	if (in->job->language == LANGUAGE_CUDA && !in->comment && at && at < end) {
		str_add(in->out, line, (size_t)(at - line));
		str_addz(in->out, "extern \"C++\"");
		line = at + strlen(linkage);
	}
	str_add(in->out, line, (size_t)(end - line));
	if (end > line && end[-1] != '\n')
		str_addc(in->out, '\n');
}

static int inline_line(struct inliner *in, const char *path, const char *line, int *depth,
		       struct err *e)
{
	const char *rest;

	if (directive(line, "if") || directive(line, "ifdef") || directive(line, "ifndef"))
		++*depth;
	else if (directive(line, "endif"))
		--*depth;
	else if ((rest = directive(line, "define")))
		list_add(&in->macros, rest, word_len(rest));
	else if ((rest = directive(line, "pragma")) && strncmp(rest, "once", 4) == 0)
		return 0;
	else if ((rest = directive(line, "include")))
		return include(in, path, rest, e);
	add_line(in, line);
	return 0;
}

static int inline_text(struct inliner *in, const char *path, const char *text, enum once once,
		       struct err *e)
{
	bool outer = in->conditional;
	int depth = 0, r = 0;

	in->comment = false;
	for (const char *line = text; *line && r == 0; line = next_line(line)) {
		in->conditional = outer || depth > (once == ONCE_GUARD);
		if (in->comment)
			add_line(in, line);
		else
			r = inline_line(in, path, line, &depth, e);
		in->comment = comment_after(line, in->comment);
	}
	in->conditional = outer;
	return r;
}

/* Stands for a #pragma once, which only a whole file can have. */
static void add_guard(struct inliner *in, const char *path)
{
	struct str macro = STR_INIT;
	int i = 0;

	list_add(&in->files, path, strlen(path));
	while (strcmp(in->files.items[i], path) != 0)
		i++;
	str_addf(&macro, "STANDALONE_FILE_%d", i);
	str_addf(in->out, "#ifndef %s\n#define %s\n", macro.data, macro.data);
	list_add(&in->macros, macro.data, macro.len);
	str_release(&macro);
}

/* A file that is given inside an #if is given again where it is asked for again: which of them is
 * compiled, only the preprocessor knows. */
static int inline_file(struct inliner *in, const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	enum once once;
	char *text;
	int r;

	if (list_has(&in->emitted, path))
		return 0;
	if (in->depth == DEPTH_MAX)
		return err_set(e, ERR_INVALID, "%s: files include each other without end", path);
	r = file_read(path, SOURCE_BYTES_MAX, &text, NULL, e);
	if (r < 0)
		return r;
	once = once_of(text);
	if (once != ONCE_NO && !in->conditional)
		list_add(&in->emitted, path, strlen(path));
	str_addf(in->out, "/* ---- %s ---- */\n", slash ? slash + 1 : path);
	if (once == ONCE_PRAGMA)
		add_guard(in, path);
	in->depth++;
	r = inline_text(in, path, text, once, e);
	in->depth--;
	str_addz(in->out, once == ONCE_PRAGMA ? "#endif\n" : "");
	free(text);
	return r;
}

/* --- a part --- */

/* -DNAME=VALUE, -DNAME. */
static void add_defines(struct inliner *in)
{
	for (int i = 0; i < in->job->n_options; i++) {
		const char *o = in->job->options[i], *name = o + 2;
		size_t len = strcspn(o, "=");

		if (strncmp(o, "-D", 2) != 0)
			continue;
		list_add(&in->macros, name, word_len(name));
		str_add(in->out, "#define ", 8);
		str_add(in->out, name, len - 2);
		str_addf(in->out, " %s\n", o[len] ? o + len + 1 : "1");
	}
}

/* C has no namespaces: macros rename what would meet a name of another part. */
static void add_renames(const struct inliner *in, const char *text, const char *name,
			struct list *renamed, struct str *ret)
{
	int n;
	char **names = standalone_names(text, &n);

	for (int i = 0; i < n; i++) {
		if (!list_has(&in->macros, names[i])) {
			list_add(renamed, names[i], strlen(names[i]));
			str_addf(ret, "#define %s %s_%s\n", names[i], name, names[i]);
		}
		free(names[i]);
	}
	free(names);
}

static void add_undefs(const struct list *macros, struct str *ret)
{
	for (int i = 0; i < macros->n; i++)
		str_addf(ret, "#undef %s\n", macros->items[i]);
}

int standalone_part(const struct compile_job *job, const char *name, struct str *system,
		    struct str *ret, struct err *e)
{
	struct str text = STR_INIT, defines = STR_INIT;
	struct inliner in = { .job = job, .system = system, .out = &defines };
	struct list renamed = { 0 };
	char *path = realpath(job->source, NULL);
	int r;

	if (!path)
		return err_sys(e, "%s", job->source);
	add_defines(&in);
	in.out = &text;
	r = inline_file(&in, path, e);
	if (r == 0) {
		if (job->language == LANGUAGE_C)
			add_renames(&in, text.data, name, &renamed, ret);
		str_addz(ret, defines.data);
		if (job->language == LANGUAGE_CUDA)
			str_addf(ret, "namespace %s {\n%s} /* namespace %s */\n", name, text.data,
				 name);
		else
			str_addz(ret, text.data);
		add_undefs(&in.macros, ret);
		add_undefs(&renamed, ret);
	}
	list_release(&renamed);
	list_release(&in.macros);
	list_release(&in.emitted);
	list_release(&in.files);
	str_release(&defines);
	str_release(&text);
	free(path);
	return r;
}
