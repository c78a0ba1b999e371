#pragma once
/*
 * store: Postgres as a small operation struct, with an in-memory twin that passes the same conformance suite.
 *
 * A service owns one schema. What the stream runtime writes goes through one kind of transaction (store_commit): the
 * fences of its partitions first, then rows. What it reads are look-ups by key. Everything is asynchronous: a request
 * belongs to the caller until its done() is called, from the event loop, never from inside submit. done() may submit
 * and reset, but not destroy the store. What a result points to lives in the request's arena.
 *
 *   connection "commits"  own, commit, and loads marked after_commits: pipelined, carried out in the order submitted;
 *                         each is a transaction of its own; a failed one does not stop the next
 *   connection "loads"    other loads, in order among themselves
 *   connection "slow"     queries that people wait for
 *
 * At most 4,096 requests wait on a connection; one more is done with ERR_FULL (transient).
 *
 * The commits table (one per schema) is the fence and the memory of a partition:
 *   commits(part int, n bigint, epoch bigint, done bigint, tries int, offsets, numbers, watermarks, outbox bytea,
 *           primary key (part, n))      only grows; taking over inserts n + 1 with epoch + 1; a commit inserts n + 1
 *                                       only where row n carries its own epoch; ranges of n behind `done` are dropped
 */
#include "base.h"

/* ---- tables ---- */

enum store_type {
    STORE_INT,    /* int: .i */
    STORE_BIGINT, /* bigint: .i */
    STORE_FLOAT,  /* double precision: .f */
    STORE_BOOL,   /* .i */
    STORE_TEXT,   /* text, varchar, char: .s, valid UTF-8 without NUL */
    STORE_BYTES,  /* bytea: .s */
    STORE_TIME,   /* timestamptz: .i, microseconds since 1970; INT64_MIN and _MAX: the infinities */
    STORE_UUID,   /* uuid: .s of 16 bytes */
    STORE_JSON, /* jsonb: .s, text; Postgres gives it back with its own spacing and order of members */
    STORE_DECIMAL, /* numeric: .s, text */
    STORE_DATE,    /* date: .i, days since 1970-01-01 */
};

enum store_column_flag {
    STORE_COLUMN_ONCE = 1, /* written on insert, kept on update (created_at, id) */
    STORE_COLUMN_ADD =
        2, /* on conflict the value is added to what is there (INT, BIGINT, FLOAT; NULL adds nothing) */
    STORE_COLUMN_SELDOM = 4, /* changes seldom once it is written: left out of STORE_ROW_NARROW */
};

struct store_column {
    const char *name;
    enum store_type type;
    unsigned flags;
};

enum store_conflict {
    STORE_UPDATE, /* an existing row with this key gets the new values (upsert) */
    STORE_IGNORE, /* the existing row stays (insert-only) */
    STORE_PLAIN, /* no conflict clause: the writer knows the key is new; a duplicate fails the commit, permanently */
};

/* Tables split by time, so that what expired is dropped whole. */
enum store_roll {
    STORE_ROLL_NONE,
    STORE_ROLL_HOUR,
    STORE_ROLL_DAY,
    STORE_ROLL_MONTH
};

struct store_table {
    const char *name; /* in the service's schema */
    const struct store_column *columns;
    unsigned n_columns; /* at most STORE_MAX_COLUMNS */
    unsigned
        n_key; /* the first n_key columns: the conflict target and the key of deletes; a unique index has them */
    enum store_conflict conflict;
    enum store_roll roll; /* by which period; the column it is split by is roll_column */
    const char *roll_column;
    int roll_ahead,
        roll_keep; /* periods made ahead; periods kept after their end (0: not dropped here) */
    const char *roll_unique; /* columns that are unique within each period, as SQL; NULL: none */
};
#define STORE_MAX_COLUMNS 48

struct store_value {
    bool null;
    int64_t i;
    double f;
    struct slice s;
};

/* UPDATE and NARROW are for whoever alone writes the row (of a STORE_UPDATE table) and knows that it is there: cheaper,
 * and the commit tells how many were missing. */
enum store_row_kind {
    STORE_ROW_PUT,    /* inserted; when its key is there, as the table's conflict says */
    STORE_ROW_UPDATE, /* what an upsert does to a row that is there; never inserted */
    STORE_ROW_NARROW, /* the same, but SELDOM columns stay as they are */
    STORE_ROW_REMOVE,
    STORE_ROW_KINDS
};

struct store_row {
    const struct store_table *table;
    const struct store_value *values; /* n_columns of them; of a removal only the n_key first */
    enum store_row_kind kind;
};

/* ---- requests ---- */

struct store;

/*
 * Rows of `table` whose columns `by` equal the key; each with the wanted columns. A NULL equals nothing. An index must
 * begin with `by` (then `order`): plans never scan the table. Each different look-up is a prepared statement (1,024 at
 * most), so build them from constants, and pass what varies as keys. In `order`, NULLs come last (first when
 * descending), and texts as their column's collation says (the twin: by bytes).
 */
struct store_lookup {
    const struct store_table *table;
    const uint8_t *by; /* column indexes that are compared for equality */
    unsigned n_by;
    const uint8_t *columns; /* column indexes that are returned */
    unsigned n_columns;
    int order; /* column index to sort by, -1: none */
    bool descending;
    bool
        after; /* one more value in each key: only rows whose `order` column is > it (< when descending) */
    bool
        until; /* one more value, last: only rows whose `order` column is <= it (>= when descending) */
    unsigned limit; /* per key; 0: all (use only where the key bounds it) */
    /* Get or create: a row whose key (of the table) is missing is made first, of the values given; `by` is then all
     * columns in order, of the table's key only the key columns compare. In Postgres this names a function, which may
     * be another schema's: (an array of each column) returns table (i bigint, wanted columns), a row for each of the
     * arrays' elements, i from 1. NULL: a plain look-up. */
    const char *obtain;
};

struct store_found {
    unsigned key;                     /* index of the key that it answers */
    const struct store_value *values; /* n_columns of the look-up */
};

struct store_load {
    const struct store_lookup *lookup;
    const struct store_value *keys; /* n_keys × (n_by + after + until), row by row */
    unsigned n_keys;
    bool after_commits;  /* on the commits connection: sees every commit submitted before */
    bool slow;           /* on the slow connection */
    struct arena *arena; /* results live here */
    void (*done)(struct store_load *load);
    void *user;
    /* results */
    struct err err;            /* code 0: worked */
    struct store_found *found; /* ordered by key, then as the look-up says */
    unsigned n_found;
    struct store_load *next; /* the store's while it is under way */
};

struct store_position {
    int32_t part;
    int64_t n, epoch, done;
    int32_t tries; /* take-overs in a row without a commit between */
    struct slice offsets, numbers, watermarks, outbox; /* opaque to the store */
};

struct store_outbox {
    int64_t n;
    struct slice blob;
};

/* Takes a partition over: inserts its next row with epoch + 1 and tries + 1 (the first row of all: n 1, epoch 1), then
 * returns it with the outboxes of the rows from `done` on. One transaction for the row; outboxes are read after it. */
struct store_own {
    int32_t part;
    struct arena *arena;
    void (*done)(struct store_own *own);
    void *user;
    struct err err;
    struct store_position position;
    struct store_outbox *outboxes; /* ascending n, only rows that have one */
    unsigned n_outboxes;
    struct store_own *next;
};

/*
 * One transaction. fences[k] holds n = the number of the NEW row and the epoch that row n - 1 must carry; any that does
 * not hold aborts all: err.code ERR_FENCED and fenced[k] set for those. done(): err.code 0 only when Postgres confirmed
 * the commit; ERR_UNAVAILABLE (transient) means unknown: it may have happened, or happen later.
 * Rows are grouped and written by table; within a table in order; an earlier row with the same key is superseded.
 * missing: when it worked, how many rows of UPDATE and NARROW were not there. The others are written.
 * Sizes are the caller's business. Everything pointed to stays valid until done().
 */
struct store_commit {
    const struct store_position *fences;
    unsigned n_fences;
    bool *fenced; /* n_fences */
    const struct store_row *rows;
    unsigned n_rows;
    void (*done)(struct store_commit *commit);
    void *user;
    struct err err;
    unsigned missing;
    struct store_commit *next;
};

struct store_ops {
    void (*own)(struct store *store, struct store_own *own);
    void (*load)(struct store *store, struct store_load *load);
    void (*commit)(struct store *store, struct store_commit *commit);
    /* Gives up whatever is under way on the commits connection, as if it broke: done() comes for all, outcome unknown. */
    void (*reset)(struct store *store);
    bool (*ready)(struct store *store);   /* connected */
    void (*destroy)(struct store *store); /* done() is not called any more */
};

struct store {
    const struct store_ops *ops;
};

static inline void store_own(struct store *s, struct store_own *own)
{
    s->ops->own(s, own);
}
static inline void store_load(struct store *s, struct store_load *load)
{
    s->ops->load(s, load);
}
static inline void store_commit(struct store *s, struct store_commit *commit)
{
    s->ops->commit(s, commit);
}
static inline void store_reset(struct store *s)
{
    s->ops->reset(s);
}
static inline bool store_ready(struct store *s)
{
    return s->ops->ready(s);
}
static inline void store_destroy(struct store **s)
{
    if (*s)
        (*s)->ops->destroy(*s);
    *s = NULL;
}

/* ---- Postgres ---- */

struct event_base;
struct store_pg_options {
    const char *url;    /* DATABASE_URL */
    const char *schema; /* also search_path */
    const char *role;   /* SET ROLE at connecting; NULL: as the URL says */
    const char *application_name;
    const struct store_table *const
        *tables; /* every table that rows or look-ups name: prepared statements */
    unsigned n_tables;
    int64_t statement_timeout_ms; /* of the slow connection */
};
/* Connects in the background and again whenever a connection breaks (back-off 0.1 .. 5 s). While it is down, requests
 * are done with ERR_UNAVAILABLE in the next turn of the loop. */
int store_pg_create(struct store **store, struct event_base *base,
                    const struct store_pg_options *options, struct err *err) MUST_CHECK;
/* Makes the partitions of rolling tables (and of commits by ranges of n) that are needed next and drops those that
 * passed. Blocks on a connection of its own: call at start, then from time to time; needs no lock that readers notice. */
int store_pg_maintain(const struct store_pg_options *options, int64_t now_us, struct buf *report,
                      struct err *err) MUST_CHECK;

/*
 * Migrations: files migrations/<schema>/NNN_name.sql in order, each once, each in a transaction, kept with its hash in
 * <schema>.migrations; a file that changed after it was applied is an error. Makes the schema, its role
 * (journey_<schema>, nologin, granted to the connected user), the commits/timers/answers tables of stream services and grants
 * (not of "common" and "vault", which no service works in). Holds an advisory lock, so that several may start at once.
 */
int store_pg_migrate(const char *url, const char *folder, struct buf *report,
                     struct err *err) MUST_CHECK;

/* ---- the twin ---- */

struct store_mem_db; /* what survives a crash; shared by the stores of several instances */
struct store_mem_db *store_mem_db_create(void);
void store_mem_db_destroy(struct store_mem_db **db);
struct store *store_mem_create(struct store_mem_db *db, const struct store_table *const *tables,
                               unsigned n_tables);
/* Carries out the next request of that store, if any, and calls its done(); false: nothing under way. A simulation
 * decides when; tests loop until false. Requests of each "connection" stay in order. */
bool store_mem_step(struct store *store);
/* The same of connection number choice modulo those that have something to do: real ones do not wait for each other. */
bool store_mem_step_any(struct store *store, uint64_t choice);
unsigned store_mem_commits_waiting(struct store *store); /* on the connection of own and commit */
/* The next commit is reported unknown (ERR_UNAVAILABLE, transient): not carried out, carried out, or waiting to be
 * carried out by store_mem_db_late. */
enum store_mem_fault {
    STORE_MEM_OK,
    STORE_MEM_FAIL_BEFORE,
    STORE_MEM_FAIL_AFTER,
    STORE_MEM_FAIL_LATER
};
void store_mem_fault_next(struct store *store, enum store_mem_fault fault);
/* Carries out the oldest transaction whose outcome nobody knows yet (FAIL_LATER, or under way when its store was reset
 * or destroyed), as a server may that had received it; false: none. Never called: they never happened. */
bool store_mem_db_late(struct store_mem_db *db);
/* For tests: rows of a table, in key order. Returns the count; row k's values are borrowed. */
unsigned store_mem_rows(const struct store_mem_db *db, const struct store_table *table,
                        const struct store_value **rows, unsigned max);
