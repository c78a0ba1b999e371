/* What comes back: rows into the request's arena, errors into the request. */
#include "pg.h"
#include <stdlib.h>

static void own_position(struct store_own *own, const PGresult *result, struct err *err)
{
    static const enum store_type types[] = {STORE_BIGINT, STORE_BIGINT, STORE_BIGINT, STORE_INT,
                                            STORE_BYTES,  STORE_BYTES,  STORE_BYTES};
    struct store_value v[ARRAY_SIZE(types)];
    if (PQntuples(result) != 1 || PQnfields(result) != ARRAY_SIZE(types)) {
        err_set(err, ERR_INTERNAL, ERR_CLASS_FATAL, "store: commit_own is of another release");
        return;
    }
    for (unsigned c = 0; c < ARRAY_SIZE(types); c++)
        if (store_pg_decode(result, 0, (int)c, types[c], own->arena, &v[c], err) < 0)
            return;
    own->position = (struct store_position){.part = own->part,
                                            .n = v[0].i,
                                            .epoch = v[1].i,
                                            .done = v[2].i,
                                            .tries = (int32_t)v[3].i,
                                            .offsets = v[4].s,
                                            .numbers = v[5].s,
                                            .watermarks = v[6].s};
}

static void own_outboxes(struct store_own *own, const PGresult *result, struct err *err)
{
    int n = PQntuples(result);
    struct store_outbox *outboxes = arena_alloc(own->arena, (size_t)n * sizeof(*outboxes));
    for (int r = 0; outboxes && r < n; r++) {
        struct store_value number, blob;
        if (store_pg_decode(result, r, 0, STORE_BIGINT, own->arena, &number, err) < 0 ||
            store_pg_decode(result, r, 1, STORE_BYTES, own->arena, &blob, err) < 0)
            return;
        outboxes[r] = (struct store_outbox){number.i, blob.s};
    }
    if (arena_overflowed(own->arena)) {
        err_set(err, ERR_NO_MEMORY, ERR_CLASS_PERMANENT, "store: outboxes over the arena's limit");
        return;
    }
    own->outboxes = outboxes;
    own->n_outboxes = (unsigned)n;
}

static void load_found(struct store_load *load, const PGresult *result, struct err *err)
{
    const struct store_lookup *lookup = load->lookup;
    int n = PQntuples(result);
    struct store_found *found = arena_alloc(load->arena, (size_t)n * sizeof(*found));
    struct store_value *values =
        arena_alloc(load->arena, (size_t)n * lookup->n_columns * sizeof(*values));
    for (int r = 0; found && values && r < n; r++, values += lookup->n_columns) {
        struct store_value key;
        if (store_pg_decode(result, r, 0, STORE_BIGINT, load->arena, &key, err) < 0)
            return;
        for (unsigned c = 0; c < lookup->n_columns; c++)
            if (store_pg_decode(result, r, (int)c + 1,
                                lookup->table->columns[lookup->columns[c]].type, load->arena,
                                &values[c], err) < 0)
                return;
        found[r] = (struct store_found){(unsigned)key.i - 1, values};
    }
    if (arena_overflowed(load->arena)) {
        err_set(err, ERR_NO_MEMORY, ERR_CLASS_PERMANENT,
                "store: %s: results over the arena's limit", lookup->table->name);
        return;
    }
    load->found = found;
    load->n_found = (unsigned)n;
}

/* The exception's detail: partitions, separated by commas. */
static void mark_fenced(struct store_commit *commit, const char *detail)
{
    while (detail && *detail) {
        char *end;
        long part = strtol(detail, &end, 10);
        for (unsigned f = 0; f < commit->n_fences && end != detail; f++)
            commit->fenced[f] = commit->fenced[f] || commit->fences[f].part == part;
        detail = *end ? end + 1 : NULL;
    }
}

static void request_failed(struct pg_link *link, struct pg_request *request, const PGresult *result)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    store_pg_error(&request->err, result);
    if (state && strcmp(state, "26000") == 0 && link->prepare_err.code)
        request->err = link->prepare_err; /* not prepared: why not says more */
    if (request->kind == PG_REQUEST_PREPARE) {
        request->statement->prepared[link->index] = false;
        link->prepare_err = request->err;
    } else if (request->kind == PG_REQUEST_COMMIT && request->err.code == ERR_FENCED) {
        mark_fenced(request->commit, PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL));
    }
}

/* Rows that an update found; 0 of any other statement. */
static unsigned updated(const PGresult *result)
{
    static const char update[] = "UPDATE ";
    const char *status = PQcmdStatus((PGresult *)(uintptr_t)result); /* only read */
    return strncmp(status, update, strlen(update)) == 0
               ? (unsigned)strtoul(status + strlen(update), NULL, 10)
               : 0;
}

void store_pg_result(struct pg_link *link, struct pg_request *request, const PGresult *result)
{
    if (request->err.code)
        return; /* the first error is the reason of the others */
    ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_TUPLES_OK && request->kind == PG_REQUEST_LOAD)
        load_found(request->load, result, &request->err);
    else if (status == PGRES_TUPLES_OK && request->kind == PG_REQUEST_OWN &&
             request->statement_index == 0)
        own_position(request->own, result, &request->err);
    else if (status == PGRES_TUPLES_OK && request->kind == PG_REQUEST_OWN)
        own_outboxes(request->own, result, &request->err);
    else if (status == PGRES_COMMAND_OK && request->kind == PG_REQUEST_COMMIT)
        request->commit->missing -= updated(result);
    else if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
        request_failed(link, request, result);
}

void store_pg_done(struct pg_request *request)
{
    struct err err = request->err;
    switch (request->kind) {
    case PG_REQUEST_OWN:
        request->own->err = err;
        request->own->done(request->own);
        return;
    case PG_REQUEST_COMMIT:
        request->commit->err = err;
        if (err.code)
            request->commit->missing = 0;
        request->commit->done(request->commit);
        return;
    case PG_REQUEST_LOAD:
        request->load->err = err;
        if (err.code)
            request->load->n_found = 0;
        request->load->done(request->load);
        return;
    case PG_REQUEST_PREPARE:
        return;
    }
}

void store_pg_lost(struct pg_link *link)
{
    for (struct pg_statement *statement = link->pg->statements.first; statement;
         statement = statement->next)
        statement->prepared[link->index] = false;
}
