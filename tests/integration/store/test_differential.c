/*
 * Random histories on Postgres and on the twin side by side: every outcome and every row is the same. What a simulation
 * proves on the twin holds for the server only as far as this does.
 */
#include "internal.h"
#include "pg_rig.h"

enum {
    COMMITS = 400,
    ROWS = 12,
    PARTS = 3
};

struct pair {
    struct pg_rig *pg;
    struct rig mem;
    struct store_mem_db *db;
    struct random random;
};

static unsigned pick(struct pair *pair, unsigned n)
{
    return (unsigned)(random_next(&pair->random) % n);
}

static void mem_step(struct rig *rig, struct store *store)
{
    assert_true(store_mem_step(store));
}

static struct store_value maybe_null(struct pair *pair, struct store_value value)
{
    return pick(pair, 5) ? value : NULL_VALUE;
}

static struct store_row random_row(struct pair *pair, struct arena *arena)
{
    static const struct store_table *const tables[] = {&sums, &sums, &seen, &items, &plain};
    const struct store_table *table = tables[pick(pair, ARRAY_SIZE(tables))];
    struct store_value *v = arena_alloc(arena, sizeof(*v) * table->n_columns);
    const struct store_value label =
        maybe_null(pair, text(arena_printf(arena, "label %u", pick(pair, 1000))));
    struct rig rig = {.arena = arena};
    if (table == &sums) {
        v[0] = text(arena_printf(arena, "name %u", pick(pair, 4)));
        v[1] = num(pick(pair, 2));
        v[2] = maybe_null(pair, num(pick(pair, 1000)));
        v[3] = maybe_null(pair, num(pick(pair, 20) ? pick(pair, 1000) : INT32_MAX - 5000));
        v[4] = maybe_null(pair, real(pick(pair, 1000) / 8.0));
        v[5] = maybe_null(pair, num((int64_t)pick(pair, 1000) - 500));
        v[6] = label;
    } else if (table == &items) {
        v[0] = uid(&rig, (uint8_t)pick(pair, 3));
        v[1] = num(pick(pair, 8));
        v[2] = maybe_null(pair, num(pick(pair, 100)));
        v[3] = label;
    } else {
        v[0] = table == &seen ? uid(&rig, (uint8_t)pick(pair, 10)) : num(pick(pair, 60));
        v[1] = label;
    }
    static const enum store_row_kind kinds_of_row[] = {
        STORE_ROW_PUT, STORE_ROW_PUT, STORE_ROW_REMOVE, STORE_ROW_UPDATE, STORE_ROW_NARROW};
    unsigned n_kinds = ARRAY_SIZE(kinds_of_row) - (table->conflict == STORE_UPDATE ? 0 : 2);
    return (struct store_row){table, v, kinds_of_row[pick(pair, n_kinds)]};
}

static void compare_table(struct pair *pair, const struct store_table *table)
{
    const struct store_value *rows[256];
    unsigned n = store_mem_rows(pair->db, table, rows, ARRAY_SIZE(rows));
    assert_int_equal(pg_number("select count(*) from %s", table->name), n);
    for (unsigned r = 0; r < n; r++) {
        const struct store_value *row = row_of(&pair->pg->rig, table, rows[r]);
        if (!row)
            fail_msg("%s: row %u is not on the server", table->name, r);
        for (unsigned c = 0; c < table->n_columns; c++)
            if (store_value_compare(table->columns[c].type, &row[c], &rows[r][c]) != 0)
                fail_msg("%s: row %u, column %s", table->name, r, table->columns[c].name);
    }
}

static void own_both(struct pair *pair, struct store_position *position, int32_t part)
{
    struct store_own here = take(&pair->pg->rig, pair->pg->rig.store, part);
    struct store_own there = take(&pair->mem, pair->mem.store, part);
    assert_int_equal(here.position.n, there.position.n);
    assert_int_equal(here.position.epoch, there.position.epoch);
    assert_int_equal(here.position.done, there.position.done);
    assert_int_equal(here.position.tries, there.position.tries);
    assert_int_equal(here.n_outboxes, there.n_outboxes);
    for (unsigned o = 0; o < here.n_outboxes; o++) {
        assert_int_equal(here.outboxes[o].n, there.outboxes[o].n);
        assert_true(slice_equal(here.outboxes[o].blob, there.outboxes[o].blob));
    }
    *position = here.position;
}

static int commit_both(struct pair *pair, struct store_position *positions, struct arena *arena)
{
    struct store_position fences[PARTS];
    struct store_row rows[ROWS];
    bool here[PARTS], there[PARTS];
    unsigned n_fences = pick(pair, PARTS + 1), n_rows = pick(pair, ROWS + 1);
    for (unsigned f = 0; f < n_fences; f++) {
        fences[f] = positions[f];
        fences[f].n += pick(pair, 25) ? 1 : pick(pair, 3);
        fences[f].epoch -= pick(pair, 25) == 0;
        fences[f].done = max_i64(positions[f].done, fences[f].n - pick(pair, 4));
        fences[f].outbox =
            slice_str(pick(pair, 3) ? arena_printf(arena, "said %u", pick(pair, 1000)) : "");
    }
    for (unsigned r = 0; r < n_rows; r++)
        rows[r] = random_row(pair, arena);
    struct err err_here, err_there;
    (void)commit_all(&pair->pg->rig, pair->pg->rig.store, fences, n_fences, here, rows, n_rows,
                     &err_here);
    (void)commit_all(&pair->mem, pair->mem.store, fences, n_fences, there, rows, n_rows,
                     &err_there);
    if (err_here.code != err_there.code || err_here.class != err_there.class)
        fail_msg("%s / %s", err_here.message, err_there.message);
    assert_int_equal(pair->pg->rig.missing, pair->mem.missing);
    for (unsigned f = 0; f < n_fences; f++) {
        assert_int_equal(here[f], there[f]);
        if (err_here.code == 0)
            positions[f] = fences[f];
    }
    return err_here.code;
}

static void test_random_histories(void **state)
{
    struct pair pair = {.pg = *state, .random = {.state = 20260101}};
    pair.db = store_mem_db_create();
    pair.mem = (struct rig){
        .store = store_mem_create(pair.db, conformance_tables, ARRAY_SIZE(conformance_tables)),
        .arena = pair.pg->rig.arena,
        .step = mem_step};
    struct store_position positions[PARTS];
    int worked = 0;
    for (int32_t p = 0; p < PARTS; p++)
        own_both(&pair, &positions[p], p);
    for (int c = 0; c < COMMITS; c++) {
        struct arena *arena = arena_create((size_t)1 << 20);
        worked += commit_both(&pair, positions, arena) == 0;
        arena_destroy(&arena);
        if (pick(&pair, 20) == 0) {
            int32_t part = (int32_t)pick(&pair, PARTS);
            own_both(&pair, &positions[part], part);
        }
    }
    assert_true(worked > COMMITS / 10 && worked < COMMITS); /* both outcomes were met */
    for (unsigned t = 0; t < ARRAY_SIZE(conformance_tables); t++)
        compare_table(&pair, conformance_tables[t]);
    store_destroy(&pair.mem.store);
    store_mem_db_destroy(&pair.db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_random_histories, pg_setup, pg_teardown)};
    return cmocka_run_group_tests(tests, pg_group_setup, NULL);
}
