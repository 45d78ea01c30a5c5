#include "tuner/daemon/store.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "tuner/daemon/store_file.h"
#include "tuner/daemon/store_final.h"
#include "tuner/daemon/store_run.h"
#include "tuner/daemon/store_sql.h"
#include "tuner/daemon/store_trial.h"
#include "tuner/worker/wire_result.h"

struct store {
	struct sql sql;
	enum store_mode mode;
	int lock;   /* -1: a reader */
	bool begun; /* between begin and commit, and nothing has failed since */
};

int store_open(const char *path, enum store_mode mode, struct store **ret, struct err *e)
{
	struct sqlite3 *db;
	struct store *s;
	int lock;

	if (store_file_open(path, mode, &db, &lock, e))
		return e->code;
	s = mem_alloc(sizeof *s);
	sql_init(&s->sql, db, path);
	s->mode = mode;
	s->lock = lock;
	*ret = s;
	return 0;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	store_rollback(s);
	sql_release(&s->sql);
	if (s->lock >= 0)
		close(s->lock);
	free(s);
}

const char *store_path(const struct store *s)
{
	return s->sql.path;
}

int store_free_bytes(const struct store *s, int64_t *ret, struct err *e)
{
	char *folder = file_dirname(s->sql.path);
	struct statvfs v;
	int r = 0;

	if (statvfs(folder, &v))
		r = err_sys(e, "%s", folder);
	else
		*ret = (int64_t)v.f_bavail * (int64_t)v.f_frsize;
	free(folder);
	return r;
}

/* --- transactions --- */

static int run_plain(struct store *s, enum sql_id id, struct err *e)
{
	struct sql_call c;

	sql_prepare(&s->sql, id, &c);
	return sql_run(&c, e);
}

int store_begin(struct store *s, struct err *e)
{
	int r;

	assert(!s->begun);
	r = run_plain(s, s->mode == STORE_WRITE ? SQL_begin_write : SQL_begin_read, e);
	s->begun = r == 0;
	return r;
}

void store_rollback(struct store *s)
{
	struct err ignored;

	/* SQLite has rolled back by itself after some errors, a full disk among them. */
	if (sql_in_transaction(&s->sql))
		run_plain(s, SQL_rollback, &ignored);
	s->begun = false;
}

/* Half a trial must never be committed: whatever write fails takes its transaction with it. */
static int written(struct store *s, int r)
{
	if (r < 0)
		store_rollback(s);
	return r;
}

int store_commit(struct store *s, struct err *e)
{
	int r;

	assert(s->begun);
	r = written(s, run_plain(s, SQL_commit, e));
	s->begun = false;
	return r;
}

/* --- writing --- */

int store_add_run(struct store *s, struct run_record *r, const struct store_source *sources, int n,
		  struct err *e)
{
	assert(s->begun);
	return written(s, store_run_add(&s->sql, r, sources, n, e));
}

int store_update_run(struct store *s, const struct run_record *r, struct err *e)
{
	assert(s->begun);
	return written(s, store_run_update(&s->sql, r, e));
}

int store_add_trial(struct store *s, struct trial_record *t, struct err *e)
{
	assert(s->begun);
	return written(s, store_trial_add(&s->sql, t, e));
}

int store_add_final(struct store *s, struct final_record *f, struct err *e)
{
	assert(s->begun);
	return written(s, store_final_add(&s->sql, f, e));
}

int store_add_drift(struct store *s, const struct drift_record *d, struct err *e)
{
	assert(s->begun);
	return written(s, store_drift_add(&s->sql, d, e));
}

int store_add_environment(struct store *s, const char *json, int64_t *ret, struct err *e)
{
	char hash[HASH_HEX];
	struct sql_call c;
	int r;

	assert(s->begun);
	hash_bytes(json, strlen(json), hash);
	sql_prepare(&s->sql, SQL_environment_add, &c);
	sql_put_text(&c, hash);
	sql_put_text(&c, json);
	r = sql_run(&c, e);
	if (r < 0)
		return written(s, r);
	sql_prepare(&s->sql, SQL_environment_by_hash, &c);
	sql_put_text(&c, hash);
	r = sql_first(&c, "environment", 0, e);
	if (r == 0)
		*ret = sql_take_int(&c);
	sql_end(&c);
	return written(s, r);
}

int store_put_ceilings(struct store *s, const struct device *d, const struct ceilings *c,
		       struct err *e)
{
	cJSON *tree = wire_put_ceilings(c);
	char *body = json_render(tree);
	struct sql_call call;
	int r;

	assert(s->begun);
	cJSON_Delete(tree);
	sql_prepare(&s->sql, SQL_ceiling_put, &call);
	sql_put_text(&call, d->uuid);
	sql_put_text(&call, d->driver);
	sql_put_int(&call, clock_wall_ms());
	sql_put_text(&call, body);
	r = written(s, sql_run(&call, e));
	free(body);
	return r;
}

int store_add_event(struct store *s, struct event_record *v, struct err *e)
{
	struct sql_call c;
	int r;

	assert(s->begun);
	sql_prepare(&s->sql, SQL_event_add, &c);
	sql_put_int(&c, v->at_ms);
	sql_put_some_int(&c, v->run);
	sql_put_text(&c, v->kind);
	sql_put_text(&c, v->body);
	r = written(s, sql_run(&c, e));
	if (r == 0)
		v->no = sql_last_id(&s->sql);
	return r;
}

int store_trim_events(struct store *s, int64_t keep, struct err *e)
{
	struct sql_call c;

	assert(s->begun);
	sql_prepare(&s->sql, SQL_event_trim, &c);
	sql_put_int(&c, keep);
	return written(s, sql_run(&c, e));
}

/* --- reading runs --- */

int store_run(struct store *s, int64_t id, struct run_record *ret, struct err *e)
{
	return store_run_one(&s->sql, id, ret, e);
}

int store_each_run(struct store *s, store_on_run *f, void *ctx, struct err *e)
{
	struct sql_call c;

	sql_prepare(&s->sql, SQL_run_each, &c);
	return store_run_each(&c, f, ctx, e);
}

int store_newest_run(struct store *s, bool unfinished, int64_t *ret, struct err *e)
{
	struct sql_call c;
	int r;

	sql_prepare(&s->sql, unfinished ? SQL_run_newest_unfinished : SQL_run_newest, &c);
	r = sql_step(&c, e);
	if (r > 0)
		*ret = sql_take_int(&c);
	else if (r == 0)
		r = err_set(e, ERR_MISSING, "%s: no %s; `evo-tuned start` makes one", s->sql.path,
			    unfinished ? "unfinished run" : "run yet");
	sql_end(&c);
	return r < 0 ? r : 0;
}

/* A statement that gives one number, if any. */
static int find_id(struct sql_call *c, int64_t *ret, struct err *e)
{
	int r = sql_step(c, e);

	if (r >= 0)
		*ret = r ? sql_take_int(c) : 0;
	sql_end(c);
	return r < 0 ? r : 0;
}

int store_find_recorded(struct store *s, const char *hash, int64_t *ret, struct err *e)
{
	struct sql_call c;

	sql_prepare(&s->sql, SQL_run_recorded, &c);
	sql_put_text(&c, hash);
	return find_id(&c, ret, e);
}

int store_each_source(struct store *s, int64_t run, store_on_source *f, void *ctx, struct err *e)
{
	return store_run_sources(&s->sql, run, f, ctx, e);
}

int store_environment(struct store *s, int64_t id, char **ret_json, struct err *e)
{
	struct sql_call c;
	int r;

	sql_prepare(&s->sql, SQL_environment_by_id, &c);
	sql_put_int(&c, id);
	r = sql_first(&c, "environment", id, e);
	if (r == 0)
		*ret_json = sql_take_text(&c);
	sql_end(&c);
	return r;
}

int store_summary(struct store *s, int64_t run, struct run_summary *ret, struct err *e)
{
	bool own = !sql_in_transaction(&s->sql);
	struct err ignored;
	int r = 0;

	if (own)
		r = run_plain(s, SQL_begin_read, e);
	if (r == 0)
		r = store_run_summary(&s->sql, run, ret, e);
	if (own && sql_in_transaction(&s->sql))
		run_plain(s, SQL_commit, &ignored);
	return r;
}

static int parse_ceilings(const char *body, struct ceilings *ret, struct err *e)
{
	struct json_node root;
	cJSON *tree;
	int r = json_parse(body, strlen(body), &tree, e);

	if (r < 0)
		return err_wrap(e, "ceilings");
	root = json_root(tree);
	r = wire_get_ceilings(&root, ret, e);
	cJSON_Delete(tree);
	return r < 0 ? err_wrap(e, "ceilings") : 0;
}

int store_ceilings(struct store *s, const struct device *d, struct ceilings *ret, struct err *e)
{
	struct sql_call c;
	int r;

	sql_prepare(&s->sql, SQL_ceiling_of_device, &c);
	sql_put_text(&c, d->uuid);
	sql_put_text(&c, d->driver);
	r = sql_step(&c, e);
	if (r > 0)
		r = parse_ceilings(sql_peek_text(&c), ret, e);
	else if (r == 0)
		r = err_set(e, ERR_MISSING, "the ceilings of %s were not measured yet", d->name);
	sql_end(&c);
	return r;
}

/* --- reading trials --- */

int store_each_trial(struct store *s, int64_t run, int64_t from, store_on_trial *f, void *ctx,
		     struct err *e)
{
	struct sql_call c;

	sql_prepare(&s->sql, SQL_trial_each, &c);
	sql_put_int(&c, run);
	sql_put_int(&c, from);
	return store_trial_each(&c, f, ctx, e);
}

int store_each_binary(struct store *s, int64_t run, int64_t limit, store_on_binary *f, void *ctx,
		      struct err *e)
{
	struct sql_call c;
	int r;

	sql_prepare(&s->sql, SQL_trial_binaries, &c);
	sql_put_int(&c, run);
	sql_put_int(&c, limit);
	while ((r = sql_step(&c, e)) > 0) {
		const char *config = sql_peek_text(&c);

		r = f(ctx, config, sql_peek_text(&c), e);
		if (r)
			break;
	}
	sql_end(&c);
	return r;
}

int store_top(struct store *s, int64_t run, int64_t k, store_on_trial *f, void *ctx, struct err *e)
{
	struct sql_call c;

	sql_prepare(&s->sql, SQL_trial_top, &c);
	sql_put_int(&c, run);
	sql_put_int(&c, k);
	return store_trial_each(&c, f, ctx, e);
}

int store_trial(struct store *s, int64_t run, int64_t no, struct trial_record *ret, struct err *e)
{
	struct sql_call c;
	int r;

	sql_prepare(&s->sql, SQL_trial_by_no, &c);
	sql_put_int(&c, run);
	sql_put_int(&c, no);
	r = store_trial_whole(&c, no, ret, e);
	return r < 0 ? err_wrap(e, "run %" PRId64, run) : 0;
}

int store_trial_by_id(struct store *s, int64_t id, struct trial_record *ret, struct err *e)
{
	struct sql_call c;

	sql_prepare(&s->sql, SQL_trial_by_id, &c);
	sql_put_int(&c, id);
	return store_trial_whole(&c, id, ret, e);
}

int store_find_known(struct store *s, const char *identity, const char *config, int64_t *ret,
		     struct err *e)
{
	unsigned char key[TRIAL_KEY_BYTES];
	struct sql_call c;

	store_trial_key(identity, config, key);
	sql_prepare(&s->sql, SQL_trial_known, &c);
	sql_put_blob(&c, key, TRIAL_KEY_BYTES);
	sql_put_text(&c, identity);
	sql_put_text(&c, config);
	return find_id(&c, ret, e);
}

/* --- reading finals --- */

int store_final(struct store *s, int64_t run, bool times, struct final_record *ret, struct err *e)
{
	return store_final_newest(&s->sql, run, times, ret, e);
}

int store_each_drift(struct store *s, int64_t run, store_on_drift *f, void *ctx, struct err *e)
{
	return store_drift_each(&s->sql, run, f, ctx, e);
}

/* --- reading events --- */

int store_each_event(struct store *s, int64_t after, int64_t limit, store_on_event *f, void *ctx,
		     struct err *e)
{
	struct sql_call c;
	int r;

	sql_prepare(&s->sql, SQL_event_each, &c);
	sql_put_int(&c, after);
	sql_put_int(&c, limit);
	while ((r = sql_step(&c, e)) > 0) {
		struct event_record v = { .no = sql_take_int(&c) };

		v.at_ms = sql_take_int(&c);
		v.run = sql_take_int(&c);
		v.kind = sql_take_text(&c);
		v.body = sql_take_text(&c);
		r = f(ctx, &v, e);
		event_record_release(&v);
		if (r)
			break;
	}
	sql_end(&c);
	return r;
}

int store_last_event(struct store *s, int64_t *ret, struct err *e)
{
	struct sql_call c;

	sql_prepare(&s->sql, SQL_event_last, &c);
	return find_id(&c, ret, e);
}
