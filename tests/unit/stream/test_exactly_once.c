/* The runtime keeps its promise in the face of crashes, lost ownership, failing commits and failing producers. */
#include "world.h"

#include "test.h"

static void quiet_world_counts_everything(void **state)
{
    struct world *world = world_create(1, 1);
    world_settle(world);
    for (unsigned i = 0; i < 200; i++)
        world_command(world, i % WORLD_KEYS, 1 + i % 3, 1);
    world_settle(world);
    world_check(world);
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
    for (int i = 0; i < 20; i++) {
        stream_step(world->instances[0].stream);
        while (store_mem_step(world->instances[0].store))
            stream_step(world->instances[0].stream);
    }
    assert_int_equal(world_value(world, 0, 1), -1);
    world_command(world, 1, 2, 1);
    world_settle(world);
    world_check(world);
    world_destroy(&world);
}

/* Two wait, one begins the state, a newer one follows in the same batch: the order of the log, after the beginning. */
static void parked_commands_keep_their_order(void **state)
{
    static const struct {
        int64_t value;
        uint64_t id;
    } expected[] = {{2, 3}, {3, 1}, {5, 2}, {8, 4}};
    struct world *world = world_create(7, 1);
    world_settle(world);
    world_command(world, 1, -1, 1);
    world_command(world, 1, -2, 1);
    for (int i = 0; i < 20; i++) {
        stream_step(world->instances[0].stream);
        while (store_mem_step(world->instances[0].store))
            stream_step(world->instances[0].stream);
    }
    world_command(world, 1, 2, 1);
    world_command(world, 1, 3, 1);
    world_settle(world);
    world_check(world);
    const struct store_value *rows[8];
    assert_int_equal(store_mem_rows(world->dbs[0], &world_marks, rows, 8), 4);
    for (unsigned i = 0; i < 4; i++) {
        uint64_t id;
        memcpy(&id, rows[i][3].s.data, sizeof(id));
        assert_int_equal(rows[i][2].i, expected[i].value);
        assert_int_equal(id, expected[i].id);
    }
    world_destroy(&world);
}

static void parked_command_expires(void **state)
{
    struct world *world = world_create(4, 1);
    world_command(world, 1, -1, 1);
    world->sent[1] = 0;
    world_settle(world);
    assert_int_equal(world_value(world, 0, 1), -1);
    assert_true(bus_mem_end(world->cluster, TOPIC_REPLIES, 0) == 1);
    world_destroy(&world);
}

static void rejected_message_is_a_dead_letter_and_leaves_nothing(void **state)
{
    struct world *world = world_create(5, 1);
    int64_t dead = 0;
    for (unsigned i = 0; i < 30; i++) {
        world_command(world, i % 3, 2, 1);
        world_command(world, i % 3, 666, 1);
    }
    world_settle(world);
    world_check(world);
    for (int p = 0; p < WORLD_PARTITIONS; p++)
        dead += bus_mem_end(world->cluster, topic_dlq(TOPIC_TEMPLATE_COMMANDS), p);
    assert_int_equal(dead, 30);
    world_destroy(&world);
}

static void drained_instance_leaves_nothing_unfinished(void **state)
{
    struct world *world = world_create(6, 2);
    for (unsigned i = 0; i < 100; i++)
        world_command(world, i % WORLD_KEYS, 1, 1);
    for (int i = 0; i < 300; i++)
        world_act(world, &world->instances[world_below(world, 4)]);
    stream_drain(world->instances[0].stream);
    for (int i = 0; i < 2000 && !stream_drained(world->instances[0].stream); i++) {
        world->now_us += 1000;
        stream_step(world->instances[0].stream);
        store_mem_step(world->instances[0].store);
    }
    assert_true(stream_drained(world->instances[0].stream));
    world_settle(world);
    world_check(world);
    world_destroy(&world);
}

/* Anything may happen between any two steps. */
static void chaos(uint64_t seed)
{
    struct world *world = world_create(seed, WORLD_INSTANCES);
    for (int i = 0; i < 4000; i++) {
        struct instance *instance = &world->instances[world_below(world, 2 * WORLD_INSTANCES)];
        uint64_t dice = world_below(world, 1000);
        if (dice < 60)
            world_command(world, (unsigned)world_below(world, WORLD_KEYS),
                          1 + (int64_t)world_below(world, 3), 1 + (dice < 10));
        else if (dice < 160)
            world->now_us += (int64_t)world_below(world, 20000);
        else if (dice < 164)
            store_mem_fault_next(instance->store,
                                 dice & 1 ? STORE_MEM_FAIL_BEFORE : STORE_MEM_FAIL_AFTER);
        else if (dice < 166)
            bus_mem_fail_next(world->cluster, instance->bus);
        else if (dice < 169) {
            world_crash(instance);
            world_start(world, instance);
        } else
            world_act(world, instance);
    }
    world_settle(world);
    world_check(world);
    world_destroy(&world);
}

static void any_fault_between_any_two_steps(void **state)
{
    const char *n = getenv("WORLD_SEEDS"), *only = getenv("WORLD_SEED");
    if (only) {
        chaos((uint64_t)atoll(only));
        return;
    }
    for (uint64_t seed = 100; seed < 100 + (uint64_t)(n ? atoll(n) : 60); seed++) {
        print_message("seed %llu\n", (unsigned long long)seed);
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
        cmocka_unit_test(parked_command_expires),
        cmocka_unit_test(rejected_message_is_a_dead_letter_and_leaves_nothing),
        cmocka_unit_test(drained_instance_leaves_nothing_unfinished),
        cmocka_unit_test(any_fault_between_any_two_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
