/* What is believed of a partition ends with its ownership, and is right as long. */
#include "world.h"

#include <stdio.h>

#include "test.h"

#include "internal.h"

static void clock_that_goes_back_delays_no_take_over(void **state)
{
    struct world *world = world_create(13, 1);
    world_settle(world);
    world->now_us += HOUR_US;
    world_ghosts(world);
    world_command(world, 1, 1, 1);
    for (int i = 0; i < 1000 && stream_ready(world->instances[0].stream, NULL); i++)
        world_act(world, &world->instances[0]);
    assert_false(stream_ready(world->instances[0].stream, NULL));
    world->now_us -= HOUR_US;
    world_rounds(world, 4000);
    assert_true(stream_ready(world->instances[0].stream, NULL));
    world_settle(world);
    world_check(world);
    world_destroy(&world);
}

/* What memory believed is forgotten, and what comes next finds the state absent. */
static void row_removed_by_hand_begins_anew(void **state)
{
    struct world *world = world_create(8, 1);
    const struct store_value *rows[1];
    world_command(world, 1, 5, 1);
    world_settle(world);
    assert_int_equal(store_mem_rows(world->dbs[0], &world_counters, rows, 1), 1);
    const struct store_row row = {&world_counters, rows[0], STORE_ROW_REMOVE};
    world_commit(world, (struct store_commit){.rows = &row, .n_rows = 1});
    world_command(world, 1, 2, 1);
    world_settle(world);
    assert_int_equal(world_value(world, 0, 1), -1); /* it was updated as if it were there */
    world_command(world, 1, 3, 1);
    world_settle(world);
    assert_in_range(world_value(world, 0, 1), 3, 4); /* its timer may have fired */
    world_destroy(&world);
}

/* Offsets of one log mean nothing in another: nothing is read, and a person is told. */
static void log_made_anew_stops_its_partitions(void **state)
{
    struct world *world = world_create(9, 1);
    const char *why = NULL;
    int64_t before[WORLD_KEYS];
    for (unsigned i = 0; i < 50; i++)
        world_command(world, i % WORLD_KEYS, 1, 1);
    world_settle(world);
    for (unsigned key = 0; key < WORLD_KEYS; key++)
        before[key] = world_value(world, 0, key);
    world_crash(&world->instances[0]);
    world_crash(&world->instances[1]);
    bus_destroy(&world->client);
    bus_mem_cluster_destroy(&world->cluster);
    world->cluster = bus_mem_cluster_create(WORLD_PARTITIONS);
    world->client = bus_mem_create(world->cluster);
    world->settings = 0;
    for (unsigned i = 0; i < 200; i++)
        world_command(world, i % WORLD_KEYS, 1, 1);
    world_start(world, &world->instances[0]);
    world_start(world, &world->instances[1]);
    world_settle(world);
    for (unsigned key = 0; key < WORLD_KEYS; key++)
        assert_int_equal(world_value(world, 0, key), before[key]);
    assert_false(stream_ready(world->instances[0].stream, &why));
    assert_string_equal(why, "a partition has stopped, see the log");
    world_destroy(&world);
}

static void row_that_says_nothing_does_not_hold_up_a_drain(void **state)
{
    struct world *world = world_create(5, 1);
    world_settle(world);
    world_command(world, 1, WORLD_MUTE, 1);
    world_settle(world);
    world_drain(world, &world->instances[0]);
    assert_true(stream_drained(world->instances[0].stream));
    world_audit(world);
    assert_int_equal(world_dead_letters(world), 0);
    world_destroy(&world);
}

static void owned_by_ghost(struct store_own *own)
{
    assert_int_equal(own->err.code, 0);
    *(struct store_position *)own->user = own->position;
}

/* Another release wrote it, or a hand did: a person is told, and nothing is tried again and again. */
static void row_that_cannot_be_read_stops_its_partition(void **state)
{
    static const struct store_position unreadable[] = {
        {.offsets = SLICE_LITERAL("\xff")},      {.numbers = SLICE_LITERAL("\xff")},
        {.watermarks = SLICE_LITERAL("\xff")},   {.outbox = SLICE_LITERAL("\x01\x01")},
        {.outbox = SLICE_LITERAL("\x09zzzzzz")},
    };
    for (unsigned i = 0; i < ARRAY_SIZE(unreadable); i++) {
        struct world *world = world_create(9, 1);
        struct instance *a = &world->instances[0];
        const char *why = NULL;
        world_settle(world);
        struct store_position row, found = {0};
        struct store_own own = {.part = 1, .done = owned_by_ghost, .user = &found};
        own.arena = arena_create(1 << 20);
        store_own(world->ghosts[0], &own);
        assert_true(store_mem_step(world->ghosts[0]));
        row = unreadable[i];
        row.part = 1;
        row.epoch = found.epoch;
        row.n = row.done = found.n + 1;
        world_commit(world, (struct store_commit){.fences = &row, .n_fences = 1});
        arena_destroy(&own.arena);
        world_crash(a);
        world_start(world, a);
        world_settle(world);
        assert_false(stream_ready(a->stream, &why));
        assert_string_equal(why, "a partition has stopped, see the log");
        for (int32_t p = 0; p < WORLD_PARTITIONS; p++)
            assert_int_equal(a->stream->parts[p].state, p == 1 ? PART_STOPPED : PART_RUNNING);
        world_destroy(&world);
    }
}

/* Of a state that this one does not have. */
static void timer_of_a_later_release_is_left_to_it(void **state)
{
    struct world *world = world_create(13, 1);
    const struct store_value *found;
    const unsigned kinds[] = {TIMER_KINDS, 5 * TIMER_KINDS + TIMER_CALL};
    for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
        static const uint8_t tenant[16] = {9};
        const struct store_value values[7] = {
            {.i = 2},        {.s = slice_make(tenant, 16)},    {.s = SLICE_LITERAL("later")},
            {.i = kinds[i]}, {.s = SLICE_LITERAL("tomorrow")}, {.i = world->now_us},
        };
        const struct store_row row = {.table = &timers_table, .values = values};
        world_commit(world, (struct store_commit){.rows = &row, .n_rows = 1});
    }
    for (unsigned key = 0; key < WORLD_KEYS; key++)
        world_command(world, key, 1, 1);
    world_settle(world);
    assert_int_equal(store_mem_rows(world->dbs[0], &timers_table, &found, 1), ARRAY_SIZE(kinds));
    assert_int_equal(world_value(world, 0, 1), 2); /* with its own timer, which fired */
    world_destroy(&world);
}

static int64_t settled_value(struct world *world)
{
    world_settle(world);
    return world_value(world, 0, 1);
}

/* A day long; then the same id is another command. */
static void answer_is_kept_for_a_day(void **state)
{
    struct world *world = world_create(10, 1);
    world_command(world, 1, 1, 1);
    int64_t first = settled_value(world);
    world->now_us += DAY_US - HOUR_US;
    world_repeat(world, 1);
    assert_int_equal(settled_value(world), first);
    world->now_us += 2 * HOUR_US;
    world_repeat(world, 1);
    assert_int_equal(settled_value(world), first + 1);
    world_repeat(world, 1);
    assert_int_equal(settled_value(world), first + 1);
    world_crash(&world->instances[0]); /* the next one finds both answers, and takes the newer */
    world_start(world, &world->instances[0]);
    world_repeat(world, 1);
    assert_int_equal(settled_value(world), first + 1);
    world->now_us += DAY_US - HOUR_US;
    world_repeat(world, 1);
    assert_int_equal(settled_value(world), first + 1);
    world_destroy(&world);
}

/* A partition whose input moves between take-overs has nothing to fear, however many there were. */
static void input_that_moves_is_not_suspected(void **state)
{
    struct world *world = world_create(11, 1);
    const struct stream *s = world->instances[0].stream;
    for (unsigned i = 0; i < 3 * TRIES_SINGLE; i++) {
        for (unsigned key = 0; key < WORLD_KEYS; key++)
            world_command(world, key, 1, 1);
        world_settle(world);
        world_ghosts(world);
    }
    for (unsigned key = 0; key < WORLD_KEYS; key++)
        world_command(world, key, 1, 1);
    world_settle(world);
    for (unsigned key = 0; key < WORLD_KEYS; key++)
        assert_int_equal(s->parts[world_partition(world, key)].inputs[0].singles, 0);
    world_check(world);
    world_destroy(&world);
}

/* Nothing but what was taken before comes, again and again: where it stands in the log is saved all the same. */
static void position_of_repeats_is_saved(void **state)
{
    struct world *world = world_create(12, 1);
    const struct stream *b = world->instances[1].stream;
    struct err err = {0};
    world_command(world, 1, 1, 1);
    world_settle(world);
    int32_t p = world_partition(world, 1);
    int64_t n = b->parts[p].n;
    for (unsigned i = 0; i < 20; i++) {
        const struct bus_record *record =
            bus_mem_record(world->cluster, TOPIC_TEMPLATE_COUNTS, p, 0);
        const struct bus_message again = {.topic = record->topic,
                                          .partition = p,
                                          .key = record->key,
                                          .value = record->value,
                                          .headers = record->headers,
                                          .n_headers = record->n_headers};
        assert_int_equal(bus_send(world->client, &again, &err), 0);
        world->now_us += SAVE_AFTER_US / 4;
        world_rounds(world, 50);
    }
    assert_in_range(b->parts[p].n, n + 3, n + 8);
    world_settle(world);
    world_check(world);
    world_destroy(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clock_that_goes_back_delays_no_take_over),
        cmocka_unit_test(row_removed_by_hand_begins_anew),
        cmocka_unit_test(log_made_anew_stops_its_partitions),
        cmocka_unit_test(row_that_says_nothing_does_not_hold_up_a_drain),
        cmocka_unit_test(row_that_cannot_be_read_stops_its_partition),
        cmocka_unit_test(timer_of_a_later_release_is_left_to_it),
        cmocka_unit_test(answer_is_kept_for_a_day),
        cmocka_unit_test(input_that_moves_is_not_suspected),
        cmocka_unit_test(position_of_repeats_is_saved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
