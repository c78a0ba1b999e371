/* ingest's decisions through the real runtime: what goes in, what is said. */
#include "say.h"

#include <stdio.h>

static void an_event_is_accepted_with_all_that_is_known(void **state)
{
    struct rig *rig = rig_create(&ingest_service);
    rig_settings(rig, "legitimate_interest", NULL, NULL);
    Journey__V1__Event *event = rig_event(rig, 1, "m1", RIG_NOW_US - 2 * MINUTE_US);
    event->sent_at_us = RIG_NOW_US - MINUTE_US;
    event->user = event->device;
    event->properties = arena_str(rig->arena, SLICE_LITERAL("{\"a\":1e400}"));
    event->context = arena_str(
        rig->arena,
        SLICE_LITERAL("{\"userAgent\":\"iPhone\",\"screen\":{\"width\":375,\"height\":812},"
                      "\"campaign\":{\"source\":\"TikTok\",\"name\":\"c\\\"1\"},"
                      "\"page\":{\"referrer\":\"https://www.tiktok.com/@x?secret\","
                      "\"url\":\"https://Shop.example/a?b=c\"}}"));
    int64_t received_us = rig->now_us;
    rig_send_event(rig, event);
    rig_settle(rig);
    const Journey__V1__Accepted *a = rig_accepted(rig, "m1");
    assert_memory_equal(a->tenant_id.data, rig_tenant, 16);
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
    assert_string_equal(a->enrichment->page_host, "shop.example");
    assert_string_equal(a->enrichment->page_path, "/a");
    assert_string_equal(a->enrichment->referrer_host, "www.tiktok.com");
    assert_string_equal(a->enrichment->channel, "Organic Social");
    assert_string_equal(a->opens->channel, "Organic Social");
    assert_string_equal(a->opens->landing_page, "shop.example/a");
    assert_string_equal(a->opens->device_class, "mobile");
    assert_false(a->opens->returning);
    struct slice key = rig_record(rig, TOPIC_ACCEPTED, 0)->key;
    assert_true(slice_equal(key, topic_key(rig_tenant, slice_str(a->session_id), rig->arena)));
    rig_send_event(rig, rig_event(rig, 1, "m2", 0));
    rig_settle(rig);
    assert_null(rig_accepted(rig, "m2")->opens);
    assert_string_equal(rig_accepted(rig, "m2")->session_id, a->session_id);
    rig_destroy(&rig);
}

static void what_is_unusable_is_a_dead_letter_alone(void **state)
{
    struct rig *rig = rig_create(&ingest_service);
    Journey__V1__Event *batch[] = {rig_event(rig, 1, "m1", 0), rig_event(rig, 1, "m2", 0),
                                   rig_event(rig, 1, "m3", 0), rig_event(rig, 1, "m4", 0)};
    batch[1]->name = arena_str(rig->arena, slice_make("", 0));
    batch[2]->device.len = 0;
    rig_send_events(rig, TOPIC_EVENTS, batch, 4);
    rig_settle(rig);
    assert_int_equal(rig_said(rig, TOPIC_ACCEPTED), 2);
    assert_int_equal(rig_said(rig, topic_dlq(TOPIC_EVENTS)), 2);
    const struct bus_record *letter = rig_record(rig, topic_dlq(TOPIC_EVENTS), 0);
    assert_true(slice_equal_str(bus_record_header(letter, "dlq-code")->value, "name_missing"));
    Journey__V1__EventBatch *alone =
        journey__v1__event_batch__unpack(NULL, letter->value.size, letter->value.data);
    assert_non_null(alone);
    assert_int_equal(alone->n_events, 1);
    assert_string_equal(alone->events[0]->message_id, "m2");
    assert_memory_equal(alone->tenant_id.data, rig_tenant, 16);
    journey__v1__event_batch__free_unpacked(alone, NULL);
    letter = rig_record(rig, topic_dlq(TOPIC_EVENTS), 1);
    assert_true(slice_equal_str(bus_record_header(letter, "dlq-code")->value, "device_missing"));
    assert_true(rig_counter(rig, "journey_ingest_rejected_total{reason=\"name_missing\"}") == 1);
    assert_true(rig_counter(rig, "journey_ingest_accepted_total") == 2);
    rig_destroy(&rig);
}

static Journey__V1__Command *forwarded(struct rig *rig, unsigned n)
{
    const struct bus_record *record = rig_record(rig, TOPIC_COMMANDS_JOURNEY_STATE, n);
    assert_non_null(record);
    return journey__v1__command__unpack(NULL, record->value.size, record->value.data);
}

static void a_start_binds_its_device(void **state)
{
    struct rig *rig = rig_create(&ingest_service);
    rig_settings(rig, "legitimate_interest", NULL, NULL);
    Journey__V1__Command *start = rig_start(rig, 1, "s1");
    rig_send_command(rig, start);
    rig_settle(rig);
    Journey__V1__Command *copy = forwarded(rig, 0);
    assert_string_equal(copy->subject, "s1");
    assert_memory_equal(copy->id.data, start->id.data, 16);
    assert_memory_equal(copy->body_hash.data, start->body_hash.data, 16);
    assert_true(copy->deadline_us == start->deadline_us);
    assert_int_equal(copy->consent->n_granted, 1);
    assert_false(copy->start->start->returning);
    assert_string_equal(copy->start->start->persona_type, "TechEarlyAdopter");
    struct slice key = rig_record(rig, TOPIC_COMMANDS_JOURNEY_STATE, 0)->key;
    assert_true(slice_equal(key, topic_key(rig_tenant, SLICE_LITERAL("s1"), rig->arena)));
    journey__v1__command__free_unpacked(copy, NULL);
    /* the device's event that names no session belongs to it, and opens nothing */
    rig_send_event(rig, rig_event(rig, 1, "m1", 0));
    rig_settle(rig);
    assert_string_equal(rig_accepted(rig, "m1")->session_id, "s1");
    assert_null(rig_accepted(rig, "m1")->opens);
    /* again: forwarded again, journey-state keeps the answer */
    rig_send_command(rig, start);
    rig_settle(rig);
    assert_int_equal(rig_said(rig, TOPIC_COMMANDS_JOURNEY_STATE), 2);
    rig_destroy(&rig);
}

static void a_device_with_an_earlier_session_returns(void **state)
{
    struct rig *rig = rig_create(&ingest_service);
    rig_settings(rig, "legitimate_interest", NULL, NULL);
    rig_send_event(rig, rig_event(rig, 1, "m1", 0));
    rig_settle(rig);
    rig->now_us += 5 * HOUR_US;
    rig_send_command(rig, rig_start(rig, 1, "s2"));
    rig_settle(rig);
    Journey__V1__Command *copy = forwarded(rig, 0);
    assert_true(copy->start->start->returning);
    journey__v1__command__free_unpacked(copy, NULL);
    rig->now_us += 5 * HOUR_US;
    rig_send_event(rig, rig_event(rig, 1, "m2", 0));
    rig_settle(rig);
    assert_true(rig_accepted(rig, "m2")->opens->returning);
    rig_destroy(&rig);
}

static void the_tenant_s_idle_limit_holds(void **state)
{
    struct rig *rig = rig_create(&ingest_service);
    rig_settings(rig, "consent", "session_idle_seconds", "120");
    int64_t t = rig->now_us - HOUR_US;
    rig_send_event(rig, rig_event(rig, 1, "m1", t));
    rig_send_event(rig, rig_event(rig, 1, "m2", t + 2 * MINUTE_US));
    rig_send_event(rig, rig_event(rig, 1, "m3", t + 5 * MINUTE_US));
    rig_settle(rig);
    assert_null(rig_accepted(rig, "m2")->opens);
    assert_non_null(rig_accepted(rig, "m3")->opens);
    assert_true(rig_accepted(rig, "m3")->idle_us == 2 * MINUTE_US);
    assert_int_equal(rig_accepted(rig, "m3")->consent->n_granted, 0);
    rig_settings(rig, "consent", "session_idle_seconds", "0"); /* out of range: the default */
    rig_send_event(rig, rig_event(rig, 1, "m4", t + 20 * MINUTE_US));
    rig_settle(rig);
    assert_null(rig_accepted(rig, "m4")->opens);
    rig_destroy(&rig);
}

static void marks_are_set_and_counted(void **state)
{
    struct rig *rig = rig_create(&ingest_service);
    rig_send_event(rig, rig_event(rig, 1, "old", rig->now_us - 400 * DAY_US));
    rig_send_event(rig, rig_event(rig, 1, "future", rig->now_us + DAY_US));
    rig_settle(rig);
    assert_true(rig_accepted(rig, "old")->late);
    assert_true(rig_accepted(rig, "future")->time_clamped);
    assert_true(rig_accepted(rig, "future")->time_us == rig_accepted(rig, "future")->received_us);
    assert_true(rig_counter(rig, "journey_ingest_late_total") == 1);
    assert_true(rig_counter(rig, "journey_ingest_clamped_total") == 1);
    assert_true(rig_counter(rig, "journey_ingest_sessions_opened_total") == 2);
    rig_destroy(&rig);
}

static void sessions_outlive_the_process(void **state)
{
    struct rig *rig = rig_create(&ingest_service);
    rig_send_event(rig, rig_event(rig, 1, "m1", 0));
    rig_settle(rig);
    rig_restart(rig);
    rig->now_us += 10 * MINUTE_US;
    rig_send_event(rig, rig_event(rig, 1, "m2", 0));
    rig_settle(rig);
    assert_string_equal(rig_accepted(rig, "m1")->session_id, rig_accepted(rig, "m2")->session_id);
    const struct store_value *rows[4];
    assert_int_equal(store_mem_rows(rig->db, &ingest_devices_table, rows, 4), 1);
    assert_true(slice_equal_str(rows[0][3].s, rig_accepted(rig, "m1")->session_id));
    assert_true(rows[0][5].i - rows[0][4].i > 9 * MINUTE_US);
    rig_destroy(&rig);
}

static void an_unknown_command_stops_its_partition(void **state)
{
    struct rig *rig = rig_create(&ingest_service);
    Journey__V1__Command *command = rig_start(rig, 1, "s1");
    Journey__V1__EndSession end;
    journey__v1__end_session__init(&end);
    command->body_case = JOURNEY__V1__COMMAND__BODY_END;
    command->end = &end;
    rig_send_command(rig, command);
    rig_settle(rig);
    assert_int_equal(rig_said(rig, TOPIC_COMMANDS_JOURNEY_STATE), 0);
    assert_int_equal(rig_said(rig, topic_dlq(TOPIC_COMMANDS_INGEST)), 0);
    assert_true(rig->alarm[0] != 0);
    rig_destroy(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_is_accepted_with_all_that_is_known),
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
