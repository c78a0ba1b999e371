/*
 * SQL texts. Rows and keys are arrays, one parameter a column, so that one prepared statement serves any number:
 *
 *   put     insert into t (a, b) select ... from unnest($1::..[], $2::..[]) as u(c0, c1) on conflict (a) do update ...
 *   update  update t set b = u.c1 from unnest($1::..[], $2::..[]) as u(c0, c1) where t.a = u.c0
 *   remove  delete from t using unnest($1::..[]) as u(c0) where t.a = u.c0
 *   obtain  select * from f($1::..[], $2::..[]) as r order by 1
 *   lookup  select k.i, t.* from unnest(keys) with ordinality k cross join lateral (select ... limit n) t
 *
 * Names were checked by store_table_check and need no escaping; they are quoted because some are keywords.
 */
#include "pg.h"
#include <stdio.h>

static const char *array_type(enum store_type type)
{
    switch (type) {
    case STORE_INT:
        return "int4";
    case STORE_BIGINT:
        return "int8";
    case STORE_FLOAT:
        return "float8";
    case STORE_BOOL:
        return "bool";
    case STORE_BYTES:
        return "bytea";
    case STORE_TIME:
        return "timestamptz";
    case STORE_UUID:
        return "uuid";
    case STORE_DATE:
        return "date";
    case STORE_TEXT:
    case STORE_JSON:
    case STORE_DECIMAL:
        break;
    }
    return "text";
}

static const char *cast_in(enum store_type type)
{
    return type == STORE_JSON ? "::jsonb" : type == STORE_DECIMAL ? "::numeric" : "";
}

static const char *cast_out(enum store_type type)
{
    return type == STORE_JSON || type == STORE_DECIMAL || type == STORE_TEXT ? "::text" : "";
}

static void put_aliases(struct buf *sql, unsigned n)
{
    for (unsigned c = 0; c < n; c++)
        buf_printf(sql, "%sc%u", c ? ", " : "", c);
}

/* unnest($1::a[], $2::b[]) as u(c0, c2): the columns that a row of this kind has */
static void put_rows(struct buf *sql, const struct store_table *table, enum store_row_kind kind)
{
    unsigned n = 0;
    buf_append_str(sql, "unnest(");
    for (unsigned c = 0; c < table->n_columns; c++) {
        if (!store_kind_has(kind, table, c))
            continue;
        buf_printf(sql, "%s$%u::%s[]", n ? ", " : "", n + 1, array_type(table->columns[c].type));
        n++;
    }
    buf_append_str(sql, ") as u(");
    for (unsigned c = 0; c < table->n_columns; c++)
        if (store_kind_has(kind, table, c))
            buf_printf(sql, "%sc%u", c ? ", " : "", c);
    buf_append_str(sql, ")");
}

static void put_names(struct buf *sql, const struct store_table *table, unsigned n)
{
    for (unsigned c = 0; c < n; c++)
        buf_printf(sql, "%s\"%s\"", c ? ", " : "", table->columns[c].name);
}

static void put_where_key(struct buf *sql, const struct store_table *table)
{
    for (unsigned c = 0; c < table->n_key; c++)
        buf_printf(sql, "%st.\"%s\" = u.c%u", c ? " and " : " where ", table->columns[c].name, c);
}

/* <begin>a = .., b = ..: what a row does to the one that is there; false: nothing */
static bool put_sets(struct buf *sql, const struct store_table *table, enum store_row_kind kind,
                     const char *begin)
{
    const char *separator = begin;
    for (unsigned c = table->n_key; c < table->n_columns; c++) {
        const struct store_column *column = &table->columns[c];
        if (!store_kind_sets(kind, table, c))
            continue;
        char given[64];
        if (kind == STORE_ROW_PUT)
            (void)snprintf(given, sizeof(given), "excluded.\"%s\"", column->name);
        else
            (void)snprintf(given, sizeof(given), "u.c%u%s", c, cast_in(column->type));
        buf_printf(sql, "%s\"%s\" = ", separator, column->name);
        if (column->flags & STORE_COLUMN_ADD)
            buf_printf(sql, "coalesce(t.\"%s\" + %s, %s, t.\"%s\")", column->name, given, given,
                       column->name);
        else
            buf_append_str(sql, given);
        separator = ", ";
    }
    return separator != begin;
}

static void put_conflict(struct buf *sql, const struct store_table *table)
{
    if (table->conflict == STORE_PLAIN)
        return;
    buf_append_str(sql, " on conflict (");
    put_names(sql, table, table->n_key);
    if (table->conflict != STORE_UPDATE || !put_sets(sql, table, STORE_ROW_PUT, ") do update set "))
        buf_append_str(sql, ") do nothing");
}

static void put_insert(struct buf *sql, const struct store_table *table)
{
    buf_printf(sql, "insert into \"%s\" as t (", table->name);
    put_names(sql, table, table->n_columns);
    buf_append_str(sql, ") select ");
    for (unsigned c = 0; c < table->n_columns; c++)
        buf_printf(sql, "%sc%u%s", c ? ", " : "", c, cast_in(table->columns[c].type));
    buf_append_str(sql, " from ");
    put_rows(sql, table, STORE_ROW_PUT);
    put_conflict(sql, table);
}

void store_pg_sql_rows(struct buf *sql, const struct store_table *table, enum store_row_kind kind)
{
    if (kind == STORE_ROW_PUT) {
        put_insert(sql, table);
        return;
    }
    if (kind == STORE_ROW_REMOVE) {
        buf_printf(sql, "delete from \"%s\" as t using ", table->name);
    } else {
        buf_printf(sql, "update \"%s\" as t set ", table->name);
        if (!put_sets(sql, table, kind, "")) /* then it only tells whether it is there */
            buf_printf(sql, "\"%s\" = u.c0", table->columns[0].name);
        buf_append_str(sql, " from ");
    }
    put_rows(sql, table, kind);
    put_where_key(sql, table);
}

static void put_keys(struct buf *sql, const struct store_lookup *lookup)
{
    const struct store_column *columns = lookup->table->columns;
    unsigned bounds = (unsigned)lookup->after + lookup->until;
    buf_append_str(sql, "unnest(");
    for (unsigned k = 0; k < lookup->n_by + bounds; k++) {
        unsigned column = k < lookup->n_by ? lookup->by[k] : (unsigned)lookup->order;
        buf_printf(sql, "%s$%u::%s[]", k ? ", " : "", k + 1, array_type(columns[column].type));
    }
    buf_append_str(sql, ") with ordinality as k(");
    put_aliases(sql, lookup->n_by + bounds);
    buf_append_str(sql, ", i)");
}

static void put_conditions(struct buf *sql, const struct store_lookup *lookup)
{
    const struct store_column *columns = lookup->table->columns;
    for (unsigned b = 0; b < lookup->n_by; b++)
        buf_printf(sql, "%st.\"%s\" = k.c%u%s", b ? " and " : " where ",
                   columns[lookup->by[b]].name, b, cast_in(columns[lookup->by[b]].type));
    unsigned bound = lookup->n_by;
    if (lookup->after)
        buf_printf(sql, " and t.\"%s\" %s k.c%u", columns[lookup->order].name,
                   lookup->descending ? "<" : ">", bound++);
    if (lookup->until)
        buf_printf(sql, " and t.\"%s\" %s k.c%u", columns[lookup->order].name,
                   lookup->descending ? ">=" : "<=", bound);
}

/* select * from f($1::a[], $2::b[]) as r order by 1 */
static void put_obtain(struct buf *sql, const struct store_lookup *lookup)
{
    buf_printf(sql, "select * from %s(", lookup->obtain);
    for (unsigned b = 0; b < lookup->n_by; b++)
        buf_printf(sql, "%s$%u::%s[]", b ? ", " : "", b + 1,
                   array_type(lookup->table->columns[lookup->by[b]].type));
    buf_append_str(sql, ") as r order by 1");
}

void store_pg_sql_lookup(struct buf *sql, const struct store_lookup *lookup)
{
    const struct store_column *columns = lookup->table->columns;
    if (lookup->obtain) {
        put_obtain(sql, lookup);
        return;
    }
    const char *direction = lookup->descending ? " desc" : "";
    buf_append_str(sql, "select k.i");
    for (unsigned c = 0; c < lookup->n_columns; c++)
        buf_printf(sql, ", r.v%u", c);
    buf_append_str(sql, " from ");
    put_keys(sql, lookup);
    buf_append_str(sql, " cross join lateral (select ");
    for (unsigned c = 0; c < lookup->n_columns; c++) {
        const struct store_column *column = &columns[lookup->columns[c]];
        buf_printf(sql, "%st.\"%s\"%s as v%u", c ? ", " : "", column->name, cast_out(column->type),
                   c);
    }
    if (lookup->order >= 0)
        buf_printf(sql, "%st.\"%s\" as o", lookup->n_columns ? ", " : "",
                   columns[lookup->order].name);
    buf_printf(sql, " from \"%s\" as t", lookup->table->name);
    put_conditions(sql, lookup);
    if (lookup->order >= 0)
        buf_printf(sql, " order by t.\"%s\"%s", columns[lookup->order].name, direction);
    if (lookup->limit)
        buf_printf(sql, " limit %u", lookup->limit);
    buf_append_str(sql, ") as r order by k.i");
    if (lookup->order >= 0)
        buf_printf(sql, ", r.o%s", direction);
}
