#include "store_fixture.h"
#include "tuner/daemon/store_sql.h"

/* The statements of db/queries.sql, held to what their head promises. */

/* These grow with use for years; every other table is a few rows a run. */
static const char *const large[] = { "t",     "p",	"trial",	"ptxas",
				     "event", "timing", "verification", "tally" };

/* SELECTs that give one row at most: a whole unique key is given. */
static const enum sql_id single[] = {
	SQL_run_by_id,	 SQL_environment_by_hash, SQL_environment_by_id, SQL_trial_by_no,
	SQL_trial_by_id, SQL_identity_of_run,	  SQL_log_of_trial,	 SQL_trial_of_key,
	SQL_event_last,	 SQL_ceiling_of_device,
};

/* What makes the tables. All others are statements to be prepared. */
static const enum sql_id steps[] = { SQL_schema, SQL_upgrade_2 };

static sqlite3 *open_schema(void)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
		if (sqlite3_exec(db, sql_text(steps[i]), NULL, NULL, NULL))
			fail_msg("%s: %s", sql_text(steps[i]), sqlite3_errmsg(db));
	return db;
}

static bool is_step(int id)
{
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
		if (steps[i] == (enum sql_id)id)
			return true;
	return false;
}

static bool is_single(int id)
{
	for (size_t i = 0; i < sizeof single / sizeof *single; i++)
		if (single[i] == (enum sql_id)id)
			return true;
	return false;
}

/* Calls f with each step of a statement's plan. */
static void each_step(sqlite3 *db, int id, void (*f)(int id, const char *step))
{
	struct str text = STR_INIT;
	sqlite3_stmt *stmt = NULL;

	str_addf(&text, "EXPLAIN QUERY PLAN %s", sql_text((enum sql_id)id));
	if (sqlite3_prepare_v2(db, text.data, -1, &stmt, NULL))
		fail_msg("%s\n%s", text.data, sqlite3_errmsg(db));
	while (sqlite3_step(stmt) == SQLITE_ROW)
		f(id, (const char *)sqlite3_column_text(stmt, 3));
	sqlite3_finalize(stmt);
	str_release(&text);
}

static void refuse_scan(int id, const char *step)
{
	for (size_t i = 0; i < sizeof large / sizeof *large; i++) {
		size_t len = strlen(large[i]);

		if (strncmp(step, "SCAN ", 5) == 0 && strncmp(step + 5, large[i], len) == 0 &&
		    (step[5 + len] == ' ' || step[5 + len] == '\0'))
			fail_msg("%s: %s", sql_text((enum sql_id)id), step);
	}
}

static void refuse_sort(int id, const char *step)
{
	if (strstr(step, "TEMP B-TREE"))
		fail_msg("%s: %s", sql_text((enum sql_id)id), step);
}

static void no_statement_scans_a_large_table(void **state)
{
	sqlite3 *db = open_schema();

	(void)state;
	for (int id = 0; id < SQL_COUNT; id++)
		if (!is_step(id))
			each_step(db, id, refuse_scan);
	sqlite3_close(db);
}

static void no_statement_sorts_what_an_index_has_in_order(void **state)
{
	sqlite3 *db = open_schema();

	(void)state;
	for (int id = 0; id < SQL_COUNT; id++)
		if (!is_step(id))
			each_step(db, id, refuse_sort);
	sqlite3_close(db);
}

static int steps_seen;

static void expect_known_index(int id, const char *step)
{
	(void)id;
	if (steps_seen++ == 0 && !strstr(step, "INDEX trial_known (key=?)"))
		fail_msg("found by \"%s\", expected the index trial_known", step);
}

static void a_known_trial_is_found_by_its_key_alone(void **state)
{
	sqlite3 *db = open_schema();

	(void)state;
	steps_seen = 0;
	each_step(db, SQL_trial_known, expect_known_index);
	assert_int_not_equal(steps_seen, 0);
	sqlite3_close(db);
}

static void every_list_has_an_order(void **state)
{
	(void)state;
	for (int id = 0; id < SQL_COUNT; id++) {
		const char *text = sql_text((enum sql_id)id);

		if (strncmp(text, "SELECT", 6) == 0 && !is_single(id) && !strstr(text, "ORDER BY"))
			fail_msg("no ORDER BY: %s", text);
	}
}

static void every_text_is_one_statement_that_prepares(void **state)
{
	sqlite3 *db = open_schema();

	(void)state;
	for (int id = 0; id < SQL_COUNT; id++) {
		const char *tail = NULL;
		sqlite3_stmt *stmt = NULL;

		if (is_step(id))
			continue;
		if (sqlite3_prepare_v2(db, sql_text((enum sql_id)id), -1, &stmt, &tail))
			fail_msg("%s: %s", sql_text((enum sql_id)id), sqlite3_errmsg(db));
		if (strspn(tail, " \t\n") != strlen(tail))
			fail_msg("more than one statement: %s", sql_text((enum sql_id)id));
		sqlite3_finalize(stmt);
	}
	sqlite3_close(db);
}

/* SQLite fills one at every insert for an IN list in a CHECK: that was half of a trial's time. */
static void no_row_is_added_through_a_temporary_table(void **state)
{
	static const enum sql_id adds[] = { SQL_trial_add, SQL_ptxas_add, SQL_timing_add,
					    SQL_verification_add, SQL_event_add };
	sqlite3 *db = open_schema();

	(void)state;
	for (size_t i = 0; i < sizeof adds / sizeof *adds; i++) {
		struct str text = STR_INIT;
		sqlite3_stmt *stmt = NULL;

		str_addf(&text, "EXPLAIN %s", sql_text(adds[i]));
		assert_int_equal(sqlite3_prepare_v2(db, text.data, -1, &stmt, NULL), SQLITE_OK);
		while (sqlite3_step(stmt) == SQLITE_ROW)
			if (strcmp((const char *)sqlite3_column_text(stmt, 1), "OpenEphemeral") ==
			    0)
				fail_msg("a temporary table: %s", sql_text(adds[i]));
		sqlite3_finalize(stmt);
		str_release(&text);
	}
	sqlite3_close(db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_statement_scans_a_large_table),
		cmocka_unit_test(no_statement_sorts_what_an_index_has_in_order),
		cmocka_unit_test(a_known_trial_is_found_by_its_key_alone),
		cmocka_unit_test(no_row_is_added_through_a_temporary_table),
		cmocka_unit_test(every_list_has_an_order),
		cmocka_unit_test(every_text_is_one_statement_that_prepares),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
