/* Rules about tables, rows and values that hold for every implementation. */
#include "internal.h"
#include <math.h>

static bool name_valid(const char *name)
{
    if (!name || !*name ||
        strlen(name) > 48) /* Postgres cuts at 63; partitions append to the name */
        return false;
    return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(name);
}

bool store_type_is_slice(enum store_type type)
{
    return type == STORE_TEXT || type == STORE_BYTES || type == STORE_UUID || type == STORE_JSON ||
           type == STORE_DECIMAL;
}

static const char *column_fault(const struct store_table *table, unsigned c)
{
    const struct store_column *column = &table->columns[c];
    bool key = c < table->n_key;
    if (!name_valid(column->name))
        return "has a bad name";
    if (key && (column->type == STORE_JSON || column->type == STORE_DECIMAL ||
                column->type == STORE_FLOAT))
        return "cannot be part of a key: equal values have several forms";
    if (key && column->flags)
        return "is part of the key and has flags";
    if ((column->flags & STORE_COLUMN_ADD) &&
        (column->flags != STORE_COLUMN_ADD ||
         (column->type != STORE_INT && column->type != STORE_BIGINT &&
          column->type != STORE_FLOAT)))
        return "cannot be added up";
    return NULL;
}

int store_table_check(const struct store_table *table, struct err *err)
{
    if (!name_valid(table->name))
        return err_set(err, ERR_INVALID, ERR_CLASS_FATAL, "store: bad table name");
    if (table->n_columns == 0 || table->n_columns > STORE_MAX_COLUMNS || table->n_key == 0 ||
        table->n_key > table->n_columns)
        return err_set(err, ERR_INVALID, ERR_CLASS_FATAL,
                       "store: table %s: 1..%d columns, the key among them", table->name,
                       STORE_MAX_COLUMNS);
    bool rolled = table->roll == STORE_ROLL_NONE;
    for (unsigned c = 0; c < table->n_columns; c++) {
        const char *fault = column_fault(table, c);
        if (fault)
            return err_set(err, ERR_INVALID, ERR_CLASS_FATAL, "store: table %s: column %u %s",
                           table->name, c, fault);
        rolled = rolled ||
                 (table->roll_column && strcmp(table->roll_column, table->columns[c].name) == 0 &&
                  (table->columns[c].type == STORE_TIME || table->columns[c].type == STORE_DATE));
    }
    if (!rolled || table->roll_ahead < 0 || table->roll_keep < 0)
        return err_set(err, ERR_INVALID, ERR_CLASS_FATAL,
                       "store: table %s: not a time or date to be split by", table->name);
    return 0;
}

static const char *value_fault(enum store_type type, const struct store_value *value)
{
    switch (type) {
    case STORE_INT:
    case STORE_DATE:
        return value->i < INT32_MIN || value->i > INT32_MAX ? "is out of range" : NULL;
    case STORE_TEXT:
    case STORE_JSON:
    case STORE_DECIMAL:
        return utf8_valid(value->s) ? NULL : "is not UTF-8";
    case STORE_UUID:
        return value->s.size == 16 ? NULL : "is not 16 bytes";
    case STORE_BIGINT:
    case STORE_FLOAT:
    case STORE_BOOL:
    case STORE_BYTES:
    case STORE_TIME:
        return NULL;
    }
    return "has no type";
}

int store_row_check(const struct store_row *row, struct err *err)
{
    const struct store_table *table = row->table;
    unsigned n = row->kind == STORE_ROW_REMOVE ? table->n_key : table->n_columns;
    if ((row->kind == STORE_ROW_UPDATE || row->kind == STORE_ROW_NARROW) &&
        table->conflict != STORE_UPDATE)
        return err_set(err, ERR_INVALID, ERR_CLASS_PERMANENT, "store: %s: rows are never updated",
                       table->name);
    for (unsigned c = 0; c < n; c++) {
        const char *fault = NULL;
        if (!row->values[c].null)
            fault = value_fault(table->columns[c].type, &row->values[c]);
        else if (c < table->n_key)
            fault = "is part of the key and NULL";
        if (fault)
            return err_set(err, ERR_INVALID, ERR_CLASS_PERMANENT, "store: %s.%s %s", table->name,
                           table->columns[c].name, fault);
    }
    return 0;
}

int store_value_compare(enum store_type type, const struct store_value *a,
                        const struct store_value *b)
{
    if (a->null || b->null)
        return (int)a->null - (int)b->null;
    if (type == STORE_FLOAT) /* NaN after all numbers, equal to itself */
        return isnan(a->f) || isnan(b->f) ? (isnan(a->f) != 0) - (isnan(b->f) != 0)
                                          : (a->f > b->f) - (a->f < b->f);
    if (store_type_is_slice(type))
        return slice_compare(a->s, b->s);
    return (a->i > b->i) - (a->i < b->i);
}

int store_key_compare(const struct store_table *table, const struct store_value *a,
                      const struct store_value *b)
{
    for (unsigned c = 0; c < table->n_key; c++) {
        int order = store_value_compare(table->columns[c].type, &a[c], &b[c]);
        if (order)
            return order;
    }
    return 0;
}

int store_value_add(enum store_type type, struct store_value *sum, const struct store_value *add)
{
    if (add->null)
        return 0;
    if (sum->null) {
        *sum = *add;
        return 0;
    }
    if (type == STORE_FLOAT) {
        sum->f += add->f;
        return 0;
    }
    int64_t total;
    if (__builtin_add_overflow(sum->i, add->i, &total) ||
        (type == STORE_INT && (total < INT32_MIN || total > INT32_MAX)))
        return ERR_INVALID;
    sum->i = total;
    return 0;
}

int store_row_update(const struct store_table *table, struct store_value *values,
                     const struct store_value *update, enum store_row_kind kind, struct err *err)
{
    for (unsigned c = table->n_key; c < table->n_columns; c++) {
        const struct store_column *column = &table->columns[c];
        if (!store_kind_sets(kind, table, c))
            continue;
        if (column->flags & STORE_COLUMN_ADD) {
            if (store_value_add(column->type, &values[c], &update[c]) < 0)
                return err_set(err, ERR_INVALID, ERR_CLASS_PERMANENT,
                               "store: %s.%s: sum out of range", table->name, column->name);
        } else {
            values[c] = update[c];
        }
    }
    return 0;
}
