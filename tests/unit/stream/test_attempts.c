/* What kills its service becomes a dead letter, and nothing else does. */
#include "world.h"

#include <stdio.h>

#include "test.h"

#include "internal.h"

/* Others commit between its attempts: they must not be forgotten for that. */
static void poison_event_is_a_dead_letter_while_commands_go_on(void **state)
{
    struct world *world = world_create(1, 1);
    world_command(world, 1, 1, 1);
    world_settle(world);
    world_poison(world, 1);
    for (int i = 0; i < 300; i++) {
        world_command(world, 1, 1, 1);
        world_rounds(world, 20);
    }
    assert_int_equal(world_dead_letters(world), 1);
    world_settle(world);
    world_check(world);
    world_destroy(&world);
}

static void poison_command_is_answered(void **state)
{
    struct world *world = world_create(2, 2);
    for (unsigned key = 0; key < WORLD_KEYS; key++) {
        world_command(world, key, 2, 1);
        world_command(world, key, WORLD_POISON, 1);
        world_command(world, key, 1, 1);
    }
    world_settle(world);
    world_settle(world);
    world_check(world);
    assert_int_equal(world_replies(world, 500), WORLD_KEYS);
    world_destroy(&world);
}

/* What others do meanwhile goes on; the timer is given up, and it alone. */
static void timer_that_kills_is_given_up(void **state)
{
    struct world *world = world_create(10, 2);
    const struct store_value *row;
    world_command(world, 1, 1, 1);
    world_settle(world);
    world->deadly_timers = true;
    world_ask(world, ASKED_TIMER, 1, 70000, 1);
    for (int i = 0; i < 300; i++) {
        world_command(world, 2, 1, 1);
        world_rounds(world, 20);
    }
    world_settle(world);
    assert_int_equal(store_mem_rows(world->dbs[0], &timers_table, &row, 1), 0);
    world->deadly_timers = false;
    world_ask(world, ASKED_TIMER, 1, 70000, 1); /* it may be set again */
    world_settle(world);
    world_check(world);
    world_destroy(&world);
}

/* The first key of the partition from this one on. */
static unsigned key_in(const struct world *world, int32_t partition, unsigned key)
{
    while (world_partition(world, key) != partition)
        key++;
    return key;
}

/* Each new owner looks at what waits first, and lives: that says nothing of what comes next. */
static void timer_that_kills_behind_a_message_that_waits(void **state)
{
    struct world *world = world_create(14, 2);
    unsigned key = key_in(world, 1, 0), other = key_in(world, 1, key + 1);
    const struct store_value *row;
    world->patience_us = HOUR_US;
    world_command(world, key, 1, 1);
    world_settle(world);
    world_command(world, other, -1, 1);
    world_settle(world);
    world->deadly_timers = true;
    world_ask(world, ASKED_TIMER, key, 70000, 1);
    world_rounds(world, 6000);
    assert_int_equal(store_mem_rows(world->dbs[0], &timers_table, &row, 1), 1);
    assert_int_equal(row[3].i % TIMER_KINDS, TIMER_PARKED);
    world->deadly_timers = false;
    world_command(world, other, 1, 1);
    world_ask(world, ASKED_TIMER, key, 70000, 1);
    world_settle(world);
    world_check(world);
    world_destroy(&world);
}

static unsigned marks(struct world *world)
{
    const struct store_value *rows[64];
    unsigned n = store_mem_rows(world->dbs[0], &timers_table, rows, 64), found = 0;
    for (unsigned i = 0; i < n; i++)
        found += rows[i][3].i == TIMER_ATTEMPT;
    return found;
}

static void step_until_marks(struct world *world, struct instance *instance, unsigned wanted)
{
    for (int i = 0; i < 1000 && marks(world) != wanted; i++) {
        stream_step(instance->stream);
        world->now_us += 1000;
        if (marks(world) != wanted)
            (void)store_mem_step(instance->store);
    }
    assert_int_equal(marks(world), wanted);
}

/* It was due for one who died of it; for the next one, whose clock is behind, it is not yet. */
static void cancelled_timer_leaves_no_attempt(void **state)
{
    struct world *world = world_create(12, 1);
    world_command(world, 1, 1, 1);
    world_settle(world);
    for (unsigned i = 0; i <= TRIES_SINGLE; i++)
        world_ghosts(world);
    world->deadly_timers = true;
    world_ask(world, ASKED_TIMER, 1, SECOND_US, 1);
    for (int i = 0; i < 20000 && marks(world) < 2; i++) { /* two have died of it */
        world_act(world, &world->instances[0]);
        world->now_us += 1000;
    }
    assert_int_equal(marks(world), 2);
    world->now_us -= MINUTE_US;
    world_ask(world, ASKED_TIMER, 1, 0, 1);
    for (int i = 0; i < 2000; i++)
        world_act(world, &world->instances[0]);
    assert_int_equal(marks(world), 0);
    world->deadly_timers = false;
    world->now_us += 2 * MINUTE_US;
    world_settle(world);
    world_check(world);
    world_destroy(&world);
}

/* One after the other marks it, loses its partition and lives. */
static void record_that_everybody_survives_is_innocent(void **state)
{
    struct world *world = world_create(11, WORLD_INSTANCES);
    struct err err = {0};
    world_settle(world);
    for (unsigned i = 0; i < WORLD_INSTANCES; i++)
        bus_leave(world->instances[i].bus);
    for (unsigned i = 0; i <= TRIES_SINGLE; i++)
        world_ghosts(world);
    world_command(world, 1, 1, 1);
    for (unsigned turn = 0; turn < 4 * ATTEMPTS_POISON; turn++) {
        struct instance *owner = &world->instances[turn % WORLD_INSTANCES];
        assert_int_equal(bus_join(owner->bus, "a", TOPIC_TEMPLATE_COMMANDS, &err), 0);
        step_until_marks(world, owner, 1);
        world_ghosts(world);
        step_until_marks(world, owner, 0);
        bus_leave(owner->bus);
    }
    for (unsigned i = 0; i < WORLD_INSTANCES; i++)
        assert_int_equal(bus_join(world->instances[i].bus, "a", TOPIC_TEMPLATE_COMMANDS, &err), 0);
    world_settle(world);
    world_check(world);
    assert_int_equal(world_dead_letters(world), 0);
    world_destroy(&world);
}

/* Postgres refuses it: asked again in a while, not at once. */
static void retraction_that_fails_is_tried_again_later(void **state)
{
    struct world *world = world_create(13, 1);
    struct instance *owner = &world->instances[0];
    world_settle(world);
    for (unsigned i = 0; i <= TRIES_SINGLE; i++)
        world_ghosts(world);
    world_command(world, 1, 1, 1);
    step_until_marks(world, owner, 1);
    world_ghosts(world);
    for (int i = 0; i < 1000 && !owner->stream->retracting; i++) {
        (void)store_mem_step(owner->store);
        stream_step(owner->stream);
    }
    assert_true(owner->stream->retracting);
    store_mem_fault_next(owner->store, STORE_MEM_FAIL_BEFORE);
    while (owner->stream->retracting)
        assert_true(store_mem_step(owner->store));
    assert_int_equal(marks(world), 1);
    stream_step(owner->stream);
    assert_false(owner->stream->retracting);
    world_settle(world);
    assert_int_equal(marks(world), 0);
    world_check(world);
    world_destroy(&world);
}

/* One partition is lost and its attempt being withdrawn when the next is marked and lost, too: that one goes as well. */
static void attempt_survived_during_a_retraction_is_withdrawn(void **state)
{
    struct world *world = world_create(15, 2);
    struct instance *owner = &world->instances[0];
    struct bus *other = world->instances[1].bus;
    struct err err = {0};
    world_settle(world);
    bus_leave(other);
    bus_leave(owner->bus);
    stream_step(owner->stream);
    for (unsigned i = 0; i <= TRIES_SINGLE; i++)
        world_ghosts(world);
    assert_int_equal(bus_join(owner->bus, "a", TOPIC_TEMPLATE_COMMANDS, &err), 0);
    world_command(world, key_in(world, 3, 0), 1, 1); /* which the other one gets */
    step_until_marks(world, owner, 1);
    assert_int_equal(bus_join(other, "a", TOPIC_TEMPLATE_COMMANDS, &err), 0);
    world_command(world, key_in(world, 0, 0), 1, 1); /* which stays */
    stream_step(owner->stream);
    for (int i = 0; i < 10 && store_mem_commits_waiting(owner->store) < 2; i++) {
        assert_true(store_mem_step_any(owner->store, 1)); /* loads: the retraction takes longer */
        stream_step(owner->stream);
    }
    bus_leave(owner->bus);
    stream_step(owner->stream);
    assert_true(owner->stream->retracting);
    assert_int_equal(owner->stream->n_survived, 2);
    while (store_mem_step(owner->store))
        stream_step(owner->stream);
    assert_int_equal(marks(world), 0);
    assert_int_equal(bus_join(owner->bus, "a", TOPIC_TEMPLATE_COMMANDS, &err), 0);
    world_settle(world);
    world_check(world);
    world_destroy(&world);
}

/* The first record after take-overs without progress is marked; one without messages as well. */
static void suspect_record_without_messages(void **state)
{
    struct world *world = world_create(6, 1);
    for (int i = 0; i < 5; i++)
        for (int32_t p = 0; p < WORLD_PARTITIONS; p++)
            world_ghost(world, 0, p);
    for (unsigned key = 0; key < WORLD_KEYS; key++) {
        world_empty(world, key);
        world_command(world, key, 1, 1);
    }
    world_settle(world);
    world_check(world);
    world_destroy(&world);
}

/* Of a partition that changes hands often, those that bring nothing must not make batches of one for ever. */
static void idle_input_is_innocent_after_a_minute(void **state)
{
    struct world *world = world_create(12, 1);
    const struct stream *stream = world->instances[0].stream;
    unsigned timers = stream->service->n_inputs, suspects = 0;
    for (unsigned i = 0; i <= TRIES_SINGLE; i++)
        world_ghosts(world);
    world_settle(world);
    for (int32_t p = 0; p < WORLD_PARTITIONS; p++)
        suspects += stream->parts[p].inputs[timers].singles > 0;
    assert_int_equal(suspects, WORLD_PARTITIONS);
    world->now_us += LIVED_US;
    world_settle(world);
    for (int32_t p = 0; p < WORLD_PARTITIONS; p++) {
        assert_int_equal(stream->parts[p].inputs[timers].singles, 0);
        assert_false(stream->parts[p].inputs[timers].suspect);
    }
    world_check(world);
    world_destroy(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(poison_event_is_a_dead_letter_while_commands_go_on),
        cmocka_unit_test(poison_command_is_answered),
        cmocka_unit_test(timer_that_kills_is_given_up),
        cmocka_unit_test(timer_that_kills_behind_a_message_that_waits),
        cmocka_unit_test(cancelled_timer_leaves_no_attempt),
        cmocka_unit_test(record_that_everybody_survives_is_innocent),
        cmocka_unit_test(retraction_that_fails_is_tried_again_later),
        cmocka_unit_test(attempt_survived_during_a_retraction_is_withdrawn),
        cmocka_unit_test(suspect_record_without_messages),
        cmocka_unit_test(idle_input_is_innocent_after_a_minute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
