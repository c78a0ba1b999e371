/* Partitions made ahead and dropped behind, while others read and write. */
#include "pg_rig.h"

static const struct store_column at_columns[] = {{"id", STORE_BIGINT, 0}, {"at", STORE_TIME, 0}};
static const struct store_column day_columns[] = {{"id", STORE_BIGINT, 0}, {"day", STORE_DATE, 0}};
static const struct store_table hours = {.name = "hours",
                                         .columns = at_columns,
                                         .n_columns = 2,
                                         .n_key = 2,
                                         .roll = STORE_ROLL_HOUR,
                                         .roll_column = "at",
                                         .roll_ahead = 3,
                                         .roll_keep = 2};
static const struct store_table days = {.name = "days",
                                        .columns = day_columns,
                                        .n_columns = 2,
                                        .n_key = 2,
                                        .roll = STORE_ROLL_DAY,
                                        .roll_column = "day",
                                        .roll_ahead = 2,
                                        .roll_keep = 1};
static const struct store_table months = {.name = "months",
                                          .columns = at_columns,
                                          .n_columns = 2,
                                          .n_key = 2,
                                          .roll = STORE_ROLL_MONTH,
                                          .roll_column = "at",
                                          .roll_ahead = 1,
                                          .roll_keep = 0};
static const struct store_table *const tables[] = {&hours, &days, &months, &kinds};

#define NOW (INT64_C(1767311999) * SECOND_US) /* 2026-01-01 23:59:59 */

static void maintain(int64_t now_us, const char *expected)
{
    struct store_pg_options options = pg_options;
    struct buf report = {0};
    struct err err;
    options.url = pg_url();
    options.tables = tables;
    options.n_tables = ARRAY_SIZE(tables);
    if (store_pg_maintain(&options, now_us, &report, &err) < 0)
        fail_msg("%s", err.message);
    assert_string_equal(report.data ? (char *)report.data : "", expected);
    buf_deinit(&report);
}

static int setup(void **state)
{
    return pg_group_setup(state);
}

#define FIRST                                                                                      \
    "made hours_r2026010122\nmade hours_r2026010123\nmade hours_r2026010200\nmade "                \
    "hours_r2026010201\n"                                                                          \
    "made hours_r2026010202\nmade days_r20251231\nmade days_r20260101\nmade days_r20260102\nmade " \
    "days_r20260103\n"                                                                             \
    "made months_r202512\nmade months_r202601\nmade months_r202602\n"

static void test_rolling(void **state)
{
    maintain(NOW, FIRST);
    maintain(NOW, "");
    /* every time from one period back to the end of the last fits, and no other */
    pg_exec("insert into hours select g, '2026-01-01 22:00+00'::timestamptz + g * interval '59:59' "
            "minute to second"
            " from generate_series(0, 4) g");
    pg_exec("insert into days select 1, '2025-12-31'::date + g from generate_series(0, 3) g");
    pg_exec("insert into months values (1, '2025-12-01+00'), (1, '2026-02-28 23:59:59.999999+00')");
    maintain(NOW + SECOND_US,
             "made hours_r2026010203\nmade days_r20260104\ndropped days_r20251231\n");
    /* 2026-01-02 01:00: the hour that ended at 23:00 is two hours old */
    maintain(NOW + SECOND_US + HOUR_US, "made hours_r2026010204\ndropped hours_r2026010122\n");
    maintain(NOW + SECOND_US + DAY_US,
             "made hours_r2026010223\nmade hours_r2026010300\nmade hours_r2026010301\nmade "
             "hours_r2026010302\n"
             "made hours_r2026010303\ndropped hours_r2026010123\ndropped hours_r2026010200\n"
             "dropped hours_r2026010201\ndropped hours_r2026010202\ndropped hours_r2026010203\n"
             "dropped hours_r2026010204\nmade days_r20260105\ndropped days_r20260101\n");
    assert_int_equal(pg_number("select count(*) from days"), 2);
    assert_int_equal(pg_number("select count(*) from months"), 2); /* keep 0: not dropped here */
}

/* Dropping was interrupted: detached and still there; or detached halfway. */
static void test_leftovers(void **state)
{
    maintain(NOW, FIRST);
    pg_exec("alter table hours detach partition hours_r2026010122");
    maintain(NOW + HOUR_US + SECOND_US,
             "made hours_r2026010203\nmade hours_r2026010204\ndropped hours_r2026010122\nmade "
             "days_r20260104\ndropped days_r20251231\n");
    /* a reader holds it open: the detaching gives up in the middle */
    PGconn *reader = PQconnectdb(pg_url());
    PQclear(PQexec(reader, "begin; select from " PG_SCHEMA ".hours"));
    PGconn *interrupted = PQconnectdb(pg_url());
    PQclear(PQexec(interrupted, "set search_path = " PG_SCHEMA));
    PQclear(PQexec(interrupted, "set statement_timeout = '300ms'"));
    PGresult *result =
        PQexec(interrupted, "alter table hours detach partition hours_r2026010123 concurrently");
    assert_int_equal(PQresultStatus(result), PGRES_FATAL_ERROR);
    PQclear(result);
    PQfinish(interrupted);
    PQfinish(reader);
    assert_int_equal(pg_number("select count(*) from pg_inherits where inhdetachpending"), 1);
    maintain(NOW + 2 * HOUR_US + SECOND_US, "made hours_r2026010205\ndropped hours_r2026010123\n");
}

/* Making needs nothing that somebody who reads or writes the table holds; dropping waits a while, then gives up. */
static void test_beside_an_open_transaction(void **state)
{
    maintain(NOW, FIRST);
    PGconn *writer = PQconnectdb(pg_url());
    PQclear(PQexec(writer, "begin; insert into " PG_SCHEMA ".days values (1, '2026-01-01')"));
    maintain(NOW + SECOND_US, "made hours_r2026010203\nmade days_r20260104\nleft days_r20251231\n");
    PGresult *result =
        PQexec(writer, "insert into " PG_SCHEMA ".days values (1, '2026-01-04'); commit");
    assert_int_equal(PQresultStatus(result), PGRES_COMMAND_OK);
    PQclear(result);
    PQfinish(writer);
    maintain(NOW + SECOND_US, "dropped days_r20251231\n");
    assert_int_equal(pg_number("select count(*) from days"), 2);
}

/* Ranges of 1,000 rows: 0 and 1000 were made with the table. */
static void test_commits(void **state)
{
    maintain(NOW, FIRST);
    pg_exec("insert into commits select 5, n, 1, 1, 0 from generate_series(1, 999) n");
    maintain(NOW, "");
    pg_exec("insert into commits select 5, n, 1, 999, 0 from generate_series(1000, 1700) n");
    maintain(NOW, "made commits_5_r2000\n");
    pg_exec(
        "insert into commits values (5, 1701, 1, 1000, 0)"); /* the row 1000 may still be said again */
    maintain(NOW, "dropped commits_5_r0\n");
    pg_exec("insert into commits select 5, n, 1, 2000, 0 from generate_series(1702, 2999) n");
    maintain(NOW, "made commits_5_r3000\ndropped commits_5_r1000\n");
    assert_int_equal(pg_number("select min(n) from commits where part = 5"), 2000);
    assert_int_equal(pg_number("select n from commit_own(5)"), 3000);
    assert_int_equal(pg_number("select n from commit_own(4)"), 1);
}

#define CASE(function) cmocka_unit_test_setup(function, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {CASE(test_rolling), CASE(test_leftovers),
                                       CASE(test_beside_an_open_transaction), CASE(test_commits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
