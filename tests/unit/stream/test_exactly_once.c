/* The runtime keeps its promise in the face of crashes, lost ownership, failing commits and failing producers. */
#include "world.h"

#include "test.h"

#include "internal.h"

/* The first instance works; no time passes. */
static void work(struct world *world, int steps)
{
    for (int i = 0; i < steps; i++) {
        stream_step(world->instances[0].stream);
        while (store_mem_step(world->instances[0].store))
            stream_step(world->instances[0].stream);
    }
}

static void quiet_world_counts_everything(void **state)
{
    struct world *world = world_create(1, 1);
    world_settle(world);
    for (unsigned i = 0; i < 200; i++)
        world_command(world, i % WORLD_KEYS, 1 + i % 3, 1);
    world_settle(world);
    world_check(world);
    for (unsigned key = 0; key < WORLD_KEYS; key++)
        assert_int_equal(world->cached[key], world_value(world, 0, key));
    world_destroy(&world);
}

static void repeated_command_has_one_effect(void **state)
{
    struct world *world = world_create(2, 2);
    for (unsigned i = 0; i < 100; i++)
        world_command(world, i % WORLD_KEYS, 1, 3);
    world_settle(world);
    world_check(world);
    world_destroy(&world);
}

static void parked_command_is_decided_after_its_state_begins(void **state)
{
    struct world *world = world_create(3, 1);
    world_settle(world);
    world_command(world, 1, -1, 1);
    work(world, 20);
    assert_int_equal(world_value(world, 0, 1), -1);
    world_command(world, 1, 2, 1);
    world_settle(world);
    world_check(world);
    world_destroy(&world);
}

/* Two wait, one begins the state, newer ones follow in the same batch: the order of the log, after the beginning. */
static void parked_commands_keep_their_order(void **state)
{
    static const struct {
        int64_t value;
        uint64_t id;
    } expected[] = {{2, 3}, {3, 1}, {5, 2}, {8, 4}, {9, 5}, {11, 6}, {14, 7}};
    struct world *world = world_create(7, 1);
    world_settle(world);
    world_command(world, 1, -1, 1);
    world_command(world, 1, -2, 1);
    work(world, 20);
    world_command(world, 1, 2, 1);
    for (unsigned i = 3; i < ARRAY_SIZE(expected); i++)
        world_command(world, 1, expected[i].value - expected[i - 1].value, 1);
    world_settle(world);
    world_check(world);
    const struct store_value *rows[8];
    assert_int_equal(store_mem_rows(world->dbs[0], &world_marks, rows, 8), ARRAY_SIZE(expected));
    for (unsigned i = 0; i < ARRAY_SIZE(expected); i++) {
        uint64_t id;
        memcpy(&id, rows[i][3].s.data, sizeof(id));
        assert_int_equal(rows[i][2].i, expected[i].value);
        assert_int_equal(id, expected[i].id);
    }
    world_destroy(&world);
}

/* However many there are beside what a page holds, and whoever saw the state come: a new owner looks at all of them. */
static void parked_commands_are_found_by_the_next_owner(void **state)
{
    enum {
        MANY = 3 * TIMER_PAGE_SMALL
    };
    struct world *world = world_create(9, 1);
    struct stream *s = world->instances[0].stream;
    world_settle(world);
    for (unsigned i = 0; i < MANY; i++)
        world_command(world, 1, -1, 1);
    for (unsigned lives = 0; lives < 3; lives++) {
        work(world, 20);
        assert_int_equal(s->parts[world_partition(world, 1)].n_parked, MANY);
        for (int32_t p = 0; p < WORLD_PARTITIONS; p++)
            s->parts[p].small_pages = true;
        own_forget_all(s, "a test", 0);
    }
    work(world, 20);
    world_command(world, 1, 2, 1);
    work(world, 20);
    assert_int_equal(world_value(world, 0, 1), 2 + MANY);
    world_settle(world);
    world_check(world);
    world_destroy(&world);
}

/* Fresh ones, of what has come meanwhile. */
static void parked_command_has_its_look_ups(void **state)
{
    struct world *world = world_create(8, 1);
    world_settle(world);
    world_ask(world, ASKED_FORWARD, 1, 0, 1);
    world->looked_up = -1;
    for (int i = 0; i < 40; i++) {
        world_act(world, &world->instances[0]);
        world_act(world, &world->instances[1]);
    }
    assert_int_equal(world->looked_up, 0);
    world_command(world, 1, 1, 1);
    world_settle(world);
    assert_int_equal(world->looked_up, 1);
    world_check(world);
    world_destroy(&world);
}

static void parked_command_expires(void **state)
{
    struct world *world = world_create(4, 1);
    world_command(world, 1, -1, 1);
    world_settle(world);
    assert_int_equal(world_value(world, 0, 1), -1);
    assert_int_equal(world_replies(world, 404), 1);
    world_check(world);
    world_destroy(&world);
}

static void rejected_message_is_a_dead_letter_and_leaves_nothing(void **state)
{
    struct world *world = world_create(5, 1);
    for (unsigned i = 0; i < 30; i++) {
        world_command(world, i % 3, 2, 1);
        world_command(world, i % 3, WORLD_REJECTED, 1);
    }
    world_settle(world);
    world_check(world);
    assert_int_equal(world_dead_letters(world), 30);
    world_destroy(&world);
}

static void drained_instance_leaves_nothing_unfinished(void **state)
{
    struct world *world = world_create(6, 2);
    for (unsigned i = 0; i < 100; i++)
        world_command(world, i % WORLD_KEYS, 1, 1);
    for (int i = 0; i < 300; i++)
        world_act(world, &world->instances[world_below(world, 4)]);
    world_drain(world, &world->instances[0]);
    assert_true(stream_drained(world->instances[0].stream));
    world_crash(&world->instances[0]);
    world_start(world, &world->instances[0]);
    world_settle(world);
    world_check(world);
    world_destroy(&world);
}

static void chaos(uint64_t seed)
{
    /* Now and then so many partitions that one's name begins another's: "a.1/1", "a.1/10". */
    struct world *world =
        world_create_of(seed, WORLD_INSTANCES, seed % 4 ? WORLD_PARTITIONS : WORLD_PARTITIONS_MOST);
    world_chaos(world, 2500);
    world_settle(world);
    world_check(world);
    world_truncate(world);
    world_chaos(world, 1500);
    world_settle(world);
    for (unsigned key = 0; key < WORLD_KEYS; key++)
        world_ask(world, ASKED_VALUE, key, 0, 1);
    world_settle(world);
    world_check(world);
    world_destroy(&world);
}

/* WORLD_SEED=n replays one, WORLD_VERBOSE=1 tells its story, WORLD_SEEDS=n tries so many. */
static void any_fault_between_any_two_steps(void **state)
{
    const char *n = getenv("WORLD_SEEDS"), *only = getenv("WORLD_SEED");
    uint64_t first = only ? (uint64_t)atoll(only) : 100;
    uint64_t count = only ? 1 : (uint64_t)(n ? atoll(n) : 200);
    for (uint64_t seed = first; seed < first + count; seed++) {
        print_message("WORLD_SEED=%llu\n", (unsigned long long)seed);
        chaos(seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quiet_world_counts_everything),
        cmocka_unit_test(repeated_command_has_one_effect),
        cmocka_unit_test(parked_command_is_decided_after_its_state_begins),
        cmocka_unit_test(parked_commands_keep_their_order),
        cmocka_unit_test(parked_commands_are_found_by_the_next_owner),
        cmocka_unit_test(parked_command_has_its_look_ups),
        cmocka_unit_test(parked_command_expires),
        cmocka_unit_test(rejected_message_is_a_dead_letter_and_leaves_nothing),
        cmocka_unit_test(drained_instance_leaves_nothing_unfinished),
        cmocka_unit_test(any_fault_between_any_two_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
