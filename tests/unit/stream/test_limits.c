/* What is too much, too large or too harmful is refused, said, and in nobody's way. */
#include "world.h"

#include <stdio.h>

#include "test.h"

#include "internal.h"

static void some_rounds(struct world *world, int rounds)
{
    for (int i = 0; i < rounds; i++) {
        world_act(world, &world->instances[world_below(world, UINT64_C(2) * world->n_instances)]);
        world->now_us += 1000;
    }
}

/* Others commit between its attempts: they must not be forgotten for that. */
static void poison_event_is_a_dead_letter_while_commands_go_on(void **state)
{
    struct world *world = world_create(1, 1);
    world_command(world, 1, 1, 1);
    world_settle(world);
    world_poison(world, 1);
    for (int i = 0; i < 300; i++) {
        world_command(world, 1, 1, 1);
        some_rounds(world, 20);
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

static void row_that_says_nothing_does_not_hold_up_a_drain(void **state)
{
    struct world *world = world_create(5, 1);
    world_settle(world);
    world_command(world, 1, WORLD_MUTE, 1);
    world_settle(world);
    world_drain(world, &world->instances[0]);
    assert_true(stream_drained(world->instances[0].stream));
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
        some_rounds(world, 20);
    }
    world_settle(world);
    assert_int_equal(store_mem_rows(world->dbs[0], &timers_table, &row, 1), 0);
    world->deadly_timers = false;
    world_ask(world, ASKED_TIMER, 1, 70000, 1); /* it may be set again */
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

static void others_take_over(struct world *world)
{
    for (int32_t p = 0; p < WORLD_PARTITIONS; p++)
        world_ghost(world, 0, p);
}

static void clock_that_goes_back_delays_no_take_over(void **state)
{
    struct world *world = world_create(13, 1);
    world_settle(world);
    world->now_us += HOUR_US;
    others_take_over(world);
    world_command(world, 1, 1, 1);
    for (int i = 0; i < 1000 && stream_ready(world->instances[0].stream, NULL); i++)
        world_act(world, &world->instances[0]);
    assert_false(stream_ready(world->instances[0].stream, NULL));
    world->now_us -= HOUR_US;
    some_rounds(world, 4000);
    assert_true(stream_ready(world->instances[0].stream, NULL));
    world_settle(world);
    world_check(world);
    world_destroy(&world);
}

/* It was due for one who died of it; for the next one, whose clock is behind, it is not yet. */
static void cancelled_timer_leaves_no_attempt(void **state)
{
    struct world *world = world_create(12, 1);
    world_command(world, 1, 1, 1);
    world_settle(world);
    for (unsigned i = 0; i <= TRIES_SINGLE; i++)
        others_take_over(world);
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
        others_take_over(world);
    world_command(world, 1, 1, 1);
    for (unsigned turn = 0; turn < 4 * ATTEMPTS_POISON; turn++) {
        struct instance *owner = &world->instances[turn % WORLD_INSTANCES];
        assert_int_equal(bus_join(owner->bus, "a", TOPIC_TEMPLATE_COMMANDS, &err), 0);
        step_until_marks(world, owner, 1);
        others_take_over(world);
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
        others_take_over(world);
    world_command(world, 1, 1, 1);
    step_until_marks(world, owner, 1);
    others_take_over(world);
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

static unsigned key_in(const struct world *world, int32_t partition)
{
    unsigned key = 0;
    while (world_partition(world, key) != partition)
        key++;
    return key;
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
        others_take_over(world);
    assert_int_equal(bus_join(owner->bus, "a", TOPIC_TEMPLATE_COMMANDS, &err), 0);
    world_command(world, key_in(world, 3), 1, 1); /* which the other one gets */
    step_until_marks(world, owner, 1);
    assert_int_equal(bus_join(other, "a", TOPIC_TEMPLATE_COMMANDS, &err), 0);
    world_command(world, key_in(world, 0), 1, 1); /* which stays */
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
        others_take_over(world);
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

static void committed(struct store_commit *commit)
{
    assert_int_equal(commit->err.code, 0);
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
    struct store_commit commit = {.rows = &row, .n_rows = 1, .done = committed};
    store_commit(world->ghosts[0], &commit);
    assert_true(store_mem_step(world->ghosts[0]));
    world_command(world, 1, 2, 1);
    world_settle(world);
    assert_int_equal(world_value(world, 0, 1), -1); /* it was updated as if it were there */
    world_command(world, 1, 3, 1);
    world_settle(world);
    assert_in_range(world_value(world, 0, 1), 3, 4); /* its timer may have fired */
    world_destroy(&world);
}

static void more_timers_of_one_instant_than_a_page(void **state)
{
    enum {
        MANY = 2 * TIMER_PAGE + 500
    };
    struct world *world = world_create(7, 1);
    struct arena *arena = arena_create(16 << 20);
    struct store_row *rows = arena_alloc(arena, MANY * sizeof(*rows));
    for (unsigned i = 0; i < MANY; i++) {
        static const uint8_t tenant[16] = {9};
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
    struct store_commit commit = {.rows = rows, .n_rows = MANY};
    bool fenced;
    commit.fenced = &fenced;
    commit.done = committed;
    store_commit(world->ghosts[0], &commit);
    assert_true(store_mem_step(world->ghosts[0]));
    world->now_us += SECOND_US;
    world->faults = true; /* connections do not wait for each other: a page must, for the commits */
    some_rounds(world, 4000);
    world->faults = false;
    world_settle(world);
    const struct store_value *row;
    assert_int_equal(store_mem_rows(world->dbs[0], &world_sums, &row, 1), 1);
    assert_int_equal(row[2].i, MANY);
    arena_destroy(&arena);
    world_destroy(&world);
}

/* Memory is full of timers that are due later: this one stays a row until its time is near. */
static void timer_beside_as_many_as_memory_holds(void **state)
{
    struct world *world = world_create(12, 1);
    struct stream *s = world->instances[0].stream;
    const struct stream_key nobody = {.id = SLICE_LITERAL("nobody")};
    const struct store_value *row;
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

/* An outcome that will never come takes no room from those that may. */
static void call_of_an_earlier_life_is_let_go(void **state)
{
    struct world *world = world_create(16, 1);
    struct instance *a = &world->instances[0];
    world_command(world, 1, 1, 1);
    world_settle(world);
    world_ask(world, ASKED_CALL, 1, 0, 1);
    for (unsigned lives = 1; lives <= 5; lives++) {
        for (int i = 0; i < 20000 && a->n_calls < lives; i++)
            some_rounds(world, 1);
        assert_int_equal(a->n_calls, lives);
        others_take_over(world);
        world_command(world, 1, 1, 1); /* what it would commit is refused */
    }
    a->n_calls = 0;
    some_rounds(world, 4000);
    assert_int_equal(a->n_calls, 1);
    assert_int_equal(a->stream->n_calls, 1);
    world_settle(world);
    world_check(world);
    world_destroy(&world);
}

static const struct bus_ops *prompt;
static unsigned mirror_records; /* that may come */
static unsigned failed_starts;  /* of a mirror's reading, still to come */

static int poll_lane_slow(struct bus *bus, enum bus_lane lane, struct bus_event *event)
{
    if (lane == BUS_LANE_MIRRORS && !mirror_records)
        return 0;
    mirror_records -= lane == BUS_LANE_MIRRORS;
    return prompt->poll_lane(bus, lane, event);
}

static int start_failing(struct bus *bus, int topic, int32_t partition, int64_t offset,
                         enum bus_lane lane, struct err *err)
{
    if (lane != BUS_LANE_MIRRORS || !failed_starts)
        return prompt->start(bus, topic, partition, offset, lane, err);
    failed_starts--;
    return err_set(err, ERR_UNAVAILABLE, ERR_CLASS_TRANSIENT, "made to fail");
}

/* From now on its mirrors get what the test lets through: at first nothing. */
static void hold_mirrors(struct instance *instance)
{
    static struct bus_ops slow;
    prompt = instance->bus->ops;
    slow = *prompt;
    slow.poll_lane = poll_lane_slow;
    slow.start = start_failing;
    instance->bus->ops = &slow;
    mirror_records = failed_starts = 0;
}

/* A real bus brings the first record a while after the start: until all have come nothing is decided. */
static void mirror_is_read_before_anything_is_decided(void **state)
{
    struct world *world = world_create(14, 1);
    struct instance *b = &world->instances[1];
    const char *why = NULL;
    world_settings(world);
    world_crash(b);
    world_start(world, b);
    hold_mirrors(b);
    world_command(world, 1, 1, 1);
    some_rounds(world, 1000);
    assert_false(stream_ready(b->stream, &why));
    assert_string_equal(why, "mirrors are being read");
    mirror_records = UINT_MAX;
    world_settle(world);
    world_check(world);
    world_destroy(&world);
}

/* Its end is taken for read when nothing came for ten seconds, however long it takes in all. */
static void slow_mirror_is_read_to_its_end(void **state)
{
    struct world *world = world_create(15, 1);
    struct instance *b = &world->instances[1];
    const char *why = NULL;
    for (unsigned i = 0; i < 4; i++)
        world_settings(world);
    world_crash(b);
    world_start(world, b);
    hold_mirrors(b);
    for (unsigned i = 0; i < 3; i++) {
        mirror_records = 1;
        some_rounds(world, 1000);
        world->now_us += 6 * SECOND_US;
        mirror_records = 0;
        some_rounds(world, 1000);
        assert_false(stream_ready(b->stream, &why));
        assert_string_equal(why, "mirrors are being read");
    }
    mirror_records = UINT_MAX;
    world_settle(world);
    world_check(world);
    world_destroy(&world);
}

/* Retention took what it had not read: it begins anew, and if that fails it does so later. */
static void mirror_begins_anew_behind_what_is_gone(void **state)
{
    struct world *world = world_create(16, 1);
    struct instance *b = &world->instances[1];
    world_settings(world);
    world_settle(world);
    const struct mirror *mirror = &b->stream->mirrors[0];
    int topic = mirror->spec->topic;
    int32_t p = 0;
    while (bus_mem_end(world->cluster, topic, p) == 0)
        p++;
    hold_mirrors(b);
    for (unsigned i = 0; i < 3; i++)
        world_settings(world);
    int64_t end = bus_mem_end(world->cluster, topic, p);
    bus_mem_truncate(world->cluster, topic, p, end - 1);
    failed_starts = 1;
    mirror_records = UINT_MAX;
    some_rounds(world, 2000);
    world_settle(world);
    assert_int_equal(failed_starts, 0);
    assert_int_equal(mirror->next[p], end);
    world_check(world);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(poison_event_is_a_dead_letter_while_commands_go_on),
        cmocka_unit_test(poison_command_is_answered),
        cmocka_unit_test(what_postgres_refuses_is_a_dead_letter),
        cmocka_unit_test(record_of_several_messages_that_postgres_refuses),
        cmocka_unit_test(decision_larger_than_a_batch_is_a_dead_letter),
        cmocka_unit_test(large_records_leave_room_for_what_follows),
        cmocka_unit_test(row_that_says_nothing_does_not_hold_up_a_drain),
        cmocka_unit_test(timer_that_kills_is_given_up),
        cmocka_unit_test(cancelled_timer_leaves_no_attempt),
        cmocka_unit_test(clock_that_goes_back_delays_no_take_over),
        cmocka_unit_test(record_that_everybody_survives_is_innocent),
        cmocka_unit_test(retraction_that_fails_is_tried_again_later),
        cmocka_unit_test(attempt_survived_during_a_retraction_is_withdrawn),
        cmocka_unit_test(suspect_record_without_messages),
        cmocka_unit_test(idle_input_is_innocent_after_a_minute),
        cmocka_unit_test(row_removed_by_hand_begins_anew),
        cmocka_unit_test(more_timers_of_one_instant_than_a_page),
        cmocka_unit_test(timer_beside_as_many_as_memory_holds),
        cmocka_unit_test(too_many_questions_are_answered_so),
        cmocka_unit_test(call_of_an_earlier_life_is_let_go),
        cmocka_unit_test(mirror_is_read_before_anything_is_decided),
        cmocka_unit_test(slow_mirror_is_read_to_its_end),
        cmocka_unit_test(mirror_begins_anew_behind_what_is_gone),
        cmocka_unit_test(log_made_anew_stops_its_partitions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
