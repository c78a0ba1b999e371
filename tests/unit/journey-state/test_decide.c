/* Accepted events: touchpoints, conversions, moves; idleness; persons and settings. */
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

static void test_event_types(void **state)
{
    static const struct {
        Journey__V1__EventType type;
        const char *name, *touchpoint;
    } cases[] = {
        {JOURNEY__V1__EVENT_TYPE__EVENT_TYPE_PAGE, "Home", "page_view"},
        {JOURNEY__V1__EVENT_TYPE__EVENT_TYPE_SCREEN, "Main", "page_view"},
        {JOURNEY__V1__EVENT_TYPE__EVENT_TYPE_IDENTIFY, "", "identify"},
        {JOURNEY__V1__EVENT_TYPE__EVENT_TYPE_ALIAS, "", "alias"},
        {JOURNEY__V1__EVENT_TYPE__EVENT_TYPE_GROUP, "", "group"},
        {JOURNEY__V1__EVENT_TYPE__EVENT_TYPE_TRACK, "Signed Up", "signed_up"},
        {JOURNEY__V1__EVENT_TYPE__EVENT_TYPE_TRACK, "?", "track"},
        {JOURNEY__V1__EVENT_TYPE__EVENT_TYPE_PAGE, "Order Completed", "page_view"},
        {JOURNEY__V1__EVENT_TYPE__EVENT_TYPE_TRACK, "Order Completed", "conversion_event"},
    };
    const Journey__V1__Touchpoint *said[RIG_MAX];
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char session[8];
        (void)snprintf(session, sizeof(session), "s%zu", i);
        Journey__V1__Accepted *a = rig_event(rig, "s1", cases[i].name, NULL);
        a->event->type = cases[i].type;
        rig_accept(rig, a);
    }
    unsigned n = rig_touchpoints(rig, said), next = 0;
    for (unsigned k = 0; k < n; k++) {
        assert_int_equal(said[k]->touchpoint_sequence, k + 1);
        if (strcmp(said[k]->touchpoint_type, "stage_transition") == 0)
            continue;
        assert_case(cases[next].touchpoint,
                    strcmp(said[k]->touchpoint_type, cases[next].touchpoint) == 0);
        assert_case(cases[next].touchpoint, strcmp(said[k]->event_name, cases[next].name) == 0);
        next++;
    }
    assert_int_equal(next, ARRAY_SIZE(cases));
}

/* Whoever counts views leaves them out, and the moves that they cause. */
static void test_what_no_person_did_is_marked(void **state)
{
    const Journey__V1__Touchpoint *said[RIG_MAX];
    Journey__V1__Enrichment enrichment;
    journey__v1__enrichment__init(&enrichment);
    for (int round = 0; round < 4; round++) {
        Journey__V1__Accepted *a = rig_event(rig, "s1", "Signed Up", NULL);
        if (round == 3)
            a = rig_event(rig, "s1", "Product Viewed", NULL);
        enrichment.bot = round == 1 || round == 3;
        enrichment.prefetch = round == 2;
        a->enrichment = &enrichment;
        rig_accept(rig, a);
    }
    assert_int_equal(rig_touchpoints(rig, said), 5);
    for (unsigned i = 0; i < 5; i++)
        assert_true(said[i]->automatic == (i > 0));
}

static void test_event_columns(void **state)
{
    const struct store_value *rows[RIG_MAX];
    Journey__V1__Accepted *a = rig_event(rig, "s1", "Product Viewed",
                                         "{\"product_id\":\"p1\",\"scroll_depth\":0.5,\"engagement_"
                                         "score\":7,\"note\":\"a\\u0000b\",\"n\":1e999999}");
    a->event->context = borrow_text("{\"page\":{\"url\":\"https://shop.example/"
                                    "p1\",\"title\":\"P1\"},\"device\":{\"type\":\"tv\"}}");
    rig_accept(rig, a);
    assert_int_equal(rig_rows(rig, &touchpoints_table, rows), 2);
    unsigned event = rows[0][TOUCHPOINTS_SEQUENCE].i == 1 ? 0 : 1;
    const struct store_value *v = rows[event];
    assert_true(slice_equal_str(v[TOUCHPOINTS_PAGE_URL].s, "https://shop.example/p1"));
    assert_true(slice_equal_str(v[TOUCHPOINTS_PAGE_TITLE].s, "P1"));
    assert_true(slice_equal_str(v[TOUCHPOINTS_DEVICE_CONTEXT].s, "{\"type\":\"tv\"}"));
    assert_true(v[TOUCHPOINTS_SCROLL_DEPTH].f == 0.5);
    assert_true(slice_equal_str(v[TOUCHPOINTS_METADATA].s, "{}"));
    assert_true(slice_equal_str(v[TOUCHPOINTS_CONVERSION_VALUE].s, "0.00"));
    /* what Postgres would refuse was rewritten in the row; the message has it byte for byte */
    assert_non_null(memmem(v[TOUCHPOINTS_INTERACTION_DATA].s.data,
                           v[TOUCHPOINTS_INTERACTION_DATA].s.size,
                           "\"note\":\"a\xef\xbf\xbd"
                           "b\",\"n\":\"1e999999\"",
                           28));
    const Journey__V1__Touchpoint *said[RIG_MAX];
    assert_int_equal(rig_touchpoints(rig, said), 2);
    assert_string_equal(said[0]->properties, a->event->properties);
    assert_string_equal(said[0]->stage, "awareness");
    assert_string_equal(said[1]->stage, "consideration");
    assert_string_equal(said[1]->message_id, said[0]->message_id);
    assert_memory_equal(said[0]->id.data, rows[event][TOUCHPOINTS_ID].s.data, 16);
}

static void test_orders(void **state)
{
    static const struct {
        const char *properties, *value;
    } cases[] = {
        {"{\"order_id\":\"o1\",\"total\":12.345}", "12.35"},
        {"{\"order_id\":\"o1\",\"total\":12.345}", NULL},
        {"{\"orderId\":\"o2\",\"revenue\":\"9.99\",\"total\":1}", "9.99"},
        {"{\"order_id\":17,\"revenue\":\"free\",\"value\":3}", "3.00"},
        {"{\"order_id\":\"17\"}", NULL},
        {"{\"value\":1e20}", "0.00"},
        {"{}", "0.00"},
    };
    const Journey__V1__Touchpoint *said[RIG_MAX];
    unsigned conversions = 0, seen = 0;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        rig_accept(rig, rig_event(rig, "s1", "Order Completed", cases[i].properties));
        conversions += cases[i].value != NULL;
        assert_case(cases[i].properties, rig_count(rig, &conversions_table) == conversions);
    }
    unsigned n = rig_touchpoints(rig, said);
    for (unsigned k = 0; k < n; k++) {
        if (strcmp(said[k]->touchpoint_type, "conversion_event") != 0)
            continue;
        const char *value = cases[seen].value;
        assert_case(cases[seen].properties,
                    strcmp(said[k]->conversion_value, value ? value : "0.00") == 0);
        assert_case(cases[seen].properties,
                    strcmp(said[k]->conversion_type, value ? "purchase" : "") == 0);
        seen++;
    }
    assert_int_equal(seen, ARRAY_SIZE(cases));
    assert_int_equal(n, ARRAY_SIZE(cases) + 1); /* and the move to conversion */
    assert_string_equal(
        rig_changes(rig, "s1"),
        "started,conversion,stage_transition,conversion,conversion,conversion,conversion");
}

static void test_order_in_another_session(void **state)
{
    rig_accept(rig, rig_event(rig, "s1", "Order Completed", "{\"order_id\":\"o1\",\"total\":5}"));
    rig_accept(rig, rig_event(rig, "s2", "Order Completed", "{\"order_id\":\"o1\",\"total\":5}"));
    assert_int_equal(rig_count(rig, &conversions_table), 1);
    assert_string_equal(rig_changes(rig, "s2"), "started,stage_transition");
    assert_string_equal(rig_member(rig, rig_session(rig, "s2"), "conversion_events"), "[]");
}

static void test_idle(void **state)
{
    rig_accept(rig, rig_event(rig, "s1", "Signed Up", NULL));
    rig_pass(rig, 20 * MINUTE_US);
    rig_accept(rig, rig_event(rig, "s1", "Signed Up", NULL));
    rig_restart(rig);
    rig_pass(rig, 20 * MINUTE_US); /* the timer came early, and looked */
    assert_string_equal(rig_changes(rig, "s1"), "started");
    rig_pass(rig, 20 * MINUTE_US);
    assert_string_equal(rig_changes(rig, "s1"), "started,ended");
    /* a command reopens what only fell idle */
    assert_int_equal(rig_status(rig_ask(rig, rig_stage(rig, "s1", "decision"))), 200);
    assert_string_equal(rig_changes(rig, "s1"), "started,ended,reopened,stage_transition");
}

static void test_idle_of_the_event(void **state)
{
    Journey__V1__Accepted *a = rig_event(rig, "s1", "Signed Up", NULL);
    a->idle_us = 5 * MINUTE_US;
    rig_accept(rig, a);
    rig_pass(rig, 6 * MINUTE_US);
    assert_string_equal(rig_changes(rig, "s1"), "started,ended");
}

/* Nobody ran for an hour: what is due since then must not keep new visitors waiting until all of it is done. */
static void test_due_timers_hold_up_no_events(void **state)
{
    const struct store_value *rows[RIG_MAX];
    unsigned open = 0;
    char session[16];
    for (unsigned i = 0; i < 3000; i++) {
        (void)snprintf(session, sizeof(session), "old-%u", i);
        Journey__V1__Accepted *a = rig_event(rig, session, "Signed Up", NULL);
        rig_send(rig, TOPIC_ACCEPTED, topic_key(rig_tenant, slice_str(session), rig->arena),
                 &a->base, NULL);
    }
    rig_settle(rig);
    rig_restart(rig);
    rig->now_us += HOUR_US;
    Journey__V1__Accepted *a = rig_event(rig, "new", "Signed Up", NULL);
    rig_send(rig, TOPIC_ACCEPTED, topic_key(rig_tenant, slice_str("new"), rig->arena), &a->base,
             NULL);
    while (!rig_row(rig, &sessions_table, "new")) {
        (void)stream_step(rig->stream);
        (void)rig->store_ops->run(rig);
    }
    unsigned n = rig_rows(rig, &sessions_table, rows);
    for (unsigned i = 0; i < n; i++)
        open += rows[i][SESSIONS_END_TIMESTAMP].null;
    assert_true(open > 1000);
}

static void test_person_returns(void **state)
{
    Journey__V1__Command *c = rig_start(rig, "s1", "mobile", "google");
    c->start->user = borrow_id(rig_user);
    const Journey__V1__Reply *reply = rig_ask(rig, c);
    assert_string_equal(rig_member(rig, rig_part(reply, "journey_state"), "personalized_path"),
                        "standard_conversion_funnel");
    (void)rig_ask(rig, rig_conversion(rig, "s1", "purchase", "10", "o1"));
    c = rig_start(rig, "s2", "mobile", "google");
    c->start->user = borrow_id(rig_user);
    reply = rig_ask(rig, c);
    assert_string_equal(rig_member(rig, rig_part(reply, "journey_state"), "personalized_path"),
                        "returning_visitor_personalized");
    assert_string_equal(rig_stage_of(rig, reply), "retention");
    /* carried on, and by a session that an event opens */
    Journey__V1__SessionStart opens;
    journey__v1__session_start__init(&opens);
    Journey__V1__Accepted *a = rig_event(rig, "s3", "Signed Up", NULL);
    a->opens = &opens;
    a->event->user = borrow_id(rig_user);
    rig_accept(rig, a);
    assert_string_equal(rig_member(rig, rig_session(rig, "s3"), "current_stage"), "retention");
}

static void test_settings(void **state)
{
    rig_setting(rig, "goal_events", "{\"Booked\":\"consultation_booking\"}");
    rig_accept(rig, rig_event(rig, "s1", "Booked", "{\"value\":5,\"currency\":\"usd\"}"));
    assert_string_equal(rig_changes(rig, "s1"), "started,conversion,stage_transition");
    const struct store_value *rows[RIG_MAX];
    assert_int_equal(rig_rows(rig, &conversions_table, rows), 1);
    assert_true(slice_equal_str(rows[0][CONVERSIONS_EVENT_CURRENCY].s, "USD"));
    rig_setting(rig, "stage_events", "{\"Booked\":\"decision\"}");
    rig_accept(rig, rig_event(rig, "s2", "Product Added", NULL));
    assert_string_equal(rig_changes(rig, "s2"), "started");
    rig_accept(rig, rig_event(rig, "s2", "Booked", NULL));
    assert_string_equal(rig_changes(rig, "s2"), "started,stage_transition");
    rig_setting(rig, "session_idle_seconds", "60");
    (void)rig_ask(rig, rig_start(rig, "s3", "mobile", "tiktok"));
    rig_pass(rig, 2 * MINUTE_US);
    assert_string_equal(rig_changes(rig, "s3"), "started,ended");
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_event_types),
        CASE(test_what_no_person_did_is_marked),
        CASE(test_event_columns),
        CASE(test_orders),
        CASE(test_order_in_another_session),
        CASE(test_idle),
        CASE(test_idle_of_the_event),
        CASE(test_person_returns),
        CASE(test_settings),
        CASE(test_due_timers_hold_up_no_events),
    };
    return cmocka_run_group_tests_name("journey-state decide", tests, NULL, NULL);
}
