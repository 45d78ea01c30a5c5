#include "tuner/daemon/cubins.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/str.h"

enum {
	HASH_LEN = HASH_HEX - 1,
	LEFTOVER_LEN = 7, /* ".XXXXXX" of mkstemp */
	LEFTOVER_MS = 3600 * 1000,
};

static const char *const suffixes[] = { ".cubin", ".so" };
enum { SUFFIXES = sizeof suffixes / sizeof *suffixes };

struct pin {
	char hash[HASH_HEX];
	int count;
};

struct cubins {
	char *dir;
	int64_t limit_bytes;
	struct pin *pins; /* as many as files are in flight: a few hundred at most */
	int n_pins;
};

/* One file of the cache, as a trim finds it. */
struct entry {
	char *name;
	int64_t bytes, used_ns;
};

struct listing {
	struct entry *entries;
	int n;
	int64_t bytes;
};

int cubins_open(const char *dir, int64_t limit_bytes, struct cubins **ret, struct err *e)
{
	struct cubins *c;

	if (file_mkdirs(dir, e))
		return err_wrap(e, "cache of binaries");
	c = mem_alloc(sizeof *c);
	c->dir = mem_strdup(dir);
	c->limit_bytes = limit_bytes;
	*ret = c;
	return 0;
}

void cubins_close(struct cubins *c)
{
	if (!c)
		return;
	free(c->dir);
	free(c->pins);
	free(c);
}

const char *cubins_dir(const struct cubins *c)
{
	return c->dir;
}

bool cubins_use(const struct cubins *c, const char *path)
{
	size_t len = strlen(c->dir);

	if (strncmp(path, c->dir, len) != 0 || path[len] != '/')
		return true;
	return utimensat(AT_FDCWD, path, NULL, 0) == 0 || access(path, R_OK) == 0;
}

bool cubins_find(const struct cubins *c, const char *hash, char **ret_path)
{
	for (int i = 0; i < SUFFIXES; i++) {
		struct str path = STR_INIT;

		str_addf(&path, "%s/%s%s", c->dir, hash, suffixes[i]);
		if (access(path.data, R_OK) == 0 && cubins_use(c, path.data)) {
			*ret_path = str_detach(&path);
			return true;
		}
		str_release(&path);
	}
	return false;
}

/* --- pins --- */

static struct pin *find_pin(const struct cubins *c, const char *name)
{
	for (int i = 0; i < c->n_pins; i++)
		if (memcmp(c->pins[i].hash, name, HASH_LEN) == 0)
			return &c->pins[i];
	return NULL;
}

void cubins_pin(struct cubins *c, const char *hash)
{
	struct pin *p;

	assert(strlen(hash) == HASH_LEN);
	p = find_pin(c, hash);
	if (!p) {
		c->pins = mem_grow(c->pins, (size_t)c->n_pins + 1, sizeof *c->pins);
		p = &c->pins[c->n_pins++];
		memcpy(p->hash, hash, HASH_HEX);
		p->count = 0;
	}
	p->count++;
}

void cubins_unpin(struct cubins *c, const char *hash)
{
	struct pin *p = find_pin(c, hash);

	assert(p);
	if (--p->count == 0)
		*p = c->pins[--c->n_pins];
}

/* --- trimming --- */

static bool starts_with_hash(const char *name)
{
	return strspn(name, "0123456789abcdef") == HASH_LEN;
}

/* What follows HASH.suffix in name: "" for a file of the cache; NULL where it is not so named. */
static const char *rest_of(const char *name)
{
	if (!starts_with_hash(name))
		return NULL;
	for (int i = 0; i < SUFFIXES; i++) {
		size_t len = strlen(suffixes[i]);

		if (strncmp(name + HASH_LEN, suffixes[i], len) == 0)
			return name + HASH_LEN + len;
	}
	return NULL;
}

static void remove_leftover(int dir, const char *name, const char *rest, const struct stat *st)
{
	int64_t age_ms = clock_wall_ms() - (int64_t)st->st_mtime * 1000;

	if (rest[0] == '.' && strlen(rest) == LEFTOVER_LEN && age_ms > LEFTOVER_MS)
		unlinkat(dir, name, 0);
}

static void list_one(int dir, const char *name, struct listing *l)
{
	const char *rest = rest_of(name);
	struct stat st;

	if (!rest || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode))
		return;
	if (rest[0] != '\0') {
		remove_leftover(dir, name, rest, &st);
		return;
	}
	l->entries = mem_grow(l->entries, (size_t)l->n + 1, sizeof *l->entries);
	l->entries[l->n++] = (struct entry){
		.name = mem_strdup(name),
		.bytes = st.st_size,
		.used_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec,
	};
	l->bytes += st.st_size;
}

static void listing_release(struct listing *l)
{
	for (int i = 0; i < l->n; i++)
		free(l->entries[i].name);
	free(l->entries);
}

static int by_use_then_name(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->used_ns != y->used_ns)
		return x->used_ns < y->used_ns ? -1 : 1;
	return strcmp(x->name, y->name);
}

static struct cubins_evicted evict(const struct cubins *c, int dir, struct listing *l)
{
	struct cubins_evicted out = { .bytes_left = l->bytes };

	if (l->n)
		qsort(l->entries, (size_t)l->n, sizeof *l->entries, by_use_then_name);
	for (int i = 0; i < l->n && out.bytes_left > c->limit_bytes; i++) {
		const struct entry *f = &l->entries[i];
		int failed;

		if (find_pin(c, f->name))
			continue;
		failed = unlinkat(dir, f->name, 0) ? errno : 0;
		if (failed && failed != ENOENT)
			continue;
		out.bytes_left -= f->bytes;
		if (!failed) {
			out.files++;
			out.bytes += f->bytes;
		}
	}
	return out;
}

int cubins_trim(struct cubins *c, struct cubins_evicted *ret, struct err *e)
{
	struct listing l = { 0 };
	DIR *d = opendir(c->dir);
	struct dirent *f;

	if (!d)
		return err_sys(e, "cache of binaries: %s", c->dir);
	while ((f = readdir(d)))
		list_one(dirfd(d), f->d_name, &l);
	*ret = evict(c, dirfd(d), &l);
	listing_release(&l);
	closedir(d);
	return 0;
}
