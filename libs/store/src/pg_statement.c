/* The statements that a store has used so far. Made on first use, prepared on each connection on first use there. */
#include "pg.h"
#include <stdio.h>
#include <stdlib.h>

#define STATEMENTS_MAX                                                                             \
    1024 /* a program has some dozens; look-ups made up at run time would end here */

/* n rows, each (part, n, epoch, done, offsets, numbers, watermarks, outbox); the functions: migrations/common */
static const char fence_sql[] =
    "select commit_fence($1::int4[], $2::int8[], $3::int8[], $4::int8[], $5::bytea[], "
    "$6::bytea[], $7::bytea[], $8::bytea[])";
static const char own_sql[] =
    "select n, epoch, done, tries, offsets, numbers, watermarks from commit_own($1::int4)";
/* in the transaction of commit_own, whose row is the newest for sure */
static const char outboxes_sql[] =
    "select c.n, c.outbox from commits c where c.part = $1::int4 and c.outbox is not null and c.n "
    ">= (select d.done "
    "from commits d where d.part = $1::int4 order by d.n desc limit 1) order by c.n";

static bool lookup_equal(const struct store_lookup *a, const struct store_lookup *b)
{
    return a->table == b->table && a->n_by == b->n_by && a->n_columns == b->n_columns &&
           a->order == b->order && a->descending == b->descending && a->after == b->after &&
           a->until == b->until && a->limit == b->limit && a->obtain == b->obtain &&
           memcmp(a->by, b->by, a->n_by) == 0 && memcmp(a->columns, b->columns, a->n_columns) == 0;
}

static bool statement_is(const struct pg_statement *statement, enum pg_statement_kind kind,
                         const struct store_table *table, const struct store_lookup *lookup)
{
    return statement->kind == kind && statement->table == table &&
           (!lookup || lookup_equal(&statement->lookup, lookup));
}

static void statement_free(struct pg_statement *statement)
{
    free((void *)(uintptr_t)statement->lookup.by);
    free((void *)(uintptr_t)statement->lookup.columns);
    free(statement->sql);
    free(statement);
}

static bool copy_bytes(const uint8_t **copy, const uint8_t *data, size_t size)
{
    uint8_t *bytes = malloc(size + 1);
    if (bytes && size)
        memcpy(bytes, data, size);
    *copy = bytes;
    return bytes != NULL;
}

static bool lookup_copy(struct store_lookup *copy, const struct store_lookup *lookup)
{
    *copy = *lookup;
    copy->by = copy->columns = NULL;
    return copy_bytes(&copy->by, lookup->by, lookup->n_by) &&
           copy_bytes(&copy->columns, lookup->columns, lookup->n_columns);
}

static char *statement_sql(const struct pg_statement *statement)
{
    struct buf sql = {0};
    switch (statement->kind) {
    case PG_LOOKUP:
        store_pg_sql_lookup(&sql, &statement->lookup);
        break;
    case PG_FENCE:
        buf_append_str(&sql, fence_sql);
        break;
    case PG_OWN:
        buf_append_str(&sql, own_sql);
        break;
    case PG_OUTBOXES:
        buf_append_str(&sql, outboxes_sql);
        break;
    default:
        store_pg_sql_rows(&sql, statement->table, (enum store_row_kind)(statement->kind - PG_ROWS));
        break;
    }
    if (sql.overflow)
        buf_deinit(&sql);
    return (char *)sql.data;
}

struct pg_statement *store_pg_statement(struct pg_statements *statements,
                                        enum pg_statement_kind kind,
                                        const struct store_table *table,
                                        const struct store_lookup *lookup)
{
    struct pg_statement **end = &statements->first;
    for (; *end; end = &(*end)->next)
        if (statement_is(*end, kind, table, lookup))
            return *end;
    if (statements->n == STATEMENTS_MAX)
        return NULL;
    struct pg_statement *statement = calloc(1, sizeof(*statement));
    if (!statement)
        return NULL;
    statement->kind = kind;
    statement->table = table;
    if (lookup && !lookup_copy(&statement->lookup, lookup)) {
        statement_free(statement);
        return NULL;
    }
    statement->sql = statement_sql(statement);
    if (!statement->sql) {
        statement_free(statement);
        return NULL;
    }
    (void)snprintf(statement->name, sizeof(statement->name), "s%u", statements->n++);
    return *end = statement;
}

void store_pg_statements_free(struct pg_statements *statements)
{
    for (struct pg_statement *statement = statements->first, *next; statement; statement = next) {
        next = statement->next;
        statement_free(statement);
    }
    *statements = (struct pg_statements){0};
}
