#pragma once
/* Taking over, fences, atomicity, order: see conformance.h. */
#include "conformance.h"

static struct store_position next_of(const struct store_position *position, int64_t ahead,
                                     const char *outbox)
{
    struct store_position next = *position;
    next.n += ahead;
    next.outbox = slice_str(outbox);
    return next;
}

static int fence_one(struct rig *rig, struct store *store, struct store_position fence,
                     bool *fenced)
{
    bool flag = false;
    int rc = commit_all(rig, store, &fence, 1, fenced ? fenced : &flag, NULL, 0, NULL);
    if (!fenced)
        assert_int_equal(flag, rc == ERR_FENCED);
    return rc;
}

static void test_own_first_and_again(void **state)
{
    struct rig *rig = *state;
    struct store_own own = take(rig, rig->store, 3);
    assert_int_equal(own.err.code, 0);
    const struct store_position *p = &own.position;
    assert_int_equal(p->part, 3);
    assert_int_equal(p->n, 1);
    assert_int_equal(p->epoch, 1);
    assert_int_equal(p->done, 1);
    assert_int_equal(p->tries, 1);
    assert_int_equal(p->offsets.size + p->numbers.size + p->watermarks.size, 0);
    assert_int_equal(own.n_outboxes, 0);

    own = take(rig, rig->other, 3);
    assert_int_equal(own.position.n, 2);
    assert_int_equal(own.position.epoch, 2);
    assert_int_equal(own.position.tries, 2);
    struct store_position fence = next_of(&own.position, 1, "said");
    fence.offsets = slice_str("off");
    fence.numbers = slice_make("n\0m", 3);
    fence.watermarks = slice_str("wat");
    assert_int_equal(fence_one(rig, rig->other, fence, NULL), 0);

    own = take(rig, rig->store, 3);
    assert_int_equal(own.position.n, 4);
    assert_int_equal(own.position.epoch, 3);
    assert_int_equal(own.position.tries, 1); /* the commit ended the row of take-overs */
    assert_bytes((struct store_value){.s = own.position.offsets}, "off", 3);
    assert_bytes((struct store_value){.s = own.position.numbers}, "n\0m", 3);
    assert_bytes((struct store_value){.s = own.position.watermarks}, "wat", 3);
    assert_int_equal(own.n_outboxes, 1);
    assert_int_equal(own.outboxes[0].n, 3);
    assert_bytes((struct store_value){.s = own.outboxes[0].blob}, "said", 4);
    assert_int_equal(take(rig, rig->store, 0).position.n, 1); /* partitions do not touch */
}

static void test_own_returns_outboxes_from_done(void **state)
{
    struct rig *rig = *state;
    struct store_position p = take(rig, rig->store, 1).position;
    static const char *const said[] = {"two", "", "four", "five", "six"};
    for (int c = 0; c < 5; c++) {
        p = next_of(&p, 1, said[c]);
        p.done = c < 4 ? 1 : 4; /* rows before 4 are wholly confirmed */
        assert_int_equal(fence_one(rig, rig->store, p, NULL), 0);
    }
    for (int again = 0; again < 2; again++) {
        struct store_own own = take(rig, rig->other, 1);
        assert_int_equal(own.position.done, 4);
        assert_int_equal(own.n_outboxes, 3);
        for (unsigned o = 0; o < 3; o++) {
            assert_int_equal(own.outboxes[o].n, 4 + o);
            assert_bytes((struct store_value){.s = own.outboxes[o].blob}, said[o + 2],
                         strlen(said[o + 2]));
        }
    }
}

static void test_fence_refuses(void **state)
{
    struct rig *rig = *state;
    struct store_position own = take(rig, rig->store, 2).position;
    struct store_position never = next_of(&own, 1, "x");
    never.part = 5; /* nobody has owned it */
    assert_int_equal(fence_one(rig, rig->store, never, NULL), ERR_FENCED);
    struct store_position epoch = next_of(&own, 1, "x");
    epoch.epoch++;
    assert_int_equal(fence_one(rig, rig->store, epoch, NULL), ERR_FENCED);
    assert_int_equal(fence_one(rig, rig->store, next_of(&own, 0, "x"), NULL), ERR_FENCED);
    assert_int_equal(fence_one(rig, rig->store, next_of(&own, 2, "x"), NULL), ERR_FENCED);
    assert_int_equal(fence_one(rig, rig->store, next_of(&own, 1, "x"), NULL), 0);
    assert_int_equal(fence_one(rig, rig->store, next_of(&own, 1, "x"), NULL), ERR_FENCED);
}

static void test_old_owner_is_refused_whole(void **state)
{
    struct rig *rig = *state;
    struct store_position fences[3];
    for (int p = 0; p < 3; p++) {
        struct store_own own = take(rig, rig->store, p);
        fences[p] = next_of(&own.position, 1, "x");
    }
    take(rig, rig->other, 1);
    bool fenced[3] = {true, false, true};
    struct store_row row = ROW(plain, num(1), text("lost"));
    struct err err;
    assert_int_equal(commit_all(rig, rig->store, fences, 3, fenced, &row, 1, &err), ERR_FENCED);
    assert_false(fenced[0]);
    assert_true(fenced[1]);
    assert_false(fenced[2]);
    assert_null(row_of(rig, &plain, (struct store_value[]){num(1)}));
    /* the others are still its own, at the same row */
    fences[1] = fences[2];
    assert_int_equal(commit_all(rig, rig->store, fences, 2, fenced, &row, 1, &err), 0);
    assert_non_null(row_of(rig, &plain, (struct store_value[]){num(1)}));
    assert_int_equal(take(rig, rig->other, 0).position.n, 3);
}

static void test_failing_row_leaves_nothing(void **state)
{
    struct rig *rig = *state;
    WRITE(rig, ROW(plain, num(1), text("there")));
    struct store_position own = take(rig, rig->store, 4).position, fence = next_of(&own, 1, "x");
    const struct store_row rows[] = {ROW(items, uid(rig, 1), num(1), num(1), text("x")),
                                     ROW(plain, num(1), text("again"))};
    bool fenced[1];
    assert_int_equal(commit_all(rig, rig->store, &fence, 1, fenced, rows, 2, NULL), ERR_CONFLICT);
    assert_false(fenced[0]);
    assert_null(row_of(rig, &items, (struct store_value[]){uid(rig, 1), num(1)}));
    assert_int_equal(fence_one(rig, rig->store, fence, NULL), 0); /* row n was not inserted */
}

/* ---- several under way ---- */

enum {
    FLIGHT = 4
};
struct flight {
    struct store_position fences[FLIGHT];
    bool fenced[FLIGHT];
    bool done[FLIGHT];
    struct store_commit commits[FLIGHT];
    struct store_row rows[FLIGHT];
};

static struct store_row plain_row(struct rig *rig, int64_t id)
{
    struct store_value *values = arena_alloc(rig->arena, 2 * sizeof(*values));
    values[0] = num(id);
    values[1] = text("mine");
    return (struct store_row){&plain, values, STORE_ROW_PUT};
}

static void flight_send(struct rig *rig, struct flight *flight, const struct store_position *own)
{
    for (int f = 0; f < FLIGHT; f++) {
        flight->fences[f] = next_of(own, f + 1, "x");
        flight->commits[f] = (struct store_commit){.fences = &flight->fences[f],
                                                   .n_fences = 1,
                                                   .fenced = &flight->fenced[f],
                                                   .rows = &flight->rows[f],
                                                   .n_rows = 1,
                                                   .done = commit_done,
                                                   .user = &flight->done[f]};
        store_commit(rig->store, &flight->commits[f]);
    }
}

static void test_pipelined_commits_depend_on_each_other(void **state)
{
    struct rig *rig = *state;
    WRITE(rig, ROW(plain, num(3), text("there")));
    struct store_position own = take(rig, rig->store, 6).position;
    struct flight *flight = arena_alloc(rig->arena, sizeof(*flight));
    /* the third fails by its row, so the fourth finds no row before it */
    for (int f = 0; f < FLIGHT; f++)
        flight->rows[f] = plain_row(rig, f + 1);
    flight_send(rig, flight, &own);
    wait_for(rig, rig->store, &flight->done[FLIGHT - 1]);
    assert_true(flight->done[0] && flight->done[1] && flight->done[2]);
    assert_int_equal(flight->commits[0].err.code, 0);
    assert_int_equal(flight->commits[1].err.code, 0);
    assert_int_equal(flight->commits[2].err.code, ERR_CONFLICT);
    assert_int_equal(flight->commits[3].err.code, ERR_FENCED);
    assert_true(flight->fenced[3]);
    assert_non_null(row_of(rig, &plain, (struct store_value[]){num(2)}));
    assert_null(row_of(rig, &plain, (struct store_value[]){num(4)}));
    assert_int_equal(take(rig, rig->store, 6).position.n, own.n + 3);
}

static void test_loads_after_commits_see_them(void **state)
{
    struct rig *rig = *state;
    static const struct store_lookup by_id = {.table = &plain,
                                              .by = columns_all,
                                              .n_by = 1,
                                              .columns = columns_all,
                                              .n_columns = 2,
                                              .order = -1};
    bool written = false, loaded = false;
    const struct store_row row = ROW(plain, num(1), text("new"));
    const struct store_value key = num(1);
    struct store_commit commit = {.rows = &row, .n_rows = 1, .done = commit_done, .user = &written};
    struct store_load load = {.lookup = &by_id,
                              .keys = &key,
                              .n_keys = 1,
                              .after_commits = true,
                              .arena = rig->arena,
                              .done = load_done,
                              .user = &loaded};
    store_commit(rig->store, &commit);
    store_load(rig->store, &load);
    wait_for(rig, rig->store, &loaded);
    assert_true(written);
    assert_int_equal(load.err.code, 0);
    assert_int_equal(load.n_found, 1);
}

static void test_reset_makes_outcomes_unknown(void **state)
{
    struct rig *rig = *state;
    struct store_position own = take(rig, rig->store, 7).position;
    struct flight *flight = arena_alloc(rig->arena, sizeof(*flight));
    for (int f = 0; f < FLIGHT; f++)
        flight->rows[f] = plain_row(rig, f);
    flight_send(rig, flight, &own);
    store_reset(rig->store);
    wait_for(rig, rig->store, &flight->done[FLIGHT - 1]);
    for (int f = 0; f < FLIGHT; f++) {
        assert_true(flight->done[f]);
        assert_int_equal(flight->commits[f].err.code, ERR_UNAVAILABLE);
        assert_int_equal(flight->commits[f].err.class, ERR_CLASS_TRANSIENT);
        assert_false(flight->fenced[f]);
    }
    while (!store_ready(rig->store))
        rig->step(rig, rig->store);
    /* whatever of them still runs, it ends before the new row or is refused by it */
    struct store_own again = take(rig, rig->store, 7);
    assert_int_equal(again.err.code, 0);
    assert_int_equal(again.position.epoch, own.epoch + 1);
    assert_int_equal(fence_one(rig, rig->store, next_of(&again.position, 1, "x"), NULL), 0);
}
