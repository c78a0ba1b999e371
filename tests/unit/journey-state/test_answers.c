/* Touchpoints and conversions by command, and lists of touchpoints. */
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

static void test_conversion_by_command(void **state)
{
    const struct store_value *rows[RIG_MAX];
    (void)rig_ask(rig, rig_start(rig, "s1", "desktop", "google"));
    const Journey__V1__Reply *reply =
        rig_ask(rig, rig_conversion(rig, "s1", "purchase", "149.9", "o1"));
    assert_int_equal(rig_status(reply), 201);
    const char *first = rig_part(reply, "conversion");
    assert_string_equal(rig_member(rig, first, "revenue_attributed"), "149.90");
    assert_string_equal(rig_member(rig, first, "commission_earned"), "0.00");
    assert_string_equal(rig_member(rig, first, "lifetime_value_prediction"), "null");
    assert_string_equal(rig_stage_of(rig, reply), "conversion");
    assert_int_equal(rig_rows(rig, &conversions_table, rows), 1);
    assert_true(slice_equal_str(rows[0][CONVERSIONS_EVENT_VALUE].s, "149.90"));
    assert_true(slice_equal_str(rows[0][CONVERSIONS_EVENT_CURRENCY].s, "EUR"));
    assert_true(slice_equal_str(rows[0][CONVERSIONS_PRODUCT_DATA].s, "{\"sku\":\"x\"}"));
    assert_true(rows[0][CONVERSIONS_FUNNEL_STEP].null);
    assert_int_equal(rig_count(rig, &touchpoints_table), 2);
    /* the order again: the same conversion, counted once */
    reply = rig_ask(rig, rig_conversion(rig, "s1", "purchase", "149.9", "o1"));
    assert_int_equal(rig_status(reply), 201);
    assert_string_equal(rig_member(rig, rig_part(reply, "conversion"), "id"),
                        rig_member(rig, first, "id"));
    assert_int_equal(rig_count(rig, &conversions_table), 1);
    assert_int_equal(rig_count(rig, &touchpoints_table), 2);
    /* with another value, there and elsewhere: what was attributed is told, not what is said now */
    reply = rig_ask(rig, rig_conversion(rig, "s1", "purchase", "1", "o1"));
    assert_string_equal(rig_member(rig, rig_part(reply, "conversion"), "revenue_attributed"),
                        "149.90");
    (void)rig_ask(rig, rig_start(rig, "s2", "desktop", "google"));
    reply = rig_ask(rig, rig_conversion(rig, "s2", "purchase", "2", "o1"));
    assert_string_equal(rig_part(reply, "conversion"), first);
    assert_int_equal(rig_count(rig, &conversions_table), 1);
    /* another type, without an order */
    reply = rig_ask(rig, rig_conversion(rig, "s1", "email_signup", "", ""));
    assert_int_equal(rig_status(reply), 201);
    assert_int_equal(rig_count(rig, &conversions_table), 2);
    assert_string_equal(rig_changes(rig, "s1"), "started,conversion,stage_transition,conversion");
}

static const char *page(const char *session, int64_t after, int32_t limit)
{
    Journey__V1__Command *c = rig_command(rig, session);
    Journey__V1__ListTouchpoints *list = arena_alloc(rig->arena, sizeof(*list));
    journey__v1__list_touchpoints__init(list);
    list->after = after;
    list->limit = limit;
    c->body_case = JOURNEY__V1__COMMAND__BODY_LIST_TOUCHPOINTS;
    c->list_touchpoints = list;
    c->read_only = true;
    const Journey__V1__Reply *reply = rig_ask(rig, c);
    assert_int_equal(rig_status(reply), 200);
    return rig_part(reply, "page");
}

static unsigned rows_of(const char *json)
{
    const struct json_node *root;
    assert_int_equal(json_parse(&root, slice_str(json), rig->arena, NULL), 0);
    return json_get(root, "data")->count;
}

static void test_touchpoint_by_command(void **state)
{
    (void)rig_ask(rig, rig_start(rig, "s1", "desktop", "google"));
    const Journey__V1__Reply *reply = rig_ask(
        rig,
        rig_touchpoint(rig, "s1", "exit_intent",
                       "{\"page_url\":\"https://shop.example/"
                       "\",\"interaction_type\":\"hover\",\"click_count\":2,"
                       "\"conversion_value\":\"7.5\",\"personalization_applied\":{\"application_"
                       "id\":\"a1\"},\"metadata\":{\"trigger_id\":\"t1\"}}"));
    assert_int_equal(rig_status(reply), 201);
    assert_string_equal(rig_member(rig, rig_part(reply, "touchpoint"), "touchpoint_sequence"), "1");
    const char *json = page("s1", 0, 0);
    assert_int_equal(rows_of(json), 1);
    assert_string_equal(rig_member(rig, json, "next_cursor"), "null");
    const struct json_node *root;
    assert_int_equal(json_parse(&root, slice_str(json), rig->arena, NULL), 0);
    const char *row = arena_str(rig->arena, json_get(root, "data")->child->raw);
    static const struct {
        const char *column, *value;
    } cases[] = {
        {"session_id", "s1"},
        {"touchpoint_sequence", "1"},
        {"touchpoint_type", "exit_intent"},
        {"page_url", "https://shop.example/"},
        {"interaction_type", "hover"},
        {"click_count", "2"},
        {"conversion_value", "7.50"},
        {"personalization_applied", "{\"application_id\":\"a1\"}"},
        {"metadata", "{\"trigger_id\":\"t1\"}"},
        {"event_name", "null"},
        {"engagement_score", "0.12"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_string_equal(rig_member(rig, row, cases[i].column), cases[i].value);
    assert_string_equal(rig_member(rig, row, "id"),
                        rig_member(rig, rig_part(reply, "touchpoint"), "id"));
    const Journey__V1__Touchpoint *said[RIG_MAX];
    assert_int_equal(rig_touchpoints(rig, said), 1);
    assert_string_equal(said[0]->metadata, "{\"trigger_id\":\"t1\"}");
}

static void test_pages(void **state)
{
    (void)rig_ask(rig, rig_start(rig, "s1", "desktop", "google"));
    assert_int_equal(rows_of(page("s1", 0, 10)), 0);
    for (int i = 0; i < 7; i++)
        rig_accept(rig, rig_event(rig, "s1", "Signed Up", NULL));
    const char *json = page("s1", 0, 3);
    assert_int_equal(rows_of(json), 3);
    assert_string_equal(rig_member(rig, json, "next_cursor"), "3");
    json = page("s1", 3, 3);
    assert_int_equal(rows_of(json), 3);
    assert_string_equal(rig_member(rig, json, "next_cursor"), "6");
    json = page("s1", 6, 3);
    assert_int_equal(rows_of(json), 1);
    assert_string_equal(rig_member(rig, json, "next_cursor"), "null");
}

static void test_page_of_large_rows(void **state)
{
    char *properties = arena_alloc(rig->arena, 30001);
    memset(properties, ' ', 30000);
    memcpy(properties, "{\"a\":1", 6);
    properties[29999] = '}';
    for (int i = 0; i < 40; i++)
        rig_accept(rig, rig_event(rig, "s1", "Signed Up", properties));
    const char *json = page("s1", 0, 500);
    unsigned rows = rows_of(json);
    assert_true(rows > 10 && rows < 40);
    assert_int_equal(strtol(rig_member(rig, json, "next_cursor"), NULL, 10), rows);
    assert_int_equal(rows_of(page("s1", rows, 500)), 40 - rows);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_conversion_by_command),
        CASE(test_touchpoint_by_command),
        CASE(test_pages),
        CASE(test_page_of_large_rows),
    };
    return cmocka_run_group_tests_name("journey-state answers", tests, NULL, NULL);
}
