/* Tables that the library refuses, and how the rows of a commit fold. */
#include "conformance.h"
#include "internal.h"

static const struct store_column good[] = {{"id", STORE_BIGINT, 0},
                                           {"at", STORE_TIME, STORE_COLUMN_ONCE}};
static const struct store_column bad_name[] = {{"id\"; drop", STORE_BIGINT, 0}};
static const struct store_column json_key[] = {{"id", STORE_JSON, 0}};
static const struct store_column flagged_key[] = {{"id", STORE_BIGINT, STORE_COLUMN_ADD}};
static const struct store_column text_sum[] = {{"id", STORE_BIGINT, 0},
                                               {"n", STORE_TEXT, STORE_COLUMN_ADD}};
static const struct store_column decimal_sum[] = {{"id", STORE_BIGINT, 0},
                                                  {"n", STORE_DECIMAL, STORE_COLUMN_ADD}};
static const struct store_column once_sum[] = {
    {"id", STORE_BIGINT, 0}, {"n", STORE_INT, STORE_COLUMN_ADD | STORE_COLUMN_ONCE}};

static void test_tables(void **state)
{
    static const struct {
        const char *name;
        struct store_table table;
        int expected;
    } cases[] = {
        {"good", {.name = "t", .columns = good, .n_columns = 2, .n_key = 1}, 0},
        {"split by time",
         {.name = "t",
          .columns = good,
          .n_columns = 2,
          .n_key = 1,
          .roll = STORE_ROLL_DAY,
          .roll_column = "at"},
         0},
        {"split by a number",
         {.name = "t",
          .columns = good,
          .n_columns = 2,
          .n_key = 1,
          .roll = STORE_ROLL_DAY,
          .roll_column = "id"},
         ERR_INVALID},
        {"split by nothing",
         {.name = "t", .columns = good, .n_columns = 2, .n_key = 1, .roll = STORE_ROLL_DAY},
         ERR_INVALID},
        {"name", {.name = "T", .columns = good, .n_columns = 2, .n_key = 1}, ERR_INVALID},
        {"no name", {.columns = good, .n_columns = 2, .n_key = 1}, ERR_INVALID},
        {"no key", {.name = "t", .columns = good, .n_columns = 2}, ERR_INVALID},
        {"key of more columns than there are",
         {.name = "t", .columns = good, .n_columns = 2, .n_key = 3},
         ERR_INVALID},
        {"column's name",
         {.name = "t", .columns = bad_name, .n_columns = 1, .n_key = 1},
         ERR_INVALID},
        {"JSON as key",
         {.name = "t", .columns = json_key, .n_columns = 1, .n_key = 1},
         ERR_INVALID},
        {"key with flags",
         {.name = "t", .columns = flagged_key, .n_columns = 1, .n_key = 1},
         ERR_INVALID},
        {"sum of texts",
         {.name = "t", .columns = text_sum, .n_columns = 2, .n_key = 1},
         ERR_INVALID},
        {"sum of decimals",
         {.name = "t", .columns = decimal_sum, .n_columns = 2, .n_key = 1},
         ERR_INVALID},
        {"sum and once",
         {.name = "t", .columns = once_sum, .n_columns = 2, .n_key = 1},
         ERR_INVALID},
    };
    for (unsigned c = 0; c < ARRAY_SIZE(cases); c++) {
        struct err err = {0};
        int rc = store_table_check(&cases[c].table, &err);
        if (rc != cases[c].expected || rc != (int)err.code)
            fail_msg("%s: %d %s", cases[c].name, rc, err.message);
    }
}

/* Many keys in two tables with equal keys: each once, in the order in which they came. */
static void test_fold_many(void **state)
{
    enum {
        N = 500,
        TIMES = 3
    };
    struct arena *arena = arena_create((size_t)4 << 20);
    struct store_row *rows = arena_alloc(arena, sizeof(*rows) * N * TIMES);
    unsigned n = 0;
    for (int t = 0; t < TIMES; t++) {
        for (int k = 0; k < N; k++) {
            struct store_value *values = arena_alloc(arena, 7 * sizeof(*values));
            if (k & 1) {
                values[0] = text(arena_printf(arena, "%d", k));
                values[3] = num(t);
            } else {
                values[0] = num(k);
                values[1] = text("x");
            }
            rows[n++] = (struct store_row){k & 1 ? &sums : &kinds, values,
                                           k & 1 ? STORE_ROW_PUT : STORE_ROW_REMOVE};
        }
    }
    struct store_plan *plans;
    unsigned n_plans;
    struct err err;
    assert_int_equal(store_plan_make(arena, rows, n, &plans, &n_plans, &err), 0);
    assert_int_equal(n_plans, 2);
    assert_int_equal(plans[0].n[STORE_ROW_REMOVE], N / 2);
    assert_int_equal(plans[0].n[STORE_ROW_PUT], 0);
    assert_int_equal(plans[1].n[STORE_ROW_PUT], N / 2);
    for (int k = 0; k < N / 2; k++) {
        assert_int_equal(plans[0].rows[STORE_ROW_REMOVE][k][0].i, 2 * k);
        assert_int_equal(plans[1].rows[STORE_ROW_PUT][k][3].i, 0 + 1 + 2);
    }
    arena_destroy(&arena);
}

static void test_fold_over_the_limit(void **state)
{
    struct arena *arena = arena_create(100);
    const struct store_row rows[] = {ROW(plain, num(1), text("a")), ROW(plain, num(2), text("b"))};
    struct store_plan *plans;
    unsigned n_plans;
    struct err err;
    assert_int_equal(store_plan_make(arena, rows, 2, &plans, &n_plans, &err), ERR_NO_MEMORY);
    assert_int_equal(err.class, ERR_CLASS_PERMANENT);
    arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_tables),
                                       cmocka_unit_test(test_fold_many),
                                       cmocka_unit_test(test_fold_over_the_limit)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
