/* Migrations: once, in order, whole or not at all, by one at a time. */
#include "pg_rig.h"
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SCHEMA "store-migrate" /* a name whose role is written otherwise */

struct folder {
    char path[32];
};

static void file_write(const struct folder *folder, const char *name, const char *sql)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/%s/%s", folder->path, SCHEMA, name);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(sql, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int migrate(const struct folder *folder, struct buf *report, struct err *err)
{
    buf_reset(report);
    return store_pg_migrate(pg_url(), folder->path, report, err);
}

static int setup(void **state)
{
    struct folder *folder = calloc(1, sizeof(*folder));
    char schema[64];
    if (!folder)
        return -1;
    pg_exec("drop schema if exists \"" SCHEMA "\" cascade");
    pg_folder_make(folder->path);
    (void)snprintf(schema, sizeof(schema), "%s/" SCHEMA, folder->path);
    assert_int_equal(mkdir(schema, 0700), 0);
    *state = folder;
    return 0;
}

static int teardown(void **state)
{
    struct folder *folder = *state;
    static const char *const names[] = {"001_a.sql",      "002_b.sql", "003_c.sql",
                                        "000_stream.sql", "notes.txt", ""};
    for (unsigned n = 0; n < ARRAY_SIZE(names); n++) {
        char path[128];
        (void)snprintf(path, sizeof(path), "%s/" SCHEMA "/%s", folder->path, names[n]);
        (void)remove(path);
    }
    pg_folder_remove(folder->path);
    pg_exec("drop schema if exists \"" SCHEMA "\" cascade");
    free(folder);
    return 0;
}

static void test_each_file_once_in_order(void **state)
{
    struct folder *folder = *state;
    struct buf report = {0};
    struct err err;
    file_write(folder, "002_b.sql", "insert into a values (2);");
    file_write(folder, "001_a.sql", "create table a (n int); insert into a values (1);");
    file_write(folder, "notes.txt", "not a migration");
    assert_int_equal(migrate(folder, &report, &err), 0);
    assert_non_null(strstr((char *)report.data,
                           "applied " SCHEMA "/001_a.sql\napplied " SCHEMA "/002_b.sql\n"));
    file_write(folder, "003_c.sql", "insert into a values (3);");
    assert_int_equal(migrate(folder, &report, &err), 0);
    assert_string_equal((char *)report.data, "applied " SCHEMA "/003_c.sql\n");
    assert_int_equal(migrate(folder, &report, &err), 0);
    assert_int_equal(report.size, 0);
    assert_int_equal(pg_number("select sum(n) from \"" SCHEMA "\".a"), 6);
    buf_deinit(&report);
}

static void test_changed_file_is_refused(void **state)
{
    struct folder *folder = *state;
    struct buf report = {0};
    struct err err;
    file_write(folder, "001_a.sql", "create table a (n int);");
    assert_int_equal(migrate(folder, &report, &err), 0);
    file_write(folder, "001_a.sql", "create table a (n bigint);");
    assert_int_equal(migrate(folder, &report, &err), ERR_CONFLICT);
    assert_int_equal(err.class, ERR_CLASS_FATAL);
    assert_non_null(strstr(err.message, SCHEMA "/001_a.sql"));
    buf_deinit(&report);
}

static void test_failing_file_leaves_nothing(void **state)
{
    struct folder *folder = *state;
    struct buf report = {0};
    struct err err;
    static const char *const bad[] = {"create table b (n int); insert into b values ('x');",
                                      "create table b (n int); commit;", "create table b (n int"};
    file_write(folder, "001_a.sql", "create table a (n int);");
    for (unsigned b = 0; b < ARRAY_SIZE(bad); b++) {
        file_write(folder, "002_b.sql", bad[b]);
        assert_true(migrate(folder, &report, &err) < 0);
        assert_non_null(strstr(err.message, "002_b.sql"));
        if (b != 1) /* whoever commits by hand keeps what he committed, but not as applied */
            assert_int_equal(pg_number("select to_regclass('\"" SCHEMA "\".b') is not null"), 0);
        pg_exec("drop table if exists \"" SCHEMA "\".b");
    }
    file_write(folder, "002_b.sql", "create table b (n int);");
    assert_int_equal(migrate(folder, &report, &err), 0);
    assert_int_equal(pg_number("select count(*) from \"" SCHEMA "\".b"), 0);
    buf_deinit(&report);
}

static void test_several_at_once(void **state)
{
    struct folder *folder = *state;
    enum {
        N = 4
    };
    pid_t children[N];
    file_write(folder, "001_a.sql",
               "create table a (n int); select pg_sleep(0.2); insert into a values (1);");
    pg_exec("drop role if exists journey_store_migrate");
    for (int c = 0; c < N; c++) {
        children[c] = fork();
        assert_true(children[c] >= 0);
        if (children[c] == 0) {
            struct buf report = {0};
            struct err err;
            int rc = migrate(folder, &report, &err);
            if (rc < 0)
                (void)fprintf(stderr, "%s\n", err.message);
            _exit(rc < 0);
        }
    }
    for (int c = 0; c < N; c++) {
        int status = -1;
        assert_int_equal(waitpid(children[c], &status, 0), children[c]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(pg_number("select count(*) from \"" SCHEMA "\".a"), 1);
}

static void test_role_and_grants(void **state)
{
    struct folder *folder = *state;
    struct buf report = {0};
    struct err err;
    file_write(folder, "001_a.sql", "create table a (n int);");
    assert_int_equal(migrate(folder, &report, &err), 0);
    static const struct {
        const char *privilege, *table;
        int expected;
    } cases[] = {{"select", "a", 1},          {"insert", "a", 1},
                 {"update", "a", 1},          {"delete", "a", 1},
                 {"truncate", "a", 0},        {"select", "migrations", 1},
                 {"insert", "migrations", 0}, {"delete", "migrations", 0}};
    for (unsigned c = 0; c < ARRAY_SIZE(cases); c++)
        if (pg_number("select has_table_privilege('journey_store_migrate', '\"" SCHEMA
                      "\".%s', '%s')::int",
                      cases[c].table, cases[c].privilege) != cases[c].expected)
            fail_msg("%s on %s", cases[c].privilege, cases[c].table);
    assert_int_equal(
        pg_number("select rolcanlogin::int from pg_roles where rolname = 'journey_store_migrate'"),
        0);
    assert_int_equal(pg_number("select has_schema_privilege('journey_store_migrate', '" PG_SCHEMA
                               "', 'usage')::int"),
                     0);
    buf_deinit(&report);
}

static void test_number_of_partitions(void **state)
{
    struct folder *folder = *state;
    struct buf report = {0};
    struct err err;
    file_write(folder, "000_stream.sql", "select common.create_stream_tables();");
    assert_int_equal(setenv("JOURNEY_PARTITIONS", "none", 1), 0);
    assert_int_equal(migrate(folder, &report, &err), ERR_INVALID);
    assert_int_equal(setenv("JOURNEY_PARTITIONS", "3", 1), 0);
    int rc = migrate(folder, &report, &err);
    assert_int_equal(unsetenv("JOURNEY_PARTITIONS"), 0);
    assert_int_equal(rc, 0);
    assert_int_equal(pg_number("select count(*) from pg_inherits where inhparent = '\"" SCHEMA
                               "\".commits'::regclass"),
                     3);
    /* not compressed a second time, in every range */
    assert_int_equal(
        pg_number(
            "select count(*) from pg_attribute where attname = 'outbox' and attstorage = 'e' and"
            " attrelid in (select relid from pg_partition_tree('\"" SCHEMA "\".commits'))"),
        1 + 3 + 3 * 2);
    buf_deinit(&report);
}

static void test_no_folder(void **state)
{
    struct buf report = {0};
    struct err err;
    assert_int_equal(store_pg_migrate(pg_url(), "/nonexistent", &report, &err), ERR_NOT_FOUND);
    assert_int_equal(
        store_pg_migrate("postgresql://nobody@127.0.0.1:1/none", "migrations", &report, &err),
        ERR_UNAVAILABLE);
    assert_int_equal(err.class, ERR_CLASS_TRANSIENT);
    buf_deinit(&report);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {CASE(test_each_file_once_in_order),
                                       CASE(test_changed_file_is_refused),
                                       CASE(test_failing_file_leaves_nothing),
                                       CASE(test_several_at_once),
                                       CASE(test_role_and_grants),
                                       CASE(test_number_of_partitions),
                                       CASE(test_no_folder)};
    return cmocka_run_group_tests(tests, pg_group_setup, NULL);
}
