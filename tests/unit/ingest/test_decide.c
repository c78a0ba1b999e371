/* ingest's decisions through the real runtime: what goes in, what is said. */
#include "world.h"

#include <stdio.h>

static void an_event_is_accepted_with_all_that_is_known(void **state)
{
    struct world *w = world_create();
    world_settings(w, "legitimate_interest", NULL);
    Journey__V1__Event *event = world_event(w, 1, "m1", WORLD_NOW - 2 * MINUTE_US);
    event->sent_at_us = WORLD_NOW - MINUTE_US;
    event->user = event->device;
    event->properties = arena_str(w->arena, SLICE_LITERAL("{\"a\":1e400}"));
    event->context = arena_str(
        w->arena,
        SLICE_LITERAL("{\"userAgent\":\"iPhone\",\"screen\":{\"width\":375,\"height\":812},"
                      "\"campaign\":{\"source\":\"TikTok\",\"name\":\"c\\\"1\"},"
                      "\"page\":{\"referrer\":\"https://www.tiktok.com/@x?secret\"}}"));
    int64_t received_us = w->now_us;
    world_send_one(w, event);
    world_settle(w);
    Journey__V1__Accepted *a = world_accepted(w, "m1");
    assert_memory_equal(a->tenant_id.data, world_tenant, 16);
    assert_int_equal(strlen(a->session_id), 32);
    assert_true(a->time_us == received_us - MINUTE_US);
    assert_true(a->received_us == received_us);
    assert_true(a->idle_us == 30 * MINUTE_US);
    assert_false(a->late || a->time_clamped);
    assert_string_equal(a->event->properties, "{\"a\":1e400}");
    assert_int_equal(a->consent->n_granted, 1);
    assert_string_equal(a->consent->granted[0], "analytics");
    assert_true(a->consent->legitimate_interest);
    assert_non_null(a->opens);
    assert_string_equal(a->opens->persona_type, "GeneralVisitor");
    assert_true(a->opens->persona_confidence == 0.5);
    assert_string_equal(a->opens->device_type, "mobile");
    assert_string_equal(a->opens->device_context,
                        "{\"type\":\"mobile\",\"screen_size\":\"375x812\"}");
    assert_string_equal(a->opens->entry_source, "tiktok");
    assert_string_equal(
        a->opens->entry_point,
        "{\"source\":\"tiktok\",\"campaign\":\"c\\\"1\",\"referrer\":\"www.tiktok.com\"}");
    assert_string_equal(a->opens->utm_data, "{\"source\":\"TikTok\",\"name\":\"c\\\"1\"}");
    assert_true(a->opens->by_touchpoint);
    assert_false(a->opens->returning);
    struct slice key = world_record(w, TOPIC_ACCEPTED, 0)->key;
    assert_true(slice_equal(key, topic_key(world_tenant, slice_str(a->session_id), w->arena)));
    world_send_one(w, world_event(w, 1, "m2", 0));
    world_settle(w);
    assert_null(world_accepted(w, "m2")->opens);
    assert_string_equal(world_accepted(w, "m2")->session_id, a->session_id);
    world_destroy(&w);
}

static void message_ids_count_once_for_a_day(void **state)
{
    struct world *w = world_create();
    Journey__V1__Event *batch[] = {world_event(w, 1, "m1", 0), world_event(w, 1, "m1", 0),
                                   world_event(w, 1, "m2", 0)};
    world_send(w, TOPIC_EVENTS, batch, 3);
    world_settle(w);
    assert_int_equal(world_count(w, TOPIC_ACCEPTED), 2);
    world_send(w, TOPIC_EVENTS, batch, 3);         /* sent again */
    world_send(w, TOPIC_IMPORTS, batch, 3);        /* from elsewhere */
    world_send_one(w, world_event(w, 2, "m1", 0)); /* another device's */
    world_settle(w);
    assert_int_equal(world_count(w, TOPIC_ACCEPTED), 3);
    assert_true(world_counter(w, "journey_ingest_duplicates_total") == 7);
    world_restart(w);
    w->now_us += 22 * HOUR_US;
    world_send(w, TOPIC_EVENTS, batch, 3);
    world_settle(w);
    assert_int_equal(world_count(w, TOPIC_ACCEPTED), 3);
    w->now_us += 3 * HOUR_US;
    world_send(w, TOPIC_EVENTS, batch, 3);
    world_settle(w);
    assert_int_equal(world_count(w, TOPIC_ACCEPTED), 5);
    world_destroy(&w);
}

static void beyond_its_limit_an_hour_is_accepted_and_counted(void **state)
{
    struct world *w = world_create();
    Journey__V1__Event *batch[500];
    for (int round = 0; round < 9; round++) {
        for (int i = 0; i < 500; i++)
            batch[i] = world_event(w, 1, arena_printf(w->arena, "%d-%d", round, i), 0);
        world_send(w, TOPIC_EVENTS, batch, 500);
        world_settle(w);
    }
    assert_int_equal(world_count(w, TOPIC_ACCEPTED), 4500);
    assert_true(world_counter(w, "journey_ingest_untracked_total") == 4500 - 4096);
    world_destroy(&w);
}

static void what_is_unusable_is_a_dead_letter_alone(void **state)
{
    struct world *w = world_create();
    Journey__V1__Event *batch[] = {world_event(w, 1, "m1", 0), world_event(w, 1, "m2", 0),
                                   world_event(w, 1, "m3", 0), world_event(w, 1, "m4", 0)};
    batch[1]->name = arena_str(w->arena, slice_make("", 0));
    batch[2]->device.len = 0;
    world_send(w, TOPIC_EVENTS, batch, 4);
    world_settle(w);
    assert_int_equal(world_count(w, TOPIC_ACCEPTED), 2);
    assert_int_equal(world_count(w, topic_dlq(TOPIC_EVENTS)), 2);
    const struct bus_record *letter = world_record(w, topic_dlq(TOPIC_EVENTS), 0);
    assert_true(slice_equal_str(bus_record_header(letter, "dlq-code")->value, "name_missing"));
    Journey__V1__EventBatch *alone =
        journey__v1__event_batch__unpack(NULL, letter->value.size, letter->value.data);
    assert_non_null(alone);
    assert_int_equal(alone->n_events, 1);
    assert_string_equal(alone->events[0]->message_id, "m2");
    assert_memory_equal(alone->tenant_id.data, world_tenant, 16);
    journey__v1__event_batch__free_unpacked(alone, NULL);
    letter = world_record(w, topic_dlq(TOPIC_EVENTS), 1);
    assert_true(slice_equal_str(bus_record_header(letter, "dlq-code")->value, "device_missing"));
    assert_true(world_counter(w, "journey_ingest_rejected_total{reason=\"name_missing\"}") == 1);
    assert_true(world_counter(w, "journey_ingest_accepted_total") == 2);
    world_destroy(&w);
}

static Journey__V1__Command *forwarded(struct world *w, unsigned n)
{
    const struct bus_record *record = world_record(w, TOPIC_COMMANDS_JOURNEY_STATE, n);
    assert_non_null(record);
    return journey__v1__command__unpack(NULL, record->value.size, record->value.data);
}

static void a_start_binds_its_device(void **state)
{
    struct world *w = world_create();
    world_settings(w, "legitimate_interest", NULL);
    Journey__V1__Command *start = world_start(w, 1, "s1");
    world_send_command(w, start);
    world_settle(w);
    Journey__V1__Command *copy = forwarded(w, 0);
    assert_string_equal(copy->subject, "s1");
    assert_memory_equal(copy->id.data, start->id.data, 16);
    assert_memory_equal(copy->body_hash.data, start->body_hash.data, 16);
    assert_true(copy->deadline_us == start->deadline_us);
    assert_int_equal(copy->consent->n_granted, 1);
    assert_false(copy->start->start->returning);
    assert_string_equal(copy->start->start->persona_type, "TechEarlyAdopter");
    struct slice key = world_record(w, TOPIC_COMMANDS_JOURNEY_STATE, 0)->key;
    assert_true(slice_equal(key, topic_key(world_tenant, SLICE_LITERAL("s1"), w->arena)));
    journey__v1__command__free_unpacked(copy, NULL);
    /* the device's event that names no session belongs to it, and opens nothing */
    world_send_one(w, world_event(w, 1, "m1", 0));
    world_settle(w);
    assert_string_equal(world_accepted(w, "m1")->session_id, "s1");
    assert_null(world_accepted(w, "m1")->opens);
    /* again: forwarded again, journey-state keeps the answer */
    world_send_command(w, start);
    world_settle(w);
    assert_int_equal(world_count(w, TOPIC_COMMANDS_JOURNEY_STATE), 2);
    world_destroy(&w);
}

static void a_device_with_an_earlier_session_returns(void **state)
{
    struct world *w = world_create();
    world_send_one(w, world_event(w, 1, "m1", 0));
    world_settle(w);
    w->now_us += 5 * HOUR_US;
    world_send_command(w, world_start(w, 1, "s2"));
    world_settle(w);
    Journey__V1__Command *copy = forwarded(w, 0);
    assert_true(copy->start->start->returning);
    assert_int_equal(copy->consent->n_granted, 0); /* no settings: nothing is granted */
    journey__v1__command__free_unpacked(copy, NULL);
    w->now_us += 5 * HOUR_US;
    world_send_one(w, world_event(w, 1, "m2", 0));
    world_settle(w);
    assert_true(world_accepted(w, "m2")->opens->returning);
    world_destroy(&w);
}

static void the_tenant_s_idle_limit_holds(void **state)
{
    struct world *w = world_create();
    world_settings(w, "consent", "120");
    int64_t t = w->now_us - HOUR_US;
    world_send_one(w, world_event(w, 1, "m1", t));
    world_send_one(w, world_event(w, 1, "m2", t + 2 * MINUTE_US));
    world_send_one(w, world_event(w, 1, "m3", t + 5 * MINUTE_US));
    world_settle(w);
    assert_null(world_accepted(w, "m2")->opens);
    assert_non_null(world_accepted(w, "m3")->opens);
    assert_true(world_accepted(w, "m3")->idle_us == 2 * MINUTE_US);
    assert_int_equal(world_accepted(w, "m3")->consent->n_granted, 0);
    world_settings(w, "consent", "0"); /* out of range: the default */
    world_send_one(w, world_event(w, 1, "m4", t + 20 * MINUTE_US));
    world_settle(w);
    assert_null(world_accepted(w, "m4")->opens);
    world_destroy(&w);
}

static void marks_are_set_and_counted(void **state)
{
    struct world *w = world_create();
    world_send_one(w, world_event(w, 1, "old", w->now_us - 400 * DAY_US));
    world_send_one(w, world_event(w, 1, "future", w->now_us + DAY_US));
    world_settle(w);
    assert_true(world_accepted(w, "old")->late);
    assert_true(world_accepted(w, "future")->time_clamped);
    assert_true(world_accepted(w, "future")->time_us == world_accepted(w, "future")->received_us);
    assert_true(world_counter(w, "journey_ingest_late_total") == 1);
    assert_true(world_counter(w, "journey_ingest_clamped_total") == 1);
    assert_true(world_counter(w, "journey_ingest_sessions_opened_total") == 2);
    world_destroy(&w);
}

static void sessions_outlive_the_process(void **state)
{
    struct world *w = world_create();
    world_send_one(w, world_event(w, 1, "m1", 0));
    world_settle(w);
    world_restart(w);
    w->now_us += 10 * MINUTE_US;
    world_send_one(w, world_event(w, 1, "m2", 0));
    world_settle(w);
    assert_string_equal(world_accepted(w, "m1")->session_id, world_accepted(w, "m2")->session_id);
    const struct store_value *rows[4];
    assert_int_equal(store_mem_rows(w->db, &ingest_devices_table, rows, 4), 1);
    assert_true(slice_equal_str(rows[0][3].s, world_accepted(w, "m1")->session_id));
    assert_true(rows[0][5].i - rows[0][4].i > 9 * MINUTE_US);
    world_destroy(&w);
}

static void an_unknown_command_stops_its_partition(void **state)
{
    struct world *w = world_create();
    Journey__V1__Command *command = world_start(w, 1, "s1");
    Journey__V1__EndSession end;
    journey__v1__end_session__init(&end);
    command->body_case = JOURNEY__V1__COMMAND__BODY_END;
    command->end = &end;
    world_send_command(w, command);
    world_settle(w);
    assert_int_equal(world_count(w, TOPIC_COMMANDS_JOURNEY_STATE), 0);
    assert_int_equal(world_count(w, topic_dlq(TOPIC_COMMANDS_INGEST)), 0);
    assert_true(w->stopped[0] != 0);
    world_destroy(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_is_accepted_with_all_that_is_known),
        cmocka_unit_test(message_ids_count_once_for_a_day),
        cmocka_unit_test(beyond_its_limit_an_hour_is_accepted_and_counted),
        cmocka_unit_test(what_is_unusable_is_a_dead_letter_alone),
        cmocka_unit_test(a_start_binds_its_device),
        cmocka_unit_test(a_device_with_an_earlier_session_returns),
        cmocka_unit_test(the_tenant_s_idle_limit_holds),
        cmocka_unit_test(marks_are_set_and_counted),
        cmocka_unit_test(sessions_outlive_the_process),
        cmocka_unit_test(an_unknown_command_stops_its_partition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
