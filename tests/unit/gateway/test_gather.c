/* Answers made of parts: who is waited for, how long, and what is left out. */
#include "domain/gather.h"

#include "test.h"

static const struct gw_part_spec parts[] = {
    {"journey_state", "journey-state", false, 0},
    {"personalized_content", "personalization", true, 150},
    {"scarcity_triggers", "scarcity", true, 100},
};
static const struct gw_member members[] = {
    {"session_id", GW_FROM_SUBJECT, NULL},
    {"journey_state", GW_FROM_PART, "journey_state"},
    {"personalized_content", GW_FROM_PART, "personalized_content"},
    {"scarcity_triggers", GW_FROM_PART, "scarcity_triggers"},
    {"later", GW_CONSTANT, "[]"},
};
static const struct gw_answer answer = {200, parts, ARRAY_SIZE(parts), members, ARRAY_SIZE(members),
                                        NULL};

#define DEADLINE_US (5 * SECOND_US)

static void assert_body(const struct gw_gather *gather, const char *expected)
{
    struct buf out = {0};
    gw_gather_write(gather, slice_str("s\"1"), &out);
    assert_string_equal(out.data, expected);
    buf_deinit(&out);
}

static void part(struct gw_gather *gather, const char *name, const char *json)
{
    assert_true(gw_gather_part(gather, name, slice_str(json)));
}

static void test_all_parts(void **state)
{
    struct gw_gather g;
    gw_gather_init(&g, &answer, DEADLINE_US);
    part(&g, "journey_state", "{\"a\":1}");
    assert_int_equal(gw_gather_state(&g, 0), GW_GATHER_WAIT);
    part(&g, "personalized_content", "{}");
    assert_int_equal(gw_gather_state(&g, 0), GW_GATHER_WAIT);
    part(&g, "scarcity_triggers", "[1]");
    assert_int_equal(gw_gather_state(&g, 0), GW_GATHER_READY);
    assert_body(
        &g, "{\"session_id\":\"s\\\"1\",\"journey_state\":{\"a\":1},\"personalized_content\":{},"
            "\"scarcity_triggers\":[1],\"later\":[]}");
    assert_false(gw_gather_part(&g, "unheard_of", slice_str("1")));
}

static void test_optional_part_late(void **state)
{
    struct gw_gather g;
    gw_gather_init(&g, &answer, DEADLINE_US);
    part(&g, "journey_state", "{}");
    part(&g, "scarcity_triggers", "[]");
    assert_int_equal(gw_gather_state(&g, 149999), GW_GATHER_WAIT);
    assert_int_equal(gw_gather_next_us(&g, 149999), 150000);
    assert_int_equal(gw_gather_state(&g, 150000), GW_GATHER_READY);
    assert_body(
        &g, "{\"session_id\":\"s\\\"1\",\"journey_state\":{},\"scarcity_triggers\":[],\"later\":[],"
            "\"degraded\":[\"personalized_content\"]}");
}

static void test_both_optional_parts_late(void **state)
{
    struct gw_gather g;
    gw_gather_init(&g, &answer, DEADLINE_US);
    assert_int_equal(gw_gather_next_us(&g, 0), 100000);
    assert_int_equal(gw_gather_next_us(&g, 100000), 150000);
    assert_int_equal(gw_gather_next_us(&g, 150000), DEADLINE_US);
    assert_int_equal(gw_gather_state(&g, 200000), GW_GATHER_WAIT); /* for the essential one */
    part(&g, "journey_state", "{}");
    assert_int_equal(gw_gather_state(&g, 200000), GW_GATHER_READY);
    assert_body(&g, "{\"session_id\":\"s\\\"1\",\"journey_state\":{},\"later\":[],"
                    "\"degraded\":[\"personalized_content\",\"scarcity_triggers\"]}");
}

static void test_essential_part_late(void **state)
{
    struct gw_gather g;
    gw_gather_init(&g, &answer, DEADLINE_US);
    part(&g, "personalized_content", "{}");
    assert_int_equal(gw_gather_state(&g, DEADLINE_US - 1), GW_GATHER_WAIT);
    assert_int_equal(gw_gather_state(&g, DEADLINE_US), GW_GATHER_LATE);
}

static void test_problems(void **state)
{
    struct gw_gather g;
    gw_gather_init(&g, &answer, DEADLINE_US);
    assert_true(gw_gather_refused(&g, "journey-state"));
    assert_true(gw_gather_refused(&g, "ingest")); /* on the way, without a part of its own */
    gw_gather_init(&g, &answer, DEADLINE_US);
    assert_false(gw_gather_refused(&g, "personalization"));
    part(&g, "journey_state", "{}");
    part(&g, "scarcity_triggers", "[]");
    assert_int_equal(gw_gather_state(&g, 0), GW_GATHER_READY);
    assert_body(
        &g, "{\"session_id\":\"s\\\"1\",\"journey_state\":{},\"scarcity_triggers\":[],\"later\":[],"
            "\"degraded\":[\"personalized_content\"]}");
}

static void test_parts_that_a_service_leaves_out(void **state)
{
    struct gw_gather g;
    gw_gather_init(&g, &answer, DEADLINE_US);
    assert_false(gw_gather_service_done(&g, "journey-state"));
    part(&g, "journey_state", "{}");
    assert_true(gw_gather_service_done(&g, "journey-state"));
    assert_true(gw_gather_service_done(&g, "personalization"));
    assert_true(gw_gather_service_done(&g, "scarcity"));
    assert_int_equal(gw_gather_state(&g, 0), GW_GATHER_READY);
    assert_body(&g, "{\"session_id\":\"s\\\"1\",\"journey_state\":{},\"later\":[],"
                    "\"degraded\":[\"personalized_content\",\"scarcity_triggers\"]}");
}

static void test_whole(void **state)
{
    static const struct gw_part_spec session[] = {{"session", "journey-state", false, 0}};
    static const struct gw_member whole[] = {{NULL, GW_FROM_PART, "session"}};
    static const struct gw_answer row = {200, session, 1, whole, 1, NULL};
    struct gw_gather g;
    gw_gather_init(&g, &row, DEADLINE_US);
    part(&g, "session", "{\"session_id\":\"s1\"}");
    assert_int_equal(gw_gather_state(&g, 0), GW_GATHER_READY);
    assert_body(&g, "{\"session_id\":\"s1\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_parts),
        cmocka_unit_test(test_optional_part_late),
        cmocka_unit_test(test_both_optional_parts_late),
        cmocka_unit_test(test_essential_part_late),
        cmocka_unit_test(test_problems),
        cmocka_unit_test(test_parts_that_a_service_leaves_out),
        cmocka_unit_test(test_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
