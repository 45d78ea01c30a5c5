#ifndef DAEMON_STORE_SQL_H
#define DAEMON_STORE_SQL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "sql.h"

/*
 * Named statements of db/queries.sql: prepared once, bound and read in order. A call borrows the
 * prepared statement, so that a callback may run any statement, also the one that called it.
 *
 *	struct sql_call c;
 *
 *	sql_prepare(q, SQL_run_by_id, &c);
 *	sql_put_int(&c, id);
 *	r = sql_step(&c, e);		1: a row, read with sql_take_*; 0: no more; negative: error
 *	sql_end(&c);
 *
 * What goes wrong while preparing or binding is reported by the first sql_step or sql_run. Text and
 * blobs are bound without a copy and must live until sql_end.
 */
struct sqlite3;
struct sqlite3_stmt;

struct sql {
	struct sqlite3 *db; /* owned */
	char *path;	    /* owned; heads messages */
	struct sqlite3_stmt *cached[SQL_COUNT];
};

struct sql_call {
	struct sql *sql;
	enum sql_id id;
	struct sqlite3_stmt *stmt;
	int at;	    /* the parameter bound or the column read last */
	int failed; /* the first SQLite code that was not OK */
};

const char *sql_text(enum sql_id id);

void sql_init(struct sql *q, struct sqlite3 *db, const char *path); /* takes db over */
void sql_release(struct sql *q);				    /* closes db */

void sql_prepare(struct sql *q, enum sql_id id, struct sql_call *ret);
int sql_step(struct sql_call *c, struct err *e);
void sql_end(struct sql_call *c);
int sql_run(struct sql_call *c, struct err *e); /* steps to the end, then ends the call */
/* Steps to the row there must be: 0, or ERR_MISSING "no WHAT ID". */
int sql_first(struct sql_call *c, const char *what, int64_t id, struct err *e);

void sql_put_int(struct sql_call *c, int64_t v);
void sql_put_real(struct sql_call *c, double v);      /* not a number: NULL */
void sql_put_text(struct sql_call *c, const char *v); /* NULL: NULL */
void sql_put_blob(struct sql_call *c, const void *v, size_t len);
void sql_put_known_int(struct sql_call *c, int64_t v); /* below 0: NULL */
void sql_put_known_real(struct sql_call *c, double v);
void sql_put_some_int(struct sql_call *c, int64_t v); /* 0: NULL */
void sql_put_some_real(struct sql_call *c, double v);
void sql_put_some_text(struct sql_call *c, const char *v); /* "": NULL */
void sql_put_u64(struct sql_call *c, uint64_t v);	   /* decimal text */

int64_t sql_take_int(struct sql_call *c);			    /* NULL: 0 */
int64_t sql_take_known_int(struct sql_call *c);			    /* NULL: -1 */
double sql_take_real(struct sql_call *c);			    /* NULL: not a number */
double sql_take_known_real(struct sql_call *c);			    /* NULL: -1 */
double sql_take_some_real(struct sql_call *c);			    /* NULL: 0 */
char *sql_take_text(struct sql_call *c);			    /* a copy; NULL: NULL */
void sql_take_text_into(struct sql_call *c, char *ret, size_t cap); /* cut to cap; NULL: "" */
const char *sql_peek_text(struct sql_call *c);			/* until the next step; NULL: "" */
const char *sql_peek_blob(struct sql_call *c, size_t *ret_len); /* with a NUL behind it */
uint64_t sql_take_u64(struct sql_call *c);

/* One statement or several, from text that is ours. */
int sql_exec(struct sqlite3 *db, const char *path, const char *text, struct err *e);
/* One row of one integer. */
int sql_pragma_int(struct sqlite3 *db, const char *path, const char *text, int64_t *ret,
		   struct err *e);
bool sql_in_transaction(const struct sql *q);
int64_t sql_last_id(const struct sql *q);
int sql_changes(const struct sql *q);

/* Sets e from SQLite's result `code` of db, headed by path; errno was 0 before the call that gave
 * it. No space, of whatever kind, gives ERR_FULL. */
int sql_fail(struct sqlite3 *db, const char *path, int code, struct err *e);

#endif
