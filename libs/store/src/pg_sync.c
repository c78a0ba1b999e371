/* Blocking connections, for what runs at the start of a program or beside it. */
#include "pg.h"
#include <stdio.h>
#include <time.h>

#define LOCK_WAIT_MS  100
#define LOCK_TRIES    6000 /* ten minutes: longer than any migration */
#define STATEMENT_MAX 2048

static int connection_error(PGconn *conn, struct err *err)
{
    char text[160];
    store_pg_text(text, sizeof(text), PQerrorMessage(conn));
    return err_set(err, ERR_UNAVAILABLE, ERR_CLASS_TRANSIENT, "store: %s", text);
}

PGconn *store_pg_sync_connect(const char *url, const char *application_name, struct err *err)
{
    const char *const names[] = {"dbname", "application_name", "client_encoding", "connect_timeout",
                                 NULL};
    const char *const values[] = {url, application_name ? application_name : "journey", "UTF8",
                                  "10", NULL};
    PGconn *conn = PQconnectdbParams(names, values, 1);
    PQsetNoticeReceiver(conn, store_pg_silence, NULL);
    if (PQstatus(conn) != CONNECTION_OK) {
        (void)connection_error(conn, err);
        store_pg_sync_close(&conn);
        return NULL;
    }
    if (store_pg_sync_exec(conn, "set client_min_messages = warning; set timezone = 'UTC'", err) <
        0)
        store_pg_sync_close(&conn);
    return conn;
}

void store_pg_sync_close(PGconn **conn)
{
    PQfinish(*conn);
    *conn = NULL;
}

static int result_check(PGconn *conn, const PGresult *result, struct err *err)
{
    ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
        return 0;
    return result ? store_pg_error(err, result) : connection_error(conn, err);
}

int store_pg_sync_exec(PGconn *conn, const char *sql, struct err *err)
{
    PGresult *result _cleanup_(store_pg_result_clear) = PQexec(conn, sql);
    return result_check(conn, result, err);
}

int store_pg_sync_execf(PGconn *conn, struct err *err, const char *format, ...)
{
    char sql[STATEMENT_MAX];
    va_list args;
    va_start(args, format);
    int size = vsnprintf(sql, sizeof(sql), format, args);
    va_end(args);
    if (size < 0 || (size_t)size >= sizeof(sql))
        return err_set(err, ERR_TOO_LARGE, ERR_CLASS_FATAL, "store: statement too long");
    return store_pg_sync_exec(conn, sql, err);
}

int store_pg_sync_query(PGconn *conn, PGresult **result, const char *sql, int n_params,
                        const char *const *params, struct err *err)
{
    PGresult *answer = PQexecParams(conn, sql, n_params, NULL, params, NULL, NULL, 0);
    int rc = result_check(conn, answer, err);
    if (rc < 0)
        PQclear(answer);
    else
        *result = answer;
    return rc;
}

/* Asked for again and again instead of waited for: a statement that waits holds a snapshot, and a `detach partition
 * concurrently` of whoever has the lock could wait for that. */
int store_pg_sync_lock(PGconn *conn, const char *what, struct err *err)
{
    const char *const params[] = {what};
    for (int t = 0; t < LOCK_TRIES; t++) {
        PGresult *result _cleanup_(store_pg_result_clear) = NULL;
        int rc = store_pg_sync_query(
            conn, &result, "select pg_try_advisory_lock(hashtextextended('journey/' || $1, 0))", 1,
            params, err);
        if (rc < 0)
            return rc;
        if (PQgetvalue(result, 0, 0)[0] == 't')
            return 0;
        (void)nanosleep(&(struct timespec){.tv_nsec = LOCK_WAIT_MS * 1000000L}, NULL);
    }
    return err_set(err, ERR_UNAVAILABLE, ERR_CLASS_TRANSIENT,
                   "store: another instance holds the lock of %s", what);
}
