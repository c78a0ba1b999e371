/*
 * Partitions made ahead and dropped when they have passed.
 *
 *   commits      list of part -> ranges of n: the newest row's range and the next exist; those wholly behind `done` go
 *   rolling      ranges of time: from one period back to roll_ahead periods ahead; those over roll_keep go
 *
 * Readers and writers notice nothing: a partition is made as a table and attached (SHARE UPDATE EXCLUSIVE on the
 * parent), detached concurrently and dropped when nobody can see it any more. What an interruption leaves (detached
 * halfway, or not dropped) is finished by the next run: a partition is known by its name, <parent>_r<where it begins>.
 */
#include "pg.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct maintain {
    PGconn *conn;
    int64_t now_us;
    struct buf *report;
    struct err *err;
};

/* ---- making and dropping ---- */

/* options: of the table, as SQL. */
static int partition_make(struct maintain *m, const char *parent, const char *name,
                          const char *from, const char *to, const char *unique, const char *options)
{
    char index[400] = "";
    if (unique)
        (void)snprintf(index, sizeof(index), "create unique index on \"%s\" (%s); ", name, unique);
    int rc = store_pg_sync_execf(
        m->conn, m->err,
        "begin; create table \"%s\" (like \"%s\" including defaults including constraints "
        "including generated including storage including compression) %s; %s"
        "alter table \"%s\" attach partition \"%s\" for values from ('%s') to ('%s'); commit",
        name, parent, options, index, parent, name, from, to);
    if (rc < 0) {
        (void)!store_pg_sync_exec(m->conn, "rollback", NULL);
        return rc;
    }
    buf_printf(m->report, "made %s\n", name);
    return 0;
}

/* Waits for the transactions that may still see it; one that takes long leaves it to the next run. */
static int partition_drop(struct maintain *m, const char *parent, const char *name, bool attached,
                          bool pending)
{
    struct err err = {0};
    int rc = 0;
    if (attached)
        rc = store_pg_sync_execf(m->conn, &err, "alter table \"%s\" detach partition \"%s\" %s",
                                 parent, name, pending ? "finalize" : "concurrently");
    if (rc == 0)
        rc = store_pg_sync_execf(m->conn, &err, "drop table \"%s\"", name);
    if (rc < 0 && (err.class != ERR_CLASS_TRANSIENT || PQstatus(m->conn) != CONNECTION_OK))
        return err_set(m->err, rc, err.class, "%s", err.message);
    buf_printf(m->report, rc < 0 ? "left %s\n" : "dropped %s\n", name);
    return 0;
}

/* ---- commits ---- */

/* Per partition of the log: its table, its newest row, where its last range begins and ends. */
static const char logs_sql[] =
    "with logs as (select c.relname, c.oid, substring(pg_get_expr(c.relpartbound, c.oid) from "
    "'\\d+')::int as part"
    " from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = "
    "to_regclass('commits'))"
    " select l.relname, coalesce(newest.n, 0), coalesce(newest.done, 0), last.low, last.high"
    " from logs l"
    " left join lateral (select n, done from commits where part = l.part order by n desc limit 1) "
    "newest on true"
    " cross join lateral (select b[1]::bigint as low, b[2]::bigint as high from pg_inherits i"
    "   join pg_class c on c.oid = i.inhrelid"
    "   cross join regexp_match(pg_get_expr(c.relpartbound, c.oid), '\\(''(\\d+)''\\) TO "
    "\\(''(\\d+)''\\)') b"
    "   where i.inhparent = l.oid order by b[2]::bigint desc limit 1) last order by l.part";

/* Ranges of one of them that end at or before $2, attached or left over. */
static const char passed_sql[] =
    "select c.relname, c.relispartition, coalesce(i.inhdetachpending, false) from pg_class c"
    " left join pg_inherits i on i.inhrelid = c.oid"
    " where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r'"
    " and c.relname ~ ('^' || $1::text || '_r\\d+$')"
    " and substring(c.relname from '\\d+$')::bigint + $3::bigint <= $2::bigint order by c.relname";

static int drop_listed(struct maintain *m, const char *parent, const char *sql, int n_params,
                       const char *const *params)
{
    PGresult *list _cleanup_(store_pg_result_clear) = NULL;
    int rc = store_pg_sync_query(m->conn, &list, sql, n_params, params, m->err);
    for (int r = 0; rc == 0 && r < PQntuples(list); r++)
        rc = partition_drop(m, parent, PQgetvalue(list, r, 0), PQgetvalue(list, r, 1)[0] == 't',
                            PQgetvalue(list, r, 2)[0] == 't');
    return rc;
}

/* As in 001_stream.sql: rows are only added, and go with their table. */
static const char commits_options[] =
    "with (autovacuum_enabled = off, toast.autovacuum_enabled = off)";

/* A new range is as wide as the one before it; the first was made with the table. */
static int maintain_log(struct maintain *m, const PGresult *logs, int row)
{
    const char *log = PQgetvalue(logs, row, 0);
    int64_t newest = strtoll(PQgetvalue(logs, row, 1), NULL, 10);
    int64_t low = strtoll(PQgetvalue(logs, row, 3), NULL, 10);
    int64_t high = strtoll(PQgetvalue(logs, row, 4), NULL, 10);
    int64_t width = high - low;
    int rc = 0;
    for (; rc == 0 && high <= newest + width; high += width) {
        char name[64], from[24], to[24];
        (void)snprintf(name, sizeof(name), "%s_r%" PRId64, log, high);
        (void)snprintf(from, sizeof(from), "%" PRId64, high);
        (void)snprintf(to, sizeof(to), "%" PRId64, high + width);
        rc = partition_make(m, log, name, from, to, NULL, commits_options);
    }
    char width_text[24];
    (void)snprintf(width_text, sizeof(width_text), "%" PRId64, width);
    const char *const params[] = {log, PQgetvalue(logs, row, 2), width_text};
    return rc < 0 ? rc : drop_listed(m, log, passed_sql, 3, params);
}

static int maintain_commits(struct maintain *m)
{
    PGresult *logs _cleanup_(store_pg_result_clear) = NULL;
    int rc = store_pg_sync_query(m->conn, &logs, logs_sql, 0, NULL, m->err);
    for (int r = 0; rc == 0 && r < PQntuples(logs); r++)
        rc = maintain_log(m, logs, r);
    return rc;
}

/* ---- tables split by time ---- */

struct period {
    const char *name, *suffix; /* for date_trunc and interval; for to_char */
};
static const struct period periods[] = {
    [STORE_ROLL_HOUR] = {"hour", "YYYYMMDDHH24"},
    [STORE_ROLL_DAY] = {"day", "YYYYMMDD"},
    [STORE_ROLL_MONTH] = {"month", "YYYYMM"},
};

/* $1 table, $2 now (s), $3 period, $4 its name, $5 ahead: what is missing. One period back as well: clocks differ. */
static const char missing_sql[] =
    "select $1::text || '_r' || to_char(p, $4), p, p + ('1 ' || $3)::interval"
    " from generate_series(-1, $5::int) g"
    " cross join lateral (select date_trunc($3, to_timestamp($2::float8)) + g * ('1 ' || "
    "$3)::interval as p) x"
    " where to_regclass(quote_ident($1::text || '_r' || to_char(p, $4))) is null order by p";

/* $5: how many periods are kept after their end. Names are compared with names: they sort like times. */
static const char expired_sql[] =
    "select c.relname, c.relispartition, coalesce(i.inhdetachpending, false) from pg_class c"
    " left join pg_inherits i on i.inhrelid = c.oid"
    " where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r'"
    " and c.relname ~ ('^' || $1::text || '_r\\d+$')"
    " and substring(c.relname from '\\d+$') <"
    "   to_char(date_trunc($3, to_timestamp($2::float8)) - $5::int * ('1 ' || $3)::interval, $4) "
    "order by c.relname";

static int maintain_rolling(struct maintain *m, const struct store_table *table)
{
    char now[32], ahead[16], keep[16];
    (void)snprintf(now, sizeof(now), "%" PRId64, m->now_us / SECOND_US);
    (void)snprintf(ahead, sizeof(ahead), "%d", table->roll_ahead);
    (void)snprintf(keep, sizeof(keep), "%d", table->roll_keep);
    const struct period *period = &periods[table->roll];
    const char *const make[] = {table->name, now, period->name, period->suffix, ahead};
    const char *const drop[] = {table->name, now, period->name, period->suffix, keep};
    PGresult *missing _cleanup_(store_pg_result_clear) = NULL;
    int rc = store_pg_sync_query(m->conn, &missing, missing_sql, 5, make, m->err);
    for (int r = 0; rc == 0 && r < PQntuples(missing); r++)
        rc = partition_make(m, table->name, PQgetvalue(missing, r, 0), PQgetvalue(missing, r, 1),
                            PQgetvalue(missing, r, 2), table->roll_unique, "");
    return rc < 0 || table->roll_keep == 0 ? rc : drop_listed(m, table->name, expired_sql, 5, drop);
}

int store_pg_maintain(const struct store_pg_options *options, int64_t now_us, struct buf *report,
                      struct err *err)
{
    PGconn *conn _cleanup_(store_pg_sync_close) =
        store_pg_sync_connect(options->url, options->application_name, err);
    if (!conn)
        return ERR_UNAVAILABLE;
    struct maintain m = {conn, now_us, report, err};
    int rc = store_pg_sync_execf(
        conn, err,
        "set search_path = \"%s\"; set lock_timeout = '5s'; set statement_timeout = '60s'",
        options->schema);
    if (rc == 0)
        rc = store_pg_sync_lock(conn, options->schema, err);
    if (rc == 0)
        rc = maintain_commits(&m);
    for (unsigned t = 0; rc == 0 && t < options->n_tables; t++)
        if (options->tables[t]->roll != STORE_ROLL_NONE)
            rc = maintain_rolling(&m, options->tables[t]);
    return rc;
}
