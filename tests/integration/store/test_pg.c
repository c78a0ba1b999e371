/* What only a server can do: break, block, race, and refuse at the very end of a transaction. */
#include "pg_rig.h"

struct waiting_commit {
    struct store_commit commit;
    struct store_position fence;
    struct store_row row;
    struct store_value values[2];
    bool fenced, done;
};

/* Row `id` of plain under a fence `ahead` of the position; not waited for. */
static struct waiting_commit *send_commit(struct rig *rig, const struct store_position *position,
                                          int64_t ahead, int64_t id)
{
    struct waiting_commit *w = arena_alloc(rig->arena, sizeof(*w));
    w->fence = *position;
    w->fence.n += ahead;
    w->values[0] = num(id);
    w->values[1] = text("x");
    w->row = (struct store_row){&plain, w->values, STORE_ROW_PUT};
    w->commit = (struct store_commit){.fences = &w->fence,
                                      .n_fences = 1,
                                      .fenced = &w->fenced,
                                      .rows = &w->row,
                                      .n_rows = 1,
                                      .done = commit_done,
                                      .user = &w->done};
    store_commit(rig->store, &w->commit);
    return w;
}

/* A transaction of somebody else's, left open. */
static PGconn *open_transaction(const char *sql)
{
    PGconn *conn = PQconnectdb(pg_url());
    PGresult *result = PQexec(conn, "begin; set local search_path = " PG_SCHEMA);
    assert_int_equal(PQresultStatus(result), PGRES_COMMAND_OK);
    PQclear(result);
    result = PQexec(conn, sql);
    if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK)
        fail_msg("%s", PQerrorMessage(conn));
    PQclear(result);
    return conn;
}
static void end_transaction(PGconn *conn, const char *how)
{
    PQclear(PQexec(conn, how));
    PQfinish(conn);
}

static void until_blocked(struct pg_rig *pg, int64_t n)
{
    while (pg_number("select count(*) from pg_stat_activity where application_name = 'store-test'"
                     " and wait_event_type = 'Lock'") < n)
        (void)event_base_loop(pg->base, EVLOOP_NONBLOCK);
}

static void terminate(const char *condition)
{
    pg_exec("select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = "
            "'store-test' %s",
            condition);
}

static void test_connection_killed_under_way(void **state)
{
    struct pg_rig *pg = *state;
    struct rig *rig = &pg->rig;
    struct store_own own = take(rig, rig->store, 1);
    PGconn *blocker = open_transaction("lock table plain");
    struct waiting_commit *first = send_commit(rig, &own.position, 1, 1),
                          *second = send_commit(rig, &own.position, 2, 2);
    until_blocked(pg, 1);
    terminate("and wait_event_type = 'Lock'");
    wait_for(rig, rig->store, &second->done);
    assert_true(first->done);
    assert_int_equal(first->commit.err.code, ERR_UNAVAILABLE);
    assert_int_equal(second->commit.err.code, ERR_UNAVAILABLE);
    assert_int_equal(second->commit.err.class, ERR_CLASS_TRANSIENT);
    end_transaction(blocker, "rollback");
    pg_wait_ready(pg, rig->store);
    own = take(rig, rig->store, 1);
    assert_int_equal(own.position.n, 2);
    second = send_commit(rig, &own.position, 1, 3);
    wait_for(rig, rig->store, &second->done);
    assert_int_equal(second->commit.err.code, 0);
    assert_int_equal(pg_number("select sum(id) from plain"), 3);
}

static void test_idle_connections_killed(void **state)
{
    struct pg_rig *pg = *state;
    struct rig *rig = &pg->rig;
    WRITE(rig, ROW(plain, num(1), text("before")));
    assert_text(row_of(rig, &plain, (struct store_value[]){num(1)})[1], "before");
    terminate("");
    while (store_ready(rig->store))
        rig->step(rig, rig->store);
    struct err err;
    int rc;
    do { /* done in a later turn each time, never within submit */
        const struct store_row row = ROW(plain, num(2), text("after"));
        rc = write_rows(rig, &row, 1, &err);
        assert_true(rc == 0 || rc == ERR_UNAVAILABLE);
    } while (rc);
    pg_wait_ready(pg, rig->store);
    assert_text(row_of(rig, &plain, (struct store_value[]){num(2)})[1], "after");
}

static void test_no_server(void **state)
{
    struct pg_rig *pg = *state;
    struct store_pg_options options = pg_options;
    struct store *store = NULL;
    options.url = "postgresql://nobody@127.0.0.1:1/none";
    assert_int_equal(store_pg_create(&store, pg->base, &options, NULL), 0);
    for (int n = 0; n < 20; n++) {
        const struct store_row row = ROW(plain, num(1), text("x"));
        struct err err;
        assert_int_equal(commit_all(&pg->rig, store, NULL, 0, NULL, &row, 1, &err),
                         ERR_UNAVAILABLE);
        assert_int_equal(err.class, ERR_CLASS_TRANSIENT);
        assert_false(store_ready(store));
    }
    store_destroy(&store);
}

static void test_owners_race(void **state)
{
    struct pg_rig *pg = *state;
    struct rig *rig = &pg->rig;
    int64_t n = 0;
    int won = 0;
    for (int round = 0; round < 100; round++) {
        struct store_own own = take(rig, rig->store, 8);
        assert_int_equal(own.position.n, n + 1);
        bool taken = false;
        struct store_own theirs = {
            .part = 8, .arena = rig->arena, .done = own_done, .user = &taken};
        if (round & 1)
            store_own(rig->other, &theirs);
        struct waiting_commit *mine = send_commit(rig, &own.position, 1, round);
        if (!(round & 1))
            store_own(rig->other, &theirs);
        wait_for(rig, rig->other, &taken);
        while (!mine->done)
            rig->step(rig, rig->store);
        assert_int_equal(theirs.err.code, 0);
        assert_true(mine->commit.err.code == 0 ||
                    (mine->commit.err.code == ERR_FENCED && mine->fenced));
        n = own.position.n + (mine->commit.err.code == 0) + 1;
        won += mine->commit.err.code == 0;
        assert_int_equal(theirs.position.n, n);
        assert_int_equal(theirs.position.epoch, own.position.epoch + 1);
    }
    assert_int_equal(pg_number("select count(*) from plain"), won);
    assert_int_equal(pg_number("select count(*) from commits where part = 8"), n);
}

/* The guard waits for who holds row n: what it saw before does not count. */
static void test_commit_waits_for_an_owner_not_yet_committed(void **state)
{
    struct pg_rig *pg = *state;
    struct rig *rig = &pg->rig;
    for (int committed = 0; committed < 2; committed++) {
        struct store_own own = take(rig, rig->store, 9);
        PGconn *taker = open_transaction("select commit_own(9)");
        struct waiting_commit *mine = send_commit(rig, &own.position, 1, committed);
        until_blocked(pg, 1);
        assert_false(mine->done);
        end_transaction(taker, committed ? "commit" : "rollback");
        wait_for(rig, rig->store, &mine->done);
        assert_int_equal(mine->commit.err.code, committed ? ERR_FENCED : 0);
        assert_int_equal(mine->fenced, committed);
        assert_int_equal(pg_number("select count(*) from plain where id = %d", committed),
                         !committed);
    }
}

static void test_two_takers_wait_for_each_other(void **state)
{
    struct pg_rig *pg = *state;
    struct rig *rig = &pg->rig;
    bool done = false;
    struct store_own own = {.part = 10, .arena = rig->arena, .done = own_done, .user = &done};
    PGconn *taker = open_transaction("select commit_own(10)"); /* the very first row */
    store_own(rig->store, &own);
    until_blocked(pg, 1);
    end_transaction(taker, "commit");
    wait_for(rig, rig->store, &done);
    assert_int_equal(own.err.code, 0);
    assert_int_equal(own.position.n, 2);
    assert_int_equal(own.position.epoch, 2);
    assert_int_equal(own.position.tries, 2);
}

/* Reset forgets the commit; the server does not. The next owner's row comes after it. */
static void test_reset_commit_runs_later(void **state)
{
    struct pg_rig *pg = *state;
    struct rig *rig = &pg->rig;
    WRITE(rig, ROW(plain, num(2), text("prepares the statement, which would wait as well")));
    struct store_own own = take(rig, rig->store, 11);
    PGconn *blocker = open_transaction("lock table plain in share mode");
    struct waiting_commit *mine = send_commit(rig, &own.position, 1, 1);
    until_blocked(pg, 1);
    store_reset(rig->store);
    wait_for(rig, rig->store, &mine->done);
    assert_int_equal(mine->commit.err.code, ERR_UNAVAILABLE);
    pg_wait_ready(pg, rig->store);
    bool done = false;
    struct store_own again = {.part = 11, .arena = rig->arena, .done = own_done, .user = &done};
    store_own(rig->store, &again);
    until_blocked(pg, 2);
    end_transaction(blocker, "rollback");
    wait_for(rig, rig->store, &done);
    assert_int_equal(again.position.n, own.position.n + 2);
    assert_int_equal(pg_number("select count(*) from plain"), 2);
}

static const struct store_column children_columns[] = {{"id", STORE_BIGINT, 0},
                                                       {"parent", STORE_BIGINT, 0}};
static const struct store_table children = {
    .name = "children", .columns = children_columns, .n_columns = 2, .n_key = 1};

static void test_refused_when_it_ends(void **state)
{
    struct pg_rig *pg = *state;
    struct rig *rig = &pg->rig;
    const struct store_row orphan = ROW(children, num(1), num(1));
    struct store_own own = take(rig, rig->store, 2);
    own.position.n++;
    bool fenced;
    struct err err;
    assert_int_equal(commit_all(rig, rig->store, &own.position, 1, &fenced, &orphan, 1, &err),
                     ERR_INVALID);
    assert_int_equal(err.class, ERR_CLASS_PERMANENT);
    assert_int_equal(pg_number("select count(*) from children"), 0);
    assert_int_equal(commit_all(rig, rig->store, &own.position, 1, &fenced, NULL, 0, &err), 0);
}

static const struct store_column late_columns[] = {{"id", STORE_BIGINT, 0}};
static const struct store_table late = {
    .name = "late", .columns = late_columns, .n_columns = 1, .n_key = 1};

static void test_table_made_later(void **state)
{
    struct pg_rig *pg = *state;
    struct rig *rig = &pg->rig;
    static const struct store_lookup lookup = {.table = &late,
                                               .by = columns_all,
                                               .n_by = 1,
                                               .columns = columns_all,
                                               .n_columns = 1,
                                               .order = -1};
    const struct store_value key = num(1);
    struct store_load load = find_on(rig, rig->store, &lookup, &key, 1, true, false);
    assert_int_equal(load.err.code, ERR_INTERNAL);
    assert_int_equal(load.err.class, ERR_CLASS_PERMANENT);
    assert_non_null(strstr(load.err.message, "late")); /* why it could not be prepared */
    pg_exec("create table late (id bigint primary key); grant all on late to journey_store_test");
    WRITE(rig, ROW(late, num(1)));
    load = find_on(rig, rig->store, &lookup, &key, 1, true, false);
    assert_int_equal(load.err.code, 0);
    assert_int_equal(load.n_found, 1);
    pg_exec("drop table late");
}

static void test_slow_question_is_stopped(void **state)
{
    struct pg_rig *pg = *state;
    struct rig *rig = &pg->rig;
    static const struct store_lookup lookup = {.table = &plain,
                                               .by = columns_all,
                                               .n_by = 1,
                                               .columns = columns_all,
                                               .n_columns = 1,
                                               .order = -1};
    const struct store_value key = num(1);
    (void)find_on(rig, rig->store, &lookup, &key, 1, false, true);
    PGconn *blocker = open_transaction("lock table plain");
    struct store_load load = find_on(rig, rig->store, &lookup, &key, 1, false, true);
    end_transaction(blocker, "rollback");
    assert_int_equal(load.err.code, ERR_UNAVAILABLE);
    assert_int_equal(load.err.class, ERR_CLASS_TRANSIENT);
    load = find_on(rig, rig->store, &lookup, &key, 1, false, true);
    assert_int_equal(load.err.code, 0);
}

static void test_messages_hold_no_values(void **state)
{
    struct pg_rig *pg = *state;
    struct rig *rig = &pg->rig;
    const struct store_value nothing = NULL_VALUE;
    const struct store_row rows[] = {
        ROW(kinds, num(1), nothing, nothing, nothing, nothing, nothing, nothing, nothing, nothing,
            nothing, text("secret"), nothing),
        ROW(kinds, num(1), nothing, nothing, nothing, nothing, nothing, nothing, nothing, nothing,
            text("[secret"), nothing, nothing)};
    for (unsigned r = 0; r < ARRAY_SIZE(rows); r++) {
        struct err err;
        assert_int_equal(write_rows(rig, &rows[r], 1, &err), ERR_INVALID);
        assert_int_equal(err.class, ERR_CLASS_PERMANENT);
        assert_null(strstr(err.message, "secret"));
    }
}

/* done() may break the connection that is being read. */
static void reset_inside(struct store_commit *commit)
{
    struct rig *rig = commit->user;
    store_reset(rig->store);
}

static void test_reset_inside_done(void **state)
{
    struct pg_rig *pg = *state;
    struct rig *rig = &pg->rig;
    struct store_own own = take(rig, rig->store, 12);
    struct store_commit first = {.done = reset_inside, .user = rig};
    store_commit(rig->store, &first);
    struct waiting_commit *second = send_commit(rig, &own.position, 1, 1);
    wait_for(rig, rig->store, &second->done);
    assert_int_equal(second->commit.err.code, ERR_UNAVAILABLE);
    pg_wait_ready(pg, rig->store);
    WRITE(rig, ROW(plain, num(5), text("x")));
}

/* More than the socket takes at once. */
static void test_large_commit(void **state)
{
    struct pg_rig *pg = *state;
    struct rig *rig = &pg->rig;
    enum {
        SIZE = 40 << 20
    };
    char *large = malloc(SIZE + 1);
    assert_non_null(large);
    memset(large, 'x', SIZE);
    large[SIZE] = '\0';
    WRITE(rig, ROW(plain, num(1), text(large)));
    free(large);
    assert_int_equal(pg_number("select length(label) from plain"), SIZE);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, pg_setup, pg_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {CASE(test_connection_killed_under_way),
                                       CASE(test_idle_connections_killed),
                                       CASE(test_no_server),
                                       CASE(test_owners_race),
                                       CASE(test_commit_waits_for_an_owner_not_yet_committed),
                                       CASE(test_two_takers_wait_for_each_other),
                                       CASE(test_reset_commit_runs_later),
                                       CASE(test_refused_when_it_ends),
                                       CASE(test_table_made_later),
                                       CASE(test_slow_question_is_stopped),
                                       CASE(test_messages_hold_no_values),
                                       CASE(test_reset_inside_done),
                                       CASE(test_large_commit)};
    return cmocka_run_group_tests(tests, pg_group_setup, NULL);
}
