/*
 * Postgres behind the operations of store.h.
 *
 *   request -> statements, each prepared on first use in a transaction of its own
 *           -> parameters -> libpq's pipeline, then a sync: one implicit transaction
 *   results -> the request's (decoded into its arena) -> sync: outcome known -> done()
 *
 * A commit is confirmed by nothing but its sync result with no error before it. Nothing is sent while a connection is
 * down, and nothing is sent again: a request whose connection broke has an unknown outcome, and its owner decides.
 */
#include "pg.h"
#include <stdlib.h>

#define PLAN_LIMIT ((size_t)64 << 20) /* pointers to the rows of one commit: a million rows */

/* ---- sending ---- */

/* The statement, prepared on that connection; NULL: *err says why. */
struct pg_statement *store_pg_prepared(struct pg *pg, struct pg_link *link,
                                       enum pg_statement_kind kind, const struct store_table *table,
                                       const struct store_lookup *lookup, struct err *err)
{
    struct pg_statement *statement = store_pg_statement(&pg->statements, kind, table, lookup);
    if (!statement) {
        err_set(err, ERR_FULL, ERR_CLASS_FATAL, "store: too many different statements");
        return NULL;
    }
    if (statement->prepared[link->index] || link->state != LINK_READY)
        return statement;
    struct pg_request request = {.kind = PG_REQUEST_PREPARE, .statement = statement};
    if (!store_pg_link_submit(link, request))
        return statement;
    statement->prepared[link->index] = true;
    if (PQsendPrepare(link->conn, statement->name, statement->sql, 0, NULL) != 1 ||
        PQpipelineSync(link->conn) != 1)
        store_pg_link_fail(link, "a statement could not be sent", false);
    return statement;
}

/* Sends one statement with the parameters collected; a failure breaks the connection. */
void store_pg_send(struct pg *pg, struct pg_link *link, const struct pg_statement *statement)
{
    if (link->conn && store_pg_params_send(&pg->params, link->conn, statement->name) < 0)
        store_pg_link_fail(link, "a statement could not be sent", false);
}

void store_pg_send_sync(struct pg_link *link)
{
    if (link->conn && PQpipelineSync(link->conn) != 1)
        store_pg_link_fail(link, "a statement could not be sent", false);
    store_pg_link_flush(link);
}

/* Ends a request that nothing is sent for: with an error, or an empty success. */
void store_pg_end_unsent(struct pg_link *link, struct pg_request request, const struct err *err)
{
    struct pg_request *queued = store_pg_link_submit(link, request);
    if (queued)
        store_pg_link_settle(link, queued, err);
}

static void pg_own(struct store *store, struct store_own *own)
{
    struct pg *pg = store_pg_of(store);
    struct pg_link *link = &pg->links[PG_COMMITS];
    struct pg_request request = {.kind = PG_REQUEST_OWN, .own = own};
    struct err err = {0};
    own->outboxes = NULL;
    own->n_outboxes = 0;
    struct pg_statement *take = store_pg_prepared(pg, link, PG_OWN, NULL, NULL, &err);
    struct pg_statement *outboxes = store_pg_prepared(pg, link, PG_OUTBOXES, NULL, NULL, &err);
    if (err.code) {
        store_pg_end_unsent(link, request, &err);
        return;
    }
    if (!store_pg_link_submit(link, request))
        return;
    store_pg_params_reset(&pg->params);
    store_pg_params_int(&pg->params, own->part);
    store_pg_send(pg, link, take);
    store_pg_send(pg, link, outboxes);
    store_pg_send_sync(link);
}

static void pg_load(struct store *store, struct store_load *load)
{
    struct pg *pg = store_pg_of(store);
    const struct store_lookup *lookup = load->lookup;
    struct pg_link *link = &pg->links[load->after_commits ? PG_COMMITS
                                      : load->slow        ? PG_SLOW
                                                          : PG_LOADS];
    struct pg_request request = {.kind = PG_REQUEST_LOAD, .load = load};
    struct err err = {0};
    load->found = NULL;
    load->n_found = 0;
    struct pg_statement *statement =
        store_pg_prepared(pg, link, PG_LOOKUP, lookup->table, lookup, &err);
    arena_reset(pg->arena);
    const struct store_value **keys =
        arena_alloc(pg->arena, load->n_keys * sizeof(struct store_value *));
    if (!keys && !err.code)
        err_set(&err, ERR_TOO_LARGE, ERR_CLASS_PERMANENT, "store: too many keys");
    if (err.code || !keys || load->n_keys == 0) {
        store_pg_end_unsent(link, request, &err);
        return;
    }
    if (!store_pg_link_submit(link, request))
        return;
    unsigned stride = lookup->n_by + lookup->after + lookup->until;
    for (unsigned k = 0; k < load->n_keys; k++)
        keys[k] = &load->keys[(size_t)k * stride];
    store_pg_params_reset(&pg->params);
    for (unsigned c = 0; c < stride; c++) {
        unsigned column = c < lookup->n_by ? lookup->by[c] : (unsigned)lookup->order;
        store_pg_params_array(&pg->params, lookup->table->columns[column].type, keys, load->n_keys,
                              c);
    }
    store_pg_send(pg, link, statement);
    store_pg_send_sync(link);
}

static void pg_reset(struct store *store)
{
    store_pg_link_fail(&store_pg_of(store)->links[PG_COMMITS], "reset", true);
}

static bool pg_ready(struct store *store)
{
    struct pg *pg = store_pg_of(store);
    bool ready = true;
    for (unsigned l = 0; l < PG_LINKS; l++)
        ready = ready && pg->links[l].state == LINK_READY;
    return ready;
}

static void pg_destroy(struct store *store)
{
    struct pg *pg = store_pg_of(store);
    for (unsigned l = 0; l < PG_LINKS; l++)
        store_pg_link_deinit(&pg->links[l]);
    store_pg_statements_free(&pg->statements);
    buf_deinit(&pg->params.data);
    arena_destroy(&pg->arena);
    free(pg->url);
    free(pg->application_name);
    free(pg);
}

/* ---- making ---- */

static const struct store_ops pg_ops = {pg_own,   pg_load,  store_pg_commit,
                                        pg_reset, pg_ready, pg_destroy};
static const struct pg_link_ops link_ops = {store_pg_result, store_pg_done, store_pg_lost};

/*
 * Every statement finds its rows by key, from arrays whose length the planner does not know: with these settings it
 * takes the index on a small or a not yet analyzed table too, and a plan once made stays good as the table grows. Pages
 * and operators cost nothing, so that indexes are compared by the rows that they lead to: before there are statistics, a
 * small index on the tenant alone would be cheaper than the larger one on the whole key.
 */
static const char planner_sql[] =
    "set plan_cache_mode = force_generic_plan; set enable_seqscan = off; set "
    "enable_hashjoin = off; set enable_mergejoin = off; set jit = off; set random_page_cost = 0; "
    "set seq_page_cost = 0; set cpu_operator_cost = 0; ";

static char *setup_sql(const struct store_pg_options *options, enum pg_link_index index)
{
    struct buf sql = {0};
    if (options->role)
        buf_printf(&sql, "set role \"%s\"; ", options->role);
    buf_printf(&sql, "set search_path = \"%s\"; ", options->schema);
    buf_append_str(&sql, planner_sql);
    /* a lock that is held longer is held by somebody stuck: better an unknown outcome and another try */
    buf_append_str(&sql,
                   "set synchronous_commit = on; set timezone = 'UTC'; set lock_timeout = '10s'; ");
    if (index == PG_SLOW && options->statement_timeout_ms > 0)
        buf_printf(&sql, "set statement_timeout = %lld; ",
                   (long long)options->statement_timeout_ms);
    if (sql.overflow)
        buf_deinit(&sql);
    return (char *)sql.data;
}

static int check_options(const struct store_pg_options *options, struct err *err)
{
    const char *const quoted[] = {options->schema, options->role ? options->role : ""};
    for (unsigned q = 0; q < ARRAY_SIZE(quoted); q++)
        if (strchr(quoted[q], '"'))
            return err_set(err, ERR_INVALID, ERR_CLASS_FATAL, "store: bad schema or role");
    for (unsigned t = 0; t < options->n_tables; t++) {
        int rc = store_table_check(options->tables[t], err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int pg_init(struct pg *pg, struct event_base *base, const struct store_pg_options *options,
                   struct err *err)
{
    pg->store.ops = &pg_ops;
    pg->url = strdup(options->url);
    pg->application_name =
        strdup(options->application_name ? options->application_name : "journey");
    pg->arena = arena_create(PLAN_LIMIT);
    if (!pg->url || !pg->application_name || !pg->arena)
        return err_set(err, ERR_NO_MEMORY, ERR_CLASS_FATAL, "store: no memory");
    for (unsigned l = 0; l < PG_LINKS; l++) {
        struct pg_link *link = &pg->links[l];
        *link = (struct pg_link){.pg = pg,
                                 .index = l,
                                 .ops = &link_ops,
                                 .base = base,
                                 .url = pg->url,
                                 .application_name = pg->application_name,
                                 .setup = setup_sql(options, l)};
        if (!link->setup)
            return err_set(err, ERR_NO_MEMORY, ERR_CLASS_FATAL, "store: no memory");
        int rc = store_pg_link_init(link, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int store_pg_create(struct store **store, struct event_base *base,
                    const struct store_pg_options *options, struct err *err)
{
    int rc = check_options(options, err);
    if (rc < 0)
        return rc;
    struct pg *pg = calloc(1, sizeof(*pg));
    if (!pg)
        return err_set(err, ERR_NO_MEMORY, ERR_CLASS_FATAL, "store: no memory");
    rc = pg_init(pg, base, options, err);
    if (rc < 0) {
        pg_destroy(&pg->store);
        return rc;
    }
    *store = &pg->store;
    return 0;
}
