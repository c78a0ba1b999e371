/* The twin: the conformance suite, and the faults that only it can make. */
#include "conformance_cases.h"

struct mem_rig {
    struct rig rig; /* first: the cases see only it */
    struct store_mem_db *db;
};

static void mem_step(struct rig *rig, struct store *store)
{
    assert_true(store_mem_step(store));
}

static int setup(void **state)
{
    struct mem_rig *mem = calloc(1, sizeof(*mem));
    if (!mem)
        return -1;
    mem->db = store_mem_db_create();
    mem->rig.store = store_mem_create(mem->db, conformance_tables, ARRAY_SIZE(conformance_tables));
    mem->rig.other = store_mem_create(mem->db, conformance_tables, ARRAY_SIZE(conformance_tables));
    mem->rig.arena = arena_create((size_t)16 << 20);
    mem->rig.step = mem_step;
    *state = mem;
    return 0;
}

static int teardown(void **state)
{
    struct mem_rig *mem = *state;
    store_destroy(&mem->rig.store);
    store_destroy(&mem->rig.other);
    store_mem_db_destroy(&mem->db);
    arena_destroy(&mem->rig.arena);
    free(mem);
    return 0;
}

static void test_faults(void **state)
{
    struct mem_rig *mem = *state;
    struct rig *rig = &mem->rig;
    static const struct {
        enum store_mem_fault fault;
        int now, later; /* whether the row is there: after the answer, after late transactions */
    } cases[] = {
        {STORE_MEM_FAIL_BEFORE, 0, 0}, {STORE_MEM_FAIL_AFTER, 1, 1}, {STORE_MEM_FAIL_LATER, 0, 1}};
    for (unsigned c = 0; c < ARRAY_SIZE(cases); c++) {
        const struct store_row row = ROW(plain, num(c), text("x"));
        const struct store_value key = num(c);
        struct err err;
        store_mem_fault_next(rig->store, cases[c].fault);
        assert_int_equal(write_rows(rig, &row, 1, &err), ERR_UNAVAILABLE);
        assert_int_equal(err.class, ERR_CLASS_TRANSIENT);
        assert_int_equal(row_of(rig, &plain, &key) != NULL, cases[c].now);
        while (store_mem_db_late(mem->db))
            ;
        assert_int_equal(row_of(rig, &plain, &key) != NULL, cases[c].later);
    }
    WRITE(rig, ROW(plain, num(99), text("no fault left")));
}

/* A crash with commits in the socket: the first lands before the new owner's row, or all are refused after it. */
static void test_crash_leaves_late_commits(void **state)
{
    struct mem_rig *mem = *state;
    struct rig *rig = &mem->rig;
    for (int before = 0; before < 2; before++) {
        struct store *dying =
            store_mem_create(mem->db, conformance_tables, ARRAY_SIZE(conformance_tables));
        struct store_position own = take(rig, dying, before).position,
                              fence = next_of(&own, 1, "x");
        bool done = false, fenced = false;
        const struct store_row row = ROW(plain, num(before), text("x"));
        struct store_commit commit = {.fences = &fence,
                                      .n_fences = 1,
                                      .fenced = &fenced,
                                      .rows = &row,
                                      .n_rows = 1,
                                      .done = commit_done,
                                      .user = &done};
        store_commit(dying, &commit);
        store_destroy(&dying);
        assert_false(done);
        if (before)
            assert_true(store_mem_db_late(mem->db));
        assert_int_equal(take(rig, rig->store, before).position.n, before ? 3 : 2);
        while (store_mem_db_late(mem->db))
            ;
        assert_int_equal(row_of(rig, &plain, (struct store_value[]){num(before)}) != NULL, before);
    }
}

static void test_rows_in_key_order(void **state)
{
    struct mem_rig *mem = *state;
    struct rig *rig = &mem->rig;
    WRITE(rig, ROW(plain, num(3), text("c")), ROW(plain, num(1), text("a")),
          ROW(plain, num(2), text("b")));
    const struct store_value *rows[2];
    assert_int_equal(store_mem_rows(mem->db, &plain, rows, 2), 3);
    assert_int_equal(rows[0][0].i, 1);
    assert_text(rows[1][1], "b");
    assert_int_equal(store_mem_rows(mem->db, &seen, rows, 2), 0);
}

/* Commits, then loads, then slow ones, whatever the order of submission. */
static void test_steps_are_deterministic(void **state)
{
    struct rig *rig = *state;
    static const struct store_lookup by_id = {.table = &plain,
                                              .by = columns_all,
                                              .n_by = 1,
                                              .columns = columns_all,
                                              .n_columns = 2,
                                              .order = -1};
    const struct store_value key = num(1);
    bool done[3] = {false};
    struct store_load loads[3];
    for (int l = 0; l < 3; l++) {
        loads[l] = (struct store_load){.lookup = &by_id,
                                       .keys = &key,
                                       .n_keys = 1,
                                       .slow = l == 0,
                                       .after_commits = l == 2,
                                       .arena = rig->arena,
                                       .done = load_done,
                                       .user = &done[l]};
        store_load(rig->store, &loads[l]);
    }
    for (int l = 2; l >= 0; l--) {
        assert_false(done[l]);
        assert_true(store_mem_step(rig->store));
        assert_true(done[l]);
    }
    assert_false(store_mem_step(rig->store));
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, setup, teardown),

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONFORMANCE_CASES(CASE) CASE(test_faults) CASE(test_crash_leaves_late_commits)
            CASE(test_rows_in_key_order) CASE(test_steps_are_deterministic)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
