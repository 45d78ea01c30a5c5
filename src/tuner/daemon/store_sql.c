#define SQL_TEXTS /* this file keeps the statements' texts */
#include "tuner/daemon/store_sql.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

const char *sql_text(enum sql_id id)
{
	return sql_texts[id];
}

void sql_init(struct sql *q, struct sqlite3 *db, const char *path)
{
	memset(q, 0, sizeof *q);
	q->db = db;
	q->path = mem_strdup(path);
}

void sql_release(struct sql *q)
{
	for (int i = 0; i < SQL_COUNT; i++)
		sqlite3_finalize(q->cached[i]);
	sqlite3_close(q->db);
	free(q->path);
	memset(q, 0, sizeof *q);
}

/* --- errors --- */

/*
 * The errno behind an I/O error. SQLite 3.40 does not note it when a commit fails, so that the
 * thread's own is asked first; whoever calls SQLite clears it before.
 */
static int errno_behind(struct sqlite3 *db, int code)
{
	int number = errno;

	if ((code & 0xff) != SQLITE_IOERR && (code & 0xff) != SQLITE_CANTOPEN)
		return 0;
	if (number == 0)
		number = sqlite3_system_errno(db);
	return number ? number : EIO;
}

static bool no_space(int code, int number)
{
	return (code & 0xff) == SQLITE_FULL || number == ENOSPC || number == EDQUOT ||
	       number == EFBIG;
}

int sql_fail(struct sqlite3 *db, const char *path, int code, struct err *e)
{
	int number = errno_behind(db, code);
	const char *why = sqlite3_errmsg(db);

	if (no_space(code, number))
		return err_set(e, ERR_FULL,
			       "%s: no space left to write (%s); free some, nothing was lost", path,
			       why);
	switch (code & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return err_set(e, ERR_BUSY,
			       "%s: locked by another program (%s); end it, or its transaction",
			       path, why);
	case SQLITE_NOTADB:
		return err_set(e, ERR_INVALID,
			       "%s: not a SQLite database; name another file with --db", path);
	case SQLITE_CORRUPT:
		return err_set(e, ERR_INVALID,
			       "%s: damaged (%s); put a copy in its place or name another file "
			       "with --db",
			       path, why);
	case SQLITE_CONSTRAINT:
		return err_set(e, ERR_INVALID, "%s: row refused: %s", path, why);
	case SQLITE_READONLY:
		return err_set(e, ERR_IO, "%s: cannot be written (%s); check its permissions", path,
			       why);
	case SQLITE_IOERR:
	case SQLITE_CANTOPEN:
		errno = number;
		return err_sys(e, "%s: %s", path, why);
	default:
		return err_set(e, ERR_IO, "%s: %s", path, why);
	}
}

/* --- calls --- */

static void note(struct sql_call *c, int code)
{
	if (c->failed == SQLITE_OK)
		c->failed = code;
}

void sql_prepare(struct sql *q, enum sql_id id, struct sql_call *ret)
{
	struct sql_call c = { .sql = q, .id = id, .stmt = q->cached[id] };

	q->cached[id] = NULL;
	if (!c.stmt)
		note(&c, sqlite3_prepare_v3(q->db, sql_texts[id], -1, SQLITE_PREPARE_PERSISTENT,
					    &c.stmt, NULL));
	*ret = c;
}

int sql_step(struct sql_call *c, struct err *e)
{
	int code = c->failed;

	errno = 0;
	if (code == SQLITE_OK)
		code = sqlite3_step(c->stmt);
	c->at = 0;
	if (code == SQLITE_ROW)
		return 1;
	if (code == SQLITE_DONE)
		return 0;
	return sql_fail(c->sql->db, c->sql->path, code, e);
}

void sql_end(struct sql_call *c)
{
	if (!c->stmt)
		return;
	sqlite3_reset(c->stmt);
	sqlite3_clear_bindings(c->stmt);
	if (c->sql->cached[c->id])
		sqlite3_finalize(c->stmt);
	else
		c->sql->cached[c->id] = c->stmt;
	c->stmt = NULL;
}

int sql_run(struct sql_call *c, struct err *e)
{
	int r;

	do
		r = sql_step(c, e);
	while (r > 0);
	sql_end(c);
	return r;
}

int sql_first(struct sql_call *c, const char *what, int64_t id, struct err *e)
{
	int r = sql_step(c, e);

	if (r == 0)
		return err_set(e, ERR_MISSING, "%s: no %s %" PRId64, c->sql->path, what, id);
	return r < 0 ? r : 0;
}

/* --- parameters --- */

void sql_put_int(struct sql_call *c, int64_t v)
{
	if (!c->failed)
		note(c, sqlite3_bind_int64(c->stmt, ++c->at, v));
}

void sql_put_real(struct sql_call *c, double v)
{
	if (!c->failed)
		note(c, sqlite3_bind_double(c->stmt, ++c->at, v));
}

static void put_null(struct sql_call *c)
{
	if (!c->failed)
		note(c, sqlite3_bind_null(c->stmt, ++c->at));
}

void sql_put_text(struct sql_call *c, const char *v)
{
	if (!c->failed)
		note(c, sqlite3_bind_text(c->stmt, ++c->at, v, -1, SQLITE_STATIC));
}

void sql_put_blob(struct sql_call *c, const void *v, size_t len)
{
	if (!c->failed)
		note(c, sqlite3_bind_blob64(c->stmt, ++c->at, len ? v : "", len, SQLITE_STATIC));
}

void sql_put_known_int(struct sql_call *c, int64_t v)
{
	if (v < 0)
		put_null(c);
	else
		sql_put_int(c, v);
}

void sql_put_known_real(struct sql_call *c, double v)
{
	sql_put_real(c, v < 0 ? (double)NAN : v);
}

void sql_put_some_int(struct sql_call *c, int64_t v)
{
	if (v == 0)
		put_null(c);
	else
		sql_put_int(c, v);
}

void sql_put_some_real(struct sql_call *c, double v)
{
	if (v == 0)
		put_null(c);
	else
		sql_put_real(c, v);
}

void sql_put_some_text(struct sql_call *c, const char *v)
{
	sql_put_text(c, v[0] ? v : NULL);
}

void sql_put_u64(struct sql_call *c, uint64_t v)
{
	char text[24];

	snprintf(text, sizeof text, "%llu", (unsigned long long)v);
	if (!c->failed)
		note(c, sqlite3_bind_text(c->stmt, ++c->at, text, -1, SQLITE_TRANSIENT));
}

/* --- columns --- */

static bool next_is_null(struct sql_call *c)
{
	return sqlite3_column_type(c->stmt, c->at++) == SQLITE_NULL;
}

int64_t sql_take_int(struct sql_call *c)
{
	return sqlite3_column_int64(c->stmt, c->at++);
}

int64_t sql_take_known_int(struct sql_call *c)
{
	return next_is_null(c) ? -1 : sqlite3_column_int64(c->stmt, c->at - 1);
}

double sql_take_real(struct sql_call *c)
{
	return next_is_null(c) ? (double)NAN : sqlite3_column_double(c->stmt, c->at - 1);
}

double sql_take_known_real(struct sql_call *c)
{
	return next_is_null(c) ? -1 : sqlite3_column_double(c->stmt, c->at - 1);
}

double sql_take_some_real(struct sql_call *c)
{
	return sqlite3_column_double(c->stmt, c->at++);
}

char *sql_take_text(struct sql_call *c)
{
	return mem_strdup((const char *)sqlite3_column_text(c->stmt, c->at++));
}

void sql_take_text_into(struct sql_call *c, char *ret, size_t cap)
{
	snprintf(ret, cap, "%s", sql_peek_text(c));
}

const char *sql_peek_text(struct sql_call *c)
{
	const unsigned char *text = sqlite3_column_text(c->stmt, c->at++);

	return text ? (const char *)text : "";
}

const char *sql_peek_blob(struct sql_call *c, size_t *ret_len)
{
	const char *bytes = sql_peek_text(c); /* in UTF-8 the bytes as they are */

	*ret_len = (size_t)sqlite3_column_bytes(c->stmt, c->at - 1);
	return bytes;
}

uint64_t sql_take_u64(struct sql_call *c)
{
	return strtoull(sql_peek_text(c), NULL, 10);
}

/* --- the handle --- */

int sql_exec(struct sqlite3 *db, const char *path, const char *text, struct err *e)
{
	int code;

	errno = 0;
	code = sqlite3_exec(db, text, NULL, NULL, NULL);
	return code ? sql_fail(db, path, code, e) : 0;
}

int sql_pragma_int(struct sqlite3 *db, const char *path, const char *text, int64_t *ret,
		   struct err *e)
{
	struct sqlite3_stmt *stmt = NULL;
	int code, r = 0;

	errno = 0;
	code = sqlite3_prepare_v2(db, text, -1, &stmt, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_step(stmt);
	if (code == SQLITE_ROW)
		*ret = sqlite3_column_int64(stmt, 0);
	else
		r = sql_fail(db, path, code, e);
	sqlite3_finalize(stmt);
	return r;
}

bool sql_in_transaction(const struct sql *q)
{
	return !sqlite3_get_autocommit(q->db);
}

int64_t sql_last_id(const struct sql *q)
{
	return sqlite3_last_insert_rowid(q->db);
}

int sql_changes(const struct sql *q)
{
	return sqlite3_changes(q->db);
}
