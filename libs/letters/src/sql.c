#include "sql.h"

#include <stdlib.h>

static int failed(struct letters *l, const PGresult *result, struct err *err)
{
    const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    /* serialization and deadlock, no room, an operator's word, a time-out: another time */
    bool later = state && (strncmp(state, "40", 2) == 0 || strncmp(state, "53", 2) == 0 ||
                           strncmp(state, "57", 2) == 0);
    if (state && PQstatus(l->pg) == CONNECTION_OK)
        return err_set(err, later ? ERR_UNAVAILABLE : ERR_INTERNAL,
                       later ? ERR_CLASS_TRANSIENT : ERR_CLASS_PERMANENT,
                       "the database refused: %s %s", state,
                       PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
    PQfinish(l->pg);
    l->pg = NULL;
    return err_set(err, ERR_UNAVAILABLE, ERR_CLASS_TRANSIENT, "the database does not answer");
}

static int connect_once(struct letters *l, struct err *err)
{
    static const char *const names[] = {"dbname",          "application_name", "connect_timeout",
                                        "client_encoding", "options",          NULL};
    const char *const values[] = {
        l->url,
        l->name,
        "5",
        "UTF8",
        "-c client_min_messages=warning -c TimeZone=UTC -c statement_timeout=20000",
        NULL};
    if (l->pg)
        return 0;
    if (!l->url)
        return err_set(err, ERR_UNAVAILABLE, ERR_CLASS_TRANSIENT, "there is no database");
    l->pg = PQconnectdbParams(names, values, 1);
    if (PQstatus(l->pg) != CONNECTION_OK)
        return failed(l, NULL, err);
    return letters_run(l, err, "set role journey_accounts", 0, NULL);
}

int letters_query(struct letters *l, PGresult **rows, struct err *err, const char *sql, int n,
                  const char *const *values)
{
    int r = connect_once(l, err);
    if (r < 0)
        return r;
    PGresult *result = PQexecParams(l->pg, sql, n, NULL, values, NULL, NULL, 0);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
        r = failed(l, result, err);
        PQclear(result);
        return r;
    }
    *rows = result;
    return 0;
}

int letters_run(struct letters *l, struct err *err, const char *sql, int n,
                const char *const *values)
{
    PGresult *rows = NULL;
    int r = letters_query(l, &rows, err, sql, n, values);
    PQclear(rows);
    return r;
}

int letters_begin(struct letters *l, struct err *err)
{
    return letters_run(l, err, "begin", 0, NULL);
}

int letters_end(struct letters *l, int r, struct err *err)
{
    if (r >= 0)
        return letters_run(l, err, "commit", 0, NULL);
    if (l->pg)
        PQclear(PQexec(l->pg, "rollback"));
    return r;
}

struct letters *letters_create(const char *database_url, const char *application_name,
                               struct bus *bus)
{
    struct letters *l = calloc(1, sizeof(*l));
    if (!l)
        return NULL;
    l->bus = bus;
    l->url = database_url ? strdup(database_url) : NULL;
    l->name = strdup(application_name);
    l->scratch = arena_create((size_t)64 << 20);
    if (!l->scratch || !l->name || (database_url && !l->url))
        letters_destroy(&l);
    return l;
}

void letters_destroy(struct letters **letters)
{
    struct letters *l = *letters;
    if (!l)
        return;
    PQfinish(l->pg);
    arena_destroy(&l->scratch);
    free(l->url);
    free(l->name);
    free(l);
    *letters = NULL;
}
