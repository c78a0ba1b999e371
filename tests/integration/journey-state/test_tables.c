/*
 * The service's tables on Postgres: the migrations have the columns that the code writes, and what clients send, the odd
 * included, goes in and comes out again. In a database of its own, made anew.
 */
#include "say.h"

#include "borrow.h"
#include "journey_state.h"
#include "tables.h"

#include <event2/event.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <unistd.h>

#define DATABASE "journey_state_test"

struct database {
    struct event_base *base;
    char url[1024];
    const struct store_table *tables[32];
    struct store_pg_options options;
};

static struct database database;

/* ---- SQL ---- */

static void close_conn(PGconn **conn)
{
    PQfinish(*conn);
}

static void free_result(PGresult **result)
{
    PQclear(*result);
}

static PGresult *query(const char *url, const char *sql)
{
    PGconn *conn _cleanup_(close_conn) = PQconnectdb(url);
    PQclear(PQexec(conn, "set client_min_messages = warning"));
    PGresult *result = PQexec(conn, sql);
    if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(conn));
    return result;
}

static void assert_sql(const char *sql, const char *expected)
{
    PGresult *result _cleanup_(free_result) = query(database.url, sql);
    assert_int_equal(PQntuples(result), 1);
    if (strcmp(PQgetvalue(result, 0, 0), expected) != 0)
        fail_msg("%s: %s, not %s", sql, PQgetvalue(result, 0, 0), expected);
}

/* ---- the database ---- */

static const char *server(void)
{
    const char *url = getenv("DATABASE_URL");
    if (!url)
        fail_msg("DATABASE_URL is not set: run with tests/run");
    return url;
}

/* The server's URL with another database's name. */
static void set_url(const char *name)
{
    const char *url = server(), *host = strstr(url, "://"), *path = NULL,
               *options = strchr(url, '?');
    if (host)
        path = strchr(host + 3, '/');
    if (path)
        (void)snprintf(database.url, sizeof(database.url), "%.*s/%s%s", (int)(path - url), url,
                       name, options ? options : "");
    else
        (void)snprintf(database.url, sizeof(database.url), "%s dbname=%s", url, name);
}

static void link_into(const char *folder, const char *name)
{
    char path[128], from[128];
    (void)snprintf(from, sizeof(from), "migrations/%s", name);
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    char *target = realpath(from, NULL);
    assert_non_null(target);
    assert_int_equal(symlink(target, path), 0);
    free(target);
}

static void migrate(void)
{
    char folder[] = "/tmp/journey-state-test.XXXXXX", path[128];
    static const char *const names[] = {"common", "journey"};
    struct buf report = {0};
    struct err err = {0};
    assert_non_null(mkdtemp(folder));
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        link_into(folder, names[i]);
    int status = store_pg_migrate(database.url, folder, &report, &err);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(folder);
    buf_deinit(&report);
    if (status < 0)
        fail_msg("%s", err.message);
}

static int group_setup(void **state)
{
    PQclear(query(server(), "drop database if exists " DATABASE " with (force)"));
    PQclear(query(server(), "create database " DATABASE));
    set_url(DATABASE);
    migrate();
    database.base = event_base_new();
    database.options = (struct store_pg_options){
        .url = database.url,
        .schema = "journey",
        .role = "journey_journey",
        .application_name = "journey-state-test",
        .tables = database.tables,
        .n_tables = stream_tables(&journey_state_service, database.tables, 32),
        .statement_timeout_ms = 5000,
    };
    return 0;
}

static int group_teardown(void **state)
{
    event_base_free(database.base);
    PQclear(query(server(), "drop database if exists " DATABASE " with (force)"));
    return 0;
}

/* ---- columns ---- */

static const char *sql_type(enum store_type type)
{
    switch (type) {
    case STORE_INT:
        return "integer";
    case STORE_BIGINT:
        return "bigint";
    case STORE_FLOAT:
        return "double precision";
    case STORE_BOOL:
        return "boolean";
    case STORE_TEXT:
        return "text";
    case STORE_BYTES:
        return "bytea";
    case STORE_TIME:
        return "timestamp with time zone";
    case STORE_UUID:
        return "uuid";
    case STORE_JSON:
        return "jsonb";
    case STORE_DECIMAL:
        return "numeric";
    default:
        return "date";
    }
}

static void check_table(const struct store_table *table)
{
    char sql[512];
    (void)snprintf(
        sql, sizeof(sql),
        "select column_name, case when data_type like 'char%%' then 'text' else data_type end "
        "from information_schema.columns where table_schema = 'journey' and table_name = '%s'",
        table->name);
    PGresult *result _cleanup_(free_result) = query(database.url, sql);
    assert_case(table->name, PQntuples(result) == (int)table->n_columns);
    for (unsigned c = 0; c < table->n_columns; c++) {
        const struct store_column *column = &table->columns[c];
        int row = 0;
        while (row < PQntuples(result) && strcmp(PQgetvalue(result, row, 0), column->name) != 0)
            row++;
        assert_case(column->name, row < PQntuples(result));
        assert_case(column->name, strcmp(PQgetvalue(result, row, 1), sql_type(column->type)) == 0);
    }
}

static void test_columns(void **state)
{
    check_table(&sessions_table);
    for (size_t i = 0; i < ARRAY_SIZE(journey_tables); i++)
        check_table(journey_tables[i]);
}

/* ---- the service on Postgres ---- */

static struct store *open_pg(struct rig *rig)
{
    struct store *store = NULL;
    struct buf report = {0};
    struct err err = {0};
    if (store_pg_maintain(&database.options, rig->now_us, &report, &err) < 0 ||
        store_pg_create(&store, database.base, &database.options, &err) < 0)
        fail_msg("%s", err.message);
    buf_deinit(&report);
    return store;
}

/* Each test has a log of its own, of which the database knows nothing. */
static int setup(void **state)
{
    PQclear(query(database.url, "truncate journey.commits, journey.timers, journey.answers"));
    return 0;
}

/* What the server has answered meanwhile, or a moment of waiting. */
static bool run_pg(struct rig *rig)
{
    const struct timeval moment = {.tv_usec = 2000};
    (void)event_base_loopexit(database.base, &moment);
    (void)event_base_loop(database.base, EVLOOP_ONCE);
    return false;
}

static const struct rig_store_ops pg = {open_pg, run_pg};

/* A read of the session is answered after everything before it, however slow the server is. */
static const char *read_session(struct rig *rig, const char *session)
{
    const Journey__V1__Reply *reply = rig_ask(rig, rig_get(rig, session));
    for (int i = 0; i < 100 && !reply; i++) {
        rig_settle(rig);
        reply = rig_last_reply(rig);
    }
    assert_int_equal(rig_status(reply), 200);
    return rig_part(reply, "session");
}

static void test_everything_goes_in(void **state)
{
    struct rig *rig = rig_create_on(&journey_state_service, &pg, NULL);
    Journey__V1__Command *start = rig_start(rig, "s1", "mobile", "tiktok");
    start->start->user = borrow_id(rig_user);
    start->start->start->utm_data = borrow_text("{\"utm\":\"a\\u0000\\ud800b\",\"n\":1e400}");
    (void)rig_ask(rig, start);
    (void)rig_ask(rig, rig_stage(rig, "s1", "consideration"));
    rig_accept(rig, rig_event(rig, "s1",
                              "Gr\xc3\xb6\xc3\x9f"
                              "e\xff ge\xc3\xa4ndert",
                              "{\"odd\":[\"\\u0000\",1e20,-0,1e99999],\"k\\u0000\":1}"));
    rig_accept(rig, rig_event(rig, "s1", "Order Completed",
                              "{\"order_id\":\"o1\",\"revenue\":\"149.985\"}"));
    rig_accept(rig, rig_event(rig, "s2", "Order Completed",
                              "{\"order_id\":\"o1\",\"revenue\":\"149.985\"}"));
    (void)rig_ask(rig, rig_conversion(rig, "s1", "download", "", ""));
    (void)rig_ask(
        rig, rig_touchpoint(rig, "s1", "exit_intent", "{\"metadata\":{\"trigger_id\":\"t1\"}}"));
    (void)rig_ask(rig, rig_end(rig, "s1", "{\"page\":\"/bye\"}"));
    const char *session = read_session(rig, "s1");
    assert_string_equal(rig_member(rig, session, "total_touchpoints"), "6");
    (void)read_session(rig, "s2");
    assert_sql("select count(*) || ' ' || max(touchpoint_sequence) || ' ' || count(distinct id) "
               "from journey.journey_touchpoints where session_id = 's1'",
               "6 6 6");
    assert_sql("select string_agg(touchpoint_type, ',' order by touchpoint_sequence) "
               "from journey.journey_touchpoints where session_id = 's1'",
               "stage_transition,gr\xc3\xb6\xc3\x9f"
               "e\xef\xbf\xbd_ge\xc3\xa4ndert,conversion_event,stage_transition,conversion_event,"
               "exit_intent");
    assert_sql("select interaction_data->>'odd' from journey.journey_touchpoints "
               "where session_id = 's1' and touchpoint_sequence = 2",
               "[\"\xef\xbf\xbd\", 100000000000000000000, 0, \"1e99999\"]");
    assert_sql("select count(*) || ' ' || sum(event_value) from journey.conversion_events",
               "2 149.99");
    assert_sql("select utm_data->>'utm' from journey.journey_sessions where session_id = 's1'",
               "a\xef\xbf\xbd\xef\xbf\xbd"
               "b");
    assert_sql("select current_stage || ' ' || journey_path || ' ' || (end_timestamp is not null) "
               "|| ' ' || "
               "(exit_point->>'page') || ' ' || jsonb_array_length(conversion_events) "
               "from journey.journey_sessions where session_id = 's1'",
               "conversion mobile_tiktok_fast_track true /bye 2");
    rig_destroy(&rig);
}

static void test_pages(void **state)
{
    struct rig *rig = rig_create_on(&journey_state_service, &pg, NULL);
    for (int i = 0; i < 5; i++)
        rig_accept(rig, rig_event(rig, "pages", "Signed Up", "{\"a\":[1,{}]}"));
    (void)read_session(rig, "pages");
    Journey__V1__Command *c = rig_command(rig, "pages");
    Journey__V1__ListTouchpoints list;
    journey__v1__list_touchpoints__init(&list);
    list.after = 1;
    list.limit = 3;
    c->body_case = JOURNEY__V1__COMMAND__BODY_LIST_TOUCHPOINTS;
    c->list_touchpoints = &list;
    c->read_only = true;
    const Journey__V1__Reply *reply = rig_ask(rig, c);
    for (int i = 0; i < 100 && !reply; i++) {
        rig_settle(rig);
        reply = rig_last_reply(rig);
    }
    assert_int_equal(rig_status(reply), 200);
    const char *page = rig_part(reply, "page");
    assert_string_equal(rig_member(rig, page, "next_cursor"), "4");
    assert_non_null(strstr(page, "\"touchpoint_sequence\":2,\"touchpoint_type\":\"signed_up\""));
    assert_non_null(strstr(page, "\"conversion_value\":0.00,"));
    rig_destroy(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns),
        cmocka_unit_test_setup(test_everything_goes_in, setup),
        cmocka_unit_test_setup(test_pages, setup),
    };
    return cmocka_run_group_tests_name("journey-state tables", tests, group_setup, group_teardown);
}
