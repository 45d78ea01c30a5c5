#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "store_fixture.h"
#include "tuner/daemon/store_file.h"
#include "tuner/daemon/store_sql.h"

/* --- what may be opened --- */

static void the_folder_and_the_file_are_made(void **state)
{
	struct place *p = *state;
	char *path = file_join(p->dir, "a/b/c.db");
	struct store *s = open_store(path, STORE_WRITE);

	assert_string_equal(store_path(s), path);
	assert_int_equal(ask_int(path, "PRAGMA user_version"), store_file_version());
	assert_int_equal(ask_int(path, "SELECT journal_mode = 'wal' FROM pragma_journal_mode"), 1);
	add_sample(s, add_run(s), 1);
	store_close(s);
	s = open_store(path, STORE_WRITE);
	assert_int_equal(add_run(s), 2);
	store_close(s);
	assert_sound(path);
	free(path);
}

static void a_reader_needs_a_file_with_something_in_it(void **state)
{
	struct place *p = *state;
	struct store *s = NULL;

	must_fail(ERR_MISSING, "evo-tuned start", store_open(p->db, STORE_READ, &s, e));
	assert_int_equal(access(p->db, F_OK), -1);
	must(file_write(p->db, "", 0, e));
	must_fail(ERR_MISSING, "holds nothing yet", store_open(p->db, STORE_READ, &s, e));
	assert_null(s);
}

/* Both modes refuse the file with this text and leave it as it is. */
static void refuse_both(const char *path, int code, const char *text)
{
	struct store *s = NULL;
	char *before, *after;
	size_t n, m;

	must(file_read(path, 1 << 20, &before, &n, e));
	must_fail(code, text, store_open(path, STORE_READ, &s, e));
	must_fail(code, text, store_open(path, STORE_WRITE, &s, e));
	must(file_read(path, 1 << 20, &after, &m, e));
	assert_int_equal(n, m);
	assert_memory_equal(before, after, n);
	free(before);
	free(after);
	assert_null(s);
}

static void what_is_no_database_is_refused_and_left_alone(void **state)
{
	static const size_t sizes[] = { 1, 99, 511, 512, 4096, 5000, 100000 };
	struct place *p = *state;

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		char *text = mem_alloc(sizes[i]);

		memset(text, 'x', sizes[i]);
		must(file_write(p->db, text, sizes[i], e));
		refuse_both(p->db, ERR_INVALID, "not a SQLite database");
		free(text);
	}
}

static void a_folder_is_refused(void **state)
{
	struct place *p = *state;
	struct store *s = NULL;

	must_fail(ERR_IO, p->dir, store_open(p->dir, STORE_READ, &s, e));
	must_fail(ERR_IO, p->dir, store_open(p->dir, STORE_WRITE, &s, e));
	must_fail(ERR_IO, "regular file", store_open("", STORE_WRITE, &s, e));
}

static void another_programs_database_is_refused_and_left_alone(void **state)
{
	struct place *p = *state;

	tell(p->db, "CREATE TABLE theirs (x)");
	refuse_both(p->db, ERR_INVALID, "another program");
	tell(p->db, "DROP TABLE theirs; PRAGMA application_id = 7");
	refuse_both(p->db, ERR_INVALID, "another program");
}

static void a_newer_database_is_refused_and_left_alone(void **state)
{
	struct place *p = *state;
	char text[64];

	store_close(open_store(p->db, STORE_WRITE));
	tell(p->db, "PRAGMA journal_mode = DELETE; PRAGMA user_version = 99");
	snprintf(text, sizeof text, "schema 99, this one knows %d", store_file_version());
	refuse_both(p->db, ERR_INVALID, text);
}

/* How many of 20 trials cannot be read; 20 when the file cannot be opened. */
static int unreadable(const char *path, int64_t run)
{
	struct trial_record t;
	struct store *s;
	struct err e;
	int n = 0;

	if (store_open(path, STORE_READ, &s, &e))
		return 20;
	for (int no = 1; no <= 20; no++) {
		if (store_trial(s, run, no, &t, &e) == 0)
			trial_record_release(&t);
		else
			n++;
	}
	store_close(s);
	return n;
}

static void a_damaged_database_is_an_error_and_no_crash(void **state)
{
	struct place *p = *state;
	struct store *s = open_store(p->db, STORE_WRITE);
	int64_t run = add_run(s);
	int failed = 0;
	char *whole;
	size_t len;

	for (int no = 1; no <= 20; no++)
		add_sample(s, run, no);
	store_close(s);
	must(file_read(p->db, 1 << 20, &whole, &len, e));
	assert_int_equal(unreadable(p->db, run), 0);
	for (size_t at = 100; at + 8 < len; at += 1024) {
		char *broken = mem_copy(whole, len);
		int fd = open(p->db, O_WRONLY);

		memcpy(broken + at, "\xff\x07\xff\xff\x81\xff\x00\xff", 8);
		assert_int_equal(pwrite(fd, broken, len, 0), len);
		close(fd);
		free(broken);
		failed += unreadable(p->db, run) > 0;
	}
	assert_int_not_equal(failed, 0);
	free(whole);
}

static void odd_names_are_plain_files(void **state)
{
	static const char *const names[] = { ":memory:", "file:x?mode=memory", "a b%41#c?.db" };
	struct place *p = *state;

	assert_int_equal(chdir(p->dir), 0);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct store *s = open_store(names[i], STORE_WRITE);

		add_run(s);
		store_close(s);
		assert_int_equal(access(names[i], F_OK), 0);
	}
	assert_int_equal(chdir("/"), 0);
}

/* --- upgrading --- */

static const char *const three_steps[] = {
	"CREATE TABLE a (x); INSERT INTO a VALUES (1);",
	"ALTER TABLE a ADD COLUMN y; UPDATE a SET y = x + 1;",
	"DROP TABLE a; CREATE TABLE b (x); INSERT INTO b VALUES (nothing);",
};

static void an_upgrade_that_fails_leaves_the_version_before_it(void **state)
{
	struct place *p = *state;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(p->db, &db), SQLITE_OK);
	must(store_file_upgrade(db, p->db, three_steps, 1, e));
	assert_int_equal(ask_int(p->db, "PRAGMA user_version"), 1);
	must_fail(ERR_IO, "upgrade to schema 3", store_file_upgrade(db, p->db, three_steps, 3, e));
	assert_int_equal(ask_int(p->db, "PRAGMA user_version"), 2);
	assert_int_equal(ask_int(p->db, "SELECT y FROM a"), 2);
	must(store_file_upgrade(db, p->db, three_steps, 2, e));
	sqlite3_close(db);
}

static void an_upgrade_that_leaves_rows_pointing_nowhere_is_undone(void **state)
{
	const char *const steps[] = { "CREATE TABLE a (id INTEGER PRIMARY KEY);"
				      "CREATE TABLE b (a REFERENCES a (id));"
				      "INSERT INTO a VALUES (1); INSERT INTO b VALUES (1);",
				      "DELETE FROM a;" };
	struct place *p = *state;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(p->db, &db), SQLITE_OK);
	must(store_file_upgrade(db, p->db, steps, 1, e));
	must_fail(ERR_INVALID, "1 rows point nowhere", store_file_upgrade(db, p->db, steps, 2, e));
	assert_int_equal(ask_int(p->db, "PRAGMA user_version"), 1);
	assert_int_equal(ask_int(p->db, "SELECT count(*) FROM a"), 1);
	sqlite3_close(db);
}

static void a_file_of_version_1_becomes_the_current_one_with_its_rows(void **state)
{
	const char *steps[] = { sql_text(SQL_schema) };
	struct place *p = *state;
	struct run_record r;
	struct store *s;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(p->db, &db), SQLITE_OK);
	must(store_file_upgrade(db, p->db, steps, 1, e));
	sqlite3_close(db);
	tell(p->db, "INSERT INTO run VALUES (5, 'old', NULL, '{}', 'h', 's', 'i', 'host', 'full',"
		    " 6, '18446744073709551615', 10, NULL, NULL, NULL, 0, NULL, 0, '[0]', '[]',"
		    " '{}', '{}', NULL, NULL, NULL, 'done', NULL, 1, 2, 3, 0.5, '0.1')");
	s = open_store(p->db, STORE_WRITE);
	assert_int_equal(ask_int(p->db, "PRAGMA user_version"), store_file_version());
	must(store_run(s, 5, &r, e));
	assert_string_equal(r.task_name, "old");
	assert_int_equal(r.seed, UINT64_MAX);
	assert_string_equal(r.version, "0.1");
	assert_true(r.target_share == 0);
	run_record_release(&r);
	add_sample(s, 5, 1);
	store_close(s);
	assert_sound(p->db);
}

/* --- writer and readers --- */

static void a_second_writer_is_told_who_holds_the_file(void **state)
{
	struct place *p = *state;
	struct store *s = open_store(p->db, STORE_WRITE), *second = NULL;
	char *other = file_join(p->dir, "link.db"), text[48];

	snprintf(text, sizeof text, "process %ld", (long)getpid());
	must_fail(ERR_BUSY, text, store_open(p->db, STORE_WRITE, &second, e));
	assert_int_equal(symlink(p->db, other), 0);
	must_fail(ERR_BUSY, text, store_open(other, STORE_WRITE, &second, e));
	store_close(s);
	store_close(open_store(other, STORE_WRITE));
	free(other);
}

static void a_foreign_lock_is_waited_for_and_then_reported(void **state)
{
	struct place *p = *state;
	struct store *s = open_store(p->db, STORE_WRITE);
	sqlite3 *db;

	assert_int_equal(sqlite3_open(p->db, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	must_fail(ERR_BUSY, "another program", store_begin(s, e));
	assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	add_run(s);
	sqlite3_close(db);
	store_close(s);
}

static int count_trial(void *ctx, const struct trial_record *t, struct err *e)
{
	(void)t;
	(void)e;
	++*(int *)ctx;
	return 0;
}

static int trials_seen(struct store *s, int64_t run)
{
	int n = 0;

	must(store_each_trial(s, run, 0, count_trial, &n, e));
	return n;
}

static void a_reader_sees_what_is_committed_while_the_writer_writes(void **state)
{
	struct place *p = *state;
	struct store *w = open_store(p->db, STORE_WRITE), *r;
	int64_t run = add_run(w);
	struct trial_record t = sample_trial(run, 2);

	add_sample(w, run, 1);
	must(store_begin(w, e));
	must(store_add_trial(w, &t, e));
	r = open_store(p->db, STORE_READ);
	assert_int_equal(trials_seen(r, run), 1);
	must(store_commit(w, e));
	assert_int_equal(trials_seen(r, run), 2);
	must(store_begin(r, e));
	assert_int_equal(trials_seen(r, run), 2);
	add_sample(w, run, 3);
	assert_int_equal(trials_seen(r, run), 2);
	must(store_commit(r, e));
	assert_int_equal(trials_seen(r, run), 3);
	trial_record_release(&t);
	store_close(w);
	assert_int_equal(trials_seen(r, run), 3);
	store_close(r);
}

static void a_reader_changes_nothing(void **state)
{
	struct place *p = *state;
	struct run_record run = sample_run();
	struct store *r;

	store_close(open_store(p->db, STORE_WRITE));
	r = open_store(p->db, STORE_READ);
	must(store_begin(r, e));
	must_fail(ERR_IO, "cannot be written", store_add_run(r, &run, NULL, 0, e));
	store_close(r);
	run_record_release(&run);
}

/* In a child: writes trials 1 and 2, leaves trial 3 without a commit, says so and waits. */
static void write_and_hang(const char *path, int ready)
{
	struct store *s = open_store(path, STORE_WRITE);
	int64_t run = add_run(s);
	struct trial_record t = sample_trial(run, 3);

	add_sample(s, run, 1);
	add_sample(s, run, 2);
	must(store_begin(s, e));
	must(store_add_trial(s, &t, e));
	if (write(ready, "x", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static void a_killed_writer_loses_nothing_committed_and_holds_no_lock(void **state)
{
	struct place *p = *state;
	int pipes[2], status;
	struct store *s;
	pid_t child;
	char c;

	assert_int_equal(pipe(pipes), 0);
	child = fork();
	if (child == 0)
		write_and_hang(p->db, pipes[1]);
	assert_int_equal(read(pipes[0], &c, 1), 1);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	s = open_store(p->db, STORE_READ);
	assert_int_equal(trials_seen(s, 1), 2);
	store_close(s);
	s = open_store(p->db, STORE_WRITE);
	assert_int_equal(trials_seen(s, 1), 2);
	add_sample(s, 1, 3);
	store_close(s);
	assert_sound(p->db);
	close(pipes[0]);
	close(pipes[1]);
}

/* Reads until there is something, while another process makes the file. */
static void read_as_it_is_made(const char *path)
{
	int64_t until_ns = clock_mono_ns() + INT64_C(20) * 1000 * 1000 * 1000;
	struct store *s = NULL;
	struct err e = { 0 };
	pid_t child = fork();
	int r, status;

	if (child == 0)
		_exit(store_open(path, STORE_WRITE, &s, &e) ? 1 : (store_close(s), 0));
	do {
		r = store_open(path, STORE_READ, &s, &e);
	} while (r == ERR_MISSING && clock_mono_ns() < until_ns);
	if (r < 0)
		fail_msg("%d: %s", r, e.msg);
	store_close(s);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void a_reader_that_comes_while_the_file_is_made_finds_nothing_or_all_of_it(void **state)
{
	struct place *p = *state;

	for (int i = 0; i < 30; i++) {
		char name[16];
		char *path;

		snprintf(name, sizeof name, "%d.db", i);
		path = file_join(p->dir, name);
		read_as_it_is_made(path);
		free(path);
	}
}

/* In a child that is nobody: 0 when it reads one trial, 1 when it is refused with the reason. */
static int read_as_nobody(const char *path, const char *reason)
{
	struct store *s = NULL;
	struct err e = { 0 };
	int n = 0;

	if (geteuid() == 0 && (setegid(65534) || seteuid(65534)))
		return 2;
	if (store_open(path, STORE_READ, &s, &e))
		return strstr(e.msg, reason) ? 1 : 3;
	if (store_each_trial(s, 1, 0, count_trial, &n, &e) || n != 1)
		return 4;
	store_close(s);
	return 0;
}

static int in_child(const char *path, const char *reason)
{
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(read_as_nobody(path, reason));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void a_file_in_a_folder_that_is_read_only_is_read(void **state)
{
	struct place *p = *state;
	struct store *s = open_store(p->db, STORE_WRITE);
	char *wal = file_join(p->dir, "evo-tuned.db-wal");

	add_sample(s, add_run(s), 1);
	store_close(s);
	assert_int_equal(chmod(p->db, 0444), 0);
	assert_int_equal(chmod(p->dir, 0555), 0);
	assert_int_equal(in_child(p->db, ""), 0);

	/* With rows in a WAL that it cannot read, an old state would be no answer. */
	assert_int_equal(chmod(p->dir, 0755), 0);
	must(file_write(wal, "not empty", 9, e));
	assert_int_equal(chmod(p->dir, 0555), 0);
	assert_int_equal(in_child(p->db, "must be writable"), 1);
	assert_int_equal(chmod(p->dir, 0755), 0);
	free(wal);
}

static void the_room_left_is_that_of_the_files_disk(void **state)
{
	struct place *p = *state;
	struct store *s = open_store(p->db, STORE_WRITE);
	int64_t bytes = -1;

	must(store_free_bytes(s, &bytes, e));
	assert_true(bytes > 0);
	must(file_remove_tree(p->dir, e));
	must_fail(ERR_MISSING, p->dir, store_free_bytes(s, &bytes, e));
	store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_PLACE(the_folder_and_the_file_are_made),
		IN_PLACE(a_reader_needs_a_file_with_something_in_it),
		IN_PLACE(what_is_no_database_is_refused_and_left_alone),
		IN_PLACE(a_folder_is_refused),
		IN_PLACE(another_programs_database_is_refused_and_left_alone),
		IN_PLACE(a_newer_database_is_refused_and_left_alone),
		IN_PLACE(a_damaged_database_is_an_error_and_no_crash),
		IN_PLACE(odd_names_are_plain_files),
		IN_PLACE(an_upgrade_that_fails_leaves_the_version_before_it),
		IN_PLACE(an_upgrade_that_leaves_rows_pointing_nowhere_is_undone),
		IN_PLACE(a_file_of_version_1_becomes_the_current_one_with_its_rows),
		IN_PLACE(a_second_writer_is_told_who_holds_the_file),
		IN_PLACE(a_foreign_lock_is_waited_for_and_then_reported),
		IN_PLACE(a_reader_sees_what_is_committed_while_the_writer_writes),
		IN_PLACE(a_reader_changes_nothing),
		IN_PLACE(a_killed_writer_loses_nothing_committed_and_holds_no_lock),
		IN_PLACE(a_reader_that_comes_while_the_file_is_made_finds_nothing_or_all_of_it),
		IN_PLACE(a_file_in_a_folder_that_is_read_only_is_read),
		IN_PLACE(the_room_left_is_that_of_the_files_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
