#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above. */
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"
#include "tuner/daemon/cubins.h"

enum { FILE_BYTES = 100, LIMIT_FILES = 3 };

struct cache {
	char dir[64];
	struct cubins *cubins;
};

static int set_up(void **state)
{
	struct cache *c = mem_alloc(sizeof *c);
	struct err e;
	char *inner;
	int r;

	snprintf(c->dir, sizeof c->dir, "/tmp/evo-tuned-test.XXXXXX");
	if (!mkdtemp(c->dir))
		return -1;
	inner = file_join(c->dir, "cubins");
	r = cubins_open(inner, (int64_t)FILE_BYTES * LIMIT_FILES, &c->cubins, &e);
	free(inner);
	*state = c;
	return r;
}

static int tear_down(void **state)
{
	struct cache *c = *state;
	struct err e;

	cubins_close(c->cubins);
	file_remove_tree(c->dir, &e);
	free(c);
	return 0;
}

/* The hash of file i: as many digits, all the same letter. */
static const char *hash_of(int i)
{
	static char hashes[16][HASH_HEX];

	memset(hashes[i], "0123456789abcdef"[i], HASH_HEX - 1);
	return hashes[i];
}

static char *path_in(const struct cache *c, const char *name)
{
	return file_join(cubins_dir(c->cubins), name);
}

/* Makes a file of FILE_BYTES that was used this many seconds ago. */
static void make(const struct cache *c, const char *name, int seconds_ago)
{
	struct timespec times[2];
	char *path = path_in(c, name), bytes[FILE_BYTES] = "";
	struct err e;

	if (file_write(path, bytes, sizeof bytes, &e))
		fail_msg("%s", e.msg);
	clock_gettime(CLOCK_REALTIME, &times[0]);
	times[0].tv_sec -= seconds_ago;
	times[1] = times[0];
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
	free(path);
}

static char *path_of(const struct cache *c, int i)
{
	char name[HASH_HEX + 8];

	snprintf(name, sizeof name, "%.64s%s", hash_of(i), i % 2 ? ".so" : ".cubin");
	return path_in(c, name);
}

static void make_cubin(const struct cache *c, int i, int seconds_ago)
{
	char *path = path_of(c, i);

	make(c, strrchr(path, '/') + 1, seconds_ago);
	free(path);
}

static int exists(const struct cache *c, const char *name)
{
	char *path = path_in(c, name);
	int r = access(path, F_OK) == 0;

	free(path);
	return r;
}

static int has(const struct cache *c, int i)
{
	char *path = path_of(c, i);
	int r = cubins_use(c->cubins, path);

	free(path);
	return r;
}

static void trim(const struct cache *c, int files, int64_t bytes_left)
{
	struct cubins_evicted got = { -1, -1, -1 };
	struct err e;

	if (cubins_trim(c->cubins, &got, &e))
		fail_msg("%s", e.msg);
	assert_int_equal(got.files, files);
	assert_int_equal(got.bytes, files * FILE_BYTES);
	assert_int_equal(got.bytes_left, bytes_left);
}

static void a_file_that_is_gone_cannot_be_used(void **state)
{
	struct cache *c = *state;

	assert_false(has(c, 1));
	make_cubin(c, 1, 0);
	assert_true(has(c, 1));
	assert_false(has(c, 2));
}

static void a_file_elsewhere_is_left_alone(void **state)
{
	struct cache *c = *state;
	struct stat before, after;
	char beside[sizeof c->dir + 16];
	struct err e;

	snprintf(beside, sizeof beside, "%s/cubins2", c->dir);
	assert_true(cubins_use(c->cubins, beside)); /* nor is it looked for */
	assert_int_equal(file_write(beside, "x", 1, &e), 0);
	assert_int_equal(utimensat(AT_FDCWD, beside, (struct timespec[2]){ { 1, 0 }, { 1, 0 } }, 0),
			 0);
	assert_int_equal(stat(beside, &before), 0);
	assert_true(cubins_use(c->cubins, beside));
	assert_int_equal(stat(beside, &after), 0);
	assert_int_equal(after.st_mtime, before.st_mtime);
}

static void nothing_goes_while_there_is_room(void **state)
{
	struct cache *c = *state;

	trim(c, 0, 0);
	for (int i = 0; i < LIMIT_FILES; i++)
		make_cubin(c, i, i);
	trim(c, 0, LIMIT_FILES * FILE_BYTES);
	for (int i = 0; i < LIMIT_FILES; i++)
		assert_true(has(c, i));
}

static void the_least_recently_used_go_first(void **state)
{
	struct cache *c = *state;

	for (int i = 0; i < 6; i++)
		make_cubin(c, i, 100 - i);
	assert_true(has(c, 0)); /* that was a use */
	trim(c, 3, 3 * FILE_BYTES);
	assert_true(has(c, 0));
	assert_false(has(c, 1));
	assert_false(has(c, 2));
	assert_false(has(c, 3));
	assert_true(has(c, 4));
	assert_true(has(c, 5));
}

static void a_pinned_file_stays_until_its_last_pin_goes(void **state)
{
	struct cache *c = *state;

	for (int i = 0; i < 6; i++)
		make_cubin(c, i, 100 - i);
	cubins_pin(c->cubins, hash_of(0));
	cubins_pin(c->cubins, hash_of(0));
	cubins_pin(c->cubins, hash_of(1));
	trim(c, 3, 3 * FILE_BYTES);
	cubins_unpin(c->cubins, hash_of(0));
	cubins_unpin(c->cubins, hash_of(1));
	make_cubin(c, 6, 50);
	trim(c, 1, 3 * FILE_BYTES); /* file 1 */
	cubins_unpin(c->cubins, hash_of(0));
	make_cubin(c, 7, 50);
	trim(c, 1, 3 * FILE_BYTES);
	assert_false(has(c, 0));
}

static void pins_may_hold_more_than_the_limit(void **state)
{
	struct cache *c = *state;

	for (int i = 0; i < 5; i++) {
		cubins_pin(c->cubins, hash_of(i)); /* before the file is there */
		make_cubin(c, i, 10);
	}
	trim(c, 0, 5 * FILE_BYTES);
	for (int i = 0; i < 5; i++)
		cubins_unpin(c->cubins, hash_of(i));
	trim(c, 2, 3 * FILE_BYTES);
}

static void what_is_not_ours_is_neither_counted_nor_removed(void **state)
{
	static const char *const names[] = {
		"README",
		"x.cubin",
		"0000.so",
		".hidden",
		"0000000000000000000000000000000000000000000000000000000000000000.txt",
		"00000000000000000000000000000000000000000000000000000000000000000.so",
		"A000000000000000000000000000000000000000000000000000000000000000.so",
		"0000000000000000000000000000000000000000000000000000000000000000.cubin.saved-copy",
	};
	struct cache *c = *state;
	char *folder =
		path_in(c, "1111111111111111111111111111111111111111111111111111111111111111.so");

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		make(c, names[i], 9999);
	assert_int_equal(mkdir(folder, 0700), 0);
	trim(c, 0, 0);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		assert_true(exists(c, names[i]));
	assert_int_equal(access(folder, F_OK), 0);
	free(folder);
}

static void what_a_killed_writer_left_goes_after_an_hour(void **state)
{
	static const char old[] =
		"0000000000000000000000000000000000000000000000000000000000000000.cubin.a1B2c3";
	static const char new[] =
		"0000000000000000000000000000000000000000000000000000000000000000.so.a1B2c3";
	struct cache *c = *state;

	make(c, old, 4000);
	make(c, new, 3000);
	trim(c, 0, 0);
	assert_false(exists(c, old));
	assert_true(exists(c, new));
}

static void a_cache_that_was_removed_is_an_error_that_names_it(void **state)
{
	struct cache *c = *state;
	struct cubins_evicted got;
	struct err e = { 0 };

	assert_int_equal(file_remove_tree(c->dir, &e), 0);
	assert_int_equal(cubins_trim(c->cubins, &got, &e), ERR_MISSING);
	if (!strstr(e.msg, cubins_dir(c->cubins)))
		fail_msg("\"%s\" does not name %s", e.msg, cubins_dir(c->cubins));
	assert_false(has(c, 0));
	assert_int_equal(cubins_open("/dev/null/x", 1, &c->cubins, &e), ERR_IO);
	cubins_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define IN_CACHE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
		IN_CACHE(a_file_that_is_gone_cannot_be_used),
		IN_CACHE(a_file_elsewhere_is_left_alone),
		IN_CACHE(nothing_goes_while_there_is_room),
		IN_CACHE(the_least_recently_used_go_first),
		IN_CACHE(a_pinned_file_stays_until_its_last_pin_goes),
		IN_CACHE(pins_may_hold_more_than_the_limit),
		IN_CACHE(what_is_not_ours_is_neither_counted_nor_removed),
		IN_CACHE(what_a_killed_writer_left_goes_after_an_hour),
		IN_CACHE(a_cache_that_was_removed_is_an_error_that_names_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
