/*
 * A commit on the wire: the fences first, then per table removals and writes by kind, then the sync. Everything it needs is
 * prepared before, so that nothing but these statements is in its transaction.
 */
#include "pg.h"

static struct store_value bytes_value(struct slice s)
{
    return (struct store_value){.null = s.size == 0, .s = s};
}

static int send_fences(struct pg *pg, struct pg_link *link, const struct store_commit *commit,
                       const struct pg_statement *statement)
{
    static const enum store_type types[] = {STORE_INT,   STORE_BIGINT, STORE_BIGINT, STORE_BIGINT,
                                            STORE_BYTES, STORE_BYTES,  STORE_BYTES,  STORE_BYTES};
    enum {
        COLUMNS = ARRAY_SIZE(types)
    };
    struct store_value *values =
        arena_alloc(pg->arena, commit->n_fences * sizeof(*values) * COLUMNS);
    const struct store_value **rows =
        arena_alloc(pg->arena, commit->n_fences * sizeof(struct store_value *));
    if (!values || !rows)
        return ERR_NO_MEMORY;
    for (unsigned f = 0; f < commit->n_fences; f++) {
        const struct store_position *fence = &commit->fences[f];
        const struct store_value row[COLUMNS] = {{.i = fence->part},
                                                 {.i = fence->n},
                                                 {.i = fence->epoch},
                                                 {.i = fence->done},
                                                 bytes_value(fence->offsets),
                                                 bytes_value(fence->numbers),
                                                 bytes_value(fence->watermarks),
                                                 bytes_value(fence->outbox)};
        rows[f] = memcpy(&values[(size_t)f * COLUMNS], row, sizeof(row));
    }
    store_pg_params_reset(&pg->params);
    for (unsigned c = 0; c < COLUMNS; c++)
        store_pg_params_array(&pg->params, types[c], rows, commit->n_fences, c);
    if (pg->params.data.overflow)
        return ERR_TOO_LARGE;
    store_pg_send(pg, link, statement);
    return 0;
}

static int send_rows(struct pg *pg, struct pg_link *link, const struct store_plan *plan,
                     enum store_row_kind kind, const struct pg_statement *statement)
{
    const struct store_table *table = plan->table;
    if (plan->n[kind] == 0)
        return 0;
    store_pg_params_reset(&pg->params);
    for (unsigned c = 0; c < table->n_columns; c++)
        if (store_kind_has(kind, table, c))
            store_pg_params_array(&pg->params, table->columns[c].type, plan->rows[kind],
                                  plan->n[kind], c);
    if (pg->params.data.overflow)
        return ERR_TOO_LARGE;
    store_pg_send(pg, link, statement);
    return 0;
}

/* What a commit will execute: looked up, and prepared, before its transaction begins. */
struct commit_statements {
    struct store_plan *plans;
    unsigned n_plans;
    struct pg_statement *fence, **rows; /* STORE_ROW_KINDS a plan */
};

static int commit_prepare(struct pg *pg, struct pg_link *link, const struct store_commit *commit,
                          struct commit_statements *out, struct err *err)
{
    int rc =
        store_plan_make(pg->arena, commit->rows, commit->n_rows, &out->plans, &out->n_plans, err);
    if (rc < 0)
        return rc;
    unsigned n = out->n_plans * STORE_ROW_KINDS;
    out->rows = arena_alloc(pg->arena, n * sizeof(struct pg_statement *));
    if (!out->rows)
        return err_set(err, ERR_NO_MEMORY, ERR_CLASS_PERMANENT,
                       "store: too many rows in one commit");
    if (commit->n_fences)
        out->fence = store_pg_prepared(pg, link, PG_FENCE, NULL, NULL, err);
    for (unsigned i = 0; i < n; i++) {
        const struct store_plan *plan = &out->plans[i / STORE_ROW_KINDS];
        unsigned kind = i % STORE_ROW_KINDS;
        if (plan->n[kind])
            out->rows[i] = store_pg_prepared(pg, link, (enum pg_statement_kind)(PG_ROWS + kind),
                                             plan->table, NULL, err);
    }
    return err->code;
}

static int commit_send(struct pg *pg, struct pg_link *link, const struct store_commit *commit,
                       const struct commit_statements *statements)
{
    int rc = commit->n_fences ? send_fences(pg, link, commit, statements->fence) : 0;
    for (unsigned p = 0; rc == 0 && p < statements->n_plans; p++) {
        const struct store_plan *plan = &statements->plans[p];
        struct pg_statement *const *rows = &statements->rows[(size_t)p * STORE_ROW_KINDS];
        rc = send_rows(pg, link, plan, STORE_ROW_REMOVE, rows[STORE_ROW_REMOVE]);
        for (enum store_row_kind kind = STORE_ROW_PUT; rc == 0 && kind < STORE_ROW_REMOVE; kind++)
            rc = send_rows(pg, link, plan, kind, rows[kind]);
    }
    return rc;
}

void store_pg_commit(struct store *store, struct store_commit *commit)
{
    struct pg *pg = store_pg_of(store);
    struct pg_link *link = &pg->links[PG_COMMITS];
    struct pg_request request = {.kind = PG_REQUEST_COMMIT, .commit = commit};
    struct commit_statements statements = {0};
    struct err err = {0};
    for (unsigned f = 0; f < commit->n_fences; f++)
        commit->fenced[f] = false;
    commit->missing = 0;
    arena_reset(pg->arena);
    if (commit_prepare(pg, link, commit, &statements, &err) < 0) {
        store_pg_end_unsent(link, request, &err);
        return;
    }
    struct pg_request *queued = store_pg_link_submit(link, request);
    if (!queued)
        return;
    for (unsigned p = 0; p < statements.n_plans; p++) /* each result takes off what it found */
        commit->missing +=
            statements.plans[p].n[STORE_ROW_UPDATE] + statements.plans[p].n[STORE_ROW_NARROW];
    int rc = commit_send(pg, link, commit, &statements);
    if (rc == 0) {
        store_pg_send_sync(link);
    } else { /* half of it is in the pipeline: the sync must not come, so the connection goes */
        err_set(&queued->err, rc, ERR_CLASS_PERMANENT, "store: commit too large");
        store_pg_link_fail(link, "a commit was too large", true);
    }
}
