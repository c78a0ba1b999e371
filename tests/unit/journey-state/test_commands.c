/* Starting, reading, moving and ending a session by command. */
#include "say.h"

#include "borrow.h"
#include "tables.h"

#include <stdio.h>

static struct rig *rig;

static int setup(void **state)
{
    rig = rig_create(&journey_state_service);
    return 0;
}

static int teardown(void **state)
{
    rig_destroy(&rig);
    return 0;
}

static void test_start(void **state)
{
    const Journey__V1__Reply *reply = rig_ask(rig, rig_start(rig, "s1", "mobile", "tiktok"));
    assert_int_equal(rig_status(reply), 200);
    assert_string_equal(
        rig_part(reply, "journey_state"),
        "{\"current_stage\":\"awareness\",\"personalized_path\":\"mobile_tiktok_fast_track\","
        "\"conversion_probability\":null,\"next_optimal_touchpoint\":null}");
    assert_string_equal(rig_changes(rig, "s1"), "started");
    assert_int_equal(rig_count(rig, &touchpoints_table), 0); /* a start is no touchpoint */
    /* again, otherwise: as it stands */
    reply = rig_ask(rig, rig_start(rig, "s1", "desktop", "google"));
    assert_int_equal(rig_status(reply), 200);
    assert_string_equal(rig_member(rig, rig_part(reply, "journey_state"), "personalized_path"),
                        "mobile_tiktok_fast_track");
    assert_string_equal(rig_changes(rig, "s1"), "started");
}

/* 100 characters may take 400 bytes */
static void test_long_session_id(void **state)
{
    char id[401] = "";
    for (int i = 0; i < 100; i++)
        memcpy(id + 4 * (size_t)i, "\xf0\x9f\x98\x80", 5);
    assert_int_equal(rig_status(rig_ask(rig, rig_start(rig, id, "mobile", "tiktok"))), 200);
    rig_accept(rig, rig_event(rig, id, "Product Viewed", NULL));
    rig_settle(rig);
    assert_int_equal(rig_count(rig, &touchpoints_table), 2);
    rig_restart(rig);
    assert_int_equal(rig_status(rig_ask(rig, rig_stage(rig, id, "decision"))), 200);
}

static void test_get(void **state)
{
    static const char *const names[] = {"tenant_id",
                                        "session_id",
                                        "id",
                                        "user_id",
                                        "persona_type",
                                        "persona_confidence",
                                        "device_type",
                                        "device_fingerprint",
                                        "start_timestamp",
                                        "end_timestamp",
                                        "current_stage",
                                        "journey_path",
                                        "conversion_probability",
                                        "total_touchpoints",
                                        "total_session_time",
                                        "entry_point",
                                        "utm_data",
                                        "referrer_data",
                                        "exit_point",
                                        "conversion_events",
                                        "ux_intelligence_context",
                                        "metadata",
                                        "created_at",
                                        "updated_at",
                                        "persona",
                                        "device_context",
                                        "journey_state",
                                        "optimizations"};
    (void)rig_ask(rig, rig_start(rig, "s1", "mobile", "tiktok"));
    const char *json = rig_session(rig, "s1");
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        assert_case(names[i], strcmp(rig_member(rig, json, names[i]), "(none)") != 0);
    assert_string_equal(rig_member(rig, json, "state"), "(none)");
    assert_string_equal(rig_member(rig, json, "session_id"), "s1");
    assert_string_equal(rig_member(rig, json, "persona"),
                        "{\"type\":\"TechEarlyAdopter\",\"confidence\":0.85}");
    assert_string_equal(rig_member(rig, json, "device_context.screen_size"), "375x812");
    assert_string_equal(rig_member(rig, json, "entry_point.source"), "tiktok");
    assert_string_equal(rig_member(rig, json, "conversion_events"), "[]");
    assert_string_equal(rig_member(rig, json, "optimizations"), "[]");
    assert_string_equal(rig_member(rig, json, "user_id"), "null");
    assert_string_equal(rig_member(rig, json, "end_timestamp"), "null");
    assert_int_equal(strlen(rig_member(rig, json, "start_timestamp")),
                     strlen("2026-01-02T03:04:05.678Z"));
    /* to read it again, later and by another instance, changes nothing */
    rig_pass(rig, MINUTE_US);
    assert_string_equal(rig_session(rig, "s1"), json);
    rig_restart(rig);
    assert_string_equal(rig_session(rig, "s1"), json);
}

static void test_start_after_touchpoints(void **state)
{
    rig_accept(rig, rig_event(rig, "s1", "Product Viewed", NULL));
    assert_string_equal(rig_member(rig, rig_session(rig, "s1"), "persona.type"), "GeneralVisitor");
    assert_string_equal(rig_member(rig, rig_session(rig, "s1"), "device_context"),
                        "{\"type\":\"desktop\"}");
    const Journey__V1__Reply *reply = rig_ask(rig, rig_start(rig, "s1", "mobile", "tiktok"));
    assert_string_equal(rig_stage_of(rig, reply), "consideration");
    assert_string_equal(rig_member(rig, rig_session(rig, "s1"), "persona.type"),
                        "TechEarlyAdopter");
    assert_string_equal(rig_member(rig, rig_session(rig, "s1"), "total_touchpoints"), "2");
    assert_string_equal(rig_changes(rig, "s1"), "started,stage_transition,started");
}

static void test_not_found(void **state)
{
    (void)rig_last_reply(rig);
    assert_null(rig_ask(rig, rig_stage(rig, "s1", "decision"))); /* waits */
    rig_pass(rig, SECOND_US);
    const Journey__V1__Reply *reply = rig_last_reply(rig);
    assert_int_equal(rig_status(reply), 404);
    assert_string_equal(rig_code(reply), "not_found");
    assert_string_equal(reply->problem->detail, "Journey session not found");
    assert_null(rig_ask(rig, rig_get(rig, "s1")));
    rig_pass(rig, SECOND_US);
    assert_int_equal(rig_status(rig_last_reply(rig)), 404);
}

static void test_parked_until_it_comes(void **state)
{
    assert_null(rig_ask(rig, rig_stage(rig, "s1", "decision")));
    rig_accept(rig, rig_event(rig, "s1", "Signed Up", NULL));
    const Journey__V1__Reply *reply = rig_last_reply(rig);
    assert_int_equal(rig_status(reply), 200);
    assert_string_equal(rig_stage_of(rig, reply), "decision");
}

/* Its sender was told 202, so it is carried out however late its session comes. */
static void test_promised_command_waits(void **state)
{
    Journey__V1__Command *c = rig_stage(rig, "s1", "decision");
    c->received_us = rig->now_us - 5 * SECOND_US;
    c->deadline_us = rig->now_us - 1;
    assert_null(rig_ask(rig, c));
    rig_pass(rig, 20 * SECOND_US);
    rig_accept(rig, rig_event(rig, "s1", "Signed Up", NULL));
    assert_string_equal(rig_stage_of(rig, rig_last_reply(rig)), "decision");
}

static void test_read_does_not_outwait_its_deadline(void **state)
{
    Journey__V1__Command *c = rig_get(rig, "s1");
    c->deadline_us = rig->now_us - 1;
    assert_null(rig_ask(rig, c));
    rig_pass(rig, SECOND_US);
    assert_int_equal(rig_status(rig_last_reply(rig)), 404);
}

static void test_stage(void **state)
{
    const Journey__V1__Touchpoint *said[RIG_MAX];
    Journey__V1__EngagementMetrics metrics;
    journey__v1__engagement_metrics__init(&metrics);
    metrics.time_on_page = 45;
    metrics.scroll_depth = 0.8;
    metrics.interaction_count = 3;
    metrics.engagement_score = -1;
    (void)rig_ask(rig, rig_start(rig, "s1", "mobile", "tiktok"));
    Journey__V1__Command *c = rig_stage(rig, "s1", "consideration");
    c->stage->engagement = &metrics;
    c->stage->contextual_data = borrow_text("{\"item_id\":\"p1\"}");
    assert_string_equal(rig_stage_of(rig, rig_ask(rig, c)), "consideration");
    assert_int_equal(rig_touchpoints(rig, said), 1);
    assert_string_equal(said[0]->touchpoint_type, "stage_transition");
    assert_int_equal(said[0]->touchpoint_sequence, 1);
    assert_string_equal(said[0]->interaction_data,
                        "{\"previous_stage\":\"awareness\",\"new_stage\":\"consideration\","
                        "\"trigger_event\":\"product_gallery_viewed\"}");
    assert_true(said[0]->engagement_score > 0.7199 && said[0]->engagement_score < 0.7201);
    assert_int_equal(said[0]->duration_seconds, 45);
    assert_int_equal(said[0]->click_count, 3);
    assert_string_equal(said[0]->message_id, c->message_id);
    assert_string_equal(said[0]->metadata, "{\"contextual_data\":{\"item_id\":\"p1\"}}");
    assert_string_equal(rig_changes(rig, "s1"), "started,stage_transition");
    /* the same command again: the same answer, once */
    assert_string_equal(rig_stage_of(rig, rig_ask(rig, c)), "consideration");
    assert_int_equal(rig_touchpoints(rig, said), 1);
    /* the current stage: an interaction */
    assert_string_equal(rig_stage_of(rig, rig_ask(rig, rig_stage(rig, "s1", "consideration"))),
                        "consideration");
    assert_int_equal(rig_touchpoints(rig, said), 2);
    assert_string_equal(said[1]->touchpoint_type, "interaction");
    assert_true(said[1]->engagement_score < 0);
}

static void test_stage_refused(void **state)
{
    (void)rig_ask(rig, rig_start(rig, "s1", "mobile", "tiktok"));
    (void)rig_ask(rig, rig_stage(rig, "s1", "conversion"));
    const Journey__V1__Reply *reply = rig_ask(rig, rig_stage(rig, "s1", "awareness"));
    assert_int_equal(rig_status(reply), 409);
    assert_string_equal(rig_code(reply), "illegal_transition");
    reply = rig_ask(rig, rig_stage(rig, "s1", "purchase"));
    assert_int_equal(rig_status(reply), 400);
    assert_string_equal(rig_code(reply), "invalid_request");
    assert_string_equal(reply->problem->errors[0]->field, "new_stage");
    assert_int_equal(rig_count(rig, &touchpoints_table), 1);
}

static void test_end(void **state)
{
    (void)rig_ask(rig, rig_start(rig, "s1", "desktop", "google"));
    rig_pass(rig, 90 * SECOND_US);
    const Journey__V1__Reply *reply = rig_ask(rig, rig_end(rig, "s1", "{\"page\":\"/cart\"}"));
    assert_int_equal(rig_status(reply), 200);
    assert_int_equal(strtol(rig_part(reply, "total_session_time"), NULL, 10), 91);
    assert_string_equal(rig_stage_of(rig, reply), "awareness");
    const char *json = rig_session(rig, "s1");
    assert_string_equal(rig_member(rig, json, "exit_point.page"), "/cart");
    assert_string_equal(arena_printf(rig->arena, "\"%s\"", rig_member(rig, json, "end_timestamp")),
                        rig_part(reply, "end_timestamp"));
    assert_string_equal(rig_code(rig_ask(rig, rig_stage(rig, "s1", "decision"))), "session_ended");
    assert_string_equal(rig_code(rig_ask(rig, rig_end(rig, "s1", ""))), "session_ended");
    assert_string_equal(rig_code(rig_ask(rig, rig_touchpoint(rig, "s1", "x", ""))),
                        "session_ended");
    assert_int_equal(rig_status(rig_ask(rig, rig_conversion(rig, "s1", "download", "", ""))), 409);
    assert_int_equal(rig_status(rig_ask(rig, rig_start(rig, "s1", "mobile", "tiktok"))), 200);
    rig_pass(rig, 40 * MINUTE_US); /* its timer went with it */
    assert_string_equal(rig_changes(rig, "s1"), "started,ended");
    rig_accept(rig, rig_event(rig, "s1", "Signed Up", NULL));
    assert_string_equal(rig_changes(rig, "s1"), "started,ended,reopened");
    assert_string_equal(rig_member(rig, rig_session(rig, "s1"), "end_timestamp"), "null");
    rig_pass(rig, 40 * MINUTE_US);
    assert_string_equal(rig_changes(rig, "s1"), "started,ended,reopened,ended");
}

static void test_unknown_command_stops(void **state)
{
    (void)rig_ask(rig, rig_start(rig, "s1", "mobile", "tiktok"));
    assert_null(rig_ask(rig, rig_command(rig, "s1")));
    assert_int_equal(bus_mem_end(rig->cluster, topic_dlq(TOPIC_COMMANDS_JOURNEY_STATE), 0), 0);
    assert_true(rig->alarm[0]);
    rig->alarm[0] = '\0';
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_start),
        CASE(test_long_session_id),
        CASE(test_get),
        CASE(test_start_after_touchpoints),
        CASE(test_not_found),
        CASE(test_parked_until_it_comes),
        CASE(test_promised_command_waits),
        CASE(test_read_does_not_outwait_its_deadline),
        CASE(test_stage),
        CASE(test_stage_refused),
        CASE(test_end),
        CASE(test_unknown_command_stops),
    };
    return cmocka_run_group_tests_name("journey-state commands", tests, NULL, NULL);
}
