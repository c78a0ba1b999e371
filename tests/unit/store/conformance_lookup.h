#pragma once
/* Look-ups: see conformance.h. */
#include "conformance.h"

static const uint8_t by_owner[] = {0}, by_label[] = {3}, seq_label[] = {1, 3}, only_label[] = {3};

static void items_make(struct rig *rig)
{
    struct store_value a = uid(rig, 1), b = uid(rig, 2);
    WRITE(rig, ROW(items, a, num(3), num(30), text("a3")),
          ROW(items, a, num(1), num(50), text("a1")), ROW(items, a, num(2), NULL_VALUE, text("a2")),
          ROW(items, a, num(-4), num(40), text("a-4")), ROW(items, b, num(1), num(10), text("b1")),
          ROW(items, b, num(9), num(5), text("b9")));
}

struct lookup_case {
    const char *name;
    struct store_lookup lookup;
    int keys[3][3]; /* owner, then bounds */
    unsigned n_keys;
    const char *expected; /* key:label ... */
};

static const struct lookup_case lookup_cases[] = {
    {"ascending", {.order = 1}, {{1}, {2}}, 2, "0:a-4 0:a1 0:a2 0:a3 1:b1 1:b9"},
    {"descending",
     {.order = 1, .descending = true},
     {{2}, {1}},
     2,
     "0:b9 0:b1 1:a3 1:a2 1:a1 1:a-4"},
    {"limit a key",
     {.order = 1, .limit = 2},
     {{1}, {2}, {1}},
     3,
     "0:a-4 0:a1 1:b1 1:b9 2:a-4 2:a1"},
    {"absent key between", {.order = 1, .limit = 1}, {{1}, {5}, {2}}, 3, "0:a-4 2:b1"},
    {"after", {.order = 1, .after = true}, {{1, 1}, {2, 9}, {2, 0}}, 3, "0:a2 0:a3 2:b1 2:b9"},
    {"after, descending",
     {.order = 1, .after = true, .descending = true},
     {{1, 2}},
     1,
     "0:a1 0:a-4"},
    {"until", {.order = 1, .until = true}, {{1, 1}, {2, 0}}, 2, "0:a-4 0:a1"},
    {"until, descending",
     {.order = 1, .until = true, .descending = true},
     {{1, 2}},
     1,
     "0:a3 0:a2"},
    {"after and until",
     {.order = 1, .after = true, .until = true},
     {{1, -4, 2}, {2, 1, 8}},
     2,
     "0:a1 0:a2"},
    {"after, until, limit",
     {.order = 1, .after = true, .until = true, .limit = 1},
     {{1, -4, 3}},
     1,
     "0:a1"},
    {"nulls last", {.order = 2}, {{1}}, 1, "0:a3 0:a-4 0:a1 0:a2"},
    {"nulls first, descending", {.order = 2, .descending = true}, {{1}}, 1, "0:a2 0:a1 0:a-4 0:a3"},
    {"bounds leave nulls out", {.order = 2, .after = true}, {{1, 30}}, 1, "0:a-4 0:a1"},
};

static void test_lookups(void **state)
{
    struct rig *rig = *state;
    items_make(rig);
    for (unsigned c = 0; c < ARRAY_SIZE(lookup_cases); c++) {
        const struct lookup_case *one = &lookup_cases[c];
        struct store_lookup lookup = one->lookup;
        lookup.table = &items;
        lookup.by = by_owner;
        lookup.n_by = 1;
        lookup.columns = only_label;
        lookup.n_columns = 1;
        unsigned stride = 1u + lookup.after + lookup.until;
        struct store_value keys[9];
        for (unsigned k = 0; k < one->n_keys; k++) {
            keys[k * stride] = uid(rig, (uint8_t)one->keys[k][0]);
            for (unsigned b = 1; b < stride; b++)
                keys[k * stride + b] = num(one->keys[k][b]);
        }
        struct store_load load = find(rig, &lookup, keys, one->n_keys);
        struct buf found = {0};
        for (unsigned f = 0; f < load.n_found; f++)
            buf_printf(&found, "%s%u:%.*s", f ? " " : "", load.found[f].key,
                       (int)load.found[f].values[0].s.size,
                       (const char *)load.found[f].values[0].s.data);
        if (!slice_equal_str(buf_slice(&found), one->expected))
            fail_msg("%s: %.*s", one->name, (int)found.size, (const char *)found.data);
        buf_deinit(&found);
    }
}

static void test_lookup_by_other_columns(void **state)
{
    struct rig *rig = *state;
    items_make(rig);
    static const struct store_lookup lookup = {.table = &items,
                                               .by = by_label,
                                               .n_by = 1,
                                               .columns = seq_label,
                                               .n_columns = 2,
                                               .order = -1};
    const struct store_value keys[] = {text("b9"), NULL_VALUE, text("a'b"), text("a1")};
    struct store_load load = find(rig, &lookup, keys, ARRAY_SIZE(keys));
    assert_int_equal(load.n_found, 2);
    assert_int_equal(load.found[0].key, 0);
    assert_int_equal(load.found[0].values[0].i, 9);
    assert_int_equal(load.found[1].key, 3);
    assert_text(load.found[1].values[1], "a1");
    load = find(rig, &lookup, keys, 0);
    assert_int_equal(load.n_found, 0);
}

static void test_lookups_on_every_connection(void **state)
{
    struct rig *rig = *state;
    items_make(rig);
    static const struct store_lookup lookup = {.table = &items,
                                               .by = by_owner,
                                               .n_by = 1,
                                               .columns = seq_label,
                                               .n_columns = 2,
                                               .order = 1};
    const struct store_value key = uid(rig, 2);
    for (int c = 0; c < 4; c++) {
        struct store_load load = find_on(rig, rig->other, &lookup, &key, 1, c & 1, c & 2);
        assert_int_equal(load.err.code, 0);
        assert_int_equal(load.n_found, 2);
    }
}

static void test_results_over_the_arena(void **state)
{
    struct rig *rig = *state;
    char *large = arena_alloc(rig->arena, 100001);
    memset(large, 'x', 100000);
    WRITE(rig, ROW(plain, num(1), text(large)));
    static const struct store_lookup lookup = {.table = &plain,
                                               .by = columns_all,
                                               .n_by = 1,
                                               .columns = columns_all,
                                               .n_columns = 2,
                                               .order = -1};
    const struct store_value key = num(1);
    struct arena *whole = rig->arena;
    struct arena *small = arena_create(50000);
    rig->arena = small;
    struct store_load load = find_on(rig, rig->store, &lookup, &key, 1, false, false);
    rig->arena = whole;
    arena_destroy(&small);
    assert_int_equal(load.err.code, ERR_NO_MEMORY);
    assert_int_equal(load.err.class, ERR_CLASS_PERMANENT);
    assert_int_equal(load.n_found, 0);
}

/* Whoever comes first decides what is there; a NULL counts as being there. */
static void test_obtain_keeps_the_first(void **state)
{
    struct rig *rig = *state;
    static const uint8_t label[] = {2};
    static const struct store_lookup obtain = {.table = &pairs,
                                               .by = columns_all,
                                               .n_by = 3,
                                               .columns = label,
                                               .n_columns = 1,
                                               .order = -1,
                                               .obtain = "obtain_pairs"};
    WRITE(rig, ROW(pairs, text("gone"), num(1), NULL_VALUE));
    const struct store_value first[] = {text("a"),   num(1),       text("one"), text("b"),   num(1),
                                        text("two"), text("gone"), num(1),      text("back")};
    struct store_load load = find(rig, &obtain, first, 3);
    assert_int_equal(load.n_found, 3);
    assert_text(load.found[0].values[0], "one");
    assert_text(load.found[1].values[0], "two");
    assert_true(load.found[2].values[0].null);
    const struct store_value again[] = {text("b"),     num(1),      text("other"), text("a"),
                                        num(2),        text("new"), text("b"),     num(1),
                                        text("third"), text("a"),   num(2),        text("new")};
    load = find_on(rig, rig->other, &obtain, again, 4, true, false);
    assert_int_equal(load.err.code, 0);
    assert_int_equal(load.n_found, 4);
    for (unsigned k = 0; k < 4; k++) {
        assert_int_equal(load.found[k].key, k);
        assert_text(load.found[k].values[0], k % 2 ? "new" : "two");
    }
    load = find(rig, &obtain, again, 0);
    assert_int_equal(load.n_found, 0);
}
