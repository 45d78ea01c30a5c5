#include "tuner/daemon/store_file.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "tuner/daemon/store_sql.h"

enum {
	APPLICATION_ID = 0x45564f54, /* "EVOT" */
	PAGE_BYTES_MIN = 512,	     /* of SQLite: no database is smaller */
	BUSY_MS = 1000,		     /* for a foreign program's lock; our readers hold none */
};

/* Step i makes version i + 1. A new version adds a statement here, and changes none before it. */
static const enum sql_id upgrade_steps[] = { SQL_schema, SQL_upgrade_2 };
enum { VERSION = sizeof upgrade_steps / sizeof *upgrade_steps };

/* Nothing in a file that someone hands us may run code or break the reader. */
static const char guard_settings[] = "PRAGMA mmap_size = 0;"
				     "PRAGMA trusted_schema = OFF;"
				     "PRAGMA cell_size_check = ON;";

/* synchronous FULL: what is committed survives a power cut too. One fsync a commit, and the daemon
 * commits many trials at once. The cache, at most 8 MB, keeps such a commit from writing the pages
 * of the indexes by key over and over. */
static const char writer_settings[] = "PRAGMA synchronous = FULL;"
				      "PRAGMA foreign_keys = ON;"
				      "PRAGMA cache_size = -8000;"
				      "PRAGMA wal_autocheckpoint = 1000;"
				      "PRAGMA journal_size_limit = 16777216;";

int store_file_version(void)
{
	return VERSION;
}

/* --- upgrading --- */

static int check_foreign_keys(struct sqlite3 *db, const char *path, struct err *e)
{
	int64_t broken;

	if (sql_pragma_int(db, path, "SELECT count(*) FROM pragma_foreign_key_check", &broken, e))
		return e->code;
	if (broken)
		return err_set(e, ERR_INVALID, "%s: %" PRId64 " rows point nowhere", path, broken);
	return 0;
}

/* Steps [first, past), all of them or none. */
static int apply_steps(struct sqlite3 *db, const char *path, const char *const *steps, int first,
		       int past, struct err *e)
{
	char stamp[96];
	int r;

	snprintf(stamp, sizeof stamp, "PRAGMA application_id = %d; PRAGMA user_version = %d;",
		 APPLICATION_ID, past);
	r = sql_exec(db, path, "BEGIN IMMEDIATE", e);
	for (int i = first; i < past && r == 0; i++)
		r = sql_exec(db, path, steps[i], e);
	if (r == 0)
		r = sql_exec(db, path, stamp, e);
	if (r == 0)
		r = check_foreign_keys(db, path, e);
	if (r == 0)
		r = sql_exec(db, path, "COMMIT", e);
	if (r < 0 && !sqlite3_get_autocommit(db))
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return r;
}

/* A reader of a new file finds nothing or all of it. */
int store_file_upgrade(struct sqlite3 *db, const char *path, const char *const *steps, int n,
		       struct err *e)
{
	int64_t version;
	int r = sql_pragma_int(db, path, "PRAGMA user_version", &version, e), past;

	for (int i = (int)version; r == 0 && i < n; i = past) {
		past = version == 0 ? n : i + 1;
		r = apply_steps(db, path, steps, i, past, e);
		if (r < 0)
			err_wrap(e, "upgrade to schema %d", past);
	}
	return r;
}

/* --- whose it is --- */

/* Sets *ret_version: 0 is an empty file, which a writer may make ours. All is read in one
 * transaction, since a daemon may be making the file ours meanwhile. A failed one is left open: it
 * ends with the handle, and ending it would hide SQLite's code. */
static int identify(struct sqlite3 *db, const char *path, int64_t *ret_version, struct err *e)
{
	int64_t id = 0, version = 0, objects = 0;
	int r = sql_exec(db, path, "BEGIN", e);

	if (r == 0)
		r = sql_pragma_int(db, path, "PRAGMA application_id", &id, e);
	if (r == 0)
		r = sql_pragma_int(db, path, "PRAGMA user_version", &version, e);
	if (r == 0)
		r = sql_pragma_int(db, path, "SELECT count(*) FROM sqlite_schema", &objects, e);
	if (r == 0)
		r = sql_exec(db, path, "COMMIT", e);
	if (r < 0)
		return r;
	if (id != APPLICATION_ID && (id != 0 || version != 0 || objects != 0))
		return err_set(e, ERR_INVALID,
			       "%s: a database of another program; name another file with --db",
			       path);
	if (version > VERSION)
		return err_set(e, ERR_INVALID,
			       "%s: made by a newer evo-tuned (schema %" PRId64
			       ", this one knows %d); upgrade evo-tuned or name another file "
			       "with --db",
			       path, version, VERSION);
	*ret_version = version;
	return 0;
}

static int require_current(const char *path, int64_t version, struct err *e)
{
	if (version == 0)
		return err_set(e, ERR_MISSING, "%s: holds nothing yet; `evo-tuned start` fills it",
			       path);
	if (version < VERSION)
		return err_set(e, ERR_INVALID,
			       "%s: made by an older evo-tuned (schema %" PRId64
			       ", this one needs %d); `evo-tuned daemon` upgrades it",
			       path, version, VERSION);
	return 0;
}

/* --- opening --- */

static int open_handle(const char *file, const char *path, int flags, struct sqlite3 **ret,
		       struct err *e)
{
	struct sqlite3 *db = NULL;
	int code, r;

	errno = 0;
	code = sqlite3_open_v2(file, &db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
			       NULL);
	if (code) {
		r = sql_fail(db, path, code, e);
	} else {
		sqlite3_busy_timeout(db, BUSY_MS);
		r = sql_exec(db, path, guard_settings, e);
	}
	if (r < 0) {
		sqlite3_close(db);
		return r;
	}
	*ret = db;
	return 0;
}

/* What SQLite does not refuse by itself: it would write over a file of one byte. By stat alone, as
 * closing a descriptor of ours would drop the locks of another handle in this process. */
static int check_file(const char *name, const char *path, struct err *e)
{
	struct stat st;

	if (stat(name, &st))
		return errno == ENOENT ? 0 : err_sys(e, "%s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_IO, "%s: not a regular file; name another with --db", path);
	if (st.st_size > 0 && st.st_size < PAGE_BYTES_MIN)
		return err_set(e, ERR_INVALID,
			       "%s: not a SQLite database; name another file with --db", path);
	return 0;
}

/* A name that SQLite cannot take for one of its own, as ":memory:". */
static char *plain_name(const char *path)
{
	return file_join(".", path);
}

static int busy(int fd, const char *path, struct err *e)
{
	char text[24] = "";
	ssize_t n = pread(fd, text, sizeof text - 1, 0);
	long pid = n > 0 ? strtol(text, NULL, 10) : 0;

	if (pid > 0)
		return err_set(e, ERR_BUSY,
			       "%s: in use by process %ld; `evo-tuned stop` ends a daemon, or name "
			       "another file with --db",
			       path, pid);
	return err_set(e, ERR_BUSY,
		       "%s: in use by another process; `evo-tuned stop` ends a daemon, or name "
		       "another file with --db",
		       path);
}

/* The lock lies beside the file that SQLite found behind all links, so that no two names of one
 * file have two locks. It is never removed: that would race with the next to lock it. */
static int take_lock(struct sqlite3 *db, const char *path, int *ret, struct err *e)
{
	struct str name = STR_INIT;
	int fd, r = 0;

	str_addf(&name, "%s.lock", sqlite3_db_filename(db, "main"));
	fd = open(name.data, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0) {
		r = err_sys(e, "%s", name.data);
	} else if (flock(fd, LOCK_EX | LOCK_NB)) {
		r = busy(fd, path, e);
		close(fd);
	} else {
		/* Only a message is poorer without the pid, as on a full disk. */
		if (ftruncate(fd, 0) == 0)
			(void)!dprintf(fd, "%ld\n", (long)getpid());
		*ret = fd;
	}
	str_release(&name);
	return r;
}

static int use_wal(struct sqlite3 *db, const char *path, struct err *e)
{
	int64_t is_wal;

	if (sql_exec(db, path, "PRAGMA journal_mode = WAL", e) ||
	    sql_pragma_int(db, path, "SELECT journal_mode = 'wal' FROM pragma_journal_mode",
			   &is_wal, e))
		return e->code;
	if (!is_wal)
		return err_set(e, ERR_IO,
			       "%s: this file system has no shared memory for a WAL; name a file "
			       "on a local disk with --db",
			       path);
	return 0;
}

static int set_up_writer(struct sqlite3 *db, const char *path, struct err *e)
{
	const char *steps[VERSION];
	int64_t version;
	int r;

	if (sqlite3_db_readonly(db, "main"))
		return err_set(e, ERR_IO, "%s: cannot be written; check its permissions", path);
	for (int i = 0; i < VERSION; i++)
		steps[i] = sql_text(upgrade_steps[i]);
	r = identify(db, path, &version, e);
	if (r == 0)
		r = use_wal(db, path, e);
	if (r == 0)
		r = store_file_upgrade(db, path, steps, VERSION, e);
	if (r == 0)
		r = sql_exec(db, path, writer_settings, e);
	return r;
}

static int open_writer(const char *path, struct sqlite3 **ret, int *ret_lock, struct err *e)
{
	char *folder = file_dirname(path), *name = plain_name(path);
	struct sqlite3 *db = NULL;
	int lock = -1, r;

	r = file_mkdirs(folder, e);
	if (r == 0)
		r = check_file(name, path, e);
	if (r == 0)
		r = open_handle(name, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &db, e);
	if (r == 0)
		r = take_lock(db, path, &lock, e);
	if (r == 0)
		r = set_up_writer(db, path, e);
	if (r == 0) {
		*ret = db;
		*ret_lock = lock;
	} else {
		sqlite3_close(db);
		if (lock >= 0)
			close(lock);
	}
	free(folder);
	free(name);
	return r;
}

/* --- reading --- */

static bool has_wal(const char *name)
{
	struct str wal = STR_INIT;
	struct stat st;
	bool r;

	str_addf(&wal, "%s-wal", name);
	r = stat(wal.data, &st) == 0 && st.st_size > 0;
	str_release(&wal);
	return r;
}

static char *immutable_uri(const char *name)
{
	struct str uri = STR_INIT;

	str_addz(&uri, "file:");
	for (const char *p = name; *p; p++) {
		if (isalnum((unsigned char)*p) || strchr("/-._~", *p))
			str_addc(&uri, *p);
		else
			str_addf(&uri, "%%%02X", (unsigned char)*p);
	}
	str_addz(&uri, "?immutable=1");
	return str_detach(&uri);
}

static int open_reader_as(const char *name, const char *path, int flags, struct sqlite3 **ret,
			  int *ret_code, struct err *e)
{
	struct sqlite3 *db = NULL;
	int64_t version = 0;
	int r = open_handle(name, path, SQLITE_OPEN_READONLY | flags, &db, e);

	if (r < 0)
		return r;
	r = identify(db, path, &version, e);
	*ret_code = sqlite3_errcode(db) & 0xff;
	if (r == 0)
		r = require_current(path, version, e);
	if (r < 0)
		sqlite3_close(db);
	else
		*ret = db;
	return r;
}

/*
 * A WAL database needs its -shm file, which a reader makes where it is missing. In a folder that
 * the reader may not write, and with no WAL left, the file alone is all there is and cannot change
 * under us: the one case in which SQLite may be told so.
 */
static int open_reader(const char *path, struct sqlite3 **ret, struct err *e)
{
	char *name = plain_name(path), *uri = NULL;
	int code = SQLITE_OK, r;

	if (access(name, F_OK)) {
		r = err_sys(e, "%s", path);
		if (r == ERR_MISSING)
			err_set(e, ERR_MISSING,
				"%s: no such database; `evo-tuned start` makes it, or name another "
				"file with --db",
				path);
		goto out;
	}
	r = check_file(name, path, e);
	if (r == 0)
		r = open_reader_as(name, path, 0, ret, &code, e);
	if (r == 0 || (code != SQLITE_CANTOPEN && code != SQLITE_READONLY))
		goto out;
	if (has_wal(name)) {
		err_wrap(e,
			 "the folder must be writable to read what is in %s-wal; or copy both "
			 "files to another folder",
			 path);
		goto out;
	}
	uri = immutable_uri(name);
	r = open_reader_as(uri, path, SQLITE_OPEN_URI, ret, &code, e);
out:
	free(uri);
	free(name);
	return r;
}

int store_file_open(const char *path, enum store_mode mode, struct sqlite3 **ret, int *ret_lock,
		    struct err *e)
{
	if (mode == STORE_WRITE)
		return open_writer(path, ret, ret_lock, e);
	*ret_lock = -1;
	return open_reader(path, ret, e);
}
