#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "store_fixture.h"
#include "tuner/daemon/store_file.h"

/*
 * The disk fails at the n-th write, sync or truncation, for every n: whatever the store answered as
 * committed is there, whatever it did not is not, and the same handle works again. A VFS over
 * SQLite's own counts and fails; its syncs do nothing, as no power is cut here.
 */
static struct {
	int left;   /* operations before the one that fails; -1: none fails */
	int count;  /* operations so far */
	int code;   /* SQLite's result of the one that fails */
	int number; /* errno that goes with it */
} fault = { .left = -1 };

struct faulty_file {
	sqlite3_file base;
	sqlite3_file *real; /* behind this struct, in the same allocation */
};

static sqlite3_vfs *real_vfs, faulty_vfs;

static sqlite3_file *real_of(sqlite3_file *f)
{
	return ((struct faulty_file *)f)->real;
}

static bool fails(void)
{
	fault.count++;
	if (fault.left < 0 || fault.left-- > 0)
		return false;
	errno = fault.number;
	return true;
}

static int faulty_close(sqlite3_file *f)
{
	return real_of(f)->pMethods->xClose(real_of(f));
}

static int faulty_read(sqlite3_file *f, void *to, int n, sqlite3_int64 at)
{
	return real_of(f)->pMethods->xRead(real_of(f), to, n, at);
}

/* Half of what was to be written is, as on a disk that fills up. */
static int faulty_write(sqlite3_file *f, const void *from, int n, sqlite3_int64 at)
{
	bool bad = fails();
	int code = real_of(f)->pMethods->xWrite(real_of(f), from, bad ? n / 2 : n, at);

	return bad ? fault.code : code;
}

static int faulty_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	return fails() ? fault.code : real_of(f)->pMethods->xTruncate(real_of(f), size);
}

static int faulty_sync(sqlite3_file *f, int flags)
{
	(void)f;
	(void)flags;
	return fails() ? (fault.code == SQLITE_FULL ? SQLITE_FULL : SQLITE_IOERR_FSYNC) : SQLITE_OK;
}

static int faulty_size(sqlite3_file *f, sqlite3_int64 *ret)
{
	return real_of(f)->pMethods->xFileSize(real_of(f), ret);
}

static int faulty_lock(sqlite3_file *f, int kind)
{
	return real_of(f)->pMethods->xLock(real_of(f), kind);
}

static int faulty_unlock(sqlite3_file *f, int kind)
{
	return real_of(f)->pMethods->xUnlock(real_of(f), kind);
}

static int faulty_is_reserved(sqlite3_file *f, int *ret)
{
	return real_of(f)->pMethods->xCheckReservedLock(real_of(f), ret);
}

static int faulty_control(sqlite3_file *f, int op, void *arg)
{
	return real_of(f)->pMethods->xFileControl(real_of(f), op, arg);
}

static int faulty_sector(sqlite3_file *f)
{
	return real_of(f)->pMethods->xSectorSize(real_of(f));
}

static int faulty_traits(sqlite3_file *f)
{
	return real_of(f)->pMethods->xDeviceCharacteristics(real_of(f));
}

static int faulty_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **ret)
{
	return real_of(f)->pMethods->xShmMap(real_of(f), page, size, extend, ret);
}

static int faulty_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
	return real_of(f)->pMethods->xShmLock(real_of(f), offset, n, flags);
}

static void faulty_shm_barrier(sqlite3_file *f)
{
	real_of(f)->pMethods->xShmBarrier(real_of(f));
}

static int faulty_shm_unmap(sqlite3_file *f, int remove)
{
	return real_of(f)->pMethods->xShmUnmap(real_of(f), remove);
}

static const sqlite3_io_methods faulty_methods = {
	.iVersion = 2,
	.xClose = faulty_close,
	.xRead = faulty_read,
	.xWrite = faulty_write,
	.xTruncate = faulty_truncate,
	.xSync = faulty_sync,
	.xFileSize = faulty_size,
	.xLock = faulty_lock,
	.xUnlock = faulty_unlock,
	.xCheckReservedLock = faulty_is_reserved,
	.xFileControl = faulty_control,
	.xSectorSize = faulty_sector,
	.xDeviceCharacteristics = faulty_traits,
	.xShmMap = faulty_shm_map,
	.xShmLock = faulty_shm_lock,
	.xShmBarrier = faulty_shm_barrier,
	.xShmUnmap = faulty_shm_unmap,
};

static int faulty_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *ret)
{
	struct faulty_file *file = (struct faulty_file *)f;
	int code;

	(void)v;
	file->real = (sqlite3_file *)(file + 1);
	code = real_vfs->xOpen(real_vfs, name, file->real, flags, ret);
	file->base.pMethods = file->real->pMethods ? &faulty_methods : NULL;
	return code;
}

static int faulty_last_error(sqlite3_vfs *v, int n, char *ret)
{
	(void)v;
	(void)n;
	(void)ret;
	return fault.number;
}

static int set_up_faulty_place(void **state)
{
	real_vfs = sqlite3_vfs_find(NULL);
	faulty_vfs = *real_vfs;
	faulty_vfs.zName = "faulty";
	faulty_vfs.szOsFile += (int)sizeof(struct faulty_file);
	faulty_vfs.xOpen = faulty_open;
	faulty_vfs.xGetLastError = faulty_last_error;
	return sqlite3_vfs_register(&faulty_vfs, 1) ? -1 : place_set_up(state);
}

static int tear_down_faulty_place(void **state)
{
	fault.left = -1;
	return sqlite3_vfs_unregister(&faulty_vfs) ? -1 : place_tear_down(state);
}

#define IN_FAULTY_PLACE(test) \
	cmocka_unit_test_setup_teardown(test, set_up_faulty_place, tear_down_faulty_place)

/* Makes operation n from now on fail, counted from 0. */
static void arm(int n, int code, int number)
{
	fault.left = n;
	fault.count = 0;
	fault.code = code;
	fault.number = number;
}

static bool disarm(void)
{
	bool struck = fault.left < 0;

	fault.left = -1;
	return struck;
}

/* --- one trial, one transaction --- */

static int try_trials(struct store *s, int64_t from, int64_t to, struct err *e)
{
	int r = store_begin(s, e);

	for (int64_t no = from; r == 0 && no <= to; no++) {
		struct trial_record t = sample_trial(1, no);

		free(t.log);
		t.log = mem_alloc(LOG_BYTES_MAX + 1);
		memset(t.log, 'x', LOG_BYTES_MAX);
		r = store_add_trial(s, &t, e);
		trial_record_release(&t);
	}
	return r == 0 ? store_commit(s, e) : r;
}

static void assert_trials(struct store *s, int64_t n)
{
	struct run_summary sum;

	must(store_summary(s, 1, &sum, e));
	assert_int_equal(sum.trials, n);
}

/* Fails operation n of a transaction; true when there was an operation n. */
static bool fail_at(const char *path, int n, int code, int number, int want)
{
	struct store *s = open_store(path, STORE_WRITE);
	struct err why = { 0 };
	bool struck;
	int r;

	add_run(s);
	must(try_trials(s, 1, 1, e));
	arm(n, code, number);
	r = try_trials(s, 2, 3, &why);
	struck = disarm();
	if (struck && r != want)
		fail_msg("operation %d: %d \"%s\", expected %d", n, r, why.msg, want);
	assert_trials(s, r == 0 ? 3 : 1);
	if (r < 0)
		must(try_trials(s, 2, 3, e));
	assert_trials(s, 3);
	store_close(s);
	assert_sound(path);
	s = open_store(path, STORE_READ);
	assert_trials(s, 3);
	store_close(s);
	return struck;
}

static void fail_everywhere(const struct place *p, int code, int number, int want)
{
	int n = 0;

	for (bool struck = true; struck; n++) {
		char name[32];
		char *path;

		snprintf(name, sizeof name, "%d.db", n);
		path = file_join(p->dir, name);
		struck = fail_at(path, n, code, number, want);
		free(path);
	}
	if (n < 10)
		fail_msg("%d operations in a transaction, expected 10 or more", n);
}

static void a_full_disk_at_any_write_loses_nothing_committed(void **state)
{
	fail_everywhere(*state, SQLITE_FULL, 0, ERR_FULL);
}

static void no_space_by_errno_is_a_full_disk_too(void **state)
{
	fail_everywhere(*state, SQLITE_IOERR_WRITE, ENOSPC, ERR_FULL);
}

static void a_disk_that_fails_at_any_write_loses_nothing_committed(void **state)
{
	fail_everywhere(*state, SQLITE_IOERR_WRITE, EIO, ERR_IO);
}

/* --- many trials, a checkpoint at the end of their commit --- */

enum { MANY = 260 }; /* trials whose pages are more than a checkpoint waits for */

static int count_operations(const char *path)
{
	struct store *s = open_store(path, STORE_WRITE);
	int n;

	add_run(s);
	fault.count = 0;
	must(try_trials(s, 1, MANY, e));
	n = fault.count;
	store_close(s);
	return n;
}

static void a_full_disk_in_a_checkpoint_fails_no_commit(void **state)
{
	struct place *p = *state;
	int total = count_operations(p->db), late = 0;

	for (int i = 1; i < 12; i++) {
		char *path;
		struct store *s;
		struct err why = { 0 };
		char name[32];
		int r;

		snprintf(name, sizeof name, "many%d.db", i);
		path = file_join(p->dir, name);
		s = open_store(path, STORE_WRITE);
		add_run(s);
		arm((int)((int64_t)total * i / 12), SQLITE_FULL, 0);
		r = try_trials(s, 1, MANY, &why);
		assert_true(disarm());
		assert_true(r == 0 || r == ERR_FULL);
		late += r == 0;
		assert_trials(s, r == 0 ? MANY : 0);
		must(try_trials(s, MANY + 1, MANY + 2, e));
		assert_trials(s, r == 0 ? MANY + 2 : 2);
		store_close(s);
		assert_sound(path);
		assert_int_equal(unlink(path), 0);
		free(path);
	}
	assert_int_not_equal(late, 0);
}

/* --- making the file --- */

static void a_file_whose_making_failed_at_any_write_is_made_by_the_next(void **state)
{
	struct place *p = *state;
	int n = 0;

	for (bool struck = true; struck; n++) {
		char name[32], *path;
		struct store *s = NULL;
		struct err why = { 0 };
		int r;

		snprintf(name, sizeof name, "new%d.db", n);
		path = file_join(p->dir, name);
		arm(n, SQLITE_FULL, 0);
		r = store_open(path, STORE_WRITE, &s, &why);
		struck = disarm();
		if (r && r != ERR_FULL)
			fail_msg("operation %d: %d \"%s\", expected %d", n, r, why.msg, ERR_FULL);
		if (r == 0)
			store_close(s);
		s = open_store(path, STORE_WRITE);
		add_sample(s, add_run(s), 1);
		store_close(s);
		assert_sound(path);
		assert_int_equal(ask_int(path, "PRAGMA user_version"), store_file_version());
		free(path);
	}
	if (n < 10)
		fail_msg("%d operations to make a file, expected 10 or more", n);
}

/* --- the kernel says no --- */

static void limit_file_size(rlim_t bytes)
{
	struct rlimit l;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &l), 0);
	l.rlim_cur = bytes < l.rlim_max ? bytes : l.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &l), 0);
}

static void a_limit_on_the_files_size_is_a_full_disk(void **state)
{
	struct place *p = *state;
	struct store *s = open_store(p->db, STORE_WRITE);
	char *wal = file_join(p->dir, "evo-tuned.db-wal");
	int full = 0, fitted = 0;
	int64_t no = 1;

	signal(SIGXFSZ, SIG_IGN);
	add_run(s);
	for (int i = 0; i < 24; i++, no++) {
		struct err why = { 0 };
		struct stat st;
		int r;

		assert_int_equal(stat(wal, &st), 0);
		limit_file_size((rlim_t)st.st_size + (rlim_t)i * 2777);
		r = try_trials(s, no, no, &why);
		limit_file_size(RLIM_INFINITY);
		if (r && r != ERR_FULL)
			fail_msg("%d bytes: %d \"%s\", expected %d", i * 2777, r, why.msg,
				 ERR_FULL);
		full += r == ERR_FULL;
		fitted += r == 0;
		assert_trials(s, r == 0 ? no : no - 1);
		if (r)
			must(try_trials(s, no, no, e));
		assert_sound(p->db);
	}
	assert_int_not_equal(full, 0);
	assert_int_not_equal(fitted, 0);
	store_close(s);
	signal(SIGXFSZ, SIG_DFL);
	free(wal);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FAULTY_PLACE(a_full_disk_at_any_write_loses_nothing_committed),
		IN_FAULTY_PLACE(no_space_by_errno_is_a_full_disk_too),
		IN_FAULTY_PLACE(a_disk_that_fails_at_any_write_loses_nothing_committed),
		IN_FAULTY_PLACE(a_full_disk_in_a_checkpoint_fails_no_commit),
		IN_FAULTY_PLACE(a_file_whose_making_failed_at_any_write_is_made_by_the_next),
		IN_PLACE(a_limit_on_the_files_size_is_a_full_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
