#include "tuner/task/task_source.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"

enum { SOURCES_MAX = 1000 };

/* Cuts the last component off, or adds "..", which nothing of a relative path can cut off. */
static void go_up(struct str *s, bool absolute)
{
	char *slash = strrchr(s->data, '/'), *last = slash ? slash + 1 : s->data;

	if (s->len == 0 || strcmp(last, "..") == 0) {
		if (!absolute)
			str_addz(s, s->len ? "/.." : "..");
		return;
	}
	s->len = slash ? (size_t)(slash - s->data) : 0;
	s->data[s->len] = '\0';
}

char *source_normalise(const char *path)
{
	bool absolute = path[0] == '/';
	struct str s = STR_INIT, ret = STR_INIT;
	size_t len;

	for (const char *p = path; *p; p += len) {
		p += strspn(p, "/");
		len = strcspn(p, "/");
		if (len == 0 || (len == 1 && p[0] == '.'))
			continue;
		if (len == 2 && memcmp(p, "..", 2) == 0) {
			go_up(&s, absolute);
			continue;
		}
		if (s.len)
			str_addc(&s, '/');
		str_add(&s, p, len);
	}
	if (!absolute && s.len == 0)
		str_addc(&s, '.');
	str_addf(&ret, "%s%s", absolute ? "/" : "", s.data);
	str_release(&s);
	return str_detach(&ret);
}

struct collector {
	struct task *task;
	task_reader *reader;
	void *ctx;
};

static int fetch(const struct collector *c, const char *path, char **ret, size_t *ret_len,
		 struct err *e)
{
	const char *borrowed;
	char *full;
	int r;

	if (c->reader) {
		borrowed = c->reader(c->ctx, path, ret_len);
		if (!borrowed)
			return err_set(e, ERR_MISSING, "%s: no such source", path);
		*ret = mem_strndup(borrowed, *ret_len);
		return 0;
	}
	full = file_join(c->task->dir, path);
	r = file_read(full, TASK_BYTES_MAX, ret, ret_len, e);
	free(full);
	return r;
}

static bool known(const struct task *t, const char *path)
{
	for (int i = 0; i < t->n_sources; i++)
		if (strcmp(t->sources[i].path, path) == 0)
			return true;
	return false;
}

/* Takes path over. */
static int add_source(struct collector *c, char *path, struct err *e)
{
	struct task *t = c->task;
	struct task_source s = { .path = path };
	int r = 0;

	if (known(t, path)) {
		free(path);
		return 0;
	}
	if (t->n_sources == SOURCES_MAX)
		r = err_set(e, ERR_INVALID, "%s: more than %d sources", path, SOURCES_MAX);
	if (r == 0)
		r = fetch(c, path, &s.text, &s.len, e);
	if (r < 0) {
		free(path);
		return r;
	}
	hash_bytes(s.text, s.len, s.hash);
	t->sources = mem_grow(t->sources, (size_t)t->n_sources + 1, sizeof *t->sources);
	t->sources[t->n_sources++] = s;
	return 0;
}

/* The name in an #include directive on this line, between its quotes or brackets. */
static bool parse_include(const char *line, const char **ret_name, size_t *ret_len,
			  bool *ret_quoted)
{
	line += strspn(line, " \t");
	if (*line++ != '#')
		return false;
	line += strspn(line, " \t");
	if (strncmp(line, "include", 7) != 0)
		return false;
	line += 7 + strspn(line + 7, " \t");
	if (*line != '"' && *line != '<')
		return false;
	*ret_quoted = *line == '"';
	*ret_name = line + 1;
	*ret_len = strcspn(line + 1, *ret_quoted ? "\"\n" : ">\n");
	return *ret_len > 0 && line[1] != '/' && line[1 + *ret_len] == (*ret_quoted ? '"' : '>');
}

/* Where the include may lie: place 0 is beside the includer, the others are include folders. */
static char *candidate(const struct task *t, const char *includer, const char *name, size_t len,
		       int place)
{
	char *folder = place == 0 ? file_dirname(includer) : mem_strdup(t->include[place - 1]);
	char *file = mem_strndup(name, len), *joined = file_join(folder, file);
	char *path = source_normalise(joined);

	free(joined);
	free(file);
	free(folder);
	return path;
}

static int add_include(struct collector *c, int includer, const char *name, size_t len, bool quoted,
		       struct err *e)
{
	for (int place = quoted ? 0 : 1; place <= c->task->n_include; place++) {
		char *path = candidate(c->task, c->task->sources[includer].path, name, len, place);
		int r = add_source(c, path, e);

		if (r != ERR_MISSING)
			return r;
	}
	return 0;
}

static int add_includes(struct collector *c, int includer, struct err *e)
{
	const char *line = c->task->sources[includer].text, *name;
	size_t len;
	bool quoted;

	while (line) {
		if (parse_include(line, &name, &len, &quoted)) {
			int r = add_include(c, includer, name, len, quoted, e);

			if (r < 0)
				return r;
		}
		line = strchr(line, '\n');
		if (line)
			line++;
	}
	return 0;
}

static int add_roots(struct collector *c, struct err *e)
{
	struct task *t = c->task;
	int r = add_source(c, mem_strdup(t->kernel.source), e);

	if (r < 0)
		return err_wrap(e, "kernel.source");
	for (int i = 0; i < t->n_references; i++) {
		if (t->references[i].files)
			continue;
		r = add_source(c, mem_strdup(t->references[i].kernel.source), e);
		if (r < 0)
			return err_wrap(e, "reference \"%s\": source", t->references[i].name);
	}
	return 0;
}

int sources_collect(struct task *t, task_reader *reader, void *ctx, struct err *e)
{
	struct collector c = { t, reader, ctx };
	struct hash *h;
	int r = add_roots(&c, e);

	for (int i = 0; i < t->n_sources && r == 0; i++) {
		r = add_includes(&c, i, e);
		if (r < 0)
			err_wrap(e, "included by %s", t->sources[i].path);
	}
	if (r < 0)
		return r;
	h = hash_new();
	for (int i = 0; i < t->n_sources; i++) {
		hash_text(h, t->sources[i].path);
		hash_field(h, t->sources[i].text, t->sources[i].len);
	}
	hash_finish(h, t->source_hash);
	return 0;
}

void sources_release(struct task *t)
{
	for (int i = 0; i < t->n_sources; i++) {
		free(t->sources[i].path);
		free(t->sources[i].text);
	}
	free(t->sources);
}

static int count_ups(const char *path)
{
	int ups = 0;

	for (; strncmp(path, "../", 3) == 0; path += 3)
		ups++;
	return ups + (strcmp(path, "..") == 0);
}

static int most_ups(const struct task *t)
{
	int most = 0;

	for (int i = 0; i < t->n_sources + t->n_include; i++) {
		const char *path =
			i < t->n_sources ? t->sources[i].path : t->include[i - t->n_sources];
		int ups = count_ups(path);

		most = ups > most ? ups : most;
	}
	return most;
}

char *source_place(const struct task *t, const char *path)
{
	int ups = count_ups(path), depth = most_ups(t) - ups;
	struct str s = STR_INIT;
	char *place;

	if (path[0] == '/') {
		str_addf(&s, "_root%s", path);
		return str_detach(&s);
	}
	for (int i = 1; i <= depth; i++)
		str_addf(&s, "_%d/", i);
	for (int i = 0; i < ups; i++)
		path += strncmp(path, "../", 3) == 0 ? 3 : 2;
	str_addz(&s, *path ? path : ".");
	place = source_normalise(s.data);
	str_release(&s);
	return place;
}

static bool same_on_disk(const char *path, const struct task_source *s)
{
	struct err ignored;
	char *text = NULL;
	size_t len = 0;
	bool same;

	if (file_read(path, s->len, &text, &len, &ignored) < 0)
		return false;
	same = len == s->len && memcmp(text, s->text, len) == 0;
	free(text);
	return same;
}

static int write_source(const struct task *t, const struct task_source *s, const char *root,
			struct err *e)
{
	char *place = source_place(t, s->path), *path = file_join(root, place);
	char *folder = file_dirname(path);
	int r = 0;

	if (!same_on_disk(path, s)) {
		r = file_mkdirs(folder, e);
		if (r == 0)
			r = file_write(path, s->text, s->len, e);
	}
	free(folder);
	free(path);
	free(place);
	return r;
}

/* Include folders may hold nothing that was found; compilers warn of missing ones. */
int task_materialise(const struct task *t, const char *root, struct err *e)
{
	int r = file_mkdirs(root, e);

	for (int i = 0; i < t->n_include && r == 0; i++) {
		char *place = source_place(t, t->include[i]), *folder = file_join(root, place);

		r = file_mkdirs(folder, e);
		free(folder);
		free(place);
	}
	for (int i = 0; i < t->n_sources && r == 0; i++)
		r = write_source(t, &t->sources[i], root, e);
	return r;
}
