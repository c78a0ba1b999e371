/* What is too much or too large is refused, said, and in nobody's way. */
#include "world.h"

#include <stdio.h>

#include "test.h"

#include "internal.h"

static void what_postgres_refuses_is_a_dead_letter(void **state)
{
    struct world *world = world_create(3, 1);
    for (unsigned i = 0; i < 60; i++)
        world_command(world, i % WORLD_KEYS, i % 15 == 7 ? WORLD_UNSTORABLE : 1, 1);
    world_settle(world);
    world_check(world);
    assert_int_equal(world_replies(world, 400), 4);
    world_destroy(&world);
}

/* A record is decided whole, however small the batch: it is one dead letter. */
static void record_of_several_messages_that_postgres_refuses(void **state)
{
    struct world *world = world_create(3, 1);
    for (unsigned key = 0; key < WORLD_KEYS; key++)
        world_command(world, key, 1, 1);
    world_unstorable(world, 1);
    world_events(world, 5, 1);
    world_settle(world);
    world_check(world);
    world_destroy(&world);
}

/* What commits before it, each time that its partition is owned anew, does not make it forgotten. */
static void refused_event_is_a_dead_letter_while_commands_go_on(void **state)
{
    struct world *world = world_create(23, 1);
    world_command(world, 1, 1, 1);
    world_settle(world);
    world_unstorable(world, 1);
    for (int i = 0; i < 1000 && !world_dead_letters(world); i++) {
        world_command(world, 1, 1, 1);
        world_rounds(world, 5);
    }
    assert_int_equal(world_dead_letters(world), 1);
    world_settle(world);
    world_check(world);
    world_destroy(&world);
}

/* It alone; the next one of its name is another. */
static void timer_that_postgres_refuses_is_given_up(void **state)
{
    struct world *world = world_create(10, 1);
    const struct store_value *row;
    world_command(world, 1, 1, 1);
    world_settle(world);
    world->refused_timers = true;
    world_ask(world, ASKED_TIMER, 1, 70000, 1);
    world_command(world, 2, 1, 1);
    world_settle(world);
    assert_int_equal(store_mem_rows(world->dbs[0], &timers_table, &row, 1), 0);
    world->refused_timers = false;
    world_ask(world, ASKED_TIMER, 1, 70000, 1);
    world_settle(world);
    world_check(world);
    world_destroy(&world);
}

static void decision_larger_than_a_batch_is_a_dead_letter(void **state)
{
    struct world *world = world_create(4, 1);
    for (unsigned i = 0; i < 20; i++)
        world_command(world, i % WORLD_KEYS, i == 5 || i == 6 ? WORLD_HUGE : 1, 1);
    world_settle(world);
    world_check(world);
    assert_int_equal(world_replies(world, 413), 2);
    world_destroy(&world);
}

/* A batch takes only so many bytes; the next one as many again. */
static void large_records_leave_room_for_what_follows(void **state)
{
    struct world *world = world_create(15, 1);
    for (unsigned i = 0; i < 20; i++)
        world_large(world, 1);
    world_settle(world);
    world_command(world, 1, 1, 1);
    world_settle(world);
    world_check(world);
    world_destroy(&world);
}

/* So many rows, due in a second: each will add 1 to the sum of "many". */
static void put_timers(struct world *world, unsigned n)
{
    static const uint8_t tenant[16] = {9};
    struct arena *arena = arena_create(16 << 20);
    struct store_row *rows = arena_alloc(arena, n * sizeof(*rows));
    for (unsigned i = 0; i < n; i++) {
        const struct store_value values[7] = {
            {.i = 2},
            {.s = slice_make(tenant, 16)},
            {.s = SLICE_LITERAL("many")},
            {.i = TIMER_PLAIN},
            {.s = slice_str(arena_printf(arena, "many-%u", i))},
            {.i = world->now_us + SECOND_US},
        };
        rows[i].table = &timers_table;
        rows[i].values = arena_copy(arena, values, sizeof(values));
    }
    world_commit(world, (struct store_commit){.rows = rows, .n_rows = n});
    arena_destroy(&arena);
}

static void more_timers_of_one_instant_than_a_page(void **state)
{
    enum {
        MANY = 2 * TIMER_PAGE + 500
    };
    struct world *world = world_create(7, 1);
    put_timers(world, MANY);
    world->now_us += SECOND_US;
    world->faults = true; /* connections do not wait for each other: a page must, for the commits */
    world_rounds(world, 4000);
    world->faults = false;
    world_settle(world);
    const struct store_value *row;
    assert_int_equal(store_mem_rows(world->dbs[0], &world_sums, &row, 1), 1);
    assert_int_equal(row[2].i, MANY);
    world_destroy(&world);
}

/* Memory is full of timers that are due in a day, with a counter beside them. */
static struct world *full_of_timers(uint64_t seed)
{
    struct world *world = world_create(seed, 1);
    struct stream *s = world->instances[0].stream;
    const struct stream_key nobody = {.id = SLICE_LITERAL("nobody")};
    world_command(world, 1, 1, 1);
    world_settle(world);
    for (int32_t p = 0; p < WORLD_PARTITIONS; p++) {
        for (unsigned i = 0; i < TIMERS_LIMIT; i++) {
            char name[16];
            (void)snprintf(name, sizeof(name), "later-%u", i);
            assert_non_null(timers_set(s, &s->parts[p], TIMER_PLAIN, &nobody, name,
                                       world->now_us + DAY_US, (struct slice){0}));
        }
    }
    return world;
}

/* It stays a row until its time is near. */
static void timer_beside_as_many_as_memory_holds(void **state)
{
    struct world *world = full_of_timers(12);
    const struct stream *s = world->instances[0].stream;
    const struct store_value *row;
    world_ask(world, ASKED_TIMER, 1, 2 * MINUTE_US, 1);
    world_settle(world);
    for (int32_t p = 0; p < WORLD_PARTITIONS; p++)
        assert_int_equal(s->parts[p].n_timers, TIMERS_LIMIT);
    assert_int_equal(store_mem_rows(world->dbs[0], &timers_table, &row, 1), 1);
    world->now_us += 2 * MINUTE_US;
    world_settle(world);
    world_check(world);
    world_destroy(&world);
}

/* Cancelled, moved earlier or later, as if memory knew it. */
static void timer_that_is_a_row_alone_obeys(void **state)
{
    static const int64_t moved_to[] = {0, MINUTE_US / 2, 10 * MINUTE_US};
    for (unsigned i = 0; i < ARRAY_SIZE(moved_to); i++) {
        struct world *world = full_of_timers(22);
        const struct store_value *row;
        world_ask(world, ASKED_TIMER, 1, 5 * MINUTE_US, 1);
        world_settle(world);
        world_ask(world, ASKED_TIMER, 1, moved_to[i], 1);
        world_settle(world);
        assert_int_equal(store_mem_rows(world->dbs[0], &timers_table, &row, 1), moved_to[i] > 0);
        int64_t value = world_value(world, 0, 1);
        for (int64_t passed = 0; passed < 11 * MINUTE_US; passed += MINUTE_US) {
            assert_int_equal(world_value(world, 0, 1),
                             value + (moved_to[i] && moved_to[i] <= passed));
            world->now_us += MINUTE_US - 5 * SECOND_US; /* it settles in five */
            world_settle(world);
        }
        world_check(world);
        world_destroy(&world);
    }
}

/* As many as may be, and no more: the others are answered at once. */
static void too_many_parked_commands_are_answered_so(void **state)
{
    struct world *world = world_create(21, 1);
    struct stream *s = world->instances[0].stream;
    world_settle(world);
    world->patience_us = HOUR_US;
    s->limits.parked = 3;
    for (unsigned i = 0; i < 5; i++)
        world_command(world, 1, -1, 1);
    world_settle(world);
    assert_int_equal(s->parts[world_partition(world, 1)].n_parked, 3);
    assert_int_equal(world_replies(world, 503), 2);
    world_command(world, 1, 1, 1);
    world_settle(world);
    assert_int_equal(world_replies(world, 200), 3 + 1);
    world_check(world);
    world_destroy(&world);
}

static void too_many_questions_are_answered_so(void **state)
{
    struct world *world = world_create(8, 1);
    world_command(world, 1, 1, 1);
    world_settle(world);
    for (unsigned i = 0; i < ASKS_LIMIT + 100; i++)
        world_ask(world, ASKED_VALUE, 1, 0, 1);
    for (int i = 0; i < 20000 && world_replies(world, 503) == 0; i++)
        world_act(world, &world->instances[0]);
    world_settle(world);
    assert_int_equal(world_replies(world, 503) + world_replies(world, 200), ASKS_LIMIT + 101);
    world_destroy(&world);
}

static void part_larger_than_a_state_may_be_is_a_dead_letter(void **state)
{
    struct world *world = world_create(17, 1);
    world_command(world, 1, 1, 1);
    world_command(world, 1, WORLD_LARGE_PART, 1);
    world_command(world, 1, 1, 1);
    world_settle(world);
    world_check(world);
    assert_int_equal(world_replies(world, 413), 1);
    world_destroy(&world);
}

static void allow_large_batches(struct stream *s)
{
    s->options.batch_limit = 1000;
    for (unsigned p = 0; p < PACES; p++)
        s->pace.limits[p] = 1000;
}

/* Together their answers need more memory than a batch has; in smaller ones they do not. */
static void batch_that_says_too_much_is_made_smaller(void **state)
{
    enum {
        MANY = 60
    };
    struct world *world = world_create(18, 1);
    allow_large_batches(world->instances[0].stream);
    for (unsigned i = 0; i < MANY; i++)
        world_command(world, i % WORLD_KEYS, WORLD_LOUD, 1);
    world_settle(world);
    world_check(world);
    assert_int_equal(world_replies(world, 200), MANY);
    world_destroy(&world);
}

/* Each with its own look-ups and rows, new ones and those that are read back. */
static void batch_of_as_many_states_as_messages(void **state)
{
    struct world *world = world_create(19, 1);
    struct instance *a = &world->instances[0];
    for (unsigned round = 0; round < 2; round++) {
        allow_large_batches(a->stream);
        for (unsigned key = 0; key < WORLD_KEYS_MOST; key++)
            world_command(world, key, 1, 1);
        world_settle(world);
        for (unsigned key = 0; key < WORLD_KEYS_MOST; key++)
            assert_in_range(world_value(world, 0, key), round + 1, round + 2); /* and its timer */
        world_crash(a);
        world_start(world, a);
    }
    assert_int_equal(world_replies(world, 200), 2 * WORLD_KEYS_MOST);
    world_destroy(&world);
}

/* What became due while nobody ran takes half a batch: who waits now is answered with the first. */
static void timers_that_are_late_do_not_hold_up_commands(void **state)
{
    enum {
        MANY = 1000
    };
    struct world *world = world_create(20, 1);
    const struct store_value *row;
    world_settle(world);
    put_timers(world, MANY);
    world->now_us += MINUTE_US;
    world_ghosts(world); /* they are read with the next take-over */
    world_command(world, 1, 1, 1);
    for (int i = 0; i < 20000 && !world_replies(world, 200); i++)
        world_rounds(world, 1);
    assert_int_equal(world_replies(world, 200), 1);
    assert_in_range(store_mem_rows(world->dbs[0], &timers_table, &row, 1), MANY / 2, MANY);
    world_settle(world);
    world_check(world);
    world_destroy(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_postgres_refuses_is_a_dead_letter),
        cmocka_unit_test(record_of_several_messages_that_postgres_refuses),
        cmocka_unit_test(refused_event_is_a_dead_letter_while_commands_go_on),
        cmocka_unit_test(timer_that_postgres_refuses_is_given_up),
        cmocka_unit_test(decision_larger_than_a_batch_is_a_dead_letter),
        cmocka_unit_test(large_records_leave_room_for_what_follows),
        cmocka_unit_test(more_timers_of_one_instant_than_a_page),
        cmocka_unit_test(timer_beside_as_many_as_memory_holds),
        cmocka_unit_test(timer_that_is_a_row_alone_obeys),
        cmocka_unit_test(too_many_parked_commands_are_answered_so),
        cmocka_unit_test(too_many_questions_are_answered_so),
        cmocka_unit_test(part_larger_than_a_state_may_be_is_a_dead_letter),
        cmocka_unit_test(batch_that_says_too_much_is_made_smaller),
        cmocka_unit_test(batch_of_as_many_states_as_messages),
        cmocka_unit_test(timers_that_are_late_do_not_hold_up_commands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
