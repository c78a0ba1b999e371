#include "pg_rig.h"
#include <unistd.h>

#define PATIENCE_S 20

const char *pg_url(void)
{
    const char *url = getenv("DATABASE_URL");
    if (!url)
        fail_msg("DATABASE_URL is not set: run with tests/run");
    return url;
}

struct store_pg_options const pg_options = {.schema = PG_SCHEMA,
                                            .role = "journey_store_test",
                                            .application_name = "store-test",
                                            .tables = conformance_tables,
                                            .n_tables = ARRAY_SIZE(conformance_tables),
                                            .statement_timeout_ms = 1000};

/* ---- SQL beside the stores ---- */

static void close_conn(PGconn **conn)
{
    PQfinish(*conn);
}

__attribute__((format(printf, 2, 0))) static PGresult *run(PGconn *conn, const char *format,
                                                           va_list args)
{
    char sql[2048];
    (void)vsnprintf(sql, sizeof(sql), format, args);
    PQclear(PQexec(conn, "set client_min_messages = warning; set search_path = " PG_SCHEMA));
    PGresult *result = PQexec(conn, sql);
    if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(conn));
    return result;
}

void pg_exec(const char *format, ...)
{
    PGconn *conn _cleanup_(close_conn) = PQconnectdb(pg_url());
    va_list args;
    va_start(args, format);
    PQclear(run(conn, format, args));
    va_end(args);
}

int64_t pg_number(const char *format, ...)
{
    PGconn *conn _cleanup_(close_conn) = PQconnectdb(pg_url());
    va_list args;
    va_start(args, format);
    PGresult *result = run(conn, format, args);
    va_end(args);
    int64_t number = PQntuples(result) ? strtoll(PQgetvalue(result, 0, 0), NULL, 10) : INT64_MIN;
    PQclear(result);
    return number;
}

/* ---- migrations ---- */

static void link_into(const char *folder, const char *name, const char *from)
{
    char path[128], *target = realpath(from, NULL);
    if (!target) {
        fail_msg("%s: not found from here", from);
        return;
    }
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    assert_int_equal(symlink(target, path), 0);
    free(target);
}

void pg_folder_make(char folder[32])
{
    (void)snprintf(folder, 32, "/tmp/store-test.XXXXXX");
    assert_non_null(mkdtemp(folder));
    link_into(folder, "common", "migrations/common");
    link_into(folder, PG_SCHEMA, "tests/integration/store/migrations/" PG_SCHEMA);
}

void pg_folder_remove(const char *folder)
{
    char path[128];
    static const char *const names[] = {"common", PG_SCHEMA};
    for (unsigned n = 0; n < ARRAY_SIZE(names); n++) {
        (void)snprintf(path, sizeof(path), "%s/%s", folder, names[n]);
        (void)unlink(path);
    }
    assert_int_equal(rmdir(folder), 0);
}

int pg_group_setup(void **state)
{
    char folder[32];
    struct err err;
    struct buf report = {0};
    pg_exec("drop schema if exists " PG_SCHEMA " cascade");
    pg_folder_make(folder);
    if (store_pg_migrate(pg_url(), folder, &report, &err) < 0)
        fail_msg("%s", err.message);
    pg_folder_remove(folder);
    buf_deinit(&report);
    return 0;
}

/* ---- stores ---- */

struct store *pg_store(struct event_base *base, const struct store_pg_options *options)
{
    struct store_pg_options with_url = *options;
    struct store *store = NULL;
    struct err err;
    with_url.url = pg_url();
    if (store_pg_create(&store, base, &with_url, &err) < 0)
        fail_msg("%s", err.message);
    return store;
}

static void pg_step(struct rig *rig, struct store *store)
{
    struct pg_rig *pg = (struct pg_rig *)(void *)rig;
    struct timeval patience = {.tv_sec = PATIENCE_S};
    struct timeval before, after;
    (void)event_base_gettimeofday_cached(pg->base, &before);
    (void)event_base_loopexit(pg->base, &patience);
    (void)event_base_loop(pg->base, EVLOOP_ONCE);
    (void)evutil_gettimeofday(&after, NULL);
    if (after.tv_sec - before.tv_sec >= PATIENCE_S)
        fail_msg("nothing happened for %d s", PATIENCE_S);
}

void pg_wait_ready(struct pg_rig *pg, struct store *store)
{
    while (!store_ready(store))
        pg_step(&pg->rig, store);
}

int pg_setup(void **state)
{
    struct pg_rig *pg = calloc(1, sizeof(*pg));
    if (!pg)
        return -1;
    pg_exec("truncate commits, timers, answers, kinds, sums, seen, plain, items, pairs, children, "
            "parents");
    pg->base = event_base_new();
    pg->rig.arena = arena_create((size_t)16 << 20);
    pg->rig.step = pg_step;
    pg->rig.store = pg_store(pg->base, &pg_options);
    pg->rig.other = pg_store(pg->base, &pg_options);
    pg_wait_ready(pg, pg->rig.store);
    pg_wait_ready(pg, pg->rig.other);
    *state = pg;
    return 0;
}

int pg_teardown(void **state)
{
    struct pg_rig *pg = *state;
    store_destroy(&pg->rig.store);
    store_destroy(&pg->rig.other);
    event_base_free(pg->base);
    arena_destroy(&pg->rig.arena);
    free(pg);
    return 0;
}
