/*
 * Folds the rows of a commit: `insert ... on conflict do update` may not meet a key twice in one statement.
 *
 *   rows in order -> entry per (table, key) -> per table: removals, then writes of each kind
 *
 *   remove            the entry becomes a removal without a write
 *   write after write UPDATE: as if the second had found the first, written as the first would be, but with every column
 *                     that either has; IGNORE: the first stays; PLAIN: both are kept
 *   write after remove  removal, then write
 */
#include "internal.h"

struct entry {
    unsigned plan;
    const struct store_value *key;
    const struct store_value *write; /* NULL: none */
    enum store_row_kind kind;        /* of the write */
    bool remove;
};

struct fold {
    struct arena *arena;
    struct store_plan *plans;
    unsigned n_plans, last;
    struct entry *entries;
    unsigned n_entries;
    uint32_t *slots; /* index of an entry + 1; open addressing */
    size_t mask;
    struct err *err;
};

static uint64_t key_hash(const struct store_table *table, const struct store_value *key,
                         uint64_t seed)
{
    uint64_t hash = seed;
    for (unsigned c = 0; c < table->n_key; c++) {
        if (store_type_is_slice(table->columns[c].type))
            hash = hash64(key[c].s.data, key[c].s.size, hash);
        else
            hash = hash64(&key[c].i, sizeof(key[c].i), hash);
    }
    return hash;
}

static unsigned plan_of(struct fold *fold, const struct store_table *table)
{
    if (fold->last < fold->n_plans && fold->plans[fold->last].table == table)
        return fold->last;
    for (unsigned p = 0; p < fold->n_plans; p++)
        if (fold->plans[p].table == table)
            return fold->last = p;
    fold->plans[fold->n_plans].table = table;
    return fold->last = fold->n_plans++;
}

static struct entry *entry_add(struct fold *fold, unsigned plan, const struct store_value *key)
{
    struct entry *entry = &fold->entries[fold->n_entries++];
    entry->plan = plan;
    entry->key = key;
    return entry;
}

static struct entry *entry_of(struct fold *fold, unsigned plan, const struct store_value *key)
{
    const struct store_table *table = fold->plans[plan].table;
    size_t slot = key_hash(table, key, plan) & fold->mask;
    for (; fold->slots[slot]; slot = (slot + 1) & fold->mask) {
        struct entry *entry = &fold->entries[fold->slots[slot] - 1];
        if (entry->plan == plan && store_key_compare(table, entry->key, key) == 0)
            return entry;
    }
    struct entry *entry = entry_add(fold, plan, key);
    fold->slots[slot] = fold->n_entries;
    return entry;
}

static int write_again(struct fold *fold, struct entry *entry, const struct store_row *row)
{
    const struct store_table *table = row->table;
    switch (table->conflict) {
    case STORE_IGNORE:
        return 0;
    case STORE_PLAIN:
        entry_add(fold, entry->plan, row->values)->write = row->values;
        return 0;
    case STORE_UPDATE:
        break;
    }
    struct store_value *merged =
        arena_copy(fold->arena, entry->write, table->n_columns * sizeof(*merged));
    if (!merged)
        return err_set(fold->err, ERR_NO_MEMORY, ERR_CLASS_PERMANENT,
                       "store: too many rows in one commit");
    entry->write = merged;
    if (entry->kind == STORE_ROW_NARROW && row->kind != STORE_ROW_NARROW)
        entry->kind = STORE_ROW_UPDATE;
    return store_row_update(table, merged, row->values, row->kind, fold->err);
}

static int fold_row(struct fold *fold, const struct store_row *row)
{
    int rc = store_row_check(row, fold->err);
    if (rc < 0)
        return rc;
    struct entry *entry = entry_of(fold, plan_of(fold, row->table), row->values);
    if (row->kind == STORE_ROW_REMOVE) {
        entry->remove = true;
        entry->write = NULL;
    } else if (entry->write) {
        return write_again(fold, entry, row);
    } else {
        entry->write = row->values;
        entry->kind = row->kind;
    }
    return 0;
}

static int fold_finish(struct fold *fold)
{
    for (unsigned e = 0; e < fold->n_entries; e++) {
        struct store_plan *plan = &fold->plans[fold->entries[e].plan];
        plan->n[STORE_ROW_REMOVE] += fold->entries[e].remove;
        plan->n[fold->entries[e].kind] += fold->entries[e].write != NULL;
    }
    for (unsigned p = 0; p < fold->n_plans; p++) {
        struct store_plan *plan = &fold->plans[p];
        for (unsigned k = 0; k < STORE_ROW_KINDS; k++) {
            plan->rows[k] = arena_alloc(fold->arena, plan->n[k] * sizeof(struct store_value *));
            plan->n[k] = 0;
        }
    }
    if (arena_overflowed(fold->arena))
        return err_set(fold->err, ERR_NO_MEMORY, ERR_CLASS_PERMANENT,
                       "store: too many rows in one commit");
    for (unsigned e = 0; e < fold->n_entries; e++) {
        const struct entry *entry = &fold->entries[e];
        struct store_plan *plan = &fold->plans[entry->plan];
        if (entry->remove)
            plan->rows[STORE_ROW_REMOVE][plan->n[STORE_ROW_REMOVE]++] = entry->key;
        if (entry->write)
            plan->rows[entry->kind][plan->n[entry->kind]++] = entry->write;
    }
    return 0;
}

int store_plan_make(struct arena *arena, const struct store_row *rows, unsigned n_rows,
                    struct store_plan **plans, unsigned *n_plans, struct err *err)
{
    size_t n_slots = 8;
    while (n_slots < (size_t)n_rows * 2)
        n_slots *= 2;
    struct fold fold = {.arena = arena,
                        .plans = arena_alloc(arena, n_rows * sizeof(struct store_plan)),
                        .entries = arena_alloc(arena, n_rows * sizeof(struct entry)),
                        .slots = arena_alloc(arena, n_slots * sizeof(uint32_t)),
                        .mask = n_slots - 1,
                        .err = err};
    if (arena_overflowed(arena))
        return err_set(err, ERR_NO_MEMORY, ERR_CLASS_PERMANENT,
                       "store: too many rows in one commit");
    for (unsigned r = 0; r < n_rows; r++) {
        int rc = fold_row(&fold, &rows[r]);
        if (rc < 0)
            return rc;
    }
    int rc = fold_finish(&fold);
    if (rc < 0)
        return rc;
    *plans = fold.plans;
    *n_plans = fold.n_plans;
    return 0;
}
