#pragma once
/* Postgres: what its parts see of each other. See pg.c for how a request flows through them. */
#include "internal.h"
#include <event2/event.h>
#include <libpq-fe.h>

enum pg_link_index {
    PG_COMMITS,
    PG_LOADS,
    PG_SLOW,
    PG_LINKS
};

/* ---- prepared statements (pg_statement.c) ---- */

enum pg_statement_kind {
    PG_ROWS, /* the first of STORE_ROW_KINDS: one per kind of row */
    PG_LOOKUP = PG_ROWS + STORE_ROW_KINDS,
    PG_FENCE,
    PG_OWN,
    PG_OUTBOXES
};

struct pg_statement {
    enum pg_statement_kind kind;
    const struct store_table *table; /* of ROWS */
    struct store_lookup lookup;      /* of LOOKUP; its arrays are copies */
    char name[16];
    char *sql;
    bool prepared[PG_LINKS]; /* asked for on that connection, and not failed */
    struct pg_statement *next;
};

struct pg_statements {
    struct pg_statement *first;
    unsigned n;
};
/* Found or made; NULL: too many different ones. */
struct pg_statement *store_pg_statement(struct pg_statements *statements,
                                        enum pg_statement_kind kind,
                                        const struct store_table *table,
                                        const struct store_lookup *lookup);
void store_pg_statements_free(struct pg_statements *statements);

/* SQL texts (pg_sql.c) */
void store_pg_sql_rows(struct buf *sql, const struct store_table *table, enum store_row_kind kind);
void store_pg_sql_lookup(struct buf *sql, const struct store_lookup *lookup);

/* ---- values (pg_encode.c) ---- */

#define PG_PARAMS_MAX STORE_MAX_COLUMNS
struct pg_params {
    struct buf data;
    int n;
    size_t offsets[PG_PARAMS_MAX];
    int sizes[PG_PARAMS_MAX];
};
void store_pg_params_reset(struct pg_params *params);
void store_pg_params_int(struct pg_params *params, int32_t value);
/* One parameter: the array of rows[0..n)[column]. */
void store_pg_params_array(struct pg_params *params, enum store_type type,
                           const struct store_value *const *rows, unsigned n, unsigned column);
/* 0 when it was sent. */
int store_pg_params_send(const struct pg_params *params, PGconn *conn, const char *statement);
/* The field of a binary result, copied into the arena. */
int store_pg_decode(const PGresult *result, int row, int column, enum store_type type,
                    struct arena *arena, struct store_value *value, struct err *err) MUST_CHECK;

/* ---- errors (pg_error.c) ---- */

/* The result's SQLSTATE as code and class; the message without values. */
int store_pg_error(struct err *err, const PGresult *result);
#define PG_SQLSTATE_FENCED "JF001" /* raised by commit_fence, its detail: the partitions */
/* The same for PQerrorMessage: first line, cut. */
void store_pg_text(char *out, size_t size, const char *message);

/* ---- requests and connections (pg_link.c) ---- */

struct pg;
struct pg_link;

struct pg_request {
    enum {
        PG_REQUEST_OWN,
        PG_REQUEST_COMMIT,
        PG_REQUEST_LOAD,
        PG_REQUEST_PREPARE
    } kind;
    union {
        struct store_own *own;
        struct store_commit *commit;
        struct store_load *load;
        struct pg_statement *statement;
    };
    unsigned statement_index; /* which of its results comes next */
    bool settled;             /* the outcome is known: done() when its turn comes */
    struct err err;
    struct pg_request *next;
};

/* What the owner of the connections does with them. */
struct pg_link_ops {
    void (*result)(struct pg_link *link, struct pg_request *request, const PGresult *result);
    void (*done)(struct pg_request *request); /* frees nothing */
    void (*lost)(struct pg_link *link);       /* nothing is prepared there any more */
};

struct pg_link {
    struct pg *pg;
    enum pg_link_index index;
    const struct pg_link_ops *ops;
    struct event_base *base;
    const char *url, *application_name;
    char *setup; /* SQL that makes a new connection ours */
    enum {
        LINK_DOWN,
        LINK_CONNECTING,
        LINK_SETUP,
        LINK_READY
    } state;
    PGconn *conn;
    struct event *readable, *writable, *timer, *wake;
    int64_t backoff_us;
    struct pg_request *first, **last; /* in the order of submission */
    unsigned n;
    char fault[160];        /* why it is down */
    struct err prepare_err; /* of the last statement that could not be prepared */
};

int store_pg_link_init(struct pg_link *link, struct err *err) MUST_CHECK;
void store_pg_link_deinit(struct pg_link *link);
/* Appends a request; NULL: it was settled with an error already (down, too many) and nothing is to be sent. */
struct pg_request *store_pg_link_submit(struct pg_link *link, struct pg_request request);
void store_pg_link_settle(struct pg_link *link, struct pg_request *request, const struct err *err);
void store_pg_link_flush(struct pg_link *link);
/* Breaks the connection: all that is under way becomes unknown, and a new one is made. */
void store_pg_link_fail(struct pg_link *link, const char *why, bool at_once);

void store_pg_silence(void *user, const PGresult *result); /* a notice receiver */

/* ---- the store (pg.c, pg_commit.c, pg_result.c) ---- */

struct pg {
    struct store store;
    struct pg_link links[PG_LINKS];
    struct pg_statements statements;
    struct pg_params params; /* of the statement being sent */
    struct arena *arena;     /* of the request being sent */
    char *url, *application_name;
};
static inline struct pg *store_pg_of(struct store *store)
{
    return (struct pg *)(void *)store; /* its first member */
}
/* The statement, prepared on that connection; NULL: *err says why. */
struct pg_statement *store_pg_prepared(struct pg *pg, struct pg_link *link,
                                       enum pg_statement_kind kind, const struct store_table *table,
                                       const struct store_lookup *lookup, struct err *err);
/* One statement with the parameters collected; the end of a transaction. A failure breaks the
 * connection. */
void store_pg_send(struct pg *pg, struct pg_link *link, const struct pg_statement *statement);
void store_pg_send_sync(struct pg_link *link);
/* Ends a request that nothing is sent for: with an error, or an empty success. */
void store_pg_end_unsent(struct pg_link *link, struct pg_request request, const struct err *err);
void store_pg_commit(struct store *store, struct store_commit *commit);
void store_pg_result(struct pg_link *link, struct pg_request *request, const PGresult *result);
void store_pg_done(struct pg_request *request);
void store_pg_lost(struct pg_link *link);

/* ---- blocking connections, for maintenance and migrations (pg_sync.c) ---- */

PGconn *store_pg_sync_connect(const char *url, const char *application_name, struct err *err);
void store_pg_sync_close(PGconn **conn);
/* Runs SQL that returns nothing. */
int store_pg_sync_exec(PGconn *conn, const char *sql, struct err *err) MUST_CHECK;
int store_pg_sync_execf(PGconn *conn, struct err *err, const char *format, ...)
    PRINTF(3, 4) MUST_CHECK;
/* Text parameters and results. */
int store_pg_sync_query(PGconn *conn, PGresult **result, const char *sql, int n_params,
                        const char *const *params, struct err *err) MUST_CHECK;
/* One migration, or one maintenance of a schema, at a time. The lock goes with the connection. */
int store_pg_sync_lock(PGconn *conn, const char *what, struct err *err) MUST_CHECK;
static inline void store_pg_result_clear(PGresult **result)
{
    PQclear(*result);
}
