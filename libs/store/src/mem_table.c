/* The twin's tables: a sorted array each, and look-ups in it. */
#include "mem.h"
#include <stdio.h>
#include <stdlib.h>

void *store_mem_alloc(size_t size)
{
    void *data = calloc(1, size ? size : 1);
    if (!data)
        abort();
    return data;
}

struct store_mem_table *store_mem_table_get(struct store_mem_db *db,
                                            const struct store_table *table)
{
    for (unsigned t = 0; t < db->n_tables; t++)
        if (db->tables[t].table == table || strcmp(db->tables[t].table->name, table->name) == 0)
            return &db->tables[t];
    if (db->n_tables == STORE_MEM_TABLES)
        abort();
    struct store_mem_table *mem = &db->tables[db->n_tables++];
    mem->table = table;
    return mem;
}

unsigned store_mem_table_find(const struct store_mem_table *mem, const struct store_value *key,
                              bool *found)
{
    unsigned low = 0, high = mem->n;
    while (low < high) {
        unsigned middle = low + (high - low) / 2;
        if (store_key_compare(mem->table, mem->rows[middle], key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *found = low < mem->n && store_key_compare(mem->table, mem->rows[low], key) == 0;
    return low;
}

void store_mem_table_insert(struct store_mem_table *mem, unsigned at, struct store_value *row)
{
    if (mem->n == mem->capacity) {
        mem->capacity = mem->capacity ? mem->capacity * 2 : 16;
        mem->rows = realloc(mem->rows, mem->capacity *
                                           sizeof(struct store_value *)); /* NOLINT: aborts below */
        if (!mem->rows)
            abort();
    }
    memmove(&mem->rows[at + 1], &mem->rows[at], (mem->n - at) * sizeof(struct store_value *));
    mem->rows[at] = row;
    mem->n++;
}

void store_mem_table_take(struct store_mem_table *mem, unsigned at)
{
    mem->n--;
    memmove(&mem->rows[at], &mem->rows[at + 1], (mem->n - at) * sizeof(struct store_value *));
}

/* As the database keeps it: nothing in a NULL, only the member that the type uses. */
static struct store_value value_clean(enum store_type type, const struct store_value *value)
{
    struct store_value clean = {.null = value->null};
    if (value->null)
        return clean;
    if (store_type_is_slice(type))
        clean.s = value->s;
    else if (type == STORE_FLOAT)
        clean.f = value->f;
    else
        clean.i = type == STORE_BOOL ? value->i != 0 : value->i;
    return clean;
}

struct store_value *store_mem_row_copy(const struct store_table *table,
                                       const struct store_value *values)
{
    size_t size = table->n_columns * sizeof(*values);
    for (unsigned c = 0; c < table->n_columns; c++)
        size += value_clean(table->columns[c].type, &values[c]).s.size;
    struct store_value *row = store_mem_alloc(size);
    uint8_t *data = (uint8_t *)(row + table->n_columns);
    for (unsigned c = 0; c < table->n_columns; c++) {
        row[c] = value_clean(table->columns[c].type, &values[c]);
        if (row[c].s.size) {
            memcpy(data, row[c].s.data, row[c].s.size);
            row[c].s.data = data;
            data += row[c].s.size;
        }
    }
    return row;
}

/* ---- look-ups ---- */

static bool row_matches(const struct store_lookup *lookup, const struct store_value *row,
                        const struct store_value *key)
{
    const struct store_column *columns = lookup->table->columns;
    for (unsigned b = 0; b < lookup->n_by; b++) {
        const struct store_value *value = &row[lookup->by[b]];
        if (value->null || key[b].null ||
            store_value_compare(columns[lookup->by[b]].type, value, &key[b]) != 0)
            return false;
    }
    const struct store_value *bound = &key[lookup->n_by];
    int sign = lookup->descending ? -1 : 1;
    if (lookup->after || lookup->until) {
        const struct store_value *value = &row[lookup->order];
        enum store_type type = columns[lookup->order].type;
        if (value->null)
            return false;
        if (lookup->after && (bound->null || sign * store_value_compare(type, value, bound++) <= 0))
            return false;
        if (lookup->until && (bound->null || sign * store_value_compare(type, value, bound) > 0))
            return false;
    }
    return true;
}

static int row_order(const void *a, const void *b, void *user)
{
    const struct store_lookup *lookup = user;
    const struct store_value *row_a = *(struct store_value *const *)a,
                             *row_b = *(struct store_value *const *)b;
    int order = store_value_compare(lookup->table->columns[lookup->order].type,
                                    &row_a[lookup->order], &row_b[lookup->order]);
    if (order)
        return lookup->descending ? -order : order;
    return store_key_compare(lookup->table, row_a, row_b);
}

/* Leading key columns are found by bisection, others by looking at every row. */
static unsigned first_row(const struct store_mem_table *mem, const struct store_lookup *lookup,
                          const struct store_value *key, bool *sorted)
{
    *sorted = lookup->n_by <= mem->table->n_key;
    for (unsigned b = 0; b < lookup->n_by; b++)
        *sorted = *sorted && lookup->by[b] == b;
    unsigned low = 0, high = *sorted ? mem->n : 0;
    while (low < high) {
        unsigned middle = low + (high - low) / 2;
        int order = 0;
        for (unsigned b = 0; b < lookup->n_by && !order; b++)
            order =
                store_value_compare(mem->table->columns[b].type, &mem->rows[middle][b], &key[b]);
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool past_key(const struct store_mem_table *mem, const struct store_lookup *lookup,
                     const struct store_value *row, const struct store_value *key)
{
    for (unsigned b = 0; b < lookup->n_by; b++)
        if (store_value_compare(mem->table->columns[b].type, &row[b], &key[b]) != 0)
            return true;
    return false;
}

static unsigned key_rows(const struct store_mem_table *mem, const struct store_lookup *lookup,
                         const struct store_value *key, struct store_value **rows)
{
    bool sorted;
    unsigned n = 0;
    for (unsigned r = first_row(mem, lookup, key, &sorted); r < mem->n; r++) {
        if (row_matches(lookup, mem->rows[r], key))
            rows[n++] = mem->rows[r];
        else if (sorted && past_key(mem, lookup, mem->rows[r], key))
            break;
    }
    if (lookup->order >= 0 && n > 1)
        qsort_r(rows, n, sizeof(struct store_value *), row_order, (void *)(uintptr_t)lookup);
    return lookup->limit && n > lookup->limit ? lookup->limit : n;
}

static const struct store_value *row_result(const struct store_lookup *lookup,
                                            const struct store_value *row, struct arena *arena)
{
    struct store_value *values = arena_alloc(arena, lookup->n_columns * sizeof(*values));
    for (unsigned c = 0; values && c < lookup->n_columns; c++) {
        values[c] = row[lookup->columns[c]];
        if (values[c].s.size)
            values[c].s = arena_slice(arena, values[c].s);
    }
    return values;
}

struct found_list {
    struct store_found *items;
    unsigned n, capacity;
};

static void found_add(struct found_list *list, unsigned key, const struct store_value *values)
{
    if (list->n == list->capacity) {
        list->capacity = list->capacity ? list->capacity * 2 : 16;
        list->items =
            realloc(list->items, list->capacity * sizeof(*list->items)); /* NOLINT: aborts below */
        if (!list->items)
            abort();
    }
    list->items[list->n++] = (struct store_found){key, values};
}

/* Rows that are missing are made of the keys. */
static void obtain(struct store_mem_table *mem, const struct store_load *load)
{
    for (unsigned k = 0; k < load->n_keys; k++) {
        const struct store_value *key = &load->keys[(size_t)k * load->lookup->n_by];
        bool found;
        unsigned at = store_mem_table_find(mem, key, &found);
        if (!found)
            store_mem_table_insert(mem, at, store_mem_row_copy(mem->table, key));
    }
}

int store_mem_find(struct store_mem_db *db, struct store_load *load)
{
    struct store_mem_table *mem = store_mem_table_get(db, load->lookup->table);
    struct store_lookup by_key = *load->lookup;
    const struct store_lookup *lookup = &by_key;
    unsigned stride = lookup->n_by + lookup->after + lookup->until;
    if (lookup->obtain) {
        obtain(mem, load);
        by_key.n_by = lookup->table->n_key;
    }
    struct store_value **rows = store_mem_alloc(mem->n * sizeof(struct store_value *));
    struct found_list list = {0};
    for (unsigned k = 0; k < load->n_keys; k++) {
        unsigned n = key_rows(mem, lookup, &load->keys[(size_t)k * stride], rows);
        for (unsigned r = 0; r < n; r++)
            found_add(&list, k, row_result(lookup, rows[r], load->arena));
    }
    struct store_found *found = arena_copy(load->arena, list.items, list.n * sizeof(*found));
    free(rows);
    free(list.items);
    if (arena_overflowed(load->arena))
        return err_set(&load->err, ERR_NO_MEMORY, ERR_CLASS_PERMANENT,
                       "store: %s: results over the arena's limit", lookup->table->name);
    load->found = found;
    load->n_found = list.n;
    return 0;
}
