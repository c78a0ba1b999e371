#pragma once
/*
 * What every implementation of store.h must do, as cases over a `struct rig`: two stores of one database, and how to
 * let time pass. Included by the program of each implementation, which makes the rig.
 *
 *   conformance.h        rig, tables, helpers that submit and wait
 *   conformance_rows.h   values, upserts, removals, look-ups
 *   conformance_fence.h  taking over, fences, atomicity, order
 */
#include "store.h"
#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka wants these before it */
#include <cmocka.h>

struct rig {
    struct store *store, *other; /* two instances */
    struct arena *arena;         /* of everything that a case needs */
    unsigned missing;            /* of the last commit */
    void (*step)(struct rig *rig,
                 struct store *store); /* lets something happen; fails the test when nothing can */
};

/* ---- tables ---- */

static const struct store_column kinds_columns[] = {
    {"id", STORE_BIGINT, 0}, {"i", STORE_INT, 0},  {"b", STORE_BIGINT, 0},  {"f", STORE_FLOAT, 0},
    {"o", STORE_BOOL, 0},    {"t", STORE_TEXT, 0}, {"y", STORE_BYTES, 0},   {"m", STORE_TIME, 0},
    {"u", STORE_UUID, 0},    {"j", STORE_JSON, 0}, {"d", STORE_DECIMAL, 0}, {"a", STORE_DATE, 0},
};
static const struct store_table kinds = {
    .name = "kinds", .columns = kinds_columns, .n_columns = ARRAY_SIZE(kinds_columns), .n_key = 1};

static const struct store_column sums_columns[] = {
    {"name", STORE_TEXT, 0},
    {"kind", STORE_INT, 0},
    {"made", STORE_TIME, STORE_COLUMN_ONCE},
    {"hits", STORE_INT, STORE_COLUMN_ADD},
    {"total", STORE_FLOAT, STORE_COLUMN_ADD},
    {"big", STORE_BIGINT, STORE_COLUMN_ADD},
    {"label", STORE_TEXT, STORE_COLUMN_SELDOM},
};
static const struct store_table sums = {
    .name = "sums", .columns = sums_columns, .n_columns = ARRAY_SIZE(sums_columns), .n_key = 2};

static const struct store_column seen_columns[] = {{"id", STORE_UUID, 0}, {"label", STORE_TEXT, 0}};
static const struct store_table seen = {
    .name = "seen", .columns = seen_columns, .n_columns = 2, .n_key = 1, .conflict = STORE_IGNORE};

static const struct store_column plain_columns[] = {{"id", STORE_BIGINT, 0},
                                                    {"label", STORE_TEXT, 0}};
static const struct store_table plain = {
    .name = "plain", .columns = plain_columns, .n_columns = 2, .n_key = 1, .conflict = STORE_PLAIN};

static const struct store_column items_columns[] = {{"owner", STORE_UUID, 0},
                                                    {"seq", STORE_BIGINT, 0},
                                                    {"score", STORE_INT, 0},
                                                    {"label", STORE_TEXT, 0}};
static const struct store_table items = {
    .name = "items", .columns = items_columns, .n_columns = 4, .n_key = 2};

static const struct store_column pairs_columns[] = {
    {"name", STORE_TEXT, 0}, {"kind", STORE_INT, 0}, {"label", STORE_TEXT, 0}};
static const struct store_table pairs = {.name = "pairs",
                                         .columns = pairs_columns,
                                         .n_columns = 3,
                                         .n_key = 2,
                                         .conflict = STORE_IGNORE};

static const struct store_table *const conformance_tables[] = {&kinds, &sums,  &seen,
                                                               &plain, &items, &pairs};

static const uint8_t columns_all[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};

/* ---- values ---- */

#define NULL_VALUE ((struct store_value){.null = true})
static inline struct store_value num(int64_t i)
{
    return (struct store_value){.i = i};
}
static inline struct store_value real(double f)
{
    return (struct store_value){.f = f};
}
static inline struct store_value text(const char *s)
{
    return (struct store_value){.s = slice_str(s)};
}
static inline struct store_value bytes(const void *data, size_t size)
{
    return (struct store_value){.s = slice_make(data, size)};
}
/* A UUID that sorts by n. */
static inline struct store_value uid(struct rig *rig, uint8_t n)
{
    uint8_t *data = arena_alloc(rig->arena, 16);
    data[0] = n;
    return bytes(data, 16);
}

#define ROW_OF(kind, table, ...)                                                                   \
    ((struct store_row){&(table), (const struct store_value[]){__VA_ARGS__}, kind})
#define ROW(...)    ROW_OF(STORE_ROW_PUT, __VA_ARGS__)
#define UPDATE(...) ROW_OF(STORE_ROW_UPDATE, __VA_ARGS__)
#define NARROW(...) ROW_OF(STORE_ROW_NARROW, __VA_ARGS__)
#define REMOVE(...) ROW_OF(STORE_ROW_REMOVE, __VA_ARGS__)

/* ---- requests that are waited for ---- */

static void own_done(struct store_own *own)
{
    *(bool *)own->user = true;
}
static void load_done(struct store_load *load)
{
    *(bool *)load->user = true;
}
static void commit_done(struct store_commit *commit)
{
    *(bool *)commit->user = true;
}

static inline void wait_for(struct rig *rig, struct store *store, const bool *done)
{
    assert_false(*done); /* never from inside submit */
    while (!*done)
        rig->step(rig, store);
}

static inline struct store_own take(struct rig *rig, struct store *store, int32_t part)
{
    bool done = false;
    struct store_own own = {.part = part, .arena = rig->arena, .done = own_done, .user = &done};
    store_own(store, &own);
    wait_for(rig, store, &done);
    if (own.err.code)
        fail_msg("%s", own.err.message);
    return own;
}

static inline int commit_all(struct rig *rig, struct store *store,
                             const struct store_position *fences, unsigned n_fences, bool *fenced,
                             const struct store_row *rows, unsigned n_rows, struct err *err)
{
    bool done = false;
    struct store_commit commit = {.fences = fences,
                                  .n_fences = n_fences,
                                  .fenced = fenced,
                                  .rows = rows,
                                  .n_rows = n_rows,
                                  .done = commit_done,
                                  .user = &done};
    store_commit(store, &commit);
    wait_for(rig, store, &done);
    if (err)
        *err = commit.err;
    rig->missing = commit.missing;
    return commit.err.code;
}

static inline int write_rows(struct rig *rig, const struct store_row *rows, unsigned n_rows,
                             struct err *err)
{
    return commit_all(rig, rig->store, NULL, 0, NULL, rows, n_rows, err);
}
#define WRITE(rig, ...)                                                                            \
    do {                                                                                           \
        const struct store_row rows_[] = {__VA_ARGS__};                                            \
        struct err err_ = {0};                                                                     \
        if (write_rows(rig, rows_, ARRAY_SIZE(rows_), &err_) != 0)                                 \
            fail_msg("%s", err_.message);                                                          \
    } while (0)

static inline struct store_load find_on(struct rig *rig, struct store *store,
                                        const struct store_lookup *lookup,
                                        const struct store_value *keys, unsigned n_keys,
                                        bool after_commits, bool slow)
{
    bool done = false;
    struct store_load load = {.lookup = lookup,
                              .keys = keys,
                              .n_keys = n_keys,
                              .after_commits = after_commits,
                              .slow = slow,
                              .arena = rig->arena,
                              .done = load_done,
                              .user = &done};
    store_load(store, &load);
    wait_for(rig, store, &done);
    return load;
}

static inline struct store_load find(struct rig *rig, const struct store_lookup *lookup,
                                     const struct store_value *keys, unsigned n_keys)
{
    struct store_load load = find_on(rig, rig->store, lookup, keys, n_keys, false, false);
    if (load.err.code)
        fail_msg("%s", load.err.message);
    return load;
}

/* The one row of a table with this key (of all its key columns), all columns; NULL: none. */
static inline const struct store_value *row_of(struct rig *rig, const struct store_table *table,
                                               const struct store_value *key)
{
    struct store_lookup *lookup = arena_alloc(rig->arena, sizeof(*lookup));
    *lookup = (struct store_lookup){.table = table,
                                    .by = columns_all,
                                    .n_by = table->n_key,
                                    .columns = columns_all,
                                    .n_columns = table->n_columns,
                                    .order = -1};
    struct store_load load = find(rig, lookup, key, 1);
    assert_true(load.n_found <= 1);
    return load.n_found ? load.found[0].values : NULL;
}

static inline void assert_bytes(struct store_value value, const void *data, size_t size)
{
    assert_false(value.null);
    assert_int_equal(value.s.size, size);
    if (size)
        assert_memory_equal(value.s.data, data, size);
}
static inline void assert_text(struct store_value value, const char *expected)
{
    assert_bytes(value, expected, strlen(expected));
}
