#pragma once
/* Values, upserts, removals, look-ups: see conformance.h. */
#include "conformance.h"

static void test_types_round_trip(void **state)
{
    struct rig *rig = *state;
    static const char awkward[] =
        "it's \"quoted\", \\back\\slash, {brace}, NULL, \xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\n";
    static const uint8_t raw[] = {0, 1, 0xff, '\\', '"', 0, '{', ','};
    WRITE(rig,
          ROW(kinds, num(1), num(INT32_MIN), num(INT64_MIN), real(-0.1), num(1), text(awkward),
              bytes(raw, sizeof(raw)), num(1767225600123456), uid(rig, 7),
              text("{\"a\": [1, \"x\"]}"), text("-12345678901234567890.0123456789"), num(20454)),
          ROW(kinds, num(INT64_MAX), num(INT32_MAX), num(INT64_MAX), real(1e300), num(0), text(""),
              bytes("", 0), num(-1), uid(rig, 0), text("null"), text("0"), num(-1)),
          ROW(kinds, num(INT64_MIN), NULL_VALUE, NULL_VALUE, NULL_VALUE, NULL_VALUE, NULL_VALUE,
              NULL_VALUE, NULL_VALUE, NULL_VALUE, NULL_VALUE, NULL_VALUE, NULL_VALUE));
    const struct store_value *v = row_of(rig, &kinds, (struct store_value[]){num(1)});
    assert_non_null(v);
    assert_int_equal(v[1].i, INT32_MIN);
    assert_true(v[2].i == INT64_MIN);
    assert_true(v[3].f == -0.1);
    assert_int_equal(v[4].i, 1);
    assert_text(v[5], awkward);
    assert_bytes(v[6], raw, sizeof(raw));
    assert_true(v[7].i == 1767225600123456);
    assert_bytes(v[8], uid(rig, 7).s.data, 16);
    assert_text(v[9], "{\"a\": [1, \"x\"]}");
    assert_text(v[10], "-12345678901234567890.0123456789");
    assert_int_equal(v[11].i, 20454);

    v = row_of(rig, &kinds, (struct store_value[]){num(INT64_MAX)});
    assert_non_null(v);
    assert_int_equal(v[1].i, INT32_MAX);
    assert_true(v[2].i == INT64_MAX && v[3].f == 1e300);
    assert_int_equal(v[4].i, 0);
    assert_text(v[5], "");
    assert_bytes(v[6], "", 0);
    assert_int_equal(v[7].i, -1);
    assert_bytes(v[8], uid(rig, 0).s.data, 16);
    assert_text(v[9], "null");
    assert_text(v[10], "0");
    assert_int_equal(v[11].i, -1);

    v = row_of(rig, &kinds, (struct store_value[]){num(INT64_MIN)});
    assert_non_null(v);
    for (unsigned c = 1; c < kinds.n_columns; c++)
        assert_true(v[c].null);
}

static void test_special_numbers(void **state)
{
    struct rig *rig = *state;
    static const int64_t times[] = {INT64_MIN, INT64_MAX, 0, 946684800000000};
    static const double floats[] = {INFINITY, -INFINITY, 5e-324, -0.0};
    for (int k = 0; k < 4; k++) {
        WRITE(rig, ROW(kinds, num(k), num(k), num(k), real(floats[k]), num(5), NULL_VALUE,
                       NULL_VALUE, num(times[k]), NULL_VALUE, NULL_VALUE, NULL_VALUE, num(0)));
        const struct store_value *v = row_of(rig, &kinds, (struct store_value[]){num(k)});
        assert_true(v[3].f == floats[k]);
        assert_int_equal(v[4].i, 1);
        assert_true(v[7].i == times[k]);
    }
    WRITE(rig, ROW(kinds, num(9), num(0), num(0), real(NAN), num(0), NULL_VALUE, NULL_VALUE, num(0),
                   NULL_VALUE, NULL_VALUE, NULL_VALUE, num(0)));
    assert_true(isnan(row_of(rig, &kinds, (struct store_value[]){num(9)})[3].f));
}

static void test_bad_values_are_refused(void **state)
{
    struct rig *rig = *state;
    const struct {
        const char *name;
        struct store_row row;
    } cases[] = {
        {"text not UTF-8", ROW(plain, num(1), text("a\xff"))},
        {"text with NUL", ROW(plain, num(1), bytes("a\0b", 3))},
        {"key NULL", ROW(plain, NULL_VALUE, text("a"))},
        {"uuid of 15 bytes", ROW(seen, bytes("123456789012345", 15), text("a"))},
        {"int over range", ROW(items, uid(rig, 1), num(1), num(INT64_C(1) << 31), text("a"))},
        {"removal with key NULL", REMOVE(plain, NULL_VALUE)},
        {"update of an insert-only table", UPDATE(plain, num(1), text("a"))},
        {"narrow update of one", NARROW(seen, uid(rig, 1), text("a"))},
        {"update with text not UTF-8", UPDATE(items, uid(rig, 1), num(1), num(1), text("a\xff"))},
    };
    for (unsigned c = 0; c < ARRAY_SIZE(cases); c++) {
        struct err err;
        const struct store_row rows[] = {ROW(plain, num(77), text("good")), cases[c].row};
        if (write_rows(rig, rows, 2, &err) != ERR_INVALID || err.class != ERR_CLASS_PERMANENT)
            fail_msg("%s: %d %s", cases[c].name, err.code, err.message);
        assert_null(row_of(rig, &plain, (struct store_value[]){num(77)}));
    }
}

static void test_upsert_keeps_once_and_adds(void **state)
{
    struct rig *rig = *state;
    const struct store_value key[] = {text("page"), num(1)};
    WRITE(rig, ROW(sums, key[0], key[1], num(100), num(1), real(0.5), NULL_VALUE, text("first")));
    WRITE(rig, ROW(sums, key[0], key[1], num(200), num(2), real(0.25), num(7), NULL_VALUE));
    const struct store_value *v = row_of(rig, &sums, key);
    assert_int_equal(v[2].i, 100);
    assert_int_equal(v[3].i, 3);
    assert_true(v[4].f == 0.75);
    assert_int_equal(v[5].i, 7); /* NULL counts as nothing */
    assert_true(v[6].null);
    WRITE(rig, ROW(sums, key[0], key[1], num(300), NULL_VALUE, NULL_VALUE, num(-9), text("third")));
    v = row_of(rig, &sums, key);
    assert_int_equal(v[3].i, 3);
    assert_int_equal(v[5].i, -2);
    assert_text(v[6], "third");
}

static void test_sum_out_of_range(void **state)
{
    struct rig *rig = *state;
    const struct store_value key[] = {text("page"), num(1)};
    WRITE(rig,
          ROW(sums, key[0], key[1], num(1), num(INT32_MAX), real(0), num(INT64_MAX), text("a")));
    const struct store_row row =
        ROW(sums, key[0], key[1], num(1), num(1), real(0), num(0), text("b"));
    struct err err;
    assert_int_equal(write_rows(rig, &row, 1, &err), ERR_INVALID);
    assert_int_equal(err.class, ERR_CLASS_PERMANENT);
    assert_text(row_of(rig, &sums, key)[6], "a");
}

static void test_duplicates_in_one_commit(void **state)
{
    struct rig *rig = *state;
    const struct store_value key[] = {text("page"), num(1)};
    WRITE(rig, ROW(sums, key[0], key[1], num(100), num(1), real(1), num(1), text("a")),
          ROW(sums, text("other"), key[1], num(150), num(9), real(9), num(9), text("o")),
          ROW(sums, key[0], key[1], num(200), num(2), real(2), num(2), text("b")),
          ROW(sums, key[0], key[1], num(300), num(3), real(3), NULL_VALUE, text("c")));
    const struct store_value *v = row_of(rig, &sums, key);
    assert_int_equal(v[2].i, 100);
    assert_int_equal(v[3].i, 6);
    assert_int_equal(v[5].i, 3);
    assert_text(v[6], "c");

    const struct store_value id = uid(rig, 1);
    WRITE(rig, ROW(seen, id, text("first")), ROW(seen, id, text("second")));
    assert_text(row_of(rig, &seen, &id)[1], "first");
}

static void test_ignore_keeps_the_row(void **state)
{
    struct rig *rig = *state;
    const struct store_value one = uid(rig, 1), two = uid(rig, 2);
    WRITE(rig, ROW(seen, one, text("first")));
    WRITE(rig, ROW(seen, one, text("second")), ROW(seen, two, text("new")));
    assert_text(row_of(rig, &seen, &one)[1], "first");
    assert_text(row_of(rig, &seen, &two)[1], "new");
}

static void test_plain_duplicate_fails_all(void **state)
{
    struct rig *rig = *state;
    WRITE(rig, ROW(plain, num(1), text("first")));
    const struct store_row again[] = {ROW(items, uid(rig, 1), num(1), num(1), text("x")),
                                      ROW(plain, num(2), text("new")),
                                      ROW(plain, num(1), text("second"))};
    const struct store_row twice[] = {ROW(plain, num(3), text("a")), ROW(plain, num(3), text("b"))};
    struct err err;
    assert_int_equal(write_rows(rig, again, 3, &err), ERR_CONFLICT);
    assert_int_equal(err.class, ERR_CLASS_PERMANENT);
    assert_int_equal(write_rows(rig, twice, 2, &err), ERR_CONFLICT);
    assert_text(row_of(rig, &plain, (struct store_value[]){num(1)})[1], "first");
    assert_null(row_of(rig, &plain, (struct store_value[]){num(2)}));
    assert_null(row_of(rig, &plain, (struct store_value[]){num(3)}));
    assert_null(row_of(rig, &items, (struct store_value[]){uid(rig, 1), num(1)}));
}

static void test_removals(void **state)
{
    struct rig *rig = *state;
    const struct store_value a = text("a"), b = text("b"), c = text("c"), d = text("d"),
                             zero = num(0);
    WRITE(rig, ROW(sums, a, zero, num(1), num(5), real(5), num(5), a),
          ROW(sums, b, zero, num(1), num(5), real(5), num(5), b),
          ROW(sums, c, zero, num(1), num(5), real(5), num(5), c));
    WRITE(rig, REMOVE(sums, a, zero), REMOVE(sums, text("absent"), zero),
          /* removed and written: nothing of the old row counts */
          ROW(sums, b, zero, num(2), num(1), real(1), num(1), text("lost")), REMOVE(sums, b, zero),
          ROW(sums, b, zero, num(3), num(2), real(2), num(2), text("new")),
          /* written and removed */
          ROW(sums, d, zero, num(4), num(1), real(1), num(1), d), REMOVE(sums, d, zero));
    assert_null(row_of(rig, &sums, (struct store_value[]){a, zero}));
    assert_null(row_of(rig, &sums, (struct store_value[]){d, zero}));
    assert_non_null(row_of(rig, &sums, (struct store_value[]){c, zero}));
    const struct store_value *v = row_of(rig, &sums, (struct store_value[]){b, zero});
    assert_int_equal(v[2].i, 3);
    assert_int_equal(v[3].i, 2);
    assert_text(v[6], "new");
    WRITE(rig, ROW(plain, num(1), a));
    WRITE(rig, REMOVE(plain, num(1)), ROW(plain, num(1), b));
    assert_text(row_of(rig, &plain, (struct store_value[]){num(1)})[1], "b");
}

static void test_updates_never_insert(void **state)
{
    struct rig *rig = *state;
    const struct store_value a = text("a"), b = text("b"), c = text("c"), zero = num(0);
    WRITE(rig, ROW(sums, a, zero, num(1), num(5), real(5), NULL_VALUE, a),
          ROW(sums, b, zero, num(1), num(5), real(5), num(5), b));
    assert_int_equal(rig->missing, 0);
    WRITE(rig, UPDATE(sums, a, zero, num(2), num(1), real(0.5), num(7), text("new")),
          NARROW(sums, b, zero, num(2), num(1), NULL_VALUE, num(1), text("not written")),
          UPDATE(sums, text("absent"), zero, num(2), num(1), real(1), num(1), a),
          NARROW(sums, text("gone"), zero, num(2), num(1), real(1), num(1), a),
          ROW(sums, c, zero, num(2), num(1), real(1), num(1), c));
    assert_int_equal(rig->missing, 2);
    const struct store_value *v = row_of(rig, &sums, (struct store_value[]){a, zero});
    assert_int_equal(v[2].i, 1); /* once */
    assert_int_equal(v[3].i, 6);
    assert_true(v[4].f == 5.5);
    assert_int_equal(v[5].i, 7);
    assert_text(v[6], "new");
    v = row_of(rig, &sums, (struct store_value[]){b, zero});
    assert_int_equal(v[3].i, 6);
    assert_true(v[4].f == 5);
    assert_text(v[6], "b"); /* seldom */
    assert_null(row_of(rig, &sums, (struct store_value[]){text("absent"), zero}));
    assert_null(row_of(rig, &sums, (struct store_value[]){text("gone"), zero}));
    assert_non_null(row_of(rig, &sums, (struct store_value[]){c, zero}));

    const struct store_row failing[] = {
        UPDATE(sums, text("absent"), zero, num(2), num(1), real(1), num(1), a),
        UPDATE(sums, a, zero, num(2), num(INT32_MAX), real(1), num(1), a)};
    assert_int_equal(write_rows(rig, failing, 2, NULL), ERR_INVALID);
    assert_int_equal(rig->missing, 0); /* tells nothing when it failed */
}

static void test_updates_of_every_type(void **state)
{
    struct rig *rig = *state;
    struct store_value values[12] = {num(1)};
    for (unsigned c = 1; c < ARRAY_SIZE(values); c++)
        values[c] = NULL_VALUE;
    const struct store_row empty = {&kinds, values, STORE_ROW_PUT};
    assert_int_equal(write_rows(rig, &empty, 1, NULL), 0);
    WRITE(rig,
          UPDATE(kinds, num(1), num(-1), num(-2), real(0.5), num(1), text("t"), bytes("\0y", 2),
                 num(1767225600123456), uid(rig, 7), text("[1]"), text("1.50"), num(20454)));
    assert_int_equal(rig->missing, 0);
    const struct store_value *v = row_of(rig, &kinds, values);
    assert_int_equal(v[1].i, -1);
    assert_int_equal(v[2].i, -2);
    assert_true(v[3].f == 0.5);
    assert_int_equal(v[4].i, 1);
    assert_text(v[5], "t");
    assert_bytes(v[6], "\0y", 2);
    assert_true(v[7].i == 1767225600123456);
    assert_bytes(v[8], uid(rig, 7).s.data, 16);
    assert_text(v[9], "[1]");
    assert_text(v[10], "1.50");
    assert_int_equal(v[11].i, 20454);
}

/* As if carried out one by one. */
static void test_updates_folded_in_one_commit(void **state)
{
    struct rig *rig = *state;
    const struct store_value zero = num(0), one = num(1);
    const struct store_value a = text("a"), b = text("b"), c = text("c"), d = text("d"),
                             e = text("e");
    WRITE(rig, ROW(sums, a, zero, one, one, NULL_VALUE, one, a),
          ROW(sums, b, zero, one, one, NULL_VALUE, one, b),
          ROW(sums, c, zero, one, one, NULL_VALUE, one, c));
    WRITE(rig, NARROW(sums, a, zero, zero, one, zero, one, a),
          UPDATE(sums, a, zero, zero, one, zero, one, text("a2")),
          UPDATE(sums, b, zero, zero, one, zero, one, text("b2")),
          NARROW(sums, b, zero, zero, one, zero, one, text("not written")), REMOVE(sums, c, zero),
          UPDATE(sums, c, zero, zero, one, zero, one, c),
          ROW(sums, d, zero, one, one, zero, one, d),
          UPDATE(sums, d, zero, zero, one, zero, one, text("d2")),
          ROW(sums, e, zero, one, one, zero, one, e),
          NARROW(sums, e, zero, zero, one, zero, one, text("not written")));
    assert_int_equal(rig->missing, 1); /* the removed one */
    static const struct {
        const char *name, *label;
        int hits;
    } expected[] = {{"a", "a2", 3}, {"b", "b2", 3}, {"d", "d2", 2}, {"e", "e", 2}};
    for (unsigned k = 0; k < ARRAY_SIZE(expected); k++) {
        const struct store_value *v =
            row_of(rig, &sums, (struct store_value[]){text(expected[k].name), zero});
        assert_non_null(v);
        assert_int_equal(v[2].i, 1);
        assert_int_equal(v[3].i, expected[k].hits);
        assert_text(v[6], expected[k].label);
    }
    assert_null(row_of(rig, &sums, (struct store_value[]){c, zero}));
}

static void test_many_rows(void **state)
{
    struct rig *rig = *state;
    enum {
        N = 3000
    };
    struct store_row *rows = arena_alloc(rig->arena, N * sizeof(*rows));
    struct store_value *keys = arena_alloc(rig->arena, N * sizeof(*keys));
    for (int r = 0; r < N; r++) {
        struct store_value *values = arena_alloc(rig->arena, 2 * sizeof(*values));
        values[0] = keys[N - 1 - r] = num(r * 7);
        values[1] = text(arena_printf(rig->arena, "row %d", r));
        rows[r] = (struct store_row){&plain, values, STORE_ROW_PUT};
    }
    assert_int_equal(write_rows(rig, rows, N, NULL), 0);
    static const struct store_lookup by_id = {.table = &plain,
                                              .by = columns_all,
                                              .n_by = 1,
                                              .columns = columns_all,
                                              .n_columns = 2,
                                              .order = -1};
    struct store_load load = find(rig, &by_id, keys, N);
    assert_int_equal(load.n_found, N);
    for (unsigned r = 0; r < N; r++) {
        assert_int_equal(load.found[r].key, r);
        assert_int_equal(load.found[r].values[0].i, keys[r].i);
        assert_text(load.found[r].values[1], arena_printf(rig->arena, "row %u", N - 1 - r));
    }
}
