#include "database.h"

#include <stdio.h>
#include <stdlib.h>

#define MAX_PARAMETERS    16
#define CONNECT_TIMEOUT_S "10"

struct pg_conn {
    PGconn *pg;
    char state[6]; /* SQLSTATE of the last failure */
};

void database_close(struct ctl *ctl)
{
    if (ctl->db)
        PQfinish(ctl->db->pg);
    free(ctl->db);
    ctl->db = NULL;
}

/* libpq's messages end with a line end, and may hold several lines. */
static int say_error(const char *what, const char *message)
{
    int size = (int)strlen(message);
    while (size > 0 && message[size - 1] == '\n')
        size--;
    return ctl_fail(CTL_UNAVAILABLE, "%s: %.*s\n  is the installation running? (make status)", what,
                    size, message);
}

int database_place(struct ctl *ctl)
{
    if (ctl->place.database_url)
        return CTL_DONE;
    return ctl_fail(CTL_USAGE,
                    "where is Postgres? DATABASE_URL is not set and there is no run/env\n"
                    "  start the engine here (make up), or: export "
                    "DATABASE_URL=postgresql://user:password@host/database");
}

static int database_connect(struct ctl *ctl)
{
    if (ctl->db)
        return CTL_DONE;
    int status = database_place(ctl);
    if (status != CTL_DONE)
        return status;
    static const char *const keywords[] = {"dbname",          "application_name", "connect_timeout",
                                           "client_encoding", "options",          NULL};
    const char *const values[] = {ctl->place.database_url,
                                  "journeyctl",
                                  CONNECT_TIMEOUT_S,
                                  "UTF8",
                                  "-c client_min_messages=warning -c TimeZone=UTC",
                                  NULL};
    struct pg_conn *db = calloc(1, sizeof(*db));
    if (!db)
        return ctl_fail(CTL_FAILED, "no memory");
    ctl->db = db;
    db->pg = PQconnectdbParams(keywords, values, 1);
    if (PQstatus(db->pg) == CONNECTION_OK)
        return CTL_DONE;
    status = say_error("Postgres", PQerrorMessage(db->pg));
    database_close(ctl);
    return status;
}

static int query_failed(struct ctl *ctl, const PGresult *result)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    (void)snprintf(ctl->db->state, sizeof(ctl->db->state), "%s", state ? state : "");
    if (!state || PQstatus(ctl->db->pg) != CONNECTION_OK)
        return say_error("Postgres", PQerrorMessage(ctl->db->pg));
    if (strcmp(state, "42P01") == 0 || strcmp(state, "3F000") == 0)
        return ctl_fail(CTL_FAILED, "the database lacks a table: %s\n  try: journeyctl migrate",
                        message);
    if (database_was_duplicate(ctl)) /* the caller knows what that means */
        return CTL_FAILED;
    return ctl_fail(CTL_FAILED, "Postgres refused: %s", message);
}

static int query(struct ctl *ctl, PGresult **rows, const char *sql, int n, va_list list)
{
    const char *parameters[MAX_PARAMETERS] = {0};
    assert(n <= MAX_PARAMETERS);
    for (int i = 0; i < n; i++)
        parameters[i] = va_arg(list, const char *);
    int status = database_connect(ctl);
    if (status != CTL_DONE)
        return status;
    assert(ctl->db);
    PGresult *result = PQexecParams(ctl->db->pg, sql, n, NULL, parameters, NULL, NULL, 0);
    ExecStatusType outcome = PQresultStatus(result);
    if (outcome != PGRES_TUPLES_OK && outcome != PGRES_COMMAND_OK) {
        status = query_failed(ctl, result);
        PQclear(result);
        return status;
    }
    *rows = result;
    return CTL_DONE;
}

int database_query(struct ctl *ctl, PGresult **rows, const char *sql, int n, ...)
{
    va_list list;
    va_start(list, n);
    int status = query(ctl, rows, sql, n, list);
    va_end(list);
    return status;
}

int database_run(struct ctl *ctl, const char *sql, int n, ...)
{
    _cleanup_(database_free) PGresult *rows = NULL;
    va_list list;
    va_start(list, n);
    int status = query(ctl, &rows, sql, n, list);
    va_end(list);
    return status;
}

void database_rollback(struct ctl *ctl)
{
    if (ctl->db)
        PQclear(PQexec(ctl->db->pg, "rollback"));
}

bool database_was_duplicate(struct ctl *ctl)
{
    return ctl->db && strcmp(ctl->db->state, "23505") == 0;
}

const char *database_bytea(struct ctl *ctl, const uint8_t *data, size_t size)
{
    char *text = arena_alloc(ctl->arena, 2 * size + 3);
    if (text) {
        memcpy(text, "\\x", 2);
        hex_format(text + 2, data, size);
    }
    return text;
}
