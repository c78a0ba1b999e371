#pragma once
/*
 * What the store's two implementations share, so that they cannot differ in it: which rows are valid, and how the rows
 * of one commit fold into one write and one removal per key.
 */
#include "store.h"

/* A table that this library can write: names that need no escaping, keys with an equality of their own, numbers where
 * values are added. */
int store_table_check(const struct store_table *table, struct err *err) MUST_CHECK;
int store_row_check(const struct store_row *row, struct err *err) MUST_CHECK;

/* SQL's order: NULL after everything else. Text and bytes by their bytes. */
int store_value_compare(enum store_type type, const struct store_value *a,
                        const struct store_value *b);
int store_key_compare(const struct store_table *table, const struct store_value *a,
                      const struct store_value *b);
bool store_type_is_slice(enum store_type type);
/* *sum = *sum + add; a NULL adds nothing. ERR_INVALID: the column's range is exceeded. */
int store_value_add(enum store_type type, struct store_value *sum,
                    const struct store_value *add) MUST_CHECK;
/* Whether a row of this kind says something of the column. */
static inline bool store_kind_has(enum store_row_kind kind, const struct store_table *table,
                                  unsigned column)
{
    unsigned without = kind == STORE_ROW_NARROW   ? STORE_COLUMN_ONCE | STORE_COLUMN_SELDOM
                       : kind == STORE_ROW_UPDATE ? STORE_COLUMN_ONCE
                                                  : 0;
    return column < table->n_key ||
           (kind != STORE_ROW_REMOVE && !(table->columns[column].flags & without));
}
/* Whether it changes the column of a row that is there. */
static inline bool store_kind_sets(enum store_row_kind kind, const struct store_table *table,
                                   unsigned column)
{
    return column >= table->n_key &&
           store_kind_has(kind == STORE_ROW_PUT ? STORE_ROW_UPDATE : kind, table, column);
}
/* What a row that is written leaves in `values`, which holds the row that was there. */
int store_row_update(const struct store_table *table, struct store_value *values,
                     const struct store_value *update, enum store_row_kind kind,
                     struct err *err) MUST_CHECK;

/*
 * The rows of a commit for one table, every key at most once in each list (PLAIN rows excepted: the database shall
 * refuse them) and in one of the lists besides the removals, which come first. That equals carrying the rows out one by
 * one.
 */
struct store_plan {
    const struct store_table *table;
    const struct store_value **rows[STORE_ROW_KINDS];
    unsigned n[STORE_ROW_KINDS];
};
int store_plan_make(struct arena *arena, const struct store_row *rows, unsigned n_rows,
                    struct store_plan **plans, unsigned *n_plans, struct err *err) MUST_CHECK;
