/* The leftmost layer: JSON read strictly, byte strings, hashes and random numbers that never
 * change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/parallel.h"
#include "base/rng.h"
#include "base/str.h"

static int parse(const char *text, struct err *e)
{
	cJSON *v;
	int r = json_parse(text, strlen(text), &v, e);

	if (r == 0)
		cJSON_Delete(v);
	return r;
}

static void json_refuses_what_cjson_would_let_pass(void **state)
{
	static const struct {
		const char *text, *complaint;
	} bad[] = {
		{ "{\"a\":1,\"a\":2}", "stands twice" },
		{ "{\"x\":{\"b\":1,\"c\":2,\"b\":3}}", "x: the name \"b\" stands twice" },
		{ "{} trailing", "not JSON" },
		{ "{\"a\":}", "not JSON" },
		{ "", "not JSON" },
		{ "[1,2", "not JSON" },
	};
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(parse(bad[i].text, &e), ERR_INVALID);
		if (!strstr(e.msg, bad[i].complaint))
			fail_msg("%s: said \"%s\", not \"%s\"", bad[i].text, e.msg,
				 bad[i].complaint);
	}
	assert_int_equal(parse("{\"a\":1,\"A\":2}", &e), 0);
}

static void json_refuses_nul_bytes_and_depth(void **state)
{
	char deep[201];
	struct err e;
	cJSON *v;

	(void)state;
	assert_int_equal(json_parse("1\0002", 3, &v, &e), ERR_INVALID);
	memset(deep, '[', 100);
	memset(deep + 100, ']', 100);
	deep[200] = '\0';
	assert_int_equal(parse(deep, &e), ERR_INVALID);
	assert_non_null(strstr(e.msg, "nested deeper"));
}

static void json_names_the_line_of_a_syntax_error(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(parse("{\n\"a\": 1,\n\"b\": oops\n}", &e), ERR_INVALID);
	assert_non_null(strstr(e.msg, "line 3"));
}

static void json_complaints_carry_the_path(void **state)
{
	const char *text = "{\"parameters\":{\"TILE_M\":[16,32,\"x\"]}}";
	struct json_node root, p, m, item;
	int64_t n;
	cJSON *v;
	struct err e;

	(void)state;
	assert_int_equal(json_parse(text, strlen(text), &v, &e), 0);
	root = json_root(v);
	assert_int_equal(json_need(&root, "parameters", &p, &e), 0);
	assert_int_equal(json_need(&p, "TILE_M", &m, &e), 0);
	assert_true(json_first(&m, &item));
	assert_int_equal(json_int(&item, 1, 64, &n, &e), 0);
	assert_int_equal(n, 16);
	assert_true(json_next(&item) && json_next(&item));
	assert_int_equal(json_int(&item, 1, 64, &n, &e), ERR_INVALID);
	assert_string_equal(e.msg, "parameters.TILE_M[2]: expected a whole number from 1 to 64, "
				   "found \"x\"");
	assert_false(json_next(&item));
	cJSON_Delete(v);
}

static void json_whole_numbers_are_whole_and_in_range(void **state)
{
	static const char *const bad[] = { "1.5", "1e300", "-1", "101", "true", "null" };
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct json_node root;
		int64_t n = 7;
		cJSON *v;

		assert_int_equal(json_parse(bad[i], strlen(bad[i]), &v, &e), 0);
		root = json_root(v);
		assert_int_equal(json_int(&root, 0, 100, &n, &e), ERR_INVALID);
		assert_int_equal(n, 7);
		cJSON_Delete(v);
	}
}

static void json_an_unknown_key_gets_a_suggestion(void **state)
{
	static const char *const allowed[] = { "budget", "strategy", NULL };
	const char *text = "{\"bugdet\":1}";
	struct json_node root;
	cJSON *v;
	struct err e;

	(void)state;
	assert_int_equal(json_parse(text, strlen(text), &v, &e), 0);
	root = json_root(v);
	assert_int_equal(json_only(&root, allowed, &e), ERR_INVALID);
	assert_non_null(strstr(e.msg, "did you mean \"budget\"?"));
	cJSON_Delete(v);
}

static void a_string_grows_drops_and_detaches(void **state)
{
	struct str s = STR_INIT;
	char *text;

	(void)state;
	assert_string_equal(s.data, "");
	for (int i = 0; i < 100; i++)
		str_addf(&s, "%d,", i);
	assert_int_equal(s.len, 290);
	str_drop(&s, 286);
	assert_string_equal(s.data, ",99,");
	text = str_detach(&s);
	assert_string_equal(text, ",99,");
	assert_int_equal(s.len, 0);
	free(text);
	str_release(&s);
}

static void hashes_are_sha256(void **state)
{
	char hex[HASH_HEX], other[HASH_HEX];
	struct hash *h;

	(void)state;
	hash_bytes("abc", 3, hex); /* FIPS 180-4's own example */
	assert_string_equal(hex,
			    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	h = hash_new();
	hash_text(h, "ab");
	hash_text(h, "c");
	hash_finish(h, hex);
	h = hash_new();
	hash_text(h, "a");
	hash_text(h, "bc");
	hash_finish(h, other);
	assert_string_not_equal(hex, other);
}

/* Stored runs are replayed by these numbers: they may never change. */
static void random_numbers_stay_what_they_are(void **state)
{
	static const uint64_t want[] = { 0x4150452ab869a892u, 0x63980fc0383ce41bu,
					 0x6276ee9c4552e56du, 0x96a8154c710ce93cu };
	struct rng r;

	(void)state;
	rng_init(&r, 42, 7);
	for (size_t i = 0; i < sizeof want / sizeof *want; i++)
		assert_int_equal(rng_u64(&r), want[i]);
	for (int i = 0; i < 1000; i++) {
		double u = rng_unit(&r);

		assert_true(u >= 0 && u < 1);
		assert_true(rng_below(&r, 7) < 7);
	}
}

static void normal_numbers_have_mean_zero_and_deviation_one(void **state)
{
	double sum = 0, squares = 0;
	struct rng r;
	int n = 100000;

	(void)state;
	rng_init(&r, 1, rng_stream_of("q"));
	for (int i = 0; i < n; i++) {
		double x = rng_normal(&r);

		sum += x;
		squares += x * x;
	}
	assert_true(sum / n > -0.02 && sum / n < 0.02);
	assert_true(squares / n > 0.98 && squares / n < 1.02);
}

static void count_part(void *ctx, int64_t i)
{
	((int *)ctx)[i]++;
}

static void every_part_is_done_exactly_once(void **state)
{
	enum { PARTS = 1000 };
	int done[PARTS] = { 0 };

	(void)state;
	parallel_for(0, count_part, done);
	assert_int_equal(done[0], 0);
	parallel_for(PARTS, count_part, done);
	for (int i = 0; i < PARTS; i++)
		assert_int_equal(done[i], 1);
}

static void a_file_is_written_whole_and_read_back(void **state)
{
	char dir[] = "/tmp/evo-unit-XXXXXX", *path, *text;
	struct err e;
	size_t len;

	(void)state;
	assert_non_null(mkdtemp(dir));
	path = file_join(dir, "a/b/c.txt");
	assert_int_equal(file_write(path, "x", 1, &e), ERR_MISSING);
	assert_non_null(strstr(e.msg, path));
	free(path);
	path = file_join(dir, "c.txt");
	assert_int_equal(file_write(path, "hello", 5, &e), 0);
	assert_int_equal(file_read(path, 100, &text, &len, &e), 0);
	assert_int_equal(len, 5);
	assert_string_equal(text, "hello");
	free(text);
	assert_int_equal(file_read(path, 4, &text, &len, &e), ERR_INVALID);
	assert_int_equal(file_read(dir, 4, &text, &len, &e), ERR_INVALID);
	assert_int_equal(file_remove_tree(dir, &e), 0);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_refuses_what_cjson_would_let_pass),
		cmocka_unit_test(json_refuses_nul_bytes_and_depth),
		cmocka_unit_test(json_names_the_line_of_a_syntax_error),
		cmocka_unit_test(json_complaints_carry_the_path),
		cmocka_unit_test(json_whole_numbers_are_whole_and_in_range),
		cmocka_unit_test(json_an_unknown_key_gets_a_suggestion),
		cmocka_unit_test(a_string_grows_drops_and_detaches),
		cmocka_unit_test(hashes_are_sha256),
		cmocka_unit_test(random_numbers_stay_what_they_are),
		cmocka_unit_test(normal_numbers_have_mean_zero_and_deviation_one),
		cmocka_unit_test(every_part_is_done_exactly_once),
		cmocka_unit_test(a_file_is_written_whole_and_read_back),
	};

	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
